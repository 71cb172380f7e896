"""POST /v1/decisions: checks on the server, each with a reason and a sentence."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from sayso_server.services import past as past_module
from sayso_server.services.replay import replay

if TYPE_CHECKING:
    from tests.server.conftest import Brand

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])


@BOTH
async def test_a_decision_names_the_choice_the_reason_and_until_when_it_holds(dealer: Brand, make_choice: Any) -> None:
    sent = make_choice("purpose:training", "granted")
    await dealer.recorded(sent)

    decision = await dealer.decide("purpose:training")

    assert decision == {
        "consumer_id": "cust-42",
        "topic": "purpose:training",
        "allowed": True,
        "reason": "granted",
        "answer": "granted",
        "choice_id": sent["id"],
        "made_at": "2026-11-23T19:00:00.000000Z",
        "expires_at": "2027-11-23T19:00:00.000000Z",
        "notice_version": 2,
        "valid_until": "2027-11-23T19:00:00.000000Z",
        "title": {"en": "Training", "es": "Formación"},
        "version": 1,
        "explanation": (
            "“Training” is allowed: granted on 2026-11-23 19:00 UTC under notice version 2, "
            "and nothing later refuses it, until 2027-11-23 19:00 UTC unless something changes."
        ),
    }


async def test_checks_are_answered_in_the_order_asked(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted", consumer="ann")
    checks = [
        {"consumer_id": "ben", "topic": "channel:sms"},
        {"consumer_id": "ann", "topic": "channel:sms"},
        {"consumer_id": "ann", "topic": "purpose:service"},
    ]

    answer = await dealer.call("POST", "/v1/decisions", json={"checks": checks})

    assert [(each["consumer_id"], each["topic"], each["reason"]) for each in answer.json["decisions"]] == [
        ("ben", "channel:sms", "not_asked"),
        ("ann", "channel:sms", "granted"),
        ("ann", "purpose:service", "required"),
    ]


async def test_an_unknown_topic_is_not_allowed_and_no_error(dealer: Brand) -> None:
    decision = await dealer.decide("purpose:made.up")

    assert (decision["allowed"], decision["reason"], decision["choice_id"], decision["title"]) == (
        False,
        "unknown_topic",
        None,
        {},
    )


@BOTH
async def test_as_of_answers_what_the_system_would_have_said_then(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")
    dealer.world.clock.forward(timedelta(hours=1))
    await dealer.say("channel:sms", "withdrawn", based_on=1)

    moments = ("2026-11-23T18:00:00Z", "2026-11-23T19:00:00Z", "2026-11-23T20:00:00Z", "2026-11-23T21:30:00+02:00")
    checks = [{"consumer_id": "cust-42", "topic": "channel:sms", "as_of": moment} for moment in moments]
    answer = await dealer.call("POST", "/v1/decisions", json={"checks": checks})

    assert [each["reason"] for each in answer.json["decisions"]] == [
        "unknown_topic",  # nothing was published then
        "granted",
        "withdrawn",
        "granted",
    ]


async def test_a_late_arrival_changes_nothing_of_what_was_said_before_it_was_recorded(dealer: Brand) -> None:
    dealer.world.clock.forward(timedelta(hours=2))
    await dealer.say("channel:sms", "granted", made_at="2026-11-23T20:00:00Z")

    then = await dealer.decide("channel:sms", as_of="2026-11-23T20:30:00Z")

    assert then["reason"] == "not_asked"


async def test_a_permission_needs_the_device_that_it_happens_on(dealer: Brand) -> None:
    await dealer.say("permission:location", "granted")
    await dealer.report({"android.permission.ACCESS_FINE_LOCATION": "granted"})

    here = await dealer.decide("permission:location", device_id="pixel-8")
    nowhere = await dealer.decide("permission:location")
    elsewhere = await dealer.decide("permission:location", device_id="tablet")

    assert (here["allowed"], here["device_id"]) == (True, "pixel-8")
    assert here["valid_until"] == "2026-11-24T19:00:00.000000Z"
    assert (nowhere["allowed"], nowhere["reason"]) == (False, "device_unknown")
    assert (elsewhere["allowed"], elsewhere["reason"]) == (False, "device_unknown")


async def test_a_topic_waits_for_what_it_requires(dealer: Brand) -> None:
    await dealer.report({"android.permission.ACCESS_FINE_LOCATION": "granted"})
    before = await dealer.decide("purpose:nearby", device_id="pixel-8")
    await dealer.say("permission:location", "granted")
    after = await dealer.decide("purpose:nearby", device_id="pixel-8")

    assert (before["allowed"], before["reason"]) == (False, "requires:permission:location")
    assert (after["allowed"], after["reason"]) == (True, "default")


async def test_a_signal_that_decides_is_named(dealer: Brand) -> None:
    await dealer.call("POST", "/v1/consumers/cust-42/signals", json={"name": "gpc"})

    decision = await dealer.decide("purpose:ads")

    assert (decision["allowed"], decision["reason"], decision["signal"]) == (False, "signal", "gpc")


async def test_checking_leaves_no_trace(dealer: Brand) -> None:
    async with dealer.world.nothing_stored():
        await dealer.decide("channel:sms", "never-seen")


CHECK = {"consumer_id": "cust-42", "topic": "channel:sms"}


@pytest.mark.parametrize(
    ("checks", "pointer", "code"),
    [
        ([], "/checks", "batch_empty"),
        ([CHECK] * 501, "/checks", "batch_too_large"),
        ([CHECK | {"consumer_id": "ann@mail.example"}], "/checks/0/consumer_id", "personal_id"),
        ([CHECK, {"topic": "channel:sms"}], "/checks/1/consumer_id", "missing_member"),
        ([CHECK | {"as_of": "2026-11-23T19:00:00"}], "/checks/0/as_of", "naive_time"),
        ([CHECK | {"as_of": "1795460400"}], "/checks/0/as_of", "invalid_value"),
        ([CHECK | {"as_of": 1795460400}], "/checks/0/as_of", "wrong_type"),
        ([CHECK | {"topic": ""}], "/checks/0/topic", "invalid_value"),
        ([CHECK | {"topic": 1}], "/checks/0/topic", "wrong_type"),
        ([CHECK | {"device_id": "00:1a:2b:3c:4d:5e"}], "/checks/0/device_id", "personal_id"),
        ([CHECK | {"asof": "2026-11-23T19:00:00Z"}], "/checks/0/asof", "unknown_member"),
    ],
)
async def test_a_wrong_check_refuses_them_all(dealer: Brand, checks: list[Any], pointer: str, code: str) -> None:
    answer = await dealer.call("POST", "/v1/decisions", json={"checks": checks})

    assert (answer.status, answer.problems) == (422, [(pointer, code)])


async def test_500_checks_are_answered(dealer: Brand) -> None:
    answer = await dealer.call("POST", "/v1/decisions", json={"checks": [CHECK] * 500})

    assert (answer.status, len(answer.json["decisions"])) == (200, 500)


# --- past moments ------------------------------------------------------------------------------------------


def past(dealer: Brand, *minutes: int, consumer: str = "cust-42") -> list[dict[str, Any]]:
    """Ask about several moments, each so many minutes ago."""
    ago = [dealer.world.clock.text(timedelta(minutes=each)) for each in minutes]
    return [{"consumer_id": consumer, "topic": "channel:sms", "as_of": moment} for moment in ago]


async def test_ten_past_moments_are_answered_at_once_and_the_eleventh_is_named(dealer: Brand) -> None:
    ten = past(dealer, *range(10)) * 2
    allowed = await dealer.call("POST", "/v1/decisions", json={"checks": ten})
    refused = await dealer.call("POST", "/v1/decisions", json={"checks": [*ten, CHECK, *past(dealer, 10, 3, 11)]})

    assert (allowed.status, len(allowed.json["decisions"])) == (200, 20)
    assert refused.status == 422
    assert refused.problems == [("/checks/21/as_of", "batch_too_large"), ("/checks/23/as_of", "batch_too_large")]


async def test_each_consumer_at_a_moment_counts_as_one(dealer: Brand) -> None:
    checks = [past(dealer, 0, consumer=f"cust-{number}")[0] for number in range(11)]

    answer = await dealer.call("POST", "/v1/decisions", json={"checks": checks})

    assert (answer.status, answer.problems) == (422, [("/checks/10/as_of", "batch_too_large")])


async def test_a_moment_that_has_not_come_is_refused_by_its_pointer(dealer: Brand) -> None:
    answer = await dealer.call("POST", "/v1/decisions", json={"checks": [CHECK, *past(dealer, 0, -1)]})

    assert (answer.status, answer.problems) == (422, [("/checks/2/as_of", "from_the_future")])


async def test_a_long_history_is_read_back_beside_the_event_loop(
    dealer: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def watched(consumer_id: str, changes: Any) -> Any:
        threads.append(threading.get_ident())
        return replay(consumer_id, changes)

    monkeypatch.setattr(past_module, "replay", watched)
    sms = [{"topic": "channel:sms", "answer": "denied"}] * (past_module.LONG_HISTORY + 1)
    await dealer.recorded(*(choice | {"consumer_id": "ann", "method": "chat", "id": str(uuid4())} for choice in sms))
    await dealer.say("channel:sms", "denied", consumer="ben")

    answer = await dealer.call(
        "POST", "/v1/decisions", json={"checks": past(dealer, 0, consumer="ann") + past(dealer, 0, consumer="ben")}
    )

    assert [each["reason"] for each in answer.json["decisions"]] == ["denied", "denied"]
    assert threads[0] != threading.get_ident()
    assert threads[1] == threading.get_ident()
