"""Staff: links that sign in once, tokens for a page that is open, and what ends both."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sayso.wire import Role, TokenClass
from sayso_server.app import SERVICES
from sayso_server.auth.algorithm import Algorithm
from sayso_server.keys import new_key

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

PUBLIC_ORIGIN = "https://privacy.example"
PAGE = {"Sec-Fetch-Site": "same-origin", "Origin": PUBLIC_ORIGIN}
PEOPLE = [Role.AGENT, Role.PRIVACY_OFFICER, Role.AUDITOR, Role.ADMIN]


@pytest.fixture
async def desk(world: World, dealer: Brand) -> Desk:
    """A brand whose staff tokens the server can sign."""
    desk = Desk(world, dealer)
    await desk.make_key()
    return desk


class Desk:
    """What the commands and the page do."""

    def __init__(self, world: World, brand: Brand) -> None:
        self.world, self.brand = world, brand
        self.staff = world.app[SERVICES].staff_roll
        self.key_id = ""

    async def make_key(self) -> None:
        key, secret = new_key(self.brand.id, Algorithm.HS256, (TokenClass.STAFF,), PEOPLE, now=self.world.clock.now())
        self.world.keys.add(key.key_id, secret or "")
        await self.world.storage.add_key(key)
        await self.staff.sign_with(self.brand.id, key.key_id)
        self.key_id = key.key_id

    async def invite(self, name: str = "ann", *roles: str) -> str:
        return await self.staff.invite(self.brand.id, name, roles or ("privacy_officer",))

    async def use(self, link: str, headers: dict[str, str] = PAGE) -> Answered:
        return await self.world.call("POST", f"/invite/{link}", headers=headers)

    async def signed_in(self, name: str = "ann", *roles: str) -> str:
        answer = await self.use(await self.invite(name, *roles))
        assert answer.status == 200, answer.body
        return str(answer.json["token"])

    async def call(self, token: str, method: str, path: str, **request: Any) -> Answered:
        return await self.world.call(method, path, token=token, headers=PAGE, **request)

    async def audited(self) -> list[str]:
        return [
            json.loads(line.body)["event"] for line in await self.world.storage.audit("dealer", before=None, limit=99)
        ]


def claims_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, payload, _ = token.split(".")
    return tuple(json.loads(urlsafe_b64decode(part + "==")) for part in (header, payload))  # type: ignore[return-value]


# --- signing in ---


async def test_opening_a_link_says_whom_it_signs_in_and_uses_nothing_up(desk):
    link = await desk.invite("ann", "privacy_officer", "auditor")
    for _ in range(3):
        opened = await desk.world.call("GET", f"/invite/{link}")
        assert opened.status == 200
        assert b"<strong>ann</strong> for <strong>Dealer</strong> as privacy officer, auditor" in opened.body
    assert (await desk.world.call("HEAD", f"/invite/{link}")).status == 200

    assert (await desk.use(link)).status == 200


async def test_a_link_gives_a_staff_token_of_the_persons_roles_for_fifteen_minutes(desk):
    answer = await desk.use(await desk.invite("ann", "privacy_officer"))
    header, payload = claims_of(answer.json["token"])

    assert header == {"alg": "HS256", "kid": desk.key_id, "typ": "sayso-staff+jwt"}
    assert (payload["iss"], payload["aud"], payload["sub"]) == ("dealer", "sayso", "ann")
    assert payload["scope"] == "privacy_officer"
    assert payload["exp"] - payload["iat"] == 900
    assert answer.json | {"token": ""} == {
        "token": "",
        "expires_in": 900,
        "renew_in": 600,
        "session_ends_at": "2026-11-24T07:00:00.000000Z",
        "staff": "ann",
        "roles": ["privacy_officer"],
        "brand": "dealer",
        "brand_name": "Dealer",
    }
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_link_works_once(desk):
    link = await desk.invite()
    assert (await desk.use(link)).status == 200

    again = await desk.use(link)
    assert (again.status, again.code) == (410, "link_used")
    opened = await desk.world.call("GET", f"/invite/{link}")
    assert (opened.status, b"was used before" in opened.body) == (410, True)


async def test_a_link_ends_after_72_hours(desk):
    link = await desk.invite()
    desk.world.clock.forward(timedelta(hours=72) - timedelta(seconds=1))
    assert (await desk.world.call("GET", f"/invite/{link}")).status == 200
    desk.world.clock.forward(timedelta(seconds=1))

    late = await desk.use(link)
    assert (late.status, late.code) == (410, "link_expired")


@pytest.mark.parametrize("link", ["dealer." + "A" * 43, "nobody." + "A" * 43, "dealer.short", "x"])
async def test_what_is_no_link_signs_nobody_in(desk, link):
    answer = await desk.use(link)

    assert (answer.status, answer.code) == (404, "not_found")
    assert (await desk.world.call("GET", f"/invite/{link}")).status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": PUBLIC_ORIGIN},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_only_the_servers_own_page_uses_a_link_up(desk, headers):
    link = await desk.invite()
    refused = await desk.use(link, headers)
    assert (refused.status, refused.code) == (403, "origin")

    assert (await desk.use(link)).status == 200


async def test_a_link_is_not_used_up_while_nothing_can_sign(desk):
    link = await desk.invite()
    await desk.world.storage.revoke_key("dealer", desk.key_id, desk.world.clock.now())
    refused = await desk.use(link)
    assert (refused.status, refused.code) == (409, "token_invalid")

    await desk.make_key()
    assert (await desk.use(link)).status == 200


async def test_a_links_random_part_is_stored_nowhere(desk):
    link = await desk.invite()
    stored = await desk.world.storage.documents("dealer", "invitation", limit=9)

    assert len(stored) == 1
    assert link.split(".")[1] not in repr(stored)


# --- while the page is open ---


async def test_a_signed_in_officer_reads_requests_and_what_they_do_bears_their_name(desk):
    token = await desk.signed_in()
    body = {"kind": "access", "channel": "post", "contact": {"email": "ben@mail.example"}}
    filed = await desk.call(token, "POST", "/v1/requests", json=body)

    assert filed.status == 201
    assert filed.json["filed_by"] == {"key": desk.key_id, "class": "staff", "staff": "ann", "origin": PUBLIC_ORIGIN}
    assert len((await desk.call(token, "GET", "/v1/requests")).json["requests"]) == 1


async def test_a_page_renews_its_token_until_twelve_hours_are_over(desk):
    token = await desk.signed_in()
    for _ in range(71):
        desk.world.clock.forward(timedelta(minutes=10))
        answer = await desk.call(token, "POST", "/v1/staff/renew")
        assert answer.status == 200
        token = answer.json["token"]
    # 11:50 h: what is given now ends with the day.
    assert answer.json["expires_in"] == 600
    desk.world.clock.forward(timedelta(minutes=10))

    over = await desk.call(token, "POST", "/v1/staff/renew")
    assert (over.status, over.code) == (401, "token_expired")


async def test_a_token_that_has_ended_renews_nothing(desk):
    token = await desk.signed_in()
    desk.world.clock.forward(timedelta(minutes=15))

    answer = await desk.call(token, "POST", "/v1/staff/renew")
    assert (answer.status, answer.code) == (401, "token_expired")


@pytest.mark.parametrize("path", ["/v1/staff/renew", "/v1/staff/links"])
@pytest.mark.parametrize("headers", [{"Origin": PUBLIC_ORIGIN}, {**PAGE, "Sec-Fetch-Site": "same-site"}])
async def test_only_the_servers_own_page_renews_and_makes_links(desk, path, headers):
    token = await desk.signed_in()

    answer = await desk.world.call("POST", path, token=token, headers=headers)
    assert (answer.status, answer.code) == (403, "origin")


@pytest.mark.parametrize("path", ["/v1/staff/renew", "/v1/staff/links"])
async def test_a_token_of_the_brands_own_sign_on_is_renewed_there(desk, path):
    answer = await desk.call(desk.brand.staff("privacy_officer"), "POST", path)

    assert (answer.status, answer.code) == (403, "not_yours")


async def test_a_backend_and_a_consumer_renew_nothing(desk):
    by_backend = await desk.brand.call("POST", "/v1/staff/renew")
    by_consumer = await desk.brand.page("POST", "/v1/staff/renew")

    assert [(one.status, one.code) for one in (by_backend, by_consumer)] == [(403, "token_class")] * 2


async def test_the_link_for_next_time_signs_in_once_and_replaces_the_one_before(desk):
    token = await desk.signed_in()
    first = await desk.call(token, "POST", "/v1/staff/links")
    second = await desk.call(token, "POST", "/v1/staff/links")
    assert first.status == second.status == 201
    assert second.json["url"].startswith(f"{PUBLIC_ORIGIN}/invite/dealer.")

    assert (await desk.use(first.json["url"].rpartition("/")[2])).status == 404
    assert (await desk.use(second.json["url"].rpartition("/")[2])).status == 200
    assert (await desk.use(second.json["url"].rpartition("/")[2])).status == 410


async def test_signing_out_ends_the_page_at_once_and_no_other(desk):
    one, other = await desk.signed_in(), await desk.signed_in()
    assert (await desk.call(one, "POST", "/v1/staff/sign-out")).status == 200

    gone = await desk.call(one, "GET", "/v1/requests")
    assert (gone.status, gone.code) == (401, "token_invalid")
    assert (await desk.call(other, "GET", "/v1/requests")).status == 200


# --- out ---


async def test_who_is_revoked_is_out_at_once_with_every_link(desk):
    token, link = await desk.signed_in(), await desk.invite()
    assert await desk.staff.revoke("dealer", "ann")

    for method, path in (("GET", "/v1/requests"), ("POST", "/v1/staff/renew"), ("POST", "/v1/staff/links")):
        answer = await desk.call(token, method, path)
        assert (answer.status, answer.code) == (401, "token_invalid"), path
    refused = await desk.use(link)
    assert (refused.status, refused.code) == (410, "link_expired")
    assert await desk.staff.link("dealer", "ann") is None


async def test_a_name_that_is_revoked_is_out_on_the_brands_own_sign_on_too(desk):
    await desk.invite("ann")
    await desk.staff.revoke("dealer", "ann")

    answer = await desk.call(desk.brand.staff("privacy_officer", sub="ann"), "GET", "/v1/requests")
    assert (answer.status, answer.code) == (401, "token_invalid")


async def test_a_token_with_fewer_roles_than_the_sign_in_that_it_names_is_refused(desk):
    token = await desk.signed_in("ann", "privacy_officer", "auditor")
    _, claims = claims_of(token)
    forged = desk.brand.staff("auditor", sub="ann", jti=claims["jti"])

    answer = await desk.call(forged, "POST", "/v1/staff/renew")
    assert (answer.status, answer.code) == (401, "token_invalid")


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_of_many_who_use_one_link_at_once_one_is_signed_in(desk):
    link = await desk.invite()
    answers = await asyncio.gather(*(desk.use(link) for _ in range(8)))

    assert sorted(one.status for one in answers) == [200, *[410] * 7]
    assert (await desk.audited()).count("staff.signed-in") == 1


async def test_being_invited_again_revives_nothing_from_before(desk):
    token, link = await desk.signed_in(), await desk.invite()
    await desk.staff.revoke("dealer", "ann")
    again = await desk.invite()

    assert (await desk.call(token, "GET", "/v1/requests")).status == 401
    assert (await desk.use(link)).status == 410
    assert (await desk.use(again)).status == 200


async def test_other_roles_end_what_was_signed_in_with_the_old_ones(desk):
    token = await desk.signed_in("ann", "privacy_officer")
    link = await desk.invite("ann", "auditor")

    assert (await desk.call(token, "GET", "/v1/requests")).status == 401
    assert (await desk.use(link)).json["roles"] == ["auditor"]


async def test_the_same_roles_again_leave_open_pages_alone(desk):
    token = await desk.signed_in()
    await desk.invite()

    assert (await desk.call(token, "GET", "/v1/requests")).status == 200


async def test_staff_of_one_brand_are_nobody_at_another(desk, shop):
    link = await desk.invite()
    token = await desk.signed_in()

    assert (await desk.use("shop." + link.split(".")[1])).status == 404
    assert (await desk.call(token, "GET", "/v1/requests")).json == {"requests": []}
    assert await desk.staff.every("shop") == []


async def test_the_audit_tells_invitations_sign_ins_and_revocations_without_a_token(desk):
    token = await desk.signed_in()
    await desk.call(token, "POST", "/v1/staff/links")
    await desk.call(token, "POST", "/v1/staff/sign-out")
    await desk.staff.revoke("dealer", "ann")

    assert await desk.audited() == [
        "staff.revoked",
        "staff.signed-out",
        "staff.link",
        "staff.signed-in",
        "staff.invited",
    ]


# --- the page ---


async def test_the_page_and_its_parts_are_there_without_a_token_and_hold_nothing(world, dealer):
    page = await world.call("GET", "/officer")

    assert page.status == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "require-trusted-types-for 'script'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    for name, kind in (("app.js", "text/javascript"), ("officer.css", "text/css")):
        part = await world.call("GET", f"/officer/{name}")
        assert (part.status, part.headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        assert name.encode() in page.body


async def test_the_scripts_keep_nothing_in_the_browser_and_make_no_markup(world):
    for word in (b"localStorage", b"sessionStorage", b"document.cookie", b"indexedDB", b"innerHTML", b"outerHTML"):
        for name in ("app.js", "session.js", "dom.js", "queue.js", "request.js", "acts.js", "enter.js", "go.js"):
            assert word not in (await world.call("GET", f"/officer/{name}")).body, (name, word)
