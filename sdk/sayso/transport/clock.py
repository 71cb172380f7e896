"""The client's time: the wall clock for what is recorded, a clock that never jumps for how old something is."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from sayso.model.instant import Micros


class Clock(Protocol):
    """Something that tells the time, and waits. Tests pass one that they can set."""

    def now(self) -> Micros:
        """Give microseconds since 1970, UTC."""
        ...

    def boot(self) -> float:
        """Give seconds that neither jump when the clock is set nor stop while the machine sleeps. Never 0 or less."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


def _boot_reader() -> Callable[[], float]:
    # CLOCK_MONOTONIC stops in suspend: after a night with the lid closed, yesterday's answer would look fresh.
    which = getattr(time, "CLOCK_BOOTTIME", None)
    if which is None:
        return time.monotonic
    try:
        time.clock_gettime(which)
    except OSError:
        return time.monotonic
    return partial(time.clock_gettime, which)


boot_time: Callable[[], float] = _boot_reader()
"""Seconds on CLOCK_BOOTTIME, or on the monotonic clock where there is none. A function without a Python frame: it is
half the price of a check."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> Micros:
        """Give microseconds since 1970, UTC."""
        return time.time_ns() // 1000

    def boot(self) -> float:
        """Give seconds that neither jump nor stop while the machine sleeps."""
        return boot_time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


SYSTEM_CLOCK = SystemClock()
