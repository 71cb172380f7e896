import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sayso.testing import FrozenClock

START = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)


def test_time_stands_still() -> None:
    clock = FrozenClock(START)
    assert (clock.time, clock.now(), clock.boot()) == (START, 1_795_460_400_000_000, 1000.0)
    assert (clock.time, clock.now(), clock.boot()) == (START, 1_795_460_400_000_000, 1000.0)


def test_it_starts_at_the_machines_time() -> None:
    assert abs(FrozenClock().time - datetime.now(UTC)) < timedelta(seconds=5)


def test_advancing_moves_both_clocks_and_jumping_the_wall_clock_alone() -> None:
    clock = FrozenClock(START)
    clock.advance(timedelta(hours=1))
    assert (clock.time, clock.boot()) == (START + timedelta(hours=1), 4600.0)
    clock.jump(-timedelta(days=1))
    assert (clock.time, clock.boot()) == (START - timedelta(hours=23), 4600.0)


def test_time_does_not_pass_backwards() -> None:
    with pytest.raises(ValueError, match=r"use clock\.jump"):
        FrozenClock().advance(-timedelta(seconds=1))


async def test_what_your_code_awaits_moves_the_clock() -> None:
    clock = FrozenClock(START)
    await clock.sleep(7)
    assert (clock.time, clock.slept) == (START + timedelta(seconds=7), [timedelta(seconds=7)])


async def test_what_the_client_does_in_the_background_waits_for_the_test() -> None:
    clock = FrozenClock(START)
    task = asyncio.create_task(clock.sleep(2), name="sayso-stream")
    await asyncio.sleep(0.01)
    clock.advance(timedelta(seconds=1))
    await asyncio.sleep(0.01)
    assert not task.done()
    clock.advance(timedelta(seconds=1))
    await asyncio.wait_for(task, 5)
    assert (clock.time, clock.slept) == (START + timedelta(seconds=2), [])


async def test_a_wait_that_was_cancelled_leaves_nothing_behind() -> None:
    clock = FrozenClock(START)
    task = asyncio.create_task(clock.sleep(2), name="sayso-stream")
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert clock._waiters == []


async def test_a_wait_is_ended_from_another_thread() -> None:
    clock = FrozenClock(START)
    task = asyncio.create_task(clock.sleep(60), name="sayso-stream")
    await asyncio.sleep(0)
    await asyncio.to_thread(clock.advance, timedelta(minutes=1))
    await asyncio.wait_for(task, 5)
