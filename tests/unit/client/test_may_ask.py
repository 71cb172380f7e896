"""What a snapshot says about asking, read off the wire."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import sayso
from sayso.client.may_ask import MayAsk
from sayso.model.instant import to_micros
from sayso.testing import FrozenClock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = datetime(2027, 6, 1, tzinfo=UTC)


def read(reason: str, *, now: datetime = NOON, **members: Any) -> MayAsk:
    return MayAsk.from_wire("purpose:x", {"reason": reason, **members}, to_micros(now))


@pytest.mark.parametrize("reason", ["not_asked", "expired", "outdated"])
def test_what_has_no_answer_that_holds_may_be_asked_about(reason: str) -> None:
    assert read(reason) == MayAsk("purpose:x", True, reason, None)


@pytest.mark.parametrize(
    "reason",
    [
        "granted",
        "default",
        "required",
        "denied",
        "withdrawn",
        "minor",
        "signal",
        "device_denied",
        "requires:purpose:y",
        "restricted",
        "erased",
        "unknown_topic",
        "unavailable",
        "a_reason_of_a_later_release",
    ],
)
def test_nothing_else_is_unless_the_server_says_from_when(reason: str) -> None:
    assert read(reason) == MayAsk("purpose:x", False, reason, None)


def test_the_servers_word_comes_before_the_reason() -> None:
    moment = "2027-06-01T00:00:00.000000Z"
    assert read("expired", ask_from=moment) == MayAsk("purpose:x", False, "expired", LATER)
    assert read("expired", ask_from=moment, now=LATER) == MayAsk("purpose:x", True, "expired", None)
    assert read("granted", ask_from=moment, now=LATER) == MayAsk("purpose:x", True, "ends_soon", None)


@pytest.mark.parametrize("said", [None, "soon", 7, "", "2027-06-01T00:00:00"])
def test_no_time_and_one_that_can_not_be_read_ask_nobody(said: Any) -> None:
    assert read("not_asked", ask_from=said) == MayAsk("purpose:x", False, "not_asked", None)


def snapshot(clock: FrozenClock, *, as_of: datetime | None = None) -> sayso.Preferences:
    topics = {
        "purpose:x": {"allowed": False, "reason": "not_asked"},
        "purpose:y": {"allowed": False, "reason": "denied", "ask_from": "2027-06-01T00:00:00.000000Z"},
    }
    data = {"consumer_id": "cust-42", "version": 3, "store_id": "s", "catalogue_revision": 1, "topics": topics}
    return sayso.Preferences.from_wire(
        data, asked_at=clock.boot(), max_staleness=timedelta(seconds=5), as_of=as_of, clock=clock
    )


def test_a_stale_snapshot_asks_nobody() -> None:
    clock = FrozenClock(NOON)
    preferences = snapshot(clock)
    assert preferences.may_ask("purpose:x").allowed is True
    clock.advance(timedelta(seconds=5))
    assert preferences.may_ask("purpose:x") == MayAsk("purpose:x", False, "unavailable", None)


def test_a_snapshot_of_the_past_answers_for_then() -> None:
    clock = FrozenClock(NOON)
    assert snapshot(clock, as_of=NOON).may_ask("purpose:y").not_before == LATER
    assert snapshot(clock, as_of=LATER).may_ask("purpose:y").allowed is True
