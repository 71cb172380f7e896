"""The one thread that writes.

Everything that has come becomes one transaction with one wait for the disk, and callers hear of it only after the
commit. Nothing that happens to a caller reaches the transaction: a job that was handed in is carried out.

One group is written at a time. What comes meanwhile waits for those who have just been answered, because busy callers
come again at once: two groups that take turns cost a tenth more each than one, for the threads take Python's lock from
each other and the disk is asked twice as often.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any

import apsw

from sayso_server.clock import Clock
from sayso_server.storage.base import Plan, StorageUnavailableError, Wanted
from sayso_server.storage.sqlite import group
from sayso_server.storage.sqlite.connect import WRITER_WAIT_MS
from sayso_server.storage.sqlite.group import Job, Record, Task

_log = logging.getLogger(__name__)

QUEUE_LIMIT = 10_000
"""Jobs waiting. Beyond, a caller does better to come again than to wait for seconds."""
GROUP_LIMIT = 256
"""A transaction with so many jobs takes no more along, so that the first of them doesn't wait long for the last."""
LONGEST_REST_SECONDS = 0.01
"""How long at most what came during a commit waits for more; no longer than that commit took either."""

TRUNCATE_AFTER_SECONDS = 1.0
"""After an erasure the write-ahead log still has pages with what was erased. Soon it is copied and emptied."""
TRUNCATE_EVERY_SECONDS = 10.0
"""At most, for it takes as long as many commits do. Where a reader was in the way, it is tried again sooner."""
TRUNCATE_WAIT_MS = 50

TRIAL_WAIT_SECONDS = 1.0
"""Whoever asks whether anything can be written is not left waiting for the lock."""

_NEXT_SEQUENCE = "UPDATE meta SET sequence = sequence + 1"
_FAILING_FOR_ALL = (apsw.BusyError, apsw.LockedError)
"""Another process holds the lock and has been waited for; waiting again for each job would help nobody."""


class Writer:
    """Owns the writing connection from `start` to `close`; the event loop it was started on gets the answers."""

    def __init__(
        self,
        connection: apsw.Connection,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        *,
        ring: Callable[[Collection[str]], None],
        server: bool = True,
    ) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._clock = clock
        self._loop = loop
        self._queue: SimpleQueue[list[Job] | None] = SimpleQueue()
        self._handed_in: list[Job] = []
        self._waiting = 0
        self._writing = False
        self._began = 0.0
        self._rest: asyncio.Handle | None = None
        self._enough = 0
        self._closed = False
        self._proven = False  # whether the last attempt to commit succeeded; before the first one nobody knows
        self._trial: asyncio.Future[Any] | None = None
        self._ring = ring
        self._server = server
        self._truncate_at: float | None = None
        self._truncated = -TRUNCATE_EVERY_SECONDS
        self._grown: set[str] = set()  # the brands whose feed did, since the bell was rung last
        # A daemon, so that a program which forgot to close still ends; what was not committed was not acknowledged.
        self._thread = threading.Thread(target=self._work, name="sayso-writer", daemon=True)
        self._thread.start()

    async def record(self, brand_id: str, wanted: Sequence[Wanted], plan: Plan[Any]) -> Any:
        """Carry out a plan; its answer comes after the commit."""
        return await self._submit(Record(brand_id, wanted, plan, self._loop.create_future()))

    async def task(self, work: Callable[[apsw.Cursor], Any]) -> Any:
        """Carry out a function that checks before it writes; its answer comes after the commit."""
        return await self._submit(Task(work, self._loop.create_future()))

    async def erasure(self, work: Callable[[apsw.Cursor], Any]) -> Any:
        """Carry out an erasure, in a transaction of its own; and soon after empty the write-ahead log."""
        answer = await self._submit(Task(work, self._loop.create_future(), alone=True))
        self.truncate_soon()
        return answer

    def truncate_soon(self) -> None:
        """Empty the write-ahead log soon. Only a server does; what commands leave in it, the server empties."""
        if self._server and not self._closed and self._truncate_at is None:
            soon = time.monotonic() + TRUNCATE_AFTER_SECONDS
            self._truncate_at = max(soon, self._truncated + TRUNCATE_EVERY_SECONDS)
            self._queue.put([])  # wakes the thread, which may be waiting without an end

    async def can_write(self) -> bool:
        """Tell whether writing works: as the last attempt went; after a failure by a trial that leaves nothing behind.

        There is one trial at a time, however many ask.
        """
        if self._closed or self._waiting >= QUEUE_LIMIT:
            return False
        if self._proven:
            return True
        if self._trial is None or self._trial.done():
            self._trial = self._submit(Task(_try, self._loop.create_future()))
            # Should everybody have stopped waiting, its error is known all the same.
            self._trial.add_done_callback(lambda trial: trial.cancelled() or trial.exception())
        done, _ = await asyncio.wait({self._trial}, timeout=TRIAL_WAIT_SECONDS)
        return any(trial.exception() is None for trial in done)

    async def close(self) -> None:
        """Finish what was accepted and end the thread. The connection stays open."""
        if not self._closed:
            self._closed = True
            for start in range(0, len(self._handed_in), GROUP_LIMIT):
                self._queue.put(self._handed_in[start : start + GROUP_LIMIT])
            self._handed_in = []
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _submit(self, job: Job) -> asyncio.Future[Any]:
        if self._closed:
            raise StorageUnavailableError("the storage is closed")
        if self._waiting >= QUEUE_LIMIT:
            raise StorageUnavailableError("too many writes are waiting")
        self._waiting += 1
        self._handed_in.append(job)
        if self._rest is not None:
            if len(self._handed_in) >= self._enough:
                self._rest.cancel()
                self._rest = None
                self._loop.call_soon(self._hand_over)
        elif not self._writing and len(self._handed_in) == 1:
            self._loop.call_soon(self._hand_over)  # with what else this turn of the loop brings
        # Awaited bare: cancelling the caller cancels this future, which nothing of the transaction depends on.
        future: asyncio.Future[Any] = job.future
        return future

    def _hand_over(self) -> None:
        """Give the thread the next group, unless it has one."""
        self._rest = None
        if self._writing or not self._handed_in:
            return
        jobs, self._handed_in = self._handed_in[:GROUP_LIMIT], self._handed_in[GROUP_LIMIT:]
        self._writing, self._began = True, time.monotonic()
        self._queue.put(jobs)

    def _work(self) -> None:
        while (jobs := self._next()) is not None:
            if not jobs:
                continue
            failed = [name for part in _apart(jobs) for name in self._commit(part)]
            if failed:
                _log.error("%d of %d writes failed: %s", len(failed), len(jobs), ", ".join(sorted(set(failed))))
            try:
                self._loop.call_soon_threadsafe(self._resolve, jobs, self._grown)
            except RuntimeError:
                _log.warning("the event loop ended before %d answers reached it", len(jobs))
            self._grown = set()

    def _next(self) -> list[Job] | None:
        """Wait for jobs, and empty the write-ahead log in between when its time has come."""
        while (due := self._truncate_at) is not None:
            try:
                if due > time.monotonic():
                    return self._queue.get(timeout=due - time.monotonic())
            except (Empty, ValueError):  # a ValueError where the time came while it was looked at
                pass
            self._truncate()
        return self._queue.get()

    def _truncate(self) -> None:
        try:
            self._connection.set_busy_timeout(TRUNCATE_WAIT_MS)
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as error:
            _log.debug("the write-ahead log is in use: %s", type(error).__name__)
            self._truncate_at = time.monotonic() + TRUNCATE_AFTER_SECONDS
        else:
            self._truncate_at, self._truncated = None, time.monotonic()
        finally:
            self._connection.set_busy_timeout(WRITER_WAIT_MS)

    def _commit(self, jobs: Sequence[Job]) -> list[str]:
        """Run the jobs as one transaction; should that fail, each as its own. Gives the names of what went wrong."""
        try:
            self._transaction(jobs)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller gets an answer and the thread lives
            self._roll_back()
            self._proven = self._proven and not isinstance(_reaction(error), StorageUnavailableError)
            if len(jobs) > 1 and not isinstance(error, _FAILING_FOR_ALL):
                return [name for job in jobs for name in self._commit([job])]
            for job in jobs:
                job.error = _reaction(error)
            return [type(error).__name__] * len(jobs)
        self._proven = True
        return []

    def _transaction(self, jobs: Sequence[Job]) -> None:
        self._cursor.execute("BEGIN IMMEDIATE")
        before = self._connection.total_changes()
        grown = group.run(self._cursor, jobs, self._clock)
        if self._connection.total_changes() != before:
            self._cursor.execute(_NEXT_SEQUENCE)
        self._cursor.execute("COMMIT")
        self._grown.update(grown)

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:  # SQLite may have rolled back by itself
                self._cursor.execute("ROLLBACK")
        except apsw.Error as error:
            _log.error("rolling back failed: %s", type(error).__name__)

    def _resolve(self, jobs: Sequence[Job], grown: Collection[str]) -> None:
        self._waiting -= len(jobs)
        for job in jobs:
            if job.future.done():
                continue  # its caller was cancelled
            if job.error is None:
                job.future.set_result(job.answer)
            else:
                job.future.set_exception(job.error)
        self._writing = False
        self._arrange_next(len(jobs))
        if grown:
            self._ring(grown)

    def _arrange_next(self, answered: int) -> None:
        """Let those who have just been answered join what has come meanwhile, if they come soon."""
        if len(self._handed_in) >= GROUP_LIMIT:
            self._hand_over()
        elif self._handed_in:
            self._enough = min(GROUP_LIMIT, len(self._handed_in) + answered)
            took = time.monotonic() - self._began
            self._rest = self._loop.call_later(min(took, LONGEST_REST_SECONDS), self._hand_over)


def _apart(jobs: Sequence[Job]) -> list[Sequence[Job]]:
    """Cut jobs into runs: those that want to be alone, and what lies between."""
    if not any(job.alone for job in jobs):
        return [jobs]
    runs: list[Sequence[Job]] = []
    for alone, run in groupby(jobs, key=lambda job: job.alone):
        together = list(run)
        runs += [[job] for job in together] if alone else [together]
    return runs


def _try(cursor: apsw.Cursor) -> None:
    """Take some pages of the database and give them back, so that the disk has to take a commit."""
    cursor.execute("INSERT INTO brand VALUES ('', hex(zeroblob(8192)), 0)")
    cursor.execute("DELETE FROM brand WHERE brand_id = ''")


def _reaction(error: Exception) -> Exception:
    """Turn what SQLite says into what it means for the caller."""
    reaction: Exception
    if isinstance(error, apsw.ConstraintError):
        reaction = ValueError("the plan's writes contradict what is stored")
    elif isinstance(error, apsw.Error):
        reaction = StorageUnavailableError(f"the database can't write now: {type(error).__name__}")
    else:
        return error
    reaction.__cause__ = error
    return reaction
