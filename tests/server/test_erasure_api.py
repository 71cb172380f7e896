"""Erasing a consumer, and what becomes of whatever still knows them."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sayso_server.app import SERVICES

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

VISITOR = "anon_AAAAAAAAAAAAAAAAAAAAAA"
ONE = "/v1/consumers/cust-42"


@pytest.fixture(params=["memory", "sqlite"])
def storage_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def choice_of(consumer: str, topic: str, answer: str = "denied", **members: Any) -> dict[str, Any]:
    whole = {"id": str(uuid.uuid4()), "consumer_id": consumer, "topic": topic, "answer": answer, "method": "chat"}
    return whole | ({"notice": {"language": "en"}} if answer == "granted" else {}) | members


async def erase(brand: Brand, consumer: str = "cust-42") -> dict[str, Any]:
    answer = await brand.call("DELETE", f"/v1/consumers/{consumer}")
    assert answer.status == 200, answer.body
    members: dict[str, Any] = answer.json
    return members


def later(brand: Brand, **span: float) -> None:
    brand.world.clock.forward(timedelta(**span))


def is_erased(answer: Answered) -> bool:
    return (answer.status, answer.code) == (410, "erased")


# --- what goes ----------------------------------------------------------------------------------------------


async def test_an_erasure_is_a_version_and_takes_everything_with_it(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    await dealer.report({"CAMERA": "granted"})

    erased = await erase(dealer)

    assert erased == {"consumer_id": "cust-42", "version": 3, "erased_at": "2026-11-23T19:00:00.000000Z"}
    preferences = await dealer.preferences()
    assert preferences["version"] == 3
    assert preferences["erased"] is True
    assert (preferences["devices"], preferences["signals"], preferences["age"]) == ({}, {}, {})
    assert await dealer.history() == []
    assert (await dealer.call("GET", f"{ONE}/export")).json["changes"] == []


async def test_nothing_is_allowed_of_the_erased_save_what_the_law_requires(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    await erase(dealer)

    topics = (await dealer.preferences())["topics"]

    assert {key: topics[key]["reason"] for key in ("purpose:marketing", "purpose:analytics", "purpose:service")} == {
        "purpose:marketing": "erased",
        "purpose:analytics": "erased",
        "purpose:service": "erased",
    }
    assert topics["purpose:recall"]["reason"] == "required"
    assert (await dealer.decide("purpose:analytics"))["reason"] == "erased"


async def test_a_past_moment_tells_nothing_of_the_erased_and_allows_nothing(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    before = dealer.world.clock.text()
    later(dealer, hours=1)
    await erase(dealer)
    later(dealer, hours=1)

    assert (await dealer.decide("purpose:marketing", as_of=before))["reason"] == "erased"
    await dealer.say("purpose:marketing", "granted")
    assert (await dealer.decide("purpose:analytics", as_of=before))["reason"] == "erased"


async def test_whoever_waits_for_the_erasures_version_gets_it(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    await erase(dealer)

    assert (await dealer.preferences(query="?at_least=2"))["version"] == 2


async def test_the_visitors_they_were_go_with_them(dealer: Brand) -> None:
    await dealer.recorded(choice_of(VISITOR, "purpose:analytics"))
    await dealer.call("POST", f"{ONE}/links", json={"anonymous_id": VISITOR})
    storage = dealer.world.storage

    await erase(dealer)

    assert await storage.consumer_ids("dealer", after="", limit=10) == []
    assert (await dealer.preferences(VISITOR))["topics"]["purpose:analytics"]["reason"] == "erased"


async def test_erasing_a_visitor_who_has_signed_in_erases_whom_they_became(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    await dealer.call("POST", f"{ONE}/links", json={"anonymous_id": VISITOR})

    assert (await erase(dealer, VISITOR))["consumer_id"] == "cust-42"
    assert await dealer.world.storage.consumer_ids("dealer", after="", limit=10) == []


async def test_somebody_never_seen_can_be_erased_and_so_can_the_erased(dealer: Brand) -> None:
    assert (await erase(dealer, "nobody"))["version"] == 1
    later(dealer, hours=1)
    again = await erase(dealer, "nobody")

    assert (again["version"], again["erased_at"]) == (1, "2026-11-23T20:00:00.000000Z")
    assert (await dealer.preferences("nobody"))["version"] == 1


async def test_another_brands_consumer_of_the_same_id_stays(dealer: Brand, shop: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    await shop.say("purpose:marketing", "granted")

    await erase(dealer)

    assert await shop.reason("purpose:marketing") == "granted"


async def test_an_erasure_uses_its_token_up(dealer: Brand) -> None:
    token = dealer.backend()

    assert (await dealer.call("DELETE", ONE, token=token)).status == 200
    assert (await dealer.call("DELETE", ONE, token=token)).code == "token_used"


async def test_the_audit_says_that_somebody_was_erased_and_by_whom_but_not_who(dealer: Brand) -> None:
    await dealer.desk("DELETE", ONE, scope="privacy_officer")

    answer = await dealer.call("GET", "/v1/audit", token=dealer.backend("auditor"))

    (line,) = answer.json["audit"]
    assert (line["event"], line["reason"]) == ("consumer.erased", "api")
    assert line["by"]["staff"] == "ann"
    assert b"cust-42" not in answer.body


# --- nothing from before comes back -------------------------------------------------------------------------


async def test_a_choice_from_before_is_refused_be_it_a_refusal(dealer: Brand) -> None:
    made = dealer.world.clock.text()
    later(dealer, minutes=1)
    await erase(dealer)
    later(dealer, minutes=1)

    old = choice_of("cust-42", "purpose:marketing", made_at=made)
    fresh = choice_of("ben", "purpose:marketing")
    answer = await dealer.post(fresh, old, sent_at=dealer.world.clock.text())

    assert is_erased(answer)
    assert answer.problems == [("/choices/1", "erased")]
    assert is_erased(await dealer.post(choice_of("cust-42", "purpose:marketing", "granted", made_at=made)))
    assert (await dealer.preferences())["erased"] is True


async def test_what_was_recorded_before_is_not_recorded_again_when_it_is_sent_again(dealer: Brand) -> None:
    made = dealer.world.clock.text()
    sent = choice_of("cust-42", "purpose:marketing", "granted", made_at=made)
    await dealer.recorded(sent, sent_at=made)
    later(dealer, seconds=1)
    await erase(dealer)
    later(dealer, minutes=1)

    assert is_erased(await dealer.post(sent, sent_at=dealer.world.clock.text()))


async def test_a_senders_slow_clock_does_not_make_an_old_choice_of_a_new_one(dealer: Brand) -> None:
    """Both times are of the sender's clock; what counts is how old the choice is, where that can be believed."""
    await erase(dealer)
    later(dealer, minutes=2)
    clock = dealer.world.clock
    made, sent = clock.text(timedelta(minutes=5)), clock.text(timedelta(minutes=4))

    fresh = choice_of("cust-42", "purpose:marketing", "granted", made_at=made)
    stale = choice_of("cust-42", "channel:sms", "granted", made_at=made)
    hopeless = choice_of("cust-42", "channel:sms", made_at=clock.text(timedelta(hours=1)))

    assert (await dealer.post(fresh, sent_at=sent)).status == 201
    assert is_erased(await dealer.post(stale, sent_at=clock.text()))
    answer = await dealer.post(hopeless, sent_at=clock.text(timedelta(hours=1)))
    assert is_erased(answer)
    assert "clock is more than 5 minutes slow" in answer.json["errors"][0]["message"]


async def test_an_import_brings_nobody_back_unless_it_is_from_later(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    await erase(dealer)
    later(dealer, days=2)
    imported = {"method": "import", "actor": "brand"}
    said = {"kind": "import", "wording": "I agree.", "source": "crm"}

    undated = choice_of("cust-42", "purpose:marketing", "denied", **imported)
    old = choice_of("cust-42", "purpose:marketing", "granted", **imported, evidence=said | {"date": "2019-05-25"})
    new = choice_of("cust-42", "purpose:marketing", "granted", **imported, evidence=said | {"date": "2026-11-25"})

    assert is_erased(await dealer.post(undated))
    assert is_erased(await dealer.post(old))
    assert (await dealer.preferences())["erased"] is True
    assert (await dealer.post(new)).status == 201


async def test_a_consumers_token_from_before_is_refused_and_a_new_one_is_not(dealer: Brand) -> None:
    old, others = dealer.consumer(), dealer.consumer("ben")
    later(dealer, minutes=1)
    await erase(dealer)
    later(dealer, minutes=1)

    assert is_erased(await dealer.page("GET", "/v1/me/preferences", token=old))
    assert is_erased(await dealer.page("POST", "/v1/me/choices", token=old, json={"choices": []}))
    assert (await dealer.page("GET", "/v1/me/preferences", token=others)).status == 200
    assert (await dealer.page("GET", "/v1/me/preferences")).status == 200


async def test_a_page_may_read_that_its_consumer_was_erased(dealer: Brand) -> None:
    old = dealer.consumer()
    later(dealer, minutes=1)
    await erase(dealer)

    answer = await dealer.page("GET", "/v1/me/preferences", token=old)

    assert is_erased(answer)
    assert answer.headers["Access-Control-Allow-Origin"] == dealer.origin


async def test_device_reports_signals_and_ages_from_before_are_refused(dealer: Brand) -> None:
    observed = dealer.world.clock.text()
    later(dealer, minutes=1)
    await erase(dealer)
    later(dealer, minutes=1)
    age = {"source": "guardian", "lower": 8, "upper": 12, "observed_at": observed}

    assert is_erased(await dealer.report({"CAMERA": "granted"}, observed_at=observed))
    gpc = {"name": "gpc", "source": "header", "device_id": "pixel-8", "observed_at": observed}
    assert is_erased(await dealer.call("POST", f"{ONE}/signals", json=gpc))
    assert is_erased(await dealer.call("PUT", f"{ONE}/age", json=age))
    assert (await dealer.preferences())["version"] == 1
    assert (await dealer.report({"CAMERA": "granted"})).status == 200


async def test_a_link_of_an_erased_visitor_is_refused(dealer: Brand) -> None:
    await dealer.call("POST", f"{ONE}/links", json={"anonymous_id": VISITOR})
    await erase(dealer)
    later(dealer, minutes=1)

    answer = await dealer.call("POST", f"{ONE}/links", json={"anonymous_id": VISITOR})

    assert is_erased(answer)
    assert answer.problems == [("/anonymous_id", "erased")]


async def test_a_visitors_grant_from_before_is_not_carried_into_an_account_erased_since(dealer: Brand) -> None:
    await dealer.recorded(choice_of(VISITOR, "purpose:marketing", "granted"), choice_of(VISITOR, "purpose:analytics"))
    later(dealer, minutes=1)
    await erase(dealer)
    later(dealer, minutes=1)
    here = {"anonymous_id": VISITOR, "anonymous_token": dealer.consumer(VISITOR)}

    assert (await dealer.call("POST", f"{ONE}/links", json=here)).status == 201

    assert await dealer.reason("purpose:marketing") == "not_asked"
    assert await dealer.reason("purpose:analytics") == "denied"


async def test_a_hand_over_from_before_is_recorded_without_a_name(dealer: Brand) -> None:
    at = dealer.world.clock.text()
    later(dealer, minutes=1)
    await erase(dealer)
    told = {
        "id": "0198f3a0-0000-7000-8000-000000000001",
        "consumer_id": "cust-42",
        "partner": "vinsolutions",
        "flow": "share",
        "answer": "withhold",
        "fields_sent": [],
        "fields_held_back": ["email"],
        "at": at,
    }

    answer = await dealer.call("POST", "/v1/disclosures", json={"disclosures": [told]})

    assert answer.json["recorded"] == [{"id": told["id"], "replayed": False}]
    assert await dealer.world.storage.disclosed_ids("dealer", after="", limit=10) == []
    again = await dealer.call("POST", "/v1/disclosures", json={"disclosures": [told]})
    assert again.json["recorded"] == [{"id": told["id"], "replayed": True}]


# --- who comes back -----------------------------------------------------------------------------------------


async def test_who_comes_back_goes_on_where_the_versions_ended(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    await erase(dealer)  # version 2
    later(dealer, minutes=1)

    entry = await dealer.say("purpose:marketing", "granted", based_on=2)

    assert entry["version"] == 4  # 3 says that they are back
    assert entry["allowed"] is True
    preferences = await dealer.preferences()
    assert (preferences["version"], "erased" in preferences) == (4, False)
    assert [said["version"] for said in await dealer.history()] == [4]
    assert await dealer.reason("channel:sms") == "not_asked"


async def test_a_refused_legitimate_interest_reads_as_refused_when_they_come_back(dealer: Brand) -> None:
    await dealer.say("purpose:analytics", "denied")
    await dealer.say("purpose:ads", "denied")
    later(dealer, minutes=1)
    await dealer.say("purpose:ads", "granted")  # thought better of it
    await dealer.say("purpose:marketing", "denied")
    await erase(dealer)
    later(dealer, minutes=1)

    await dealer.say("channel:sms", "granted")

    assert await dealer.reason("purpose:analytics") == "denied"
    assert await dealer.reason("purpose:ads") == "default"
    assert await dealer.reason("purpose:marketing") == "not_asked"
    kept = [said for said in await dealer.history() if said["topic"] == "purpose:analytics"]
    assert [(said["answer"], said["kept_over"]) for said in kept] == [("denied", "erasure")]
    assert (await dealer.decide("purpose:analytics"))["reason"] == "denied"


async def test_what_was_kept_is_read_back_the_same_for_a_past_moment(dealer: Brand) -> None:
    await dealer.say("purpose:analytics", "denied")
    await erase(dealer)
    later(dealer, minutes=1)
    await dealer.say("channel:sms", "granted")
    then = dealer.world.clock.text()
    later(dealer, minutes=1)
    await dealer.say("purpose:analytics", "granted")

    assert await dealer.reason("purpose:analytics") == "granted"
    assert (await dealer.decide("purpose:analytics", as_of=then))["reason"] == "denied"


async def test_a_refusal_is_kept_over_a_second_erasure_until_it_is_lifted(dealer: Brand) -> None:
    await dealer.say("purpose:analytics", "denied")
    for _ in range(2):
        await erase(dealer)
        later(dealer, minutes=1)
        await dealer.say("channel:sms", "denied")
        assert await dealer.reason("purpose:analytics") == "denied"
        later(dealer, minutes=1)

    await dealer.say("purpose:analytics", "granted")
    later(dealer, minutes=1)
    await erase(dealer)
    later(dealer, minutes=1)
    await dealer.say("channel:sms", "denied")

    assert await dealer.reason("purpose:analytics") == "default"


async def test_a_withdrawal_of_everything_outlives_the_erasure(dealer: Brand) -> None:
    await dealer.say("*", "withdrawn")
    await erase(dealer)
    later(dealer, minutes=1)

    await dealer.say("channel:sms", "granted")

    assert await dealer.reason("purpose:analytics") == "withdrawn"
    assert await dealer.reason("purpose:nearby") == "withdrawn"
    assert await dealer.reason("channel:sms") == "granted"


async def test_a_stop_to_one_sender_outlives_the_erasure(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")
    await dealer.say("channel:sms", "withdrawn", detail={"sender": "+15550100123"})
    await erase(dealer)
    later(dealer, minutes=1)

    await dealer.say("channel:sms", "granted")

    assert (await dealer.decide("channel:sms", sender="+15550100123"))["allowed"] is False
    stored = await dealer.world.storage.tombstones("dealer", after=b"", limit=10)
    assert b"15550100123" not in b"".join(each.body for each in stored)


async def test_a_refusal_of_one_of_their_visits_reads_as_refused_when_that_visitor_comes_back(dealer: Brand) -> None:
    await dealer.recorded(choice_of(VISITOR, "purpose:analytics"))
    await dealer.call("POST", f"{ONE}/links", json={"anonymous_id": VISITOR})
    await erase(dealer)
    later(dealer, minutes=1)

    await dealer.recorded(choice_of(VISITOR, "channel:sms"))

    assert await dealer.reason("purpose:analytics", VISITOR) == "denied"


async def test_a_report_brings_them_back_with_what_they_refused(dealer: Brand) -> None:
    await dealer.say("purpose:analytics", "denied")
    await erase(dealer)  # version 2
    later(dealer, minutes=1)

    answer = await dealer.report({"CAMERA": "granted"})

    assert answer.json["version"] == 5  # back, the refusal, the report
    assert await dealer.reason("purpose:analytics") == "denied"


async def test_signing_in_brings_them_back_with_what_they_refused(dealer: Brand) -> None:
    await dealer.say("purpose:analytics", "denied")
    await erase(dealer)
    later(dealer, minutes=1)

    await dealer.call("POST", f"{ONE}/links", json={"anonymous_id": VISITOR})

    assert await dealer.reason("purpose:analytics") == "denied"
    assert (await dealer.preferences())["version"] == 5


async def test_choices_from_before_are_refused_after_they_came_back(dealer: Brand) -> None:
    made = dealer.world.clock.text()
    later(dealer, minutes=1)
    await erase(dealer)
    later(dealer, minutes=1)
    await dealer.say("channel:sms", "granted")

    old = choice_of("cust-42", "purpose:marketing", "granted", made_at=made)

    assert is_erased(await dealer.post(old, sent_at=dealer.world.clock.text()))
    assert await dealer.reason("purpose:marketing") == "not_asked"


# --- the stream ---------------------------------------------------------------------------------------------


async def test_the_stream_says_who_was_erased(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    url = f"{dealer.world.base}/v1/changes"
    headers = {"Authorization": f"Bearer {dealer.backend()}"}
    async with dealer.world.session.get(url, headers=headers) as stream:
        await stream.content.readuntil(b"\n\n")
        await erase(dealer)
        async with asyncio.timeout(5):
            while not (event := await stream.content.readuntil(b"\n\n")).startswith(b"event: change"):
                pass

    assert event == (
        b'event: change\ndata: {"consumer_id":"cust-42","version":2,"erased":true,'
        b'"erased_at":"2026-11-23T19:00:00.000000Z"}\n\n'
    )


async def test_the_server_forgets_the_snapshot_of_the_erased(world: World, dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    await dealer.preferences()
    cache = world.app[SERVICES].reading._cache
    assert cache.get(("dealer", "cust-42")) is not None

    await erase(dealer)
    await dealer.preferences()

    assert cache.get(("dealer", "cust-42")) is None
