"""POST and GET choices: what is recorded, what stands, and what the history shows."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Brand

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
ID = "0198f3a0-0000-7000-8000-000000000001"


# --- recording ----------------------------------------------------------------------------------------------


@BOTH
async def test_a_grant_is_recorded_and_stands(dealer: Brand, make_choice: Any) -> None:
    sent = make_choice("purpose:marketing", "granted", made_at="2026-11-23T18:59:50Z")

    answer = await dealer.post(sent, sent_at="2026-11-23T18:59:55Z")

    assert answer.status == 201
    assert answer.json == {
        "recorded": [
            {
                "choice_id": sent["id"],
                "consumer_id": "cust-42",
                "topic": "purpose:marketing",
                "version": 1,
                "recorded_at": "2026-11-23T19:00:00.000000Z",
                "effective_at": "2026-11-23T18:59:55.000000Z",
                "stands": True,
                "allowed": True,
                "reason": "granted",
                "replayed": False,
            }
        ]
    }


@BOTH
async def test_a_batch_is_answered_in_its_order_with_one_version_for_each_change(
    dealer: Brand, make_choice: Any
) -> None:
    recorded = await dealer.recorded(
        make_choice("channel:sms", "denied", "ben"),
        make_choice("purpose:marketing", "granted", "ann"),
        make_choice("purpose:marketing", "denied", "ben"),
        make_choice("channel:sms", "granted", "ann"),
    )

    assert [(entry["consumer_id"], entry["topic"], entry["version"]) for entry in recorded] == [
        ("ben", "channel:sms", 1),
        ("ann", "purpose:marketing", 1),
        ("ben", "purpose:marketing", 2),
        ("ann", "channel:sms", 2),
    ]


@BOTH
async def test_many_at_once_leave_no_gap_and_lose_nothing(dealer: Brand, make_choice: Any) -> None:
    answers = await asyncio.gather(*(dealer.recorded(make_choice("channel:sms", "denied")) for _ in range(40)))

    assert sorted(entry["version"] for (entry,) in answers) == list(range(1, 41))
    assert (await dealer.preferences())["version"] == 40


async def test_a_refusal_counts_at_once(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")

    entry = await dealer.say("channel:sms", "withdrawn")

    assert (entry["stands"], entry["allowed"], entry["reason"]) == (True, False, "withdrawn")
    assert await dealer.reason("channel:sms") == "withdrawn"


async def test_toggling_back_on_works_at_once_when_the_refusal_was_in_view(dealer: Brand) -> None:
    await dealer.say("channel:sms", "withdrawn")

    entry = await dealer.say("channel:sms", "granted", based_on=1)

    assert (entry["stands"], entry["allowed"], entry["reason"]) == (True, True, "granted")


async def test_a_grant_that_had_not_seen_a_fresh_refusal_does_not_stand_and_says_what_does(dealer: Brand) -> None:
    refusal = await dealer.say("channel:sms", "withdrawn")
    dealer.world.clock.forward(timedelta(seconds=30))

    entry = await dealer.say("channel:sms", "granted", based_on=0)

    assert (entry["stands"], entry["superseded_by"]) == (False, refusal["choice_id"])
    assert (entry["allowed"], entry["reason"]) == (False, "withdrawn")


async def test_a_grant_over_30_seconds_after_a_refusal_stands_without_having_seen_it(dealer: Brand) -> None:
    await dealer.say("channel:sms", "withdrawn")
    dealer.world.clock.forward(timedelta(seconds=30, microseconds=1))

    entry = await dealer.say("channel:sms", "granted")

    assert (entry["stands"], entry["allowed"]) == (True, True)


@BOTH
async def test_an_older_grant_that_arrives_late_never_overrides_a_newer_refusal(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")
    dealer.world.clock.forward(timedelta(hours=1))
    refusal = await dealer.say("channel:sms", "withdrawn")
    dealer.world.clock.forward(timedelta(hours=1))

    late = await dealer.say("channel:sms", "granted", made_at="2026-11-23T19:30:00Z")

    assert (late["stands"], late["superseded_by"]) == (False, refusal["choice_id"])
    assert late["effective_at"] == "2026-11-23T19:30:00.000000Z"


async def test_a_choice_never_counts_from_before_what_it_has_seen(dealer: Brand, make_choice: Any) -> None:
    await dealer.say("channel:sms", "granted")
    dealer.world.clock.forward(timedelta(hours=1))

    sent = make_choice("channel:sms", "withdrawn", based_on=1, made_at="2026-11-23T12:00:00Z")
    (entry,) = await dealer.recorded(sent, sent_at="2026-11-23T20:00:00Z")

    assert (entry["stands"], entry["effective_at"]) == (True, "2026-11-23T19:00:00.000000Z")


@BOTH
@pytest.mark.parametrize("answer", ["denied", "withdrawn"])
async def test_a_refusal_by_a_slow_clock_that_does_not_say_when_it_was_sent_counts_from_when_it_arrived(
    dealer: Brand, answer: str
) -> None:
    await dealer.say("channel:sms", "granted")
    dealer.world.clock.forward(timedelta(hours=1))

    entry = await dealer.say("channel:sms", answer, made_at="2026-11-23T12:00:00Z")

    assert (entry["stands"], entry["effective_at"]) == (True, "2026-11-23T20:00:00.000000Z")
    assert await dealer.reason("channel:sms") == answer
    newest = (await dealer.history())[0]
    assert (newest["made_at"], newest["made_at_sent"]) == ("2026-11-23T12:00:00.000000Z", "2026-11-23T12:00:00+00:00")


async def test_a_refusal_that_says_when_it_was_sent_counts_from_when_it_was_made(
    dealer: Brand, make_choice: Any
) -> None:
    dealer.world.clock.forward(timedelta(hours=1))
    sent = make_choice("channel:sms", "denied", made_at="2026-11-23T12:00:00Z")

    (entry,) = await dealer.recorded(sent, sent_at="2026-11-23T12:20:00Z")

    assert entry["effective_at"] == "2026-11-23T19:40:00.000000Z"


async def test_of_two_choices_in_one_batch_the_refusal_stands(dealer: Brand, make_choice: Any) -> None:
    refusal, grant = await dealer.recorded(make_choice("channel:sms", "denied"), make_choice("channel:sms", "granted"))

    assert (refusal["stands"], grant["stands"], grant["superseded_by"]) == (True, False, refusal["choice_id"])


async def test_recorded_time_never_goes_back_within_a_consumer(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")
    dealer.world.clock.forward(timedelta(minutes=-10))

    entry = await dealer.say("channel:sms", "withdrawn", based_on=1)

    assert entry["recorded_at"] == "2026-11-23T19:00:00.000000Z"
    assert entry["stands"]


async def test_allowed_answers_for_the_device_that_the_choice_names(dealer: Brand) -> None:
    await dealer.report({"android.permission.ACCESS_FINE_LOCATION": "granted"}, device="pixel-8")

    here = await dealer.say("permission:location", "granted", device_id="pixel-8")
    elsewhere = await dealer.say("permission:location", "granted", device_id="tablet")

    assert (here["allowed"], here["reason"]) == (True, "granted")
    assert (elsewhere["allowed"], elsewhere["reason"]) == (False, "device_unknown")


# --- everything at once -------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["denied", "withdrawn"])
async def test_withdrawing_everything_refuses_every_topic_but_what_nobody_can_refuse(
    dealer: Brand, answer: str
) -> None:
    await dealer.say("channel:sms", "granted")

    entry = await dealer.say("*", answer, based_on=1)

    assert (entry["stands"], entry["allowed"], entry["reason"]) == (True, False, "withdrawn")
    topics = (await dealer.preferences())["topics"]
    assert {key: topic["reason"] for key, topic in topics.items()} == {
        "purpose:marketing": "withdrawn",
        "purpose:training": "withdrawn",
        "purpose:analytics": "withdrawn",
        "purpose:ads": "withdrawn",
        "purpose:service": "required",
        "purpose:recall": "required",
        "channel:sms": "withdrawn",
        "permission:location": "withdrawn",
        "purpose:nearby": "withdrawn",
        "partner:vinsolutions:share": "withdrawn",
        "partner:vinsolutions:combine": "withdrawn",
    }


async def test_after_withdrawing_everything_a_later_grant_brings_back_its_topic_alone(dealer: Brand) -> None:
    await dealer.say("*", "withdrawn")

    await dealer.say("channel:sms", "granted", based_on=1)

    assert await dealer.reason("channel:sms") == "granted"
    assert await dealer.reason("purpose:analytics") == "withdrawn"


async def test_a_topic_published_after_a_withdrawal_of_everything_is_withdrawn_too(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    await dealer.say("*", "withdrawn")
    catalogue["topics"]["purpose:surveys"] = catalogue["topics"]["purpose:analytics"]
    assert (await dealer.publish(catalogue)).status == 201

    assert await dealer.reason("purpose:surveys") == "withdrawn"


# --- who says it --------------------------------------------------------------------------------------------


async def test_a_brands_own_grant_counts_only_while_nobody_has_refused(dealer: Brand) -> None:
    file = {"kind": "crm", "wording": "May we text you?", "date": "2025-01-01", "source": "crm"}
    own = {"actor": "brand", "method": "api", "evidence": file}
    before = await dealer.say("channel:sms", "granted", **own)
    refusal = await dealer.say("channel:sms", "denied", based_on=1)
    dealer.world.clock.forward(timedelta(days=1))
    after = await dealer.say("channel:sms", "granted", **own, based_on=2)

    assert (before["stands"], before["allowed"]) == (True, True)
    assert (after["stands"], after["superseded_by"]) == (False, refusal["choice_id"])


async def test_an_import_never_lifts_a_refusal(dealer: Brand) -> None:
    refusal = await dealer.say("channel:sms", "denied")
    dealer.world.clock.forward(timedelta(days=1))

    file = {"kind": "file", "wording": "May we text you?", "date": "2026-11-20", "source": "the old CRM"}
    entry = await dealer.say("channel:sms", "granted", method="import", based_on=1, evidence=file)

    assert (entry["stands"], entry["superseded_by"], entry["reason"]) == (False, refusal["choice_id"], "denied")


@pytest.mark.parametrize("method", ["agent", "phone"])
async def test_a_grant_taken_down_by_an_agent_waits_for_the_consumers_own(dealer: Brand, method: str) -> None:
    entry = await dealer.say("channel:sms", "granted", method=method, evidence={"kind": "call_recording"})

    assert (entry["stands"], entry["allowed"], entry["reason"]) == (False, False, "not_asked")
    assert "superseded_by" not in entry

    confirmed = await dealer.say("channel:sms", "granted", based_on=1)
    assert (confirmed["stands"], confirmed["allowed"]) == (True, True)


async def test_a_refusal_taken_down_by_an_agent_counts_at_once(dealer: Brand, make_choice: Any) -> None:
    await dealer.say("channel:sms", "granted")

    answer = await dealer.desk(
        "POST", "/v1/choices", json={"choices": [make_choice("channel:sms", "withdrawn", method="phone")]}
    )

    assert (answer.status, answer.json["recorded"][0]["stands"]) == (201, True)
    newest = (await dealer.history())[0]
    assert (newest["actor"], newest["method"]) == ("agent", "phone")
    assert newest["recorded_by"] == {
        "key": dealer.keys["all"][0].key_id,
        "class": "staff",
        "staff": "ann",
        "origin": "https://privacy.example",
    }


@pytest.mark.parametrize("actor", ["consumer", "guardian", "brand"])
async def test_staff_speak_for_nobody_but_themselves(dealer: Brand, make_choice: Any, actor: str) -> None:
    sent = make_choice("channel:sms", "denied", method="phone", actor=actor)
    async with dealer.world.nothing_stored():
        answer = await dealer.desk("POST", "/v1/choices", json={"choices": [sent]})

    assert (answer.status, answer.problems) == (422, [("/choices/0/actor", "actor_not_yours")])


@pytest.mark.parametrize("method", ["widget", "chat", "sms", "api", "import"])
async def test_staff_record_only_what_reached_a_person(dealer: Brand, make_choice: Any, method: str) -> None:
    sent = make_choice("channel:sms", "denied", method=method)
    async with dealer.world.nothing_stored():
        answer = await dealer.desk("POST", "/v1/choices", json={"choices": [sent]})

    assert (answer.status, answer.problems) == (422, [("/choices/0/method", "actor_not_yours")])


# --- once ---------------------------------------------------------------------------------------------------


@BOTH
async def test_a_repetition_gets_the_first_answer_and_changes_nothing(dealer: Brand, make_choice: Any) -> None:
    sent = make_choice("channel:sms", "granted")
    (first,) = await dealer.recorded(sent)
    dealer.world.clock.forward(timedelta(hours=1))
    await dealer.say("channel:sms", "withdrawn", based_on=1)

    async with dealer.world.nothing_stored():
        (again,) = await dealer.recorded(sent)

    assert again == first | {"replayed": True}


@BOTH
@pytest.mark.parametrize(
    "times",
    [
        {"made_at": "2026-11-23T10:00:00Z"},
        {"sent_at": "2026-11-23T18:00:00Z"},
        {"made_at": "2026-11-23T10:00:00Z", "sent_at": "2026-11-23T23:00:00+02:00"},
    ],
)
async def test_the_times_of_making_and_sending_are_no_part_of_the_content(
    dealer: Brand, make_choice: Any, times: dict[str, str]
) -> None:
    sent = make_choice("channel:sms", "denied", made_at="2026-11-23T18:59:59Z")
    (first,) = await dealer.recorded(sent, sent_at="2026-11-23T19:00:00Z")
    batch = {name: times[name] for name in ("sent_at",) if name in times}
    choices = {name: times[name] for name in ("made_at",) if name in times}

    async with dealer.world.nothing_stored():
        (again,) = await dealer.recorded(sent | choices, **batch)

    assert again == first | {"replayed": True}


async def test_a_member_that_is_null_is_the_same_as_one_left_out(dealer: Brand, make_choice: Any) -> None:
    sent = make_choice("channel:sms", "denied")
    await dealer.recorded(sent)

    (again,) = await dealer.recorded(sent | {"notice": None, "detail": None, "overrides": []})

    assert again["replayed"]


@BOTH
async def test_a_batch_may_mix_repetitions_and_new_choices(dealer: Brand, make_choice: Any) -> None:
    known, new = make_choice("channel:sms", "denied"), make_choice("purpose:marketing", "denied")
    await dealer.recorded(known)

    answers = await dealer.recorded(new, known)

    assert [(entry["choice_id"], entry["version"], entry["replayed"]) for entry in answers] == [
        (new["id"], 2, False),
        (known["id"], 1, True),
    ]


@BOTH
async def test_the_same_choice_sent_many_times_at_once_is_recorded_once(dealer: Brand, make_choice: Any) -> None:
    sent = make_choice("channel:sms", "denied")

    answers = await asyncio.gather(*(dealer.recorded(sent) for _ in range(20)))

    assert sorted(entry["replayed"] for (entry,) in answers) == [False] + [True] * 19
    assert {entry["version"] for (entry,) in answers} == {1}
    assert len(await dealer.history()) == 1


async def test_an_id_of_another_consumer_is_no_repetition(dealer: Brand, make_choice: Any) -> None:
    await dealer.recorded(make_choice("channel:sms", "denied", "ann", id=ID))

    (entry,) = await dealer.recorded(make_choice("channel:sms", "granted", "ben", id=ID))

    assert (entry["replayed"], entry["version"]) == (False, 1)


async def test_a_repetition_is_known_by_its_id_in_capitals(dealer: Brand, make_choice: Any) -> None:
    sent = make_choice("channel:sms", "denied", id=ID)
    await dealer.recorded(sent)

    (again,) = await dealer.recorded(sent | {"id": ID.upper()})

    assert (again["replayed"], again["choice_id"]) == (True, ID)


@BOTH
async def test_a_repetition_is_answered_though_the_notice_has_changed_meanwhile(
    dealer: Brand, make_choice: Any, catalogue: dict[str, Any]
) -> None:
    sent = make_choice("channel:sms", "granted", notice={"language": "en", "version": 1})
    (first,) = await dealer.recorded(sent)
    catalogue["topics"]["channel:sms"]["version"] = 2
    await dealer.publish(catalogue)

    async with dealer.world.nothing_stored():
        (again,) = await dealer.recorded(sent)

    assert again == first | {"replayed": True}


async def test_a_repetition_is_answered_though_the_topic_is_gone(
    dealer: Brand, make_choice: Any, catalogue: dict[str, Any]
) -> None:
    sent = make_choice("channel:sms", "granted")
    await dealer.recorded(sent)
    del catalogue["topics"]["channel:sms"]
    await dealer.publish(catalogue)

    (again,) = await dealer.recorded(sent)

    assert again["replayed"]


async def test_a_repetition_excuses_nobody_else_in_its_batch(
    dealer: Brand, make_choice: Any, catalogue: dict[str, Any]
) -> None:
    sent = make_choice("channel:sms", "granted", notice={"language": "en", "version": 1})
    await dealer.recorded(sent)
    catalogue["topics"]["channel:sms"]["version"] = 2
    await dealer.publish(catalogue)

    async with dealer.world.nothing_stored():
        other = make_choice("channel:sms", "granted", "ben", notice={"language": "en", "version": 1})
        answer = await dealer.post(sent, other)

    assert (answer.status, answer.problems) == (409, [("/choices/1/notice/version", "notice_stale")])


# --- history ------------------------------------------------------------------------------------------------


@BOTH
async def test_history_shows_what_was_sent_and_what_the_server_added(dealer: Brand, make_choice: Any) -> None:
    sent = make_choice(
        "purpose:training",
        "granted",
        made_at="2026-11-23T20:59:00+02:00",
        evidence={"kind": "call", "ref": "call-7"},
        jurisdiction="US-CA",
        device_id="pixel-8",
        detail={"note": "asked at the desk"},
        overrides=["gpc"],
    )
    await dealer.recorded(sent, sent_at="2026-11-23T19:00:00Z")

    assert await dealer.history() == [
        {
            "id": sent["id"],
            "consumer_id": "cust-42",
            "topic": "purpose:training",
            "answer": "granted",
            "method": "chat",
            "actor": "consumer",
            "made_at": "2026-11-23T18:59:00.000000Z",
            "made_at_sent": "2026-11-23T20:59:00+02:00",
            "based_on": 0,
            "notice": {"language": "en", "version": 2},
            "evidence": {"kind": "call", "ref": "call-7"},
            "jurisdiction": "US-CA",
            "device_id": "pixel-8",
            "detail": {"note": "asked at the desk"},
            "overrides": ["gpc"],
            "expires_at": "2027-11-23T18:59:00.000000Z",
            "version": 1,
            "recorded_at": "2026-11-23T19:00:00.000000Z",
            "effective_at": "2026-11-23T18:59:00.000000Z",
            "recorded_by": {"key": dealer.keys["all"][0].key_id, "class": "backend"},
        }
    ]


async def test_history_of_a_consumer_never_seen_is_empty(dealer: Brand) -> None:
    answer = await dealer.call("GET", "/v1/consumers/never-seen/choices")

    assert (answer.status, answer.json, "Link" in answer.headers) == (200, {"choices": []}, False)


async def test_history_leaves_nothing_out_that_no_longer_counts(dealer: Brand) -> None:
    for answer in ("granted", "withdrawn", "granted", "denied"):
        await dealer.say("channel:sms", answer)

    assert [(entry["version"], entry["answer"]) for entry in await dealer.history()] == [
        (4, "denied"),
        (3, "granted"),
        (2, "withdrawn"),
        (1, "granted"),
    ]


@BOTH
async def test_history_comes_newest_first_100_a_page_with_a_link_to_the_next(dealer: Brand, make_choice: Any) -> None:
    await dealer.call("POST", "/v1/consumers/cust-42/signals", json={"name": "gpc"})
    await dealer.recorded(*(make_choice("channel:sms", "denied") for _ in range(230)))

    pages, path = [], "/v1/consumers/cust-42/choices"
    while path:
        answer = await dealer.call("GET", path)
        pages.append([entry["version"] for entry in answer.json["choices"]])
        link = answer.headers.get("Link", "")
        assert link == "" or (link.startswith("</v1/consumers/cust-42/choices?") and link.endswith('>; rel="next"'))
        path = link[1 : link.rfind(">")] if link else ""

    assert [len(page) for page in pages] == [100, 100, 30]
    # Version 1 is the signal, which is no choice.
    assert [version for page in pages for version in page] == list(range(231, 1, -1))


async def test_a_page_that_ends_with_the_oldest_choice_has_no_next(dealer: Brand, make_choice: Any) -> None:
    await dealer.recorded(*(make_choice("channel:sms", "denied") for _ in range(100)))

    answer = await dealer.call("GET", "/v1/consumers/cust-42/choices")

    assert (len(answer.json["choices"]), "Link" in answer.headers) == (100, False)


async def test_pages_stay_put_while_more_is_recorded(dealer: Brand, make_choice: Any) -> None:
    await dealer.recorded(*(make_choice("channel:sms", "denied") for _ in range(101)))
    first = await dealer.call("GET", "/v1/consumers/cust-42/choices")
    await dealer.say("channel:sms", "granted")

    second = await dealer.call("GET", first.headers["Link"][1:].partition(">")[0])

    assert [entry["version"] for entry in second.json["choices"]] == [1]


@pytest.mark.parametrize("before", ["-1", "x", "1.5", "9" * 20, ""])
async def test_a_page_that_is_no_version_is_refused(dealer: Brand, before: str) -> None:
    answer = await dealer.call("GET", f"/v1/consumers/cust-42/choices?before={before}")

    assert (answer.status, answer.problems) == (422, [("", "invalid_value")])


# --- export -------------------------------------------------------------------------------------------------


@BOTH
async def test_an_export_holds_everything_about_a_consumer_and_nothing_about_another(
    dealer: Brand, make_choice: Any
) -> None:
    await dealer.say("channel:sms", "granted")
    await dealer.say("channel:sms", "granted", consumer="ben")
    await dealer.report({"android.permission.CAMERA": "granted"})
    await dealer.call("POST", "/v1/consumers/cust-42/signals", json={"name": "gpc", "device_id": "pixel-8"})
    await dealer.call("PUT", "/v1/consumers/cust-42/age", json={"source": "brand", "lower": 21})

    answer = await dealer.call("GET", "/v1/consumers/cust-42/export")

    assert answer.status == 200
    whole = answer.json
    assert (whole["consumer_id"], whole["exported_at"]) == ("cust-42", "2026-11-23T19:00:00.000000Z")
    assert [(change["version"], change["kind"]) for change in whole["changes"]] == [
        (1, "choice"),
        (2, "device"),
        (3, "signal"),
        (4, "age"),
    ]
    assert whole["changes"][1]["sent"]["states"] == {"android.permission.CAMERA": "granted"}
    assert whole["preferences"] == await dealer.preferences()
    assert whole["devices"]["pixel-8"]["states"]["camera"]["state"] == "granted"
    assert list(whole["signals"]["gpc"]["devices"]) == ["pixel-8"]
    assert whole["age"]["brand"]["lower"] == 21
    assert b"ben" not in answer.body
