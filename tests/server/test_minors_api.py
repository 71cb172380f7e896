"""Minors: what they can record, who counts as one, and what happens to somebody believed to be under age."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.server.conftest import CATALOGUE, choice

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
AGE = "/v1/consumers/cust-42/age"
DOUBTS = "/v1/consumers/cust-42/age-doubts"
MARKETING = "purpose:marketing"
FOURTEEN = {"source": "brand", "lower": 14, "upper": 14}


async def aged(dealer: Brand, **members: Any) -> Answered:
    answer = await dealer.call("PUT", AGE, json=members)
    assert answer.status == 200, answer.body
    return answer


def own(answer: str, topic: str = MARKETING) -> dict[str, Any]:
    said = choice(topic, answer, method="widget")
    del said["consumer_id"]
    return {"choices": [said]}


# --- What a minor can record --------------------------------------------------------------------------------


@BOTH
async def test_a_minors_own_grant_is_refused_whoever_sends_it_and_nothing_is_stored(
    dealer: Brand, world: World
) -> None:
    await aged(dealer, **FOURTEEN)
    granted = choice(MARKETING, "granted")
    by_agent = granted | {"method": "phone", "evidence": {"kind": "call_recording"}}
    imported = granted | {
        "method": "import",
        "evidence": {"kind": "crm", "wording": "May we write?", "date": "2025-01-01", "source": "crm"},
    }
    async with world.nothing_stored():
        answers = [
            await dealer.page("POST", "/v1/me/choices", json=own("granted")),
            await dealer.post(granted),
            await dealer.post(imported),
            await dealer.post(imported | {"method": "api", "actor": "brand"}),
            await dealer.desk("POST", "/v1/choices", json={"choices": [by_agent]}),
        ]
    assert [(answer.status, answer.problems) for answer in answers] == [(422, [("/choices/0/answer", "minor")])] * 5
    assert "guardian" in answers[0].json["detail"]


@BOTH
async def test_a_minor_can_refuse_withdraw_and_file_requests(dealer: Brand) -> None:
    await aged(dealer, **FOURTEEN)
    for answer in ("denied", "withdrawn"):
        assert (await dealer.page("POST", "/v1/me/choices", json=own(answer))).status == 201
    assert (await dealer.page("POST", "/v1/me/choices", json=own("withdrawn", "*"))).status == 201
    assert (await dealer.page("POST", "/v1/me/requests", json={"kind": "delete"})).status == 201


async def test_a_grant_acknowledged_before_is_acknowledged_again(dealer: Brand) -> None:
    granted = choice(MARKETING, "granted")
    await dealer.recorded(granted)
    await aged(dealer, **FOURTEEN)
    (again,) = await dealer.recorded(granted)
    assert again["replayed"] is True
    assert await dealer.reason(MARKETING) == "minor"


async def test_where_unknown_age_counts_as_a_minors_a_grant_waits_for_evidence(dealer: Brand) -> None:
    await dealer.publish(CATALOGUE | {"unknown_age": "minor"})
    assert (await dealer.post(choice(MARKETING, "granted"))).problems == [("/choices/0/answer", "minor")]
    await aged(dealer, source="verified", lower=18)
    await dealer.say(MARKETING, "granted")
    assert await dealer.reason(MARKETING) == "granted"


async def test_a_minor_can_take_back_their_own_stop_and_that_allows_nothing(dealer: Brand) -> None:
    await aged(dealer, **FOURTEEN)
    sender = {"method": "sms", "detail": {"sender": "+15550100"}}
    await dealer.say("channel:sms", "withdrawn", **sender)
    started = choice("channel:sms", "granted", **sender)
    del started["notice"]
    await dealer.recorded(started)
    assert await dealer.reason("channel:sms") == "minor"


# --- Who counts as one --------------------------------------------------------------------------------------


async def test_ones_own_word_does_not_raise_what_the_phone_says(dealer: Brand) -> None:
    await dealer.say(MARKETING, "granted")
    await aged(dealer, source="os_signal", lower=16, upper=20, method="apple guardianDeclared")
    await dealer.page("PUT", "/v1/me/age", json={"source": "self", "lower": 18})
    entry = (await dealer.preferences())["topics"][MARKETING]
    assert (entry["reason"], entry["valid_until"]) == ("minor", "2028-11-23T19:00:00.000000Z")


async def test_a_shared_age_that_is_declined_later_takes_nothing_back(dealer: Brand, world: World) -> None:
    await aged(dealer, source="os_signal", lower=13, upper=15)
    world.clock.forward(timedelta(days=1))
    async with world.nothing_stored():
        answer = await aged(dealer, source="os_signal", method="apple declinedSharing")
    assert answer.json["age"]["os_signal"]["upper"] == 15


async def test_evidence_may_say_where_somebody_lives(dealer: Brand) -> None:
    await dealer.publish(CATALOGUE | {"majority": 13}, "?allow_lower_majority=true")
    fourteen = await aged(dealer, source="brand", lower=14, upper=14)
    assert "jurisdiction" not in fourteen.json["age"]["brand"]
    await dealer.say(MARKETING, "granted")
    assert await dealer.reason(MARKETING) == "granted"

    told = await aged(dealer, source="verified", lower=14, upper=14, jurisdiction="DE")

    assert told.json["age"]["verified"]["jurisdiction"] == "DE"
    assert await dealer.reason(MARKETING) == "minor"
    bad = await dealer.call("PUT", AGE, json={"source": "brand", "jurisdiction": "Germany"})
    assert bad.problems == [("/jurisdiction", "invalid_value")]


async def test_an_age_for_a_place_below_18_is_published_only_on_purpose(dealer: Brand) -> None:
    ages = {"germany": {"law": "GDPR Art. 8", "regions": ["DE"], "age": 16, "valid_from": "2018-05-25"}}
    refused = await dealer.publish(CATALOGUE | {"ages": ages})
    assert (refused.status, refused.code) == (422, "majority_lowered")
    assert (await dealer.publish(CATALOGUE | {"ages": ages}, "?allow_lower_majority=true")).status == 201
    await aged(dealer, source="verified", lower=16, upper=16, jurisdiction="DE")
    await dealer.say(MARKETING, "granted")
    assert await dealer.reason(MARKETING) == "granted"


# --- Believed to be under age -------------------------------------------------------------------------------


@BOTH
async def test_whoever_is_believed_under_age_is_held_at_once(dealer: Brand, world: World) -> None:
    await aged(dealer, source="verified", lower=30)
    await dealer.say(MARKETING, "granted")
    await dealer.say("partner:vinsolutions:share", "granted")

    held = await dealer.desk("POST", DOUBTS, json={"reason": "content"})

    assert (held.status, held.json["state"], held.json["reason"]) == (201, "held", "content")
    topics = (await dealer.preferences())["topics"]
    assert {key for key, entry in topics.items() if entry["allowed"]} == {"purpose:service", "purpose:recall"}
    assert {entry["reason"] for entry in topics.values() if not entry["allowed"]} <= {
        "minor",
        "requires:permission:location",
    }
    assert (await dealer.post(choice(MARKETING, "granted"))).code == "minor"
    await aged(dealer, source="verified", lower=40)
    assert await dealer.reason(MARKETING) == "minor"


@BOTH
async def test_holding_twice_is_holding_once(dealer: Brand, world: World) -> None:
    first = await dealer.call("POST", DOUBTS, json={})
    async with world.nothing_stored():
        again = await dealer.call("POST", DOUBTS, json={})
    assert (first.status, again.status, again.json["id"]) == (201, 200, first.json["id"])
    listed = await dealer.desk("GET", "/v1/age-doubts", scope="privacy_officer")
    assert [doubt["consumer_id"] for doubt in listed.json["doubts"]] == ["cust-42"]


@BOTH
async def test_an_officer_clears_a_doubt_and_everything_is_as_before(dealer: Brand) -> None:
    await dealer.say(MARKETING, "granted")
    doubt = (await dealer.call("POST", DOUBTS, json={})).json["id"]
    body = {"evidence": {"kind": "id_document"}}

    cleared = await dealer.desk("POST", f"/v1/age-doubts/{doubt}/clear", scope="privacy_officer", json=body)
    again = await dealer.desk("POST", f"/v1/age-doubts/{doubt}/clear", scope="privacy_officer", json=body)

    assert (cleared.status, cleared.json["state"], again.status) == (200, "cleared", 200)
    assert await dealer.reason(MARKETING) == "granted"
    audit = await dealer.call("GET", "/v1/audit", token=dealer.backend("auditor"))
    assert [line["event"] for line in audit.json["audit"]] == ["age_doubt.cleared", "age_doubt.held"]
    assert audit.json["audit"][0]["evidence"] == "id_document"
    assert b"cust-42" not in audit.body


@BOTH
async def test_clearing_an_old_doubt_again_ends_no_newer_hold(dealer: Brand, world: World) -> None:
    await dealer.say(MARKETING, "granted")
    old = (await dealer.call("POST", DOUBTS, json={})).json["id"]
    body = {"evidence": {"kind": "id_document"}}
    await dealer.desk("POST", f"/v1/age-doubts/{old}/clear", scope="privacy_officer", json=body)
    await dealer.call("POST", DOUBTS, json={"reason": "content"})

    async with world.nothing_stored():
        again = await dealer.desk("POST", f"/v1/age-doubts/{old}/clear", scope="privacy_officer", json=body)

    assert (again.status, again.json["state"], again.json["version"]) == (200, "cleared", 4)
    assert await dealer.reason(MARKETING) == "minor"


@BOTH
async def test_an_officer_confirms_a_doubt_and_everything_is_erased(dealer: Brand, world: World) -> None:
    await dealer.say(MARKETING, "granted")
    doubt = (await dealer.call("POST", DOUBTS, json={"reason": "parent_said_so"})).json["id"]

    confirmed = await dealer.desk("POST", f"/v1/age-doubts/{doubt}/confirm", scope="privacy_officer")

    assert (confirmed.status, confirmed.json["state"]) == (200, "erased")
    assert await dealer.history() == []
    assert await world.storage.documents("dealer", "age-doubt", limit=10) == []
    audit = await dealer.call("GET", "/v1/audit", token=dealer.backend("auditor"))
    assert [line["event"] for line in audit.json["audit"]] == [
        "consumer.erased",
        "age_doubt.confirmed",
        "age_doubt.held",
    ]
    assert audit.json["audit"][0]["reason"] == f"age-doubt:{doubt}"
    gone = await dealer.desk("POST", f"/v1/age-doubts/{doubt}/confirm", scope="privacy_officer")
    assert gone.status == 404


async def test_only_officers_clear_and_confirm(dealer: Brand) -> None:
    doubt = (await dealer.call("POST", DOUBTS, json={})).json["id"]
    for path in (f"/v1/age-doubts/{doubt}/clear", f"/v1/age-doubts/{doubt}/confirm"):
        assert (await dealer.call("POST", path, json={"evidence": {"kind": "x"}})).code == "scope"
        assert (await dealer.desk("POST", path, json={"evidence": {"kind": "x"}})).code == "scope"
        assert (await dealer.page("POST", path, json={})).code == "token_class"
    assert (await dealer.page("POST", DOUBTS, json={})).code == "token_class"


async def test_a_doubt_without_evidence_is_not_cleared(dealer: Brand) -> None:
    doubt = (await dealer.call("POST", DOUBTS, json={})).json["id"]
    path = f"/v1/age-doubts/{doubt}/clear"
    answer = await dealer.desk("POST", path, scope="privacy_officer", json={})
    assert answer.problems == [("/evidence", "missing_member")]
    assert await dealer.reason("purpose:analytics") == "minor"


async def test_a_doubt_about_a_visitor_goes_with_them(dealer: Brand) -> None:
    visitor = "anon_0123456789abcdefghijkl"
    held = await dealer.call("POST", f"/v1/consumers/{visitor}/age-doubts", json={})
    await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})
    assert await dealer.reason("purpose:analytics") == "minor"
    again = await dealer.call("POST", DOUBTS, json={})
    assert (again.status, again.json["id"]) == (200, held.json["id"]), "one person is held once"


async def test_nobody_reports_a_doubt_as_evidence(dealer: Brand) -> None:
    answer = await dealer.call("PUT", AGE, json={"source": "doubt", "upper": 17})
    assert answer.problems == [("/source", "invalid_value")]
