"""How long cached answers hold: from the start of a question whose answer the stream has caught up with."""

from datetime import timedelta

import pytest

import sayso
from sayso.local.freshness import Freshness, Head, Pace, read_head


def asked(freshness: Freshness, position: int, at: float) -> float:
    freshness.asked(Head("store-1", position, at))
    return freshness.until


@pytest.fixture
def freshness() -> Freshness:
    return Freshness(timedelta(seconds=5))


def test_nothing_is_proved_before_the_stream_is_there(freshness) -> None:
    assert asked(freshness, 0, at=10) == 0.0
    freshness.delivered_to(3)
    assert (asked(freshness, 3, at=11), freshness.delivered) == (0.0, None)


def test_a_position_already_delivered_proves_from_the_start_of_the_request(freshness) -> None:
    freshness.begin(7)

    assert asked(freshness, 7, at=10) == 15
    assert asked(freshness, 6, at=11) == 16
    assert asked(freshness, 7, at=9) == 16  # an answer that took longer takes nothing back


def test_a_position_not_yet_delivered_proves_once_it_is(freshness) -> None:
    freshness.begin(7)
    assert asked(freshness, 8, at=10) == 0
    assert asked(freshness, 9, at=11) == 0
    freshness.delivered_to(8)
    assert freshness.until == 15
    freshness.delivered_to(9)
    assert freshness.until == 16


def test_a_stream_that_comes_ten_seconds_late_proves_nothing(freshness) -> None:
    freshness.begin(0)
    for second in range(1, 30):
        asked(freshness, second, at=second)
        freshness.delivered_to(max(0, second - 10))

    assert freshness.until == 0.0
    assert freshness.delivered == 19


def test_heads_too_old_to_prove_anything_are_forgotten(freshness) -> None:
    freshness.begin(0)
    for second in range(1, 1000):
        asked(freshness, 1_000_000, at=second)

    assert len(freshness._waiting) <= 6


def test_what_was_proved_ends_with_the_epoch(freshness) -> None:
    freshness.begin(7)
    asked(freshness, 7, at=10)
    freshness.begin(20)
    assert freshness.until == 0
    assert asked(freshness, 21, at=11) == 0
    freshness.end()
    freshness.delivered_to(21)
    assert (freshness.until, freshness.delivered) == (0, None)


def test_doubt_takes_the_proof_back_and_the_next_head_gives_it_anew(freshness) -> None:
    freshness.begin(7)
    asked(freshness, 7, at=10)
    asked(freshness, 8, at=11)
    freshness.doubt()
    freshness.delivered_to(8)

    assert freshness.until == 0  # what was asked before the doubt proves nothing any more
    assert asked(freshness, 8, at=12) == 17


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"store_id": "s"}, {"store_id": 1, "position": 1}, {"store_id": "s", "position": "1"}]
)
def test_what_is_no_head_is_an_outage(answer) -> None:
    with pytest.raises(sayso.UnavailableError):
        read_head(answer, 1.0)


async def test_a_second_lies_between_the_starts_of_two_requests(clock) -> None:
    pace = Pace(clock)
    for took in (0.3, 0.3, 2.5, 0.0):
        await pace.wait()
        clock.advance(took)
    await pace.wait()

    assert clock.slept == pytest.approx([0.7, 0.7, 1.0])
