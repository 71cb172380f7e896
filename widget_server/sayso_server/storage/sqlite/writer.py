"""The one thread that writes.

Everything that has queued up becomes one transaction with one wait for the disk, and callers hear of it only after the
commit. Nothing that happens to a caller reaches the transaction: a job in the queue is carried out.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any

import apsw

from sayso_server.clock import Clock
from sayso_server.storage.base import Plan, StorageUnavailableError, Wanted
from sayso_server.storage.sqlite import group
from sayso_server.storage.sqlite.group import Job, Record, Task

_log = logging.getLogger(__name__)

QUEUE_LIMIT = 10_000
"""Jobs waiting. Beyond, a caller does better to come again than to wait for seconds."""
GROUP_LIMIT = 256
"""A transaction with so many jobs takes no more along, so that the first of them doesn't wait long for the last."""

_NEXT_SEQUENCE = "UPDATE meta SET sequence = sequence + 1"
_FAILING_FOR_ALL = (apsw.BusyError, apsw.LockedError)
"""Another process holds the lock and has been waited for; waiting again for each job would help nobody."""


class Writer:
    """Owns the writing connection from `start` to `close`; the event loop it was started on gets the answers."""

    def __init__(self, connection: apsw.Connection, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._clock = clock
        self._loop = loop
        self._queue: SimpleQueue[list[Job] | None] = SimpleQueue()
        self._handed_in: list[Job] = []
        self._waiting = 0
        self._closed = False
        # A daemon, so that a program which forgot to close still ends; what was not committed was not acknowledged.
        self._thread = threading.Thread(target=self._work, name="sayso-writer", daemon=True)
        self._thread.start()

    async def record(self, brand_id: str, wanted: Sequence[Wanted], plan: Plan[Any]) -> Any:
        """Carry out a plan; its answer comes after the commit."""
        return await self._submit(Record(brand_id, wanted, plan, self._loop.create_future()))

    async def task(self, work: Callable[[apsw.Cursor], Any]) -> Any:
        """Carry out a function that checks before it writes; its answer comes after the commit."""
        return await self._submit(Task(work, self._loop.create_future()))

    async def close(self) -> None:
        """Finish what was accepted and end the thread. The connection stays open."""
        if not self._closed:
            self._closed = True
            self._hand_over()
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _submit(self, job: Job) -> asyncio.Future[Any]:
        if self._closed:
            raise StorageUnavailableError("the storage is closed")
        if self._waiting >= QUEUE_LIMIT:
            raise StorageUnavailableError("too many writes are waiting")
        self._waiting += 1
        if not self._handed_in:
            self._loop.call_soon(self._hand_over)
        self._handed_in.append(job)
        # Awaited bare: cancelling the caller cancels this future, which nothing of the transaction depends on.
        future: asyncio.Future[Any] = job.future
        return future

    def _hand_over(self) -> None:
        """Give the thread what this turn of the event loop has brought: one waking, one group, and no waiting."""
        jobs, self._handed_in = self._handed_in, []
        for start in range(0, len(jobs), GROUP_LIMIT):
            self._queue.put(jobs[start : start + GROUP_LIMIT])

    def _work(self) -> None:
        closing = False
        while not closing:
            jobs, closing = self._gather()
            failed = self._commit(jobs)
            if failed:
                _log.error("%d of %d writes failed: %s", len(failed), len(jobs), ", ".join(sorted(set(failed))))
            try:
                self._loop.call_soon_threadsafe(self._resolve, jobs)
            except RuntimeError:
                _log.warning("the event loop ended before %d answers reached it", len(jobs))

    def _gather(self) -> tuple[list[Job], bool]:
        """Wait for jobs and take along what has queued up behind them; True once there will be no more."""
        handed_over = self._queue.get()
        jobs: list[Job] = []
        try:
            while handed_over is not None:
                jobs += handed_over
                if len(jobs) >= GROUP_LIMIT:
                    return jobs, False
                handed_over = self._queue.get_nowait()
        except Empty:
            return jobs, False
        return jobs, True

    def _commit(self, jobs: Sequence[Job]) -> list[str]:
        """Run the jobs as one transaction; should that fail, each as its own. Gives the names of what went wrong."""
        try:
            self._transaction(jobs)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller gets an answer and the thread lives
            self._roll_back()
            if len(jobs) > 1 and not isinstance(error, _FAILING_FOR_ALL):
                return [name for job in jobs for name in self._commit([job])]
            for job in jobs:
                job.error = _reaction(error)
            return [type(error).__name__] * len(jobs)
        return []

    def _transaction(self, jobs: Sequence[Job]) -> None:
        self._cursor.execute("BEGIN IMMEDIATE")
        before = self._connection.total_changes()
        group.run(self._cursor, jobs, self._clock)
        if self._connection.total_changes() != before:
            self._cursor.execute(_NEXT_SEQUENCE)
        self._cursor.execute("COMMIT")

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:  # SQLite may have rolled back by itself
                self._cursor.execute("ROLLBACK")
        except apsw.Error as error:
            _log.error("rolling back failed: %s", type(error).__name__)

    def _resolve(self, jobs: Sequence[Job]) -> None:
        self._waiting -= len(jobs)
        for job in jobs:
            if job.future.done():
                continue  # its caller was cancelled
            if job.error is None:
                job.future.set_result(job.answer)
            else:
                job.future.set_exception(job.error)


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
