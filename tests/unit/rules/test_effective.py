"""From when a choice counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.rules.effective import effective_at, is_from_the_future

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
NOON = 1_795_435_200 * SECOND
ANY_TIME = st.integers(-(10**17), 4 * 10**17)


@pytest.mark.parametrize(
    ("sent_at", "made_at", "latest_seen", "expected"),
    [
        # What the sender's clock says cancels out; only the age of the choice counts.
        (NOON, NOON, None, NOON),
        (NOON, NOON - HOUR, None, NOON - HOUR),
        (NOON - 2 * HOUR, NOON - 3 * HOUR, None, NOON - HOUR),
        (NOON + 2 * HOUR, NOON + HOUR, None, NOON - HOUR),
        # Without `sent_at` the server's time counts, without `made_at` the time of sending.
        (None, NOON - HOUR, None, NOON - HOUR),
        (NOON - HOUR, None, None, NOON),
        (None, None, None, NOON),
        # Never later than it was recorded.
        (NOON, NOON + HOUR, None, NOON),
        (None, NOON + 365 * 24 * HOUR, None, NOON),
        # Never earlier than what it has seen, and that is never later than now.
        (NOON, NOON - HOUR, NOON - MINUTE, NOON - MINUTE),
        (NOON, NOON - HOUR, NOON - 2 * HOUR, NOON - HOUR),
        (NOON, NOON, NOON + HOUR, NOON),
    ],
)
def test_a_choice_counts_from_when_it_was_made_by_the_servers_clock(sent_at, made_at, latest_seen, expected):
    assert effective_at(recorded_at=NOON, sent_at=sent_at, made_at=made_at, latest_seen=latest_seen) == expected


@given(ANY_TIME, ANY_TIME, ANY_TIME, st.integers(-2 * HOUR, 2 * HOUR))
def test_a_senders_clock_error_changes_nothing(recorded_at, sent_at, made_at, error):
    right = effective_at(recorded_at=recorded_at, sent_at=sent_at, made_at=made_at, latest_seen=None)
    wrong = effective_at(recorded_at=recorded_at, sent_at=sent_at + error, made_at=made_at + error, latest_seen=None)
    assert right == wrong


@given(ANY_TIME, st.none() | ANY_TIME, st.none() | ANY_TIME, st.none() | ANY_TIME)
def test_it_never_counts_after_it_was_recorded_nor_before_what_it_has_seen(recorded, sent, made, seen):
    moment = effective_at(recorded_at=recorded, sent_at=sent, made_at=made, latest_seen=seen)
    assert moment <= recorded
    assert seen is None or moment >= min(seen, recorded)


@pytest.mark.parametrize(
    ("sent_at", "made_at", "expected"),
    [
        (NOON, NOON, False),
        (NOON, NOON + 5 * MINUTE, False),
        (NOON, NOON + 5 * MINUTE + 1, True),
        (NOON - HOUR, NOON - HOUR + 5 * MINUTE + 1, True),
        (NOON + HOUR, NOON + HOUR, False),
        (None, NOON + 5 * MINUTE, False),
        (None, NOON + 5 * MINUTE + 1, True),
        (NOON - 365 * 24 * HOUR, None, False),
        (None, None, False),
    ],
)
def test_a_choice_is_from_the_future_when_made_five_minutes_after_it_was_sent(sent_at, made_at, expected):
    assert is_from_the_future(recorded_at=NOON, sent_at=sent_at, made_at=made_at) is expected
