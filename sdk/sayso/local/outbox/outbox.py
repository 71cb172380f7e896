"""The outbox: what could not be sent yet, kept in order until the server has it."""

import asyncio
import atexit
import logging
import os
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sayso.errors import ConfigurationError, OutboxFullError
from sayso.local import forks
from sayso.local.outbox import notices
from sayso.local.outbox.backroom import Backroom
from sayso.local.outbox.pick import Pick
from sayso.local.outbox.row import Row
from sayso.local.outbox.store import PARKED, TAMPERED, Done, Opened, Store
from sayso.local.outbox.worker import Worker
from sayso.local.overlay import Overlay
from sayso.model.instant import Micros

LAST_WRITES = 2.0
"""Seconds that the end of the interpreter waits for what is being written."""
T = TypeVar("T")
_log = logging.getLogger("sayso.outbox")


class Outbox:
    """Keeps entries and says how they stand. Safe to use from several threads and loops; survives a fork.

    Attributes:
        path: The file; None if entries are in memory.
        overlay: What is pending, for checks.
        back: What is done on the outbox's own thread, and who is told of it.
    """

    def __init__(self, make: Callable[[Callable[[Opened], None]], Store], path: Path | None) -> None:
        """Take what makes the store, given what to call when it mends its file; and the file, if there is one."""
        self.path = path
        self.overlay = Overlay(self._load if path is not None else None)
        self.back = Backroom(make, self.overlay, path)
        self._worker = Worker()
        self._loading: Future[None] | None = None
        self._process = os.getpid()
        self._closed = False
        forks.watch(self)
        atexit.register(_at_the_end, weakref.ref(self))

    @property
    def pending(self) -> int:
        """How many entries wait to be sent, as far as this process knows."""
        return self.overlay.pending

    async def open(self) -> None:
        """Open the store. Does nothing the second time.

        Raises:
            ConfigurationError: It can't be used; the message has the remedy.
        """
        closed, self._closed = self._closed, False
        if closed and self.path is None:
            self.back.open()  # memory; what was in it still is
        await self.overlay.load(whole=True)

    async def append(self, rows: Sequence[Row]) -> None:
        """Keep entries. When it returns they are on disk, or in memory where there is none.

        Raises:
            OutboxFullError: There is no room: none of the grants and reports is kept. Refusals are, all the same.
            ConfigurationError: It is closed, or can't be used.
        """
        self._check_open()
        await self.overlay.load(whole=True)
        ids: list[int] = await asyncio.shield(asyncio.wrap_future(self.hand_in(rows)))
        if all(ids):
            return
        where = f"the outbox {self.path} is full or its disk is" if self.path else "the outbox in memory is full"
        remedy = "make room" if self.path else "name a file for it in SAYSO_OUTBOX"
        raise OutboxFullError(
            f"{where}, and the server has not taken what waits in it: this was not recorded. `privacy.status_reason` "
            f"says what is in the way; until it is mended, {remedy}",
            code="outbox_full",
        )

    def hand_in(self, rows: Sequence[Row]) -> Future[list[int]]:
        """Have entries kept without waiting for it. Those handed in meanwhile share one transaction."""
        forks.renew()  # before the entries are noted: what the parent had noted is forgotten
        future: Future[list[int]] = Future()
        if self.back.take_in(rows, future):
            self._worker.do(self.back.write)
        return future

    def hand_over(self, rows: Sequence[Row]) -> None:
        """Have entries kept that nobody waits for; if that fails it is reported as a loss."""

        def look(future: Future[list[int]]) -> None:
            error = future.exception()
            if error is not None:
                self.back.report_not_kept(rows, type(error).__name__)
            elif not all(future.result()):
                lost = [row for row, number in zip(rows, future.result(), strict=True) if not number]
                self.back.report_not_kept(lost, "the outbox is full")

        self.hand_in(rows).add_done_callback(look)

    async def refresh(self) -> None:
        """Learn what other processes sharing the file did, and move to the disk what didn't fit before."""
        await self._on_thread(self.back.refresh)

    async def lead(self) -> bool:
        """Try to be the one process that sends."""
        return await self._on_thread(self.back.keeper.lead)

    async def follow(self) -> None:
        """Let another process send."""
        await self._on_thread(self.back.keeper.follow)

    def let_follow(self) -> None:
        """Let another process send, without waiting for it. Safe wherever there is no loop any more."""
        with suppress(RuntimeError):  # the interpreter ends, and the lead with it
            self._worker.do(self.back.keeper.follow)

    async def batch(self, pick: Pick) -> list[Row]:
        """Give what may be sent next. Entries that were tampered with are parked and reported on the way."""
        found = await self._on_thread(lambda: self.back.keeper.batch(pick))
        if found.tampered:
            await self.park(found.tampered, TAMPERED, "it isn't what was written", state=TAMPERED)
        return found.rows

    async def settle(self, done: Sequence[Done]) -> None:
        """Take out entries that the server has. The cache knows of their versions already."""
        await self._on_thread(lambda: self.back.settle(done))

    async def drop_erased(self, rows: Sequence[Row]) -> None:
        """Take out entries about somebody who was erased after they were made, and report them."""
        await self.settle([Done(row) for row in rows])
        self.back.report_erased(rows)

    def let_go(self, consumer_id: str, before: Micros | None) -> None:
        """Have everything of a consumer taken out who was erased, and report it; nobody waits for it.

        Args:
            consumer_id: Whose.
            before: What was made later, by this machine's clock, stays; None takes everything.
        """

        def look(future: Future[None]) -> None:
            error = future.exception()
            if error is not None:  # sending it, the server says that it has to go
                _log.warning("outbox: entries of an erased consumer are still there: %s", type(error).__name__)

        if not self._closed:
            self._worker.do(lambda: self.back.let_go(consumer_id, before)).add_done_callback(look)

    async def park(self, rows: Sequence[Row], code: str, message: str, *, state: str = PARKED) -> None:
        """Send entries no more by themselves, and report them."""
        try:
            await self._on_thread(lambda: self.back.keeper.mark([row.id for row in rows], state, code))
        except asyncio.CancelledError:
            self._worker.do(lambda: self.back.park(rows))
            raise
        self.back.park(rows)
        _log.error("outbox: parked %d entries (%s); see `sayso outbox list`", len(rows), code)
        for row in rows:
            self.back.on_parked.ring(notices.parked(row, code, message))

    async def overrule(self, consumer_id: str, topic: str, before: int) -> None:
        """Let parked refusals of a topic count no more, after the consumer granted it again in view of them.

        Args:
            consumer_id: Whose.
            topic: Which.
            before: The newest refusal in the outbox that the grant had seen; 0 overrules none.
        """
        said = self.overlay.consumers.get(consumer_id)
        if said is None or before <= 0 or len(said) == said.waiting:  # nothing of theirs is parked
            return
        over = [one for one in said if one.parked and one.refuses and one.topic == topic and 0 < one.row <= before]
        if over:
            await self._on_thread(lambda: self.back.overrule(consumer_id, over))

    async def close(self, *, final: bool = True) -> None:
        """Close the store.

        Args:
            final: Whether nothing may be kept before `open` is called again; what is in memory only is reported then.
                Otherwise it goes on counting, and the next use opens the store again.
        """
        if self._closed:
            return
        self._closed = final
        if final:
            left = await self._on_thread(self.back.keeper.close)
            self.overlay.forget()
            self.back.report_left(left)
        elif self.path is not None:
            await self._on_thread(self.back.keeper.close)
            self.overlay.read_again()
        self._worker.stop(0)

    def before_fork(self) -> None:
        """Wait until no transaction is under way: the child would inherit its locks, and SQLite's own."""
        self._worker.busy.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._worker.busy.release()

    def after_fork_in_child(self) -> None:
        """Start afresh; what the parent had handed in is the parent's to write and to send."""
        self._worker = Worker()
        self._loading = None
        self._process = os.getpid()
        self.back.after_fork_in_child()
        self.overlay.forget()

    def finish(self) -> None:
        """Write what was handed in, at the interpreter's end. What is on disk is sent by the next process."""
        self._worker.stop(LAST_WRITES)
        if not self._closed and self._process == os.getpid():
            self.back.report_left(self.back.keeper.close())

    async def _load(self) -> None:
        self._check_open()
        forks.renew()
        loading = self._loading
        if loading is None or loading.done():  # one after the other: a locked file would keep the thread for long
            loading = self._loading = self._worker.do(lambda: None if self.overlay.loaded else self.back.open())
        await asyncio.shield(asyncio.wrap_future(loading))

    def _check_open(self) -> None:
        if self._closed:
            raise ConfigurationError("this client is closed; call start() to open it again", code="closed")

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.shield(asyncio.wrap_future(self._worker.do(work)))


def _at_the_end(outbox: "weakref.ref[Outbox]") -> None:
    alive = outbox()
    if alive is not None:
        alive.finish()
