"""Sending what waits: in order per consumer, as soon as the server answers, by one process at a time."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress

from sayso.errors import ConfigurationError, Error, UnavailableError
from sayso.local import forks
from sayso.local.outbox.go import Go, RefusedError
from sayso.local.outbox.outbox import Outbox
from sayso.local.outbox.pace import TICK, Blockable, Pace
from sayso.local.outbox.pick import BATCHED, Pick
from sayso.local.outbox.sending import Confirmed
from sayso.local.outbox.store import StoreError
from sayso.local.outbox.verdict import judge
from sayso.transport.clock import Clock
from sayso.transport.http import Transport
from sayso.transport.retry import FailedError
from sayso.wire import MAX_BODY, MAX_CHOICES

_DEFERRED = 60.0
"""Seconds for which an entry that the server refuses for reasons of its own lets others pass."""
_BYTES = MAX_BODY * 3 // 4
_LOOK = 0.005
_TRIES = 2
"""Failures after which closing no longer waits: one may be that of a try which began before the server came back."""

_log = logging.getLogger("sayso.outbox")


class Drainer:
    """Sends what an outbox holds. One task on one loop at a time."""

    def __init__(
        self,
        outbox: Outbox,
        transport: Transport,
        clock: Clock,
        status: Blockable,
        confirmed: Callable[[Confirmed], None],
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Take what it works with; `confirmed` hears of each entry before it leaves the outbox."""
        self._outbox = outbox
        self._transport = transport
        self._clock = clock
        self._confirmed = confirmed
        self._pace = Pace(clock, status, jitter)
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._deferred: dict[int, float] = {}
        self._limit = MAX_CHOICES
        outbox.back.on_kept = self.hurry
        forks.watch(self)

    @property
    def is_down(self) -> bool:
        """Whether the server was away a moment ago: what is recorded now isn't tried first."""
        return self._pace.is_down

    def went_down(self) -> None:
        """Take note that the server did not answer."""
        self._pace.went_down()

    @property
    def runs_here(self) -> bool:
        """Whether it sends from the running loop."""
        return self._task is not None and self._loop is asyncio.get_running_loop()

    def start(self) -> None:
        """Send from the running loop from now on, unless a live loop does already."""
        loop = asyncio.get_running_loop()
        if self._task is not None and not self._task.done() and self._loop is not None and self._loop.is_running():
            return
        self._loop = loop
        self._wake = asyncio.Event()
        self._task = loop.create_task(self._run(), name="sayso-outbox")

    def hurry(self) -> None:
        """Have a look now. Safe from any thread."""
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None:
            with suppress(RuntimeError):  # it ended in between
                loop.call_soon_threadsafe(wake.set)

    async def flush(self, patience: float, *, stubborn: bool = True) -> int:
        """Wait until everything is sent, or for so many seconds; give how many entries are left.

        Args:
            patience: How long, in seconds.
            stubborn: Whether to go on trying after the server has not taken something.

        Raises:
            UnavailableError: The outbox couldn't be read in that time, so that nobody knows whether anything is left.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        self._pace.failures = 0
        trouble = await self._look()  # after whatever was handed in without waiting
        while (
            (trouble or self._outbox.pending) and loop.time() < deadline and (stubborn or self._pace.failures < _TRIES)
        ):
            self.start()
            self.hurry()
            await asyncio.sleep(min(_LOOK, patience))
            trouble = trouble and await self._look()
        if trouble and not self._outbox.pending:
            raise UnavailableError(
                f"the outbox {self._outbox.path} can't be read now: {trouble}", code="outbox_unusable"
            )
        return self._outbox.pending

    async def _look(self) -> StoreError | None:
        """Read what waits; give what is in the way."""
        try:
            await self._outbox.refresh()
        except StoreError as error:
            return error
        return None

    async def stop(self) -> None:
        """End the task, on whatever loop it is."""
        task, self._task = self._task, None
        if task is None or self._loop is None or task.done():
            return
        if self._loop is asyncio.get_running_loop():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        else:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(task.cancel)

    async def finish(self, patience: float) -> None:
        """Send what waits, for so many seconds at most, and end. Does not fail: what isn't sent stays where it is."""
        try:
            if self._outbox.overlay.loaded:
                await self._look()  # what was handed in without waiting waits, too
                if self._outbox.pending:
                    await self.flush(patience, stubborn=False)
        except Error as error:
            _log.warning("outbox: not everything could be sent before closing: %s", error)
        finally:
            await self.stop()

    def before_fork(self) -> None:
        """Do nothing: the outbox waits for what is under way."""

    def after_fork_in_parent(self) -> None:
        """Do nothing."""

    def after_fork_in_child(self) -> None:
        """Forget the parent's task and loop."""
        self._task = self._loop = self._wake = None
        self._deferred.clear()

    async def _run(self) -> None:
        wake = self._wake
        try:
            await self._go_on()
        finally:
            # However it ends, be it with its loop: a process that sends no more must not keep others from it.
            if wake is self._wake:
                self._outbox.let_follow()

    async def _go_on(self) -> None:
        wait = 0.0
        until = 0.0
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self._outbox.refresh()
                if loop.time() >= until and await self._outbox.lead():
                    wait = await self._send_all()
                    until = loop.time() + wait
                    if wait > TICK:
                        await self._outbox.follow()  # with another key, another process may do better
            except StoreError as error:
                _log.warning("outbox: the file can't be used now: %s", error)
            except ConfigurationError as error:
                _log.error("outbox: stopped: %s", error)
                return
            except Exception as error:  # noqa: BLE001 - what waits is tried again, whatever it was
                _log.error("outbox: sending failed unexpectedly: %s", type(error).__name__)
                wait = self._pace.stumbled()
                until = loop.time() + wait
            if self._outbox.path is None and not self._outbox.pending:
                return  # nobody else can put anything into memory; the next entry starts it again
            left = until - loop.time()
            hurried = await self._sleep(min(TICK, left) if left > 0 else TICK)
            if hurried and not self._pace.failures:
                until = 0.0

    async def _sleep(self, seconds: float) -> bool:
        """Wait, or be woken: not by the client's clock, which may be a test's."""
        wake = self._wake
        if wake is None:
            return False
        try:
            async with asyncio.timeout(seconds):  # not wait_for: Python 3.11's can swallow a cancellation
                await wake.wait()
        except TimeoutError:
            return False
        wake.clear()
        return True

    async def _send_all(self) -> float:
        """Send until nothing is left or something is in the way; give the seconds to wait then."""
        while True:
            now = asyncio.get_running_loop().time()
            self._deferred = {number: until for number, until in self._deferred.items() if until > now}
            go = Go(self._outbox, self._transport, self._clock, Pick(self._limit, _BYTES, self._deferred), self._took)
            try:
                sent = await go.run()
            except FailedError as failed:
                return self._pace.failed(failed.error, failed.retry_after)
            except RefusedError as refused:
                if not await self._carry_out(refused):
                    return self._pace.failed(refused.error, None)
                continue
            if not sent:
                if not self._deferred and not self._outbox.pending:
                    self._pace.unblock()
                return 0.0

    def _took(self, confirmed: Sequence[Confirmed]) -> None:
        self._pace.went_well()
        self._limit = min(MAX_CHOICES, self._limit * 2)
        if not self._deferred:
            self._pace.unblock()
        for one in confirmed:
            self._confirmed(one)  # the cache first: no check may find neither the pending refusal nor its version

    async def _carry_out(self, refused: RefusedError) -> bool:
        """Do what the server's no means; False if nothing can be done but wait."""
        rows, error = refused.rows, refused.error
        verdict = judge(error, len(rows), batched=rows[0].kind in BATCHED)
        for place, (code, message) in verdict.park.items():
            await self._outbox.park([rows[place]], code, message)
        if verdict.drop:
            await self._outbox.drop_erased([rows[place] for place in sorted(verdict.drop)])
        if verdict.defer:
            later = asyncio.get_running_loop().time() + _DEFERRED
            self._deferred.update({rows[place].id: later for place in verdict.defer})
            self._pace.block(error)
        if verdict.halve:
            self._limit = max(1, len(rows) // 2)
        return verdict.goes_on
