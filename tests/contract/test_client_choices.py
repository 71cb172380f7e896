"""Recording choices through the client into the server."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

import sayso

NOW = datetime(2026, 11, 23, 19, 0, 0, tzinfo=UTC)


async def said(consumer: sayso.Consumer) -> list[tuple[str, str]]:
    """Give topic and answer of every recorded choice, oldest first."""
    return [(choice.topic, choice.answer) async for choice in consumer.history()][::-1]


async def test_a_grant_is_recorded_and_decides_at_once(ann: sayso.Consumer) -> None:
    recorded = await ann.grant("purpose:marketing", shown="en", method="chat")

    assert (recorded.consumer_id, recorded.topic, recorded.version) == ("cust-42", "purpose:marketing", 1)
    assert (recorded.stands, recorded.superseded_by, recorded.replayed) == (True, None, False)
    assert (recorded.allowed, recorded.reason, recorded.status) == (True, "granted", "confirmed")
    assert (recorded.recorded_at, recorded.effective_at) == (NOW, NOW)
    assert await ann.allows("purpose:marketing") is True


async def test_what_a_grant_says_is_in_the_history(ann: sayso.Consumer, served: Any) -> None:
    recorded = await ann.grant(
        "permission:location",
        shown="es",
        notice_version=1,
        method="widget",
        made_at=NOW - timedelta(minutes=3),
        expires_after=timedelta(days=30),
        evidence={"kind": "message", "ref": "msg-7"},
        device="pixel-8",
        detail={"precision": "city"},
        jurisdiction="US-CA",
    )

    (choice,) = [choice async for choice in ann.history()]
    assert choice.id == recorded.choice_id
    assert (choice.topic, choice.answer, choice.version) == ("permission:location", "granted", 1)
    assert (choice.method, choice.actor, choice.based_on) == ("widget", "consumer", 0)
    assert (choice.notice_language, choice.notice_version) == ("es", 1)
    assert choice.made_at == datetime(2026, 11, 23, 18, 57, tzinfo=UTC)
    assert choice.effective_at == datetime(2026, 11, 23, 18, 57, tzinfo=UTC)
    assert choice.recorded_at == NOW
    assert choice.expires_at == datetime(2026, 12, 23, 18, 57, tzinfo=UTC)
    assert (choice.device_id, choice.jurisdiction) == ("pixel-8", "US-CA")
    assert choice.raw["evidence"] == {"kind": "message", "ref": "msg-7"}
    assert choice.raw["detail"] == {"precision": "city"}
    assert choice.recorded_by == {"key": served.key_id(), "class": "backend"}


async def test_a_grant_lasts_as_long_as_the_catalogue_says_unless_told_otherwise(ann: sayso.Consumer) -> None:
    await ann.grant("purpose:training", shown="en")
    decision = await ann.decide("purpose:training")

    assert decision.expires_at == datetime(2027, 11, 23, 19, 0, tzinfo=UTC)
    assert decision.notice_version == 2


async def test_a_denial_refuses(ann: sayso.Consumer) -> None:
    recorded = await ann.deny("purpose:analytics", shown="en", method="widget")

    assert (recorded.stands, recorded.allowed, recorded.reason) == (True, False, "denied")
    assert await ann.allows("purpose:analytics") is False


async def test_withdrawing_says_withdrawn_where_a_grant_stands_and_denied_elsewhere(ann: sayso.Consumer) -> None:
    await ann.grant("channel:sms", shown="en")
    first = await ann.withdraw("channel:sms")
    second = await ann.withdraw("purpose:analytics")

    assert (first.reason, second.reason) == ("withdrawn", "denied")
    assert await said(ann) == [
        ("channel:sms", "granted"),
        ("channel:sms", "withdrawn"),
        ("purpose:analytics", "denied"),
    ]


async def test_withdrawing_in_another_process_finds_the_grant_that_stands(ann: sayso.Consumer, served: Any) -> None:
    await ann.grant("channel:sms", shown="en")
    recorded = await served.client().consumer("cust-42").withdraw("channel:sms")

    assert recorded.reason == "withdrawn"
    assert await ann.allows("channel:sms") is False


async def test_toggling_works_at_once_in_both_directions(ann: sayso.Consumer) -> None:
    answers = []
    for _ in range(3):
        answers.append((await ann.grant("channel:sms", shown="en")).allowed)
        answers.append((await ann.withdraw("channel:sms")).allowed)

    assert answers == [True, False, True, False, True, False]


async def test_toggling_on_again_in_a_process_that_has_just_started_works_at_once(
    ann: sayso.Consumer, served: Any
) -> None:
    await ann.grant("channel:sms", shown="en")
    await ann.withdraw("channel:sms")
    recorded = await served.client().consumer("cust-42").grant("channel:sms", shown="en")

    assert (recorded.stands, recorded.allowed) == (True, True)


async def test_a_grant_that_has_not_seen_a_fresh_refusal_loses_to_it(ann: sayso.Consumer, served: Any) -> None:
    elsewhere = served.client().consumer("cust-42")
    await elsewhere.preferences()
    refused = await ann.deny("channel:sms")
    recorded = await elsewhere.grant("channel:sms", shown="en")

    assert (recorded.stands, recorded.superseded_by) == (False, refused.choice_id)
    assert (recorded.allowed, recorded.reason) == (False, "denied")
    assert await elsewhere.allows("channel:sms") is False


async def test_an_older_grant_that_arrives_late_never_lifts_a_newer_refusal(ann: sayso.Consumer) -> None:
    await ann.deny("channel:sms")
    late = await ann.grant("channel:sms", shown="en", made_at=NOW - timedelta(hours=2))

    assert (late.stands, late.effective_at) == (False, NOW - timedelta(hours=2))
    assert await ann.allows("channel:sms") is False


async def test_an_import_never_lifts_a_refusal_and_an_agent_s_grant_waits_for_the_consumer(
    ann: sayso.Consumer,
) -> None:
    file = {"kind": "file", "wording": "May we write to you?", "date": "2026-01-27", "source": "the old CRM"}
    imported = await ann.grant("purpose:marketing", shown="en", method="import", actor="brand", evidence=file)
    spoken = await ann.grant("channel:sms", shown="en", method="phone", evidence={"kind": "call_recording"})
    await ann.withdraw("purpose:marketing")
    again = await ann.grant("purpose:marketing", shown="en", method="import", evidence=file)

    assert (imported.stands, imported.reason) == (True, "granted")
    assert (spoken.stands, spoken.reason) == (False, "not_asked")
    assert (again.stands, again.reason) == (False, "withdrawn")


async def test_withdrawing_everything_holds_until_a_topic_is_granted_anew(ann: sayso.Consumer) -> None:
    await ann.grant("purpose:marketing", shown="en")
    await ann.grant("channel:sms", shown="en")
    recorded = await ann.withdraw_all(method="email")
    assert recorded.topic == "*"
    reasons = {key: (await ann.decide(key)).reason for key in ("purpose:marketing", "purpose:ads", "purpose:service")}
    assert reasons == {"purpose:marketing": "withdrawn", "purpose:ads": "withdrawn", "purpose:service": "required"}

    assert (await ann.grant("channel:sms", shown="en")).allowed is True
    assert await ann.allows("purpose:marketing") is False


async def test_opting_in_and_out_speaks_of_one_flow(ann: sayso.Consumer) -> None:
    recorded = await ann.opt_in("vinsolutions", shown="en")
    assert (recorded.topic, recorded.allowed) == ("partner:vinsolutions:share", True)
    out = await ann.opt_out("vinsolutions", flow="combine")
    assert (out.topic, out.reason) == ("partner:vinsolutions:combine", "denied")
    again = await ann.opt_in("vinsolutions", "combine", shown="es")
    assert (again.topic, again.allowed) == ("partner:vinsolutions:combine", True)

    preferences = await ann.preferences()
    assert preferences.answers == {
        "partner:vinsolutions:share": "granted",
        "partner:vinsolutions:combine": "granted",
    }
    assert preferences.decide("partner:vinsolutions:receive").reason == "default"


async def test_opting_out_of_a_partner_without_a_flow_refuses_all_its_flows(ann: sayso.Consumer) -> None:
    await ann.opt_in("vinsolutions", shown="en")
    recorded = await ann.opt_out("vinsolutions", method="chat")

    assert {(one.topic, one.reason) for one in recorded} == {
        ("partner:vinsolutions:share", "withdrawn"),
        ("partner:vinsolutions:receive", "denied"),
        ("partner:vinsolutions:combine", "denied"),
    }


async def test_opting_out_of_an_unknown_partner_names_the_nearest_and_records_nothing(ann: sayso.Consumer) -> None:
    with pytest.raises(sayso.InvalidError, match="did you mean vinsolutions") as caught:
        await ann.opt_out("vinsolution")

    assert (caught.value.code, caught.value.pointer) == ("unknown_topic", "/topic")
    assert (await ann.preferences()).version == 0


async def test_a_choice_sent_again_leaves_one_record(privacy: sayso.Client, served: Any) -> None:
    choice = sayso.Choice(
        "cust-42", "purpose:marketing", "granted", shown="en", expires_after=timedelta(days=30), device="pixel-8"
    )
    (first,) = await privacy.record_many([choice])
    served.clock.forward(timedelta(minutes=2))
    (again,) = await privacy.record_many([choice])

    assert (first.replayed, again.replayed) == (False, True)
    assert again == first._replace(replayed=True)
    history = [one async for one in privacy.consumer("cust-42").history()]
    assert [(one.id, one.expires_at) for one in history] == [(choice.id, NOW + timedelta(days=30))]


async def test_an_id_used_for_another_choice_is_refused(privacy: sayso.Client) -> None:
    first = sayso.Choice("cust-42", "purpose:marketing", "denied")
    await privacy.record_many([first])
    other = sayso.Choice("cust-42", "channel:sms", "denied", id=first.id)

    with pytest.raises(sayso.InvalidError) as caught:
        await privacy.record_many([other])
    assert (caught.value.code, caught.value.pointer) == ("id_reused", "/choices/0/id")


async def test_many_choices_go_out_500_to_a_request_and_come_back_in_order(served: Any) -> None:
    bodies: list[str] = []

    async def started(_: Any, __: Any, sent: aiohttp.TraceRequestStartParams) -> None:
        bodies.append(f"{sent.method} {sent.url.path}")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_start.append(started)  # type: ignore[arg-type]
    drafts = [
        sayso.Choice(f"cust-{number % 600}", "channel:sms", "granted", shown="en", made_at=NOW)
        if number < 600
        else sayso.Choice(f"cust-{number % 600}", "purpose:marketing", "denied", made_at=NOW)
        for number in range(1200)
    ]
    async with aiohttp.ClientSession(trace_configs=[tracing]) as session:
        client = served.client(session=session)
        recorded = await client.record_many(iter(drafts))

    assert bodies == ["POST /v1/choices"] * 3
    assert [one.choice_id for one in recorded] == [draft.id for draft in drafts]
    assert [one.version for one in recorded] == [1] * 600 + [2] * 600
    assert {one.allowed for one in recorded[:600]} == {True}
    assert {one.allowed for one in recorded[600:]} == {False}
    preferences = await served.client().consumer("cust-599").preferences()
    assert (preferences.version, preferences.answers) == (
        2,
        {"channel:sms": "granted", "purpose:marketing": "denied"},
    )


async def test_a_wrong_choice_keeps_its_whole_batch_out(privacy: sayso.Client) -> None:
    drafts = [
        sayso.Choice("cust-1", "channel:sms", "denied"),
        sayso.Choice("cust-2", "channel:smss", "denied"),
        sayso.Choice("cust-3", "purpose:marketing", "granted"),
    ]
    with pytest.raises(sayso.InvalidError) as caught:
        await privacy.record_many(drafts)

    assert [(problem.pointer, problem.code) for problem in caught.value.problems] == [
        ("/choices/1/topic", "unknown_topic"),
        ("/choices/2/notice", "notice_required"),
    ]
    assert caught.value.code == "unknown_topic"
    assert "did you mean channel:sms" in caught.value.problems[0].message
    assert caught.value.request_id != ""
    assert (await privacy.consumer("cust-1").preferences()).version == 0


async def test_the_history_goes_through_every_page_newest_first(privacy: sayso.Client) -> None:
    drafts = [sayso.Choice("cust-42", "channel:sms", "denied", made_at=NOW) for _ in range(260)]
    await privacy.record_many(drafts)
    ann = privacy.consumer("cust-42")

    versions = [choice.version async for choice in ann.history()]
    assert versions == list(range(260, 0, -1))
    assert [choice.id async for choice in ann.history(limit=120)] == [draft.id for draft in drafts[:139:-1]]
    assert [choice.version async for choice in ann.history(limit=1)] == [260]


async def test_a_history_read_while_choices_arrive_repeats_and_skips_nothing(privacy: sayso.Client) -> None:
    await privacy.record_many(sayso.Choice("cust-42", "channel:sms", "denied", made_at=NOW) for _ in range(250))
    ann = privacy.consumer("cust-42")

    versions = []
    async for choice in ann.history():
        if len(versions) in (50, 150):
            await ann.deny("purpose:ads")
        versions.append(choice.version)
    assert versions == list(range(250, 0, -1))


async def test_a_consumer_never_seen_has_no_history(ann: sayso.Consumer) -> None:
    assert [choice async for choice in ann.history()] == []


async def test_choices_made_at_the_same_time_by_many_tasks_all_count_once(privacy: sayso.Client) -> None:
    ann = privacy.consumer("cust-42")
    recorded = await asyncio.gather(*(ann.deny("channel:sms") for _ in range(40)))

    assert sorted(one.version for one in recorded) == list(range(1, 41))
    assert (await ann.preferences()).version == 40


async def test_two_brands_with_the_same_consumer_id_never_meet(ann: sayso.Consumer, served: Any) -> None:
    other = served.client("shop").consumer("cust-42")
    await ann.grant("purpose:marketing", shown="en")
    await ann.report_device("pixel-8", {"camera": "granted"}, vocabulary="capacitor")

    seen = await other.preferences()
    assert (seen.version, seen.answers, seen.devices) == (0, {}, {})
    assert await other.allows("purpose:marketing") is False
    assert [choice async for choice in other.history()] == []
    await other.deny("purpose:marketing")
    assert await ann.allows("purpose:marketing") is True
    assert (await ann.preferences()).version == 2


async def test_the_same_choice_id_may_be_another_brand_s_too(privacy: sayso.Client, served: Any) -> None:
    choice = sayso.Choice("cust-42", "channel:sms", "denied")
    (here,) = await privacy.record_many([choice])
    (there,) = await served.client("shop").record_many([choice])

    assert (here.replayed, there.replayed) == (False, False)
