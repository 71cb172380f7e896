"""A withdrawal made elsewhere holds here within `max_staleness`, whatever happens to the line in between."""

import asyncio
import time
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

import sayso

from .line import Line, line_to

BOUND = 2.0
"""Seconds of `max_staleness` in these tests."""
SLACK = 0.02
"""Between the client's own look at the clock and the test's."""
MARKETING = "purpose:marketing"


class Seen(NamedTuple):
    at: float
    allowed: bool


class Watcher:
    """Another process: checks all the time, on a thread and a loop of its own, and writes down each answer."""

    def __init__(self, client: sayso.Client) -> None:
        self.client = client
        self.seen: list[Seen] = []
        self.block = 0.0
        self._stop = False

    def run(self) -> None:
        asyncio.run(self._check())

    async def _check(self) -> None:
        async with self.client as privacy:
            ann = privacy.consumer("cust-42")
            while not self._stop:
                if self.block:
                    blocked, self.block = self.block, 0.0
                    time.sleep(blocked)  # noqa: ASYNC251 - that is the fault
                answer = await ann.allows(MARKETING)
                self.seen.append(Seen(time.monotonic(), answer))
                await asyncio.sleep(0.003)

    def stop(self) -> None:
        self._stop = True

    def allowed_now(self) -> bool:
        return bool(self.seen) and self.seen[-1].allowed

    def last_yes(self) -> float:
        return max(one.at for one in self.seen if one.allowed)

    def first_no_after(self, moment: float) -> float:
        return min(one.at for one in self.seen if one.at > moment and not one.allowed)


async def until(condition: Any, within: float = 15.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.01)


def healthy(line: Line, watcher: Watcher) -> None:
    pass


def cut(line: Line, watcher: Watcher) -> None:
    line.down = True
    line.cut()


def half_open(line: Line, watcher: Watcher) -> None:
    line.silent = True


def all_late(line: Line, watcher: Watcher) -> None:
    line.delay = 10.0


def stream_late(line: Line, watcher: Watcher) -> None:
    line.stream_delay = 10.0


def loop_blocked(line: Line, watcher: Watcher) -> None:
    watcher.block = 3.0


def late_and_blocked(line: Line, watcher: Watcher) -> None:
    line.stream_delay = 10.0
    watcher.block = 1.0


@pytest.mark.parametrize(
    "fault",
    [healthy, cut, half_open, all_late, stream_late, loop_blocked, late_and_blocked],
    ids=lambda one: one.__name__,
)
async def test_no_yes_outlives_the_bound(served: Any, fault: Any) -> None:
    here = served.client(live=False).consumer("cust-42")
    await here.grant(MARKETING, shown="en")
    async with line_to(served.url) as line:
        watcher = Watcher(served.client(url=line.url, max_staleness=timedelta(seconds=BOUND)))
        watching = asyncio.create_task(asyncio.to_thread(watcher.run))
        try:
            await until(lambda: watcher.client.status == "live" and watcher.allowed_now())
            fault(line, watcher)
            await asyncio.sleep(0.1)
            await here.withdraw(MARKETING)
            acknowledged = time.monotonic()
            await asyncio.sleep(BOUND + 2.5)
            watcher.stop()
            line.silent = line.down = False
            line.delay = line.stream_delay = 0.0
        finally:
            watcher.stop()
            line.cut()
            await watching

    assert watcher.last_yes() <= acknowledged + BOUND + SLACK
    assert any(one.at > acknowledged for one in watcher.seen)
    if fault is healthy:
        assert watcher.last_yes() < acknowledged + 1.0


async def test_the_stream_goes_on_where_it_was_cut_and_misses_nothing(served: Any) -> None:
    here = served.client(live=False).consumer("cust-42")
    await here.grant(MARKETING, shown="en")
    async with line_to(served.url) as line, served.client(url=line.url) as client:
        ann = client.consumer("cust-42")
        await until(lambda: client.status == "live")
        assert await ann.allows(MARKETING) is True
        epoch = client._knowing.cache.epoch
        line.down = True
        line.cut()
        await here.withdraw(MARKETING)
        await asyncio.sleep(0.3)
        line.down = False
        deadline = time.monotonic() + 10
        while await ann.allows(MARKETING):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        await until(lambda: client.status == "live")
        assert client._knowing.cache.epoch == epoch  # resumed: nothing else had to be asked for again


async def test_a_client_catches_up_after_the_line_was_silent(served: Any) -> None:
    here = served.client(live=False).consumer("cust-42")
    bound = timedelta(seconds=BOUND)
    async with line_to(served.url) as line, served.client(url=line.url, max_staleness=bound) as client:
        ann = client.consumer("cust-42")
        await until(lambda: client.status == "live")
        line.silent = True
        await until(lambda: client.status == "offline")
        began = time.monotonic()
        assert (await ann.decide(MARKETING)).reason == "unavailable"
        assert time.monotonic() - began < 1.5
        await here.grant(MARKETING, shown="en")
        line.silent = False
        line.cut()
        await until(lambda: client.status == "live")
        assert await ann.allows(MARKETING) is True
