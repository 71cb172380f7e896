"""Asking through the client: checks, snapshots, the past, and answers that say why."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import sayso

START = datetime(2026, 11, 23, 19, 0, 0, tzinfo=UTC)
FROM_ANN = "Ann's phone"


async def reasons(consumer: sayso.Consumer, *topics: str, device: str | None = None) -> list[str]:
    return [(await consumer.decide(topic, device)).reason for topic in topics]


async def test_a_consumer_never_seen_is_asked_first_and_only_interests_and_contracts_go_on(ann: sayso.Consumer) -> None:
    topics = ("purpose:marketing", "channel:sms", "purpose:analytics", "purpose:service", "purpose:nothing")

    assert await reasons(ann, *topics) == ["not_asked", "not_asked", "default", "required", "unknown_topic"]
    assert [await ann.allows(topic) for topic in topics] == [False, False, True, True, False]
    preferences = await ann.preferences()
    assert [preferences.allows(topic) for topic in topics] == [False, False, True, True, False]
    assert (preferences.version, preferences.answers, preferences.catalogue_revision) == (0, {}, 1)


async def test_a_decision_names_the_choice_that_decided(ann: sayso.Consumer) -> None:
    recorded = await ann.grant("purpose:training", shown="en")
    decision = await ann.decide("purpose:training")

    assert bool(decision) is True
    assert (decision.reason, decision.answer, decision.choice_id) == ("granted", "granted", recorded.choice_id)
    assert (decision.made_at, decision.notice_version) == (START, 2)
    assert decision.valid_until == decision.expires_at == datetime(2027, 11, 23, 19, 0, tzinfo=UTC)
    assert decision.title == {"en": "Training", "es": "Formación"}
    assert decision.consumer_id == "cust-42"


async def test_a_decision_explains_itself_in_the_language_asked_for(ann: sayso.Consumer, served: Any) -> None:
    await ann.grant("purpose:marketing", shown="es")
    decision = await ann.decide("purpose:marketing")

    assert decision.explain() == (
        "“Offers” is allowed: granted on 2026-11-23 19:00 UTC under notice version 1, and nothing later refuses it."
    )
    assert decision.explain(language="es") == (
        "«Ofertas» está permitido: concedido el 2026-11-23 19:00 UTC según la versión 1 del aviso, "
        "y nada posterior lo rechaza."
    )
    spanish = await served.client(language="es").consumer("cust-42").decide("channel:sms")
    assert spanish.explain() == (
        "«Mensajes de texto» no está permitido: necesita consentimiento y el consumidor aún no ha respondido."
    )


async def test_a_forgotten_await_raises_instead_of_reading_as_yes(ann: sayso.Consumer) -> None:
    with pytest.raises(TypeError, match="must be awaited"):
        bool(ann.allows("purpose:service"))
    with pytest.raises(TypeError, match="must be awaited"):
        assert not ann.allows("purpose:marketing")


async def test_a_permission_needs_the_consumer_and_the_device(ann: sayso.Consumer) -> None:
    await ann.report_device("pixel-8", {"android.permission.CAMERA": "granted"}, vocabulary="react-native-permissions")
    await ann.report_device("iphone-9", {"ios.permission.CAMERA": "blocked"}, vocabulary="react-native-permissions")
    assert (await ann.decide("permission:camera", "pixel-8")).reason == "not_asked"
    await ann.grant("permission:camera", shown="en")

    devices = ("pixel-8", "iphone-9", "tablet-1", None)
    assert [(await ann.decide("permission:camera", device)).reason for device in devices] == [
        "granted",
        "device_denied",
        "device_unknown",
        "device_unknown",
    ]
    preferences = await ann.preferences()
    assert [preferences.allows("permission:camera", device) for device in devices] == [True, False, False, False]
    assert await ann.allows("permission:camera", device="pixel-8") is True


async def test_a_device_that_can_t_exist_is_no_reason_to_raise(ann: sayso.Consumer) -> None:
    await ann.grant("permission:camera", shown="en")

    assert (await ann.decide("permission:camera", FROM_ANN)).reason == "device_unknown"
    assert (await ann.decide("")).reason == "unknown_topic"


async def test_a_device_report_goes_stale_after_a_day(ann: sayso.Consumer, served: Any) -> None:
    await ann.grant("permission:camera", shown="en")
    await ann.report_device("pixel-8", {"camera": "granted"}, vocabulary="capacitor")
    assert (await ann.decide("permission:camera", "pixel-8")).valid_until == START + timedelta(hours=24)
    served.clock.forward(timedelta(hours=24))

    assert (await ann.decide("permission:camera", "pixel-8")).reason == "device_unknown"


async def test_a_grant_ends_when_it_said(ann: sayso.Consumer, served: Any) -> None:
    await ann.grant("purpose:marketing", shown="en", expires_after=timedelta(seconds=3))
    preferences = await ann.preferences()
    assert preferences.allows("purpose:marketing") is True
    served.clock.forward(timedelta(seconds=3))

    assert preferences.allows("purpose:marketing") is False
    assert preferences.decide("purpose:marketing").reason == "unavailable"
    assert await reasons(ann, "purpose:marketing") == ["expired"]
    assert (await ann.preferences()).decide("purpose:marketing").reason == "expired"


async def test_a_snapshot_allows_nothing_once_it_is_five_seconds_old(ann: sayso.Consumer, served: Any) -> None:
    await ann.grant("purpose:marketing", shown="en")
    preferences = await ann.preferences()
    served.clock.forward(timedelta(seconds=4))
    assert (preferences.fresh, preferences.allows("purpose:marketing")) == (True, True)
    served.clock.forward(timedelta(seconds=1))

    assert (preferences.fresh, preferences.allows("purpose:marketing")) == (False, False)
    assert preferences.decide("purpose:service").reason == "unavailable"
    assert (await ann.preferences()).allows("purpose:marketing") is True


async def test_the_past_is_answered_as_it_was(ann: sayso.Consumer, served: Any) -> None:
    served.clock.forward(timedelta(hours=1))
    await ann.grant("purpose:marketing", shown="en")
    served.clock.forward(timedelta(hours=1))
    await ann.withdraw("purpose:marketing")
    moments = [START + timedelta(minutes=minutes) for minutes in (30, 60, 90, 119, 120)]

    decided = [await ann.decide("purpose:marketing", as_of=moment) for moment in moments]
    assert [decision.reason for decision in decided] == ["not_asked", "granted", "granted", "granted", "withdrawn"]
    snapshots = [await ann.preferences(as_of=moment) for moment in moments]
    assert [snapshot.version for snapshot in snapshots] == [0, 1, 1, 1, 2]
    assert [snapshot.allows("purpose:marketing") for snapshot in snapshots] == [False, True, True, True, False]
    assert await ann.allows("purpose:marketing") is False


async def test_a_grant_that_has_ended_since_allowed_while_it_lasted(ann: sayso.Consumer, served: Any) -> None:
    await ann.grant("purpose:marketing", shown="en", expires_after=timedelta(hours=1))
    served.clock.forward(timedelta(hours=3))
    moment = START + timedelta(minutes=59)

    assert (await ann.decide("purpose:marketing", as_of=moment)).reason == "granted"
    assert (await ann.preferences(as_of=moment)).decide("purpose:marketing").reason == "granted"
    assert (await ann.decide("purpose:marketing", as_of=START + timedelta(hours=1))).reason == "expired"
    assert (await ann.decide("purpose:marketing")).reason == "expired"


async def test_before_the_catalogue_was_published_no_topic_was_known(ann: sayso.Consumer) -> None:
    decision = await ann.decide("purpose:service", as_of=START - timedelta(days=1))

    assert (decision.allowed, decision.reason) == (False, "unknown_topic")


async def test_a_naive_moment_is_refused_before_anything_is_sent(ann: sayso.Consumer) -> None:
    naive = datetime(2026, 11, 23, 19, 0)  # noqa: DTZ001 - the mistake under test
    for asking in (ann.decide("channel:sms", as_of=naive), ann.preferences(as_of=naive)):
        with pytest.raises(sayso.InvalidError) as caught:
            await asking
        assert (caught.value.code, caught.value.pointer) == ("naive_time", "/as_of")


async def test_asking_for_a_version_waits_until_it_is_there(ann: sayso.Consumer, served: Any) -> None:
    waiting = asyncio.create_task(ann.preferences(at_least=2))
    elsewhere = served.client().consumer("cust-42")
    await elsewhere.grant("purpose:marketing", shown="en")
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await elsewhere.withdraw("purpose:marketing")

    preferences = await waiting
    assert (preferences.version, preferences.decide("purpose:marketing").reason) == (2, "withdrawn")


async def test_a_version_that_never_comes_is_a_conflict_that_tells_the_current_one(ann: sayso.Consumer) -> None:
    await ann.deny("purpose:ads")
    await ann.deny("channel:sms")
    with pytest.raises(sayso.ConflictError) as caught:
        await ann.preferences(at_least=3)

    assert (caught.value.code, caught.value.current_version) == ("version_not_reached", 2)


async def test_many_checks_are_answered_in_order(privacy: sayso.Client) -> None:
    ann, ben = privacy.consumer("cust-42"), privacy.consumer("cust-43")
    await ann.grant("channel:sms", shown="en")
    await ben.deny("channel:sms")
    await ann.report_device("pixel-8", {"camera": "granted"}, vocabulary="capacitor")
    await ann.grant("permission:camera", shown="en")
    before = sayso.Check("cust-42", "channel:sms", as_of=START - timedelta(seconds=1))

    decisions = await privacy.decide_many(
        [
            ("cust-42", "channel:sms"),
            ("cust-43", "channel:sms"),
            ("cust-44", "channel:sms"),
            ("cust-42", "permission:camera", "pixel-8"),
            ("cust-42", "permission:camera", "pixel-9"),
            before,
        ]
    )
    assert [(decision.consumer_id, decision.reason) for decision in decisions] == [
        ("cust-42", "granted"),
        ("cust-43", "denied"),
        ("cust-44", "not_asked"),
        ("cust-42", "granted"),
        ("cust-42", "device_unknown"),
        ("cust-42", "unknown_topic"),
    ]


async def test_more_checks_than_fit_a_request_are_answered_all(privacy: sayso.Client) -> None:
    await privacy.record_many(
        sayso.Choice(f"cust-{number}", "channel:sms", "granted", shown="en", made_at=START)
        for number in range(0, 1100, 2)
    )
    decisions = await privacy.decide_many((f"cust-{number}", "channel:sms") for number in range(1100))

    assert [decision.consumer_id for decision in decisions] == [f"cust-{number}" for number in range(1100)]
    assert [decision.allowed for decision in decisions] == [True, False] * 550


async def test_what_another_process_refuses_is_refused_here_with_the_next_check(
    ann: sayso.Consumer, served: Any
) -> None:
    await ann.grant("purpose:marketing", shown="en")
    assert await ann.allows("purpose:marketing") is True
    await served.client().consumer("cust-42").withdraw("purpose:marketing")

    assert await ann.allows("purpose:marketing") is False
    assert (await ann.preferences()).allows("purpose:marketing") is False


async def test_a_wrong_id_raises_before_anything_is_sent(privacy: sayso.Client) -> None:
    for wrong, code in (("ann@dealer.example", "personal_id"), ("a/b", "invalid_id"), ("anon_1", "invalid_id")):
        with pytest.raises(sayso.InvalidError) as caught:
            privacy.consumer(wrong)
        assert (caught.value.code, caught.value.pointer) == (code, "/consumer_id")
        assert wrong not in str(caught.value)
