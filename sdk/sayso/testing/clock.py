"""A clock that stands still until a test moves it, for the fake server and its clients alike."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sayso.model.instant import MICROS_PER_SECOND, Micros, from_micros, span_micros, to_micros

_OWN_TASKS = "sayso-"
_BOOTED_FOR = 1_000 * MICROS_PER_SECOND


class _Waiter(NamedTuple):
    due: Micros
    loop: asyncio.AbstractEventLoop
    woken: asyncio.Event


class FrozenClock:
    """Time as a test says it is. Nothing that waits by it really waits.

    Two clocks move in it, as in a machine: the wall clock, which dates choices, and the boot clock, which tells how
    old something is. `advance` moves both, `jump` the wall clock alone, as when somebody sets it.

    What your own code awaits (such as a command that is tried again) moves the clock by as much as it would have
    waited, since nothing else would. What the client does in the background waits until you `advance`.

    Safe to use from several threads.

    Attributes:
        slept: Each wait that moved the clock, in order: `assert privacy.clock.slept == [timedelta(seconds=7)]`.
    """

    def __init__(self, start: datetime | None = None) -> None:
        """Start at a moment with a zone; by default at the machine's time, so that others' tokens are good as well."""
        self._lock = threading.Lock()
        self._wall = to_micros(start if start is not None else datetime.now(UTC))
        self._boot = _BOOTED_FOR
        self._waiters: list[_Waiter] = []
        self.slept: list[timedelta] = []

    @property
    def time(self) -> datetime:
        """The wall clock, in UTC."""
        return from_micros(self._wall)

    def now(self) -> Micros:
        """Give the wall clock in microseconds since 1970."""
        return self._wall

    def boot(self) -> float:
        """Give the boot clock in seconds."""
        return self._boot / MICROS_PER_SECOND

    def advance(self, span: timedelta) -> None:
        """Let time pass.

        Raises:
            ValueError: It would run backwards, which only `jump` can.
        """
        if span < timedelta(0):
            raise ValueError("time passes forwards; to set the wall clock back, use clock.jump(...)")
        with self._lock:
            self._wall += span_micros(span)
            self._boot += span_micros(span)
            due = [waiter for waiter in self._waiters if waiter.due <= self._boot]
            self._waiters = [waiter for waiter in self._waiters if waiter.due > self._boot]
        for waiter in sorted(due, key=lambda one: one.due):
            if not waiter.loop.is_closed():
                waiter.loop.call_soon_threadsafe(waiter.woken.set)

    def jump(self, span: timedelta) -> None:
        """Set the wall clock forward or back. No time passes: what was fresh stays fresh."""
        with self._lock:
            self._wall += span_micros(span)

    async def sleep(self, seconds: float) -> None:
        """Wait without waiting: see the class."""
        span = timedelta(seconds=max(seconds, 0.0))
        task = asyncio.current_task()
        if task is not None and task.get_name().startswith(_OWN_TASKS):
            await self._until(self._boot + span_micros(span))
            return
        if span:
            self.slept.append(span)
            self.advance(span)
        await asyncio.sleep(0)

    async def _until(self, due: Micros) -> None:
        waiter = _Waiter(due, asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if due > self._boot:
                self._waiters.append(waiter)
            else:
                waiter.woken.set()
        try:
            await waiter.woken.wait()
        finally:
            with self._lock:
                self._waiters = [other for other in self._waiters if other is not waiter]
        await asyncio.sleep(0)
