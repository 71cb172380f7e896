"""How long an entry waited is measured on a clock that nobody sets, as long as the machine runs."""

import pytest

from sayso.local.outbox.age import made_at

NOW = 1_795_460_400_000_000
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def age(row, wall: int, boot: float) -> int:
    return wall - made_at(row, boot, wall)


def test_an_entry_is_as_old_as_it_waited(row) -> None:
    assert age(row(), NOW + HOUR, 1000.0 + 3600) == HOUR


@pytest.mark.parametrize("set_by", [-DAY, -90 * SECOND, DAY])
def test_a_wall_clock_that_is_set_meanwhile_makes_it_no_older(row, set_by: int) -> None:
    assert age(row(), NOW + HOUR + set_by, 1000.0 + 3600) == HOUR


def test_clocks_that_run_apart_by_milliseconds_say_the_same_time_again(row) -> None:
    at = NOW + HOUR

    assert {made_at(row(), 4600.0, at + drift) for drift in (-400_000, 0, 400_000)} == {NOW}


def test_what_was_made_earlier_keeps_its_distance(row) -> None:
    assert age(row(age=5 * SECOND), NOW + HOUR + DAY, 1000.0 + 3600) == HOUR + 5 * SECOND
    assert made_at(row(age=-5 * SECOND), 4600.0, NOW + HOUR) == NOW + 5 * SECOND


@pytest.mark.parametrize(("boot_id", "boot"), [("another", 9000.0), (None, 10.0)])
def test_after_a_restart_of_the_machine_only_the_wall_clock_is_left(row, boot_id: str | None, boot: float) -> None:
    entry = row(boot_id=boot_id) if boot_id else row()

    assert age(entry, NOW + DAY, boot) == DAY
    assert age(entry, NOW - DAY, boot) == 0  # put back since: it is no younger than its sending
