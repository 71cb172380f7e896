"""Guardians: who is asked, who gets the link, what an answer records, and what a minor's own refusal is worth."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from sayso_server.app import SERVICES
from sayso_server.services.sweeping import sweep

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
REQUESTS = "/v1/consumers/cust-42/guardian-requests"
MARKETING, SMS, ADS, SHARE = "purpose:marketing", "channel:sms", "purpose:ads", "partner:vinsolutions:share"
VERIFIED = {"contact_from": "verified", "evidence": {"kind": "id_check", "ref": "case-7"}}


async def make_minor(dealer: Brand, consumer: str = "cust-42", lower: int = 14) -> None:
    body = {"source": "brand", "lower": lower, "upper": lower}
    answer = await dealer.call("PUT", f"/v1/consumers/{consumer}/age", json=body)
    assert answer.status == 200, answer.body


async def ask(dealer: Brand, *topics: str, **members: Any) -> Answered:
    return await dealer.call("POST", REQUESTS, json={"topics": list(topics or (MARKETING,)), **members})


async def link_for(dealer: Brand, *topics: str, **members: Any) -> str:
    """Give the path of a link that was made for a guardian."""
    answer = await ask(dealer, *topics, **members)
    assert answer.status == 201, answer.body
    return path_of(answer)


def path_of(answer: Answered) -> str:
    url: str = answer.json["url"]
    assert url.startswith("https://privacy.example/g/dealer.")
    return url.removeprefix("https://privacy.example")


async def post(world: World, path: str, *topics: str, answer: str = "allow", **headers: str) -> Answered:
    fields = [("topic", topic) for topic in topics]
    form = urlencode([*fields, ("answer", answer)]).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return await world.call("POST", path, body=form, headers=headers)


def lasting(answered: Answered) -> str:
    """Give the path of the link that the page says to keep."""
    assert answered.status == 200, answered.body
    (path,) = re.findall(r'href="https://privacy\.example(/g/[^"]+)"', answered.body.decode())
    return str(path)


@BOTH
async def test_a_guardians_grant_counts_for_the_minor_and_names_the_guardian(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    asked = await ask(dealer, MARKETING, SMS)
    assert asked.json | {"url": ""} == {
        "consumer_id": "cust-42",
        "state": "open",
        "topics": [MARKETING, SMS],
        "expires_at": "2026-11-26T19:00:00.000000Z",
        "confirmed_later": False,
        "url": "",
    }

    answered = await post(world, path_of(asked), f"{MARKETING} 1")

    assert answered.status == 200
    assert await dealer.reason(MARKETING) == "granted"
    assert await dealer.reason(SMS) == "minor"
    (choice,) = await dealer.history()
    assert (choice["actor"], choice["method"], choice["answer"]) == ("guardian", "widget", "granted")
    assert choice["evidence"] == {"kind": "guardian-link", "ref": "contact from brand"}
    assert choice["notice"] == {"language": "en", "version": 1}
    assert choice["recorded_by"] == {"key": "link:guardian", "class": "link"}


@BOTH
async def test_looking_changes_nothing_and_an_answer_uses_the_link_up(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    path = await link_for(dealer)

    for method in ("GET", "HEAD", "GET"):
        async with world.nothing_stored():
            assert (await world.call(method, path)).status == 200
    await post(world, path, MARKETING)
    again = await post(world, path, MARKETING)

    assert again.status == 410
    assert "used before" in again.body.decode()
    assert len(await dealer.history()) == 1
    assert (await world.call("GET", path, headers={"Accept": "application/json"})).code == "link_used"


async def test_the_page_asks_without_a_tick_a_script_or_a_name(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    page = await world.call("GET", await link_for(dealer, MARKETING, SMS), headers={"Accept-Language": "es"})
    html = page.body.decode()

    assert '<html lang="es">' in html
    assert "Le escribimos sobre ofertas." in html
    assert html.count('type="checkbox"') == 2
    assert "checked" not in html
    assert "<script" not in html
    assert "cust-42" not in html
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in page.headers


async def test_a_link_is_256_bits_stored_as_a_digest_and_lasts_72_hours(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    path = await link_for(dealer)
    random = path.rpartition(".")[2]
    assert len(random) == 43
    stored = await world.storage.documents("dealer", "guardian-link", limit=10)
    assert random not in repr(stored)

    world.clock.forward(timedelta(hours=72) - timedelta(seconds=1))
    assert (await world.call("GET", path)).status == 200
    world.clock.forward(timedelta(seconds=1))
    late = await post(world, path, MARKETING, Accept="application/json")

    assert (late.status, late.code) == (410, "link_expired")
    assert await dealer.reason(MARKETING) == "minor"


@BOTH
async def test_a_new_link_cancels_the_one_before(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    old = await link_for(dealer, MARKETING)
    new = await link_for(dealer, SMS)

    gone = await post(world, old, MARKETING)

    assert gone.status == 404
    assert (await post(world, new, SMS)).status == 200
    assert [await dealer.reason(topic) for topic in (MARKETING, SMS)] == ["minor", "granted"]


@pytest.mark.parametrize("text", ["", "dealer.", "dealer.short", "nobody." + "x" * 43, "dealer." + "x" * 43])
async def test_a_link_that_nobody_made_opens_nothing(dealer: Brand, world: World, text: str) -> None:
    for method in ("GET", "POST"):
        assert (await world.call(method, f"/g/{text}", body=b"answer=allow")).status == 404


async def test_nothing_ticked_is_no_answer(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    path = await link_for(dealer)

    for body in (b"", b"answer=allow", b"answer=maybe&topic=purpose%3Amarketing", b"\xff" * 40_000):
        answer = await world.call("POST", path, body=body)
        assert answer.status == 422
    assert await dealer.history() == []
    assert (await post(world, path, MARKETING)).status == 200


async def test_a_topic_outside_the_link_is_refused_and_nothing_of_the_answer_counts(
    dealer: Brand, world: World
) -> None:
    await make_minor(dealer)
    path = await link_for(dealer, MARKETING)

    outside = await post(world, path, MARKETING, SMS, Accept="application/json")

    assert (outside.status, outside.code, outside.json["topics"]) == (403, "scope", [SMS])
    assert await dealer.history() == []


async def test_a_guardian_who_allows_nothing_refuses_all_that_was_asked(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    path = await link_for(dealer, MARKETING, SMS)

    answered = await post(world, path, answer="refuse")

    assert "allowed nothing" in answered.body.decode()
    assert {(entry["topic"], entry["answer"], entry["actor"]) for entry in await dealer.history()} == {
        (MARKETING, "denied", "guardian"),
        (SMS, "denied", "guardian"),
    }


# --- Who gets the link --------------------------------------------------------------------------------------


async def test_only_the_brands_backend_makes_links(dealer: Brand) -> None:
    await make_minor(dealer)
    body = {"topics": [MARKETING]}
    by_page = await dealer.page("POST", REQUESTS, json=body)
    by_staff = await dealer.desk("POST", REQUESTS, json=body)
    by_officer = await dealer.call("POST", REQUESTS, json=body, token=dealer.backend("privacy_officer"))
    assert [answer.code for answer in (by_page, by_staff, by_officer)] == ["token_class", "token_class", "scope"]
    listed = await dealer.desk("GET", "/v1/guardian-requests", scope="privacy_officer")
    assert listed.code == "token_class"


@BOTH
async def test_a_minor_names_their_guardian_and_only_the_backend_reads_it(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    body = {"contact": {"email": "mum@mail.example"}, "topics": [MARKETING], "language": "es"}

    named = await dealer.page("POST", "/v1/me/guardian-requests", json=body)

    assert (named.status, named.json) == (
        202,
        {"state": "asked", "topics": [MARKETING], "deleted_at": "2026-12-07T19:00:00.000000Z"},
    )
    assert b"/g/" not in named.body
    listed = await dealer.call("GET", "/v1/guardian-requests?state=asked")
    assert listed.json["requests"] == [
        {
            "consumer_id": "cust-42",
            "state": "asked",
            "topics": [MARKETING],
            "language": "es",
            "contact_from": "child",
            "contact": {"email": "mum@mail.example"},
            "asked_at": "2026-11-23T19:00:00.000000Z",
            "deleted_at": "2026-12-07T19:00:00.000000Z",
        }
    ]
    path = await link_for(dealer, MARKETING, contact_from="child")
    (open_case,) = (await dealer.call("GET", "/v1/guardian-requests")).json["requests"]
    assert (open_case["state"], open_case["contact"]) == ("open", {"email": "mum@mail.example"})
    again = await dealer.page("POST", "/v1/me/guardian-requests", json=body | {"topics": [SMS]})
    assert again.json["topics"] == [MARKETING]  # what is out already goes on
    assert (await world.call("GET", path)).status == 200


async def test_a_long_list_of_requests_comes_in_pages(dealer: Brand) -> None:
    names = [f"cust-{number}" for number in range(101)]
    for name in names:
        await make_minor(dealer, name)
        await dealer.call("POST", f"/v1/consumers/{name}/guardian-requests", json={"topics": [MARKETING]})
    first = await dealer.call("GET", "/v1/guardian-requests?state=open")
    following = re.fullmatch(r'<(.+)>; rel="next"', first.headers["Link"])
    assert following is not None
    second = await dealer.call("GET", following[1])
    found = [entry["consumer_id"] for page in (first, second) for entry in page.json["requests"]]
    assert (len(first.json["requests"]), sorted(found)) == (100, sorted(names))
    assert "Link" not in second.headers


async def test_an_unanswered_contact_is_deleted_after_14_days(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    await ask(dealer, contact={"phone": "+1 555 010 0100"})
    world.clock.forward(timedelta(days=14) - timedelta(seconds=1))
    assert len((await dealer.call("GET", "/v1/guardian-requests")).json["requests"]) == 1

    world.clock.forward(timedelta(seconds=1))

    assert (await dealer.call("GET", "/v1/guardian-requests")).json["requests"] == []
    await sweep(world.storage, world.clock)
    assert await world.storage.documents("dealer", "guardian", limit=10) == []
    assert await world.storage.documents("dealer", "guardian-link", limit=10) == []


async def test_an_answered_contact_is_deleted_at_once(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    path = await link_for(dealer, contact={"email": "mum@mail.example"})
    assert "mum@mail.example" in repr(await world.storage.documents("dealer", "guardian", limit=10))
    await post(world, path, MARKETING)
    assert await world.storage.documents("dealer", "guardian", limit=10) == []


async def test_the_audit_names_neither_child_nor_guardian(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    path = await link_for(dealer, contact={"email": "mum@mail.example"})
    await post(world, path, MARKETING)
    audit = await dealer.call("GET", "/v1/audit", token=dealer.backend("auditor"))
    assert [line["event"] for line in audit.json["audit"]] == ["guardian.granted", "guardian.asked"]
    for secret in (b"cust-42", b"mum@", path.rpartition(".")[2].encode()):
        assert secret not in audit.body


# --- What may be asked --------------------------------------------------------------------------------------


async def test_nobody_asks_a_guardian_about_somebody_of_age(dealer: Brand, world: World) -> None:
    assert ((await ask(dealer)).status, (await ask(dealer)).code) == (409, "not_a_minor")
    body = {"contact": {"email": "mum@mail.example"}, "topics": [MARKETING]}
    assert (await dealer.page("POST", "/v1/me/guardian-requests", json=body)).code == "not_a_minor"


async def test_what_leaves_the_brand_takes_verified_evidence(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    for contact_from in ("child", "brand"):
        refused = await ask(dealer, MARKETING, SHARE, ADS, contact_from=contact_from)
        assert refused.status == 422
        assert refused.problems == [("/topics/1", "verification_needed"), ("/topics/2", "verification_needed")]

    path = await link_for(dealer, SHARE, **VERIFIED)
    await post(world, path, SHARE)

    assert await dealer.reason(SHARE) == "granted"
    (choice,) = await dealer.history()
    assert choice["evidence"] == {"kind": "guardian-link", "ref": "id_check case-7"}


@pytest.mark.parametrize(
    ("members", "problems"),
    [
        ({"topics": ["purpose:marketting"]}, [("/topics/0", "unknown_topic")]),
        ({"topics": ["purpose:service"]}, [("/topics/0", "not_grantable")]),
        ({"topics": []}, [("/topics", "invalid_value")]),
        ({"topics": [MARKETING, MARKETING]}, [("", "invalid_value")]),
        ({"topics": [MARKETING], "contact_from": "verified"}, [("", "invalid_value")]),
        ({"topics": [MARKETING], "evidence": {"kind": "id_check"}}, [("", "invalid_value")]),
        ({"topics": [MARKETING], "contact": {}}, [("/contact", "invalid_value")]),
        ({"topics": [MARKETING], "contact": {"email": "mum"}}, [("/contact/email", "invalid_value")]),
    ],
)
async def test_what_no_guardian_can_be_asked_is_named(
    dealer: Brand, members: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    await make_minor(dealer)
    answer = await dealer.call("POST", REQUESTS, json=members)
    assert (answer.status, answer.problems) == (422, problems)


# --- The minor's own refusal --------------------------------------------------------------------------------


@BOTH
async def test_a_minors_own_refusal_stands_against_the_guardian(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    path = await link_for(dealer, MARKETING, SMS)
    refused = await dealer.page(
        "POST",
        "/v1/me/choices",
        json={
            "choices": [
                {
                    "id": "0190aaaa-0000-7000-8000-000000000001",
                    "topic": SMS,
                    "answer": "denied",
                    "method": "widget",
                }
            ]
        },
    )
    assert refused.status == 201

    over_it = await post(world, path, MARKETING, SMS, Accept="application/json")

    assert (over_it.status, over_it.code, over_it.json["topics"]) == (409, "refused_by_minor", [SMS])
    assert len(await dealer.history()) == 1
    shown = await post(world, path, MARKETING, SMS)
    assert shown.status == 409
    assert "The child has refused this themselves, and that stands: Text messages." in shown.body.decode()
    assert (await post(world, path, MARKETING)).status == 200  # the link was not used up
    topics = (await dealer.preferences())["topics"]
    assert [topics[topic]["answer"] for topic in (MARKETING, SMS)] == ["granted", "denied"]
    assert [topics[topic]["allowed"] for topic in (MARKETING, SMS)] == [True, False]
    asked = await ask(dealer, SMS)
    assert (asked.status, asked.code, asked.json["topics"]) == (409, "refused_by_minor", [SMS])


async def test_a_minor_who_withdrew_everything_is_not_overridden_either(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    path = await link_for(dealer)
    await dealer.say("*", "withdrawn")
    assert (await post(world, path, MARKETING, Accept="application/json")).code == "refused_by_minor"


@BOTH
async def test_a_guardians_own_no_never_hides_the_minors(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    path = await link_for(dealer)
    answer = await post(world, path, MARKETING)
    await dealer.say(MARKETING, "withdrawn", based_on=2)
    manage = lasting(answer)

    await post(world, manage, "*", answer="withdraw")

    assert (await ask(dealer)).code == "refused_by_minor"


@BOTH
async def test_a_guardian_can_grant_again_what_a_guardian_took_back(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    manage = lasting(await post(world, await link_for(dealer), MARKETING))
    await post(world, manage, MARKETING, answer="withdraw")
    assert await dealer.reason(MARKETING) == "minor"
    world.clock.forward(timedelta(hours=1))

    await post(world, await link_for(dealer), MARKETING)

    assert await dealer.reason(MARKETING) == "granted"


# --- An address that the child typed ------------------------------------------------------------------------


@BOTH
async def test_at_an_address_that_the_child_typed_a_grant_counts_once_it_is_confirmed_a_day_later(
    dealer: Brand, world: World
) -> None:
    await make_minor(dealer)
    asked = await ask(dealer, MARKETING, SMS, contact_from="child", contact={"email": "mum@mail.example"})
    assert asked.json["confirmed_later"] is True
    first = path_of(asked)

    waiting = await post(world, first, MARKETING)

    assert "second message" in waiting.body.decode()
    assert await dealer.history() == []
    assert await dealer.reason(MARKETING) == "minor"
    early = await dealer.call("POST", REQUESTS + "/confirmation")
    assert (early.status, early.code, early.json["confirm_from"]) == (409, "too_early", "2026-11-24T19:00:00.000000Z")
    (case,) = (await dealer.call("GET", "/v1/guardian-requests?state=waiting")).json["requests"]
    assert (case["chosen"], case["contact"]) == ([MARKETING], {"email": "mum@mail.example"})

    world.clock.forward(timedelta(hours=24))
    second = await dealer.call("POST", REQUESTS + "/confirmation")
    assert (second.status, second.json["topics"], second.json["state"]) == (201, [MARKETING], "confirming")
    assert "Please confirm it" in (await world.call("GET", path_of(second))).body.decode()
    outside = await post(world, path_of(second), SMS, Accept="application/json")
    assert outside.code == "scope"
    await post(world, path_of(second), MARKETING)

    assert await dealer.reason(MARKETING) == "granted"
    assert (await post(world, first, MARKETING)).status == 410
    assert (await dealer.call("GET", "/v1/guardian-requests")).json["requests"] == []


@BOTH
@pytest.mark.parametrize("again", [{}, {"contact": {"email": "MUM@mail.example", "phone": "+15550100003"}}])
async def test_the_childs_address_stays_the_childs_whoever_passes_it_on(
    dealer: Brand, world: World, again: dict[str, Any]
) -> None:
    await make_minor(dealer)
    await ask(dealer, contact_from="child", contact={"email": "mum@mail.example"})

    asked = await ask(dealer, contact_from="brand", **again)

    assert asked.json["confirmed_later"] is True
    await post(world, path_of(asked), MARKETING)
    assert await dealer.reason(MARKETING) == "minor"
    (case,) = (await dealer.call("GET", "/v1/guardian-requests")).json["requests"]
    assert (case["state"], case["contact_from"]) == ("waiting", "child")
    another = await ask(dealer, contact_from="brand", contact={"email": "father@mail.example"})
    assert another.json["confirmed_later"] is False


async def test_an_answer_that_never_arrives_whole_changes_nothing(
    dealer: Brand, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso_server.routes.guardian_links.BODY_TIMEOUT", timedelta(milliseconds=20))
    await make_minor(dealer)
    path = await link_for(dealer, MARKETING)
    answered = await world.send_in_pieces(path, b"answer=allow&top", b"ic=purpose%3Amarketing")
    assert answered.split(b" ", 2)[1] == b"422"
    assert b"Nothing has changed" in answered
    assert await dealer.reason(MARKETING) == "minor"
    assert (await world.call("GET", path)).status == 200


async def test_naming_the_same_guardian_again_keeps_their_address_no_longer(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    body = {"contact": {"email": "mum@mail.example"}, "topics": [MARKETING]}
    await dealer.page("POST", "/v1/me/guardian-requests", json=body)
    world.clock.forward(timedelta(days=9))
    again = await dealer.page("POST", "/v1/me/guardian-requests", json=body)
    assert again.json["deleted_at"] == "2026-12-07T19:00:00.000000Z"
    other = await dealer.page("POST", "/v1/me/guardian-requests", json=body | {"contact": {"phone": "+15550100003"}})
    assert other.json["deleted_at"] == "2026-12-16T19:00:00.000000Z"


async def test_asking_again_keeps_no_address_any_longer(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    await ask(dealer, contact_from="child", contact={"email": "mum@mail.example"})
    world.clock.forward(timedelta(days=12))
    again = await ask(dealer, contact_from="child")
    assert again.json["expires_at"] == "2026-12-07T19:00:00.000000Z"
    world.clock.forward(timedelta(days=2))
    await ask(dealer, contact_from="child")
    (case,) = (await dealer.call("GET", "/v1/guardian-requests")).json["requests"]
    assert case["contact"] == {}


async def test_what_nobody_confirms_in_14_days_never_counts(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    await post(world, await link_for(dealer, contact_from="child"), MARKETING)
    world.clock.forward(timedelta(days=14))
    assert (await dealer.call("POST", REQUESTS + "/confirmation")).status == 404
    assert await dealer.reason(MARKETING) == "minor"


async def test_nothing_is_confirmed_that_nobody_allowed(dealer: Brand) -> None:
    await make_minor(dealer)
    assert (await dealer.call("POST", REQUESTS + "/confirmation")).status == 404
    await ask(dealer, contact_from="child")
    assert (await dealer.call("POST", REQUESTS + "/confirmation")).status == 404


async def test_a_no_from_that_address_counts_at_once(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    await post(world, await link_for(dealer, contact_from="child"), answer="refuse")
    (choice,) = await dealer.history()
    assert (choice["answer"], choice["actor"]) == ("denied", "guardian")


# --- Afterwards ---------------------------------------------------------------------------------------------


@BOTH
async def test_a_guardian_looks_takes_back_and_has_everything_deleted(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    manage = lasting(await post(world, await link_for(dealer, MARKETING, SMS), MARKETING, SMS))
    world.clock.forward(timedelta(days=400))
    async with world.nothing_stored():
        html = (await world.call("GET", manage)).body.decode()
    assert "We write to you about offers." in html
    assert "We send texts." in html

    one = await post(world, manage, SMS, answer="withdraw")
    assert "Taken back: Text messages." in one.body.decode()
    assert [await dealer.reason(topic) for topic in (MARKETING, SMS)] == ["granted", "minor"]
    assert (await dealer.history())[0]["actor"] == "guardian"

    filed = await post(world, manage, answer="delete")
    again = await post(world, manage, answer="delete")
    assert "Your request is filed." in filed.body.decode()
    assert again.status == 200
    requests = (await dealer.call("GET", "/v1/requests?consumer=cust-42")).json["requests"]
    assert [(each["kind"], each["filed_by"]["key"]) for each in requests] == [("delete", "link:guardian")]


async def test_the_lasting_link_grants_nothing(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    manage = lasting(await post(world, await link_for(dealer, MARKETING), MARKETING))
    async with world.nothing_stored():
        assert (await post(world, manage, SMS)).status == 200
        assert (await post(world, manage, SMS, answer="withdraw")).status == 200


@BOTH
async def test_at_majority_the_grant_ends_the_links_close_and_the_person_is_asked(dealer: Brand, world: World) -> None:
    await make_minor(dealer, lower=17)
    manage = lasting(await post(world, await link_for(dealer, MARKETING), MARKETING))
    pending = await link_for(dealer, SMS)
    entry = (await dealer.preferences())["topics"][MARKETING]
    assert (entry["allowed"], entry["valid_until"]) == (True, "2027-11-23T19:00:00.000000Z")

    world.clock.forward(timedelta(days=365))

    assert (await dealer.decide(MARKETING))["reason"] == "expired"
    for path in (manage, pending):
        answer = await world.call("GET", path, headers={"Accept": "application/json"})
        assert answer.status == 410
    assert (await world.call("GET", manage, headers={"Accept": "application/json"})).code == "not_a_minor"
    await dealer.say(MARKETING, "granted")
    assert await dealer.reason(MARKETING) == "granted"


async def test_a_notice_that_changed_while_the_guardian_read_it_is_shown_again(
    dealer: Brand, world: World, catalogue: dict[str, Any]
) -> None:
    await make_minor(dealer)
    path = await link_for(dealer)
    catalogue["topics"][MARKETING]["version"] = 2
    catalogue["topics"][MARKETING]["notice"]["en"] = "We write to you about offers every day."
    assert (await dealer.publish(catalogue)).status == 201

    stale = await post(world, path, f"{MARKETING} 1")

    assert stale.status == 409
    assert "We write to you about offers every day." in stale.body.decode()
    assert await dealer.history() == []
    await post(world, path, f"{MARKETING} 2")
    assert await dealer.reason(MARKETING) == "granted"


async def test_an_answer_that_broke_off_is_finished_by_whoever_comes_next(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    path = await link_for(dealer, MARKETING, SMS)
    answering = world.app[SERVICES].guardian_answering
    link = await answering.open(path.removeprefix("/g/"))
    claim = await answering._claimed(link, {MARKETING: 1}, "en")
    await answering._claim(link, claim)  # and here the server stops

    await post(world, path, SMS)

    assert [await dealer.reason(topic) for topic in (MARKETING, SMS)] == ["granted", "minor"]
    assert (await post(world, path, SMS)).status == 410


async def test_an_erasure_takes_the_guardians_links_and_addresses_along(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    manage = lasting(await post(world, await link_for(dealer), MARKETING))
    await ask(dealer, SMS, contact={"email": "mum@mail.example"})
    await dealer.call("DELETE", "/v1/consumers/cust-42")
    assert (await world.call("GET", manage)).status == 404
    for kind in ("guardian", "guardian-link"):
        assert await world.storage.documents("dealer", kind, limit=10) == []


async def test_another_brands_name_on_a_link_opens_nothing(dealer: Brand, world: World) -> None:
    await world.add_brand("other")
    await make_minor(dealer)
    path = await link_for(dealer)
    assert (await world.call("GET", path.replace("/g/dealer.", "/g/other."))).status == 404


@BOTH
async def test_of_two_answers_at_once_one_counts(dealer: Brand, world: World) -> None:
    await make_minor(dealer)
    path = await link_for(dealer, MARKETING, SMS)

    answers = await asyncio.gather(post(world, path, MARKETING), post(world, path, SMS), post(world, path, MARKETING))

    assert {answer.status for answer in answers} <= {200, 410}
    assert len(await dealer.history()) == 1


@BOTH
async def test_a_visitor_who_signs_in_keeps_one_link(dealer: Brand, world: World) -> None:
    visitor = "anon_0123456789abcdefghijkl"
    await make_minor(dealer, visitor)
    asked = await dealer.call("POST", f"/v1/consumers/{visitor}/guardian-requests", json={"topics": [MARKETING]})
    await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})
    assert (await world.call("GET", path_of(asked))).status == 200

    new = await link_for(dealer, SMS)

    assert (await world.call("GET", path_of(asked))).status == 404
    assert (await post(world, new, SMS)).status == 200
    assert (await dealer.history())[0]["topic"] == SMS


async def test_what_a_visitors_guardian_allowed_is_confirmed_for_the_account(dealer: Brand, world: World) -> None:
    visitor = "anon_0123456789abcdefghijkl"
    await make_minor(dealer, visitor)
    body = {"topics": [MARKETING], "contact_from": "child"}
    asked = await dealer.call("POST", f"/v1/consumers/{visitor}/guardian-requests", json=body)
    await post(world, path_of(asked), MARKETING)
    await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})
    world.clock.forward(timedelta(hours=24))
    second = await dealer.call("POST", REQUESTS + "/confirmation")
    await post(world, path_of(second), MARKETING)
    assert await dealer.reason(MARKETING) == "granted"


async def test_no_log_line_holds_a_link_an_address_or_a_name(
    dealer: Brand, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await make_minor(dealer)
    path = await link_for(dealer, contact={"email": "mum@mail.example"})
    await world.call("GET", path)
    await post(world, path, SMS)
    lasting(await post(world, path, MARKETING))
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("sayso"))
    for secret in (path.rpartition(".")[2], "mum@", "cust-42"):
        assert secret not in ours
