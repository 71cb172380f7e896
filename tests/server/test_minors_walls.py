"""Who reaches what there is about minors: every route with every token, and nothing of one brand from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

ROLES = ("backend", "agent", "privacy_officer", "auditor", "admin")
REQUESTS = "/v1/consumers/cust-42/guardian-requests"
ASKED = {"topics": ["purpose:marketing"], "contact": {"email": "mum@mail.example"}}
CLEARED = {"evidence": {"kind": "id_document"}}
HELD = "{held}"

# Method and path, a body, the roles of a backend and of staff that may, and whether consumers may.
WALLS: list[tuple[str, str, Any, set[str], set[str], bool]] = [
    ("POST", REQUESTS, ASKED, {"backend"}, set(), False),
    ("POST", REQUESTS + "/confirmation", None, {"backend"}, set(), False),
    ("GET", "/v1/guardian-requests", None, {"backend"}, set(), False),
    ("POST", "/v1/me/guardian-requests", ASKED, set(), set(), True),
    (
        "POST",
        "/v1/consumers/cust-42/age-doubts",
        {},
        {"backend", "privacy_officer"},
        {"agent", "privacy_officer"},
        False,
    ),
    ("GET", "/v1/age-doubts", None, {"privacy_officer"}, {"privacy_officer"}, False),
    ("POST", f"/v1/age-doubts/{HELD}/clear", CLEARED, {"privacy_officer"}, {"privacy_officer"}, False),
    ("POST", f"/v1/age-doubts/{HELD}/confirm", None, {"privacy_officer"}, {"privacy_officer"}, False),
]


async def prepared(dealer: Brand) -> str:
    """Make a minor whose guardian is to confirm something, hold them, and give the hold's id."""
    await dealer.call("PUT", "/v1/consumers/cust-42/age", json={"source": "brand", "upper": 15})
    link = await dealer.call("POST", REQUESTS, json=ASKED | {"contact_from": "child"})
    path = link.json["url"].removeprefix("https://privacy.example")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    await dealer.world.call("POST", path, body=b"answer=allow&topic=purpose%3Amarketing", headers=form)
    held = await dealer.call("POST", "/v1/consumers/cust-42/age-doubts", json={})
    return str(held.json["id"])


def outcome(answer: Answered) -> str:
    # Too early is the service's word: whoever hears it has passed the wall.
    return "in" if answer.status < 300 or answer.code == "too_early" else answer.code


@pytest.mark.parametrize("wall", WALLS, ids=lambda wall: f"{wall[0]} {wall[1]}")
async def test_a_route_about_minors_opens_to_its_roles_and_to_no_others(
    dealer: Brand, wall: tuple[str, str, Any, set[str], set[str], bool]
) -> None:
    method, path, body, backends, staff, consumers = wall
    found, expected = {}, {}
    for role in ROLES:
        held = await prepared(dealer)
        request = {} if body is None else {"json": body}
        answer = await dealer.call(method, path.replace(HELD, held), token=dealer.backend(role), **request)
        found["backend", role] = outcome(answer)
        wrong = "scope" if backends else "token_class"
        expected["backend", role] = "in" if role in backends else wrong
        held = await prepared(dealer)
        answer = await dealer.desk(method, path.replace(HELD, held), scope=role, **request)
        found["staff", role] = outcome(answer)
        wrong = "scope" if staff else "token_class"
        expected["staff", role] = "in" if role in staff else wrong
    held = await prepared(dealer)
    answer = await dealer.page(method, path.replace(HELD, held), **request)
    found["consumer", ""] = outcome(answer)
    expected["consumer", ""] = "in" if consumers else "token_class"

    assert found == expected
    nobody = await dealer.world.call(method, path.replace(HELD, held), **request)
    assert (nobody.status, nobody.code) == (401, "token_missing")


async def test_another_brand_sees_and_moves_nothing(dealer: Brand, world: World) -> None:
    held = await prepared(dealer)
    other = await world.add_brand("other")
    async with world.nothing_stored():
        assert (await other.call("GET", "/v1/guardian-requests")).json["requests"] == []
        officer = other.backend("privacy_officer")
        assert (await other.call("GET", "/v1/age-doubts", token=officer)).json["doubts"] == []
        for what, request in (("clear", {"json": CLEARED}), ("confirm", {})):
            token = other.backend("privacy_officer")
            assert (await other.call("POST", f"/v1/age-doubts/{held}/{what}", token=token, **request)).status == 404
        assert (await other.call("POST", REQUESTS + "/confirmation")).status == 404


async def test_no_answer_to_a_consumer_or_to_staff_holds_a_link(dealer: Brand) -> None:
    await prepared(dealer)
    named = await dealer.page("POST", "/v1/me/guardian-requests", json=ASKED)
    held = await dealer.desk("GET", "/v1/age-doubts", scope="privacy_officer")
    seen = await dealer.page("GET", "/v1/me/preferences")
    for answer in (named, held, seen):
        assert b"/g/" not in answer.body
        assert b"mum@" not in answer.body
