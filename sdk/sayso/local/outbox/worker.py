"""The one thread on which an outbox does what blocks, in the order it was asked to."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from sayso.local import forks

T = TypeVar("T")
_Job = tuple[Future[Any], Callable[[], Any]]


class Worker:
    """Runs jobs one after the other. Its thread starts with the first."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self.busy = threading.Lock()
        """Held while a job runs, so that a fork can wait for a moment between two."""

    def do(self, job: Callable[[], T]) -> Future[T]:
        """Have something done; its result or error is the future's."""
        if self._process != os.getpid():
            forks.renew()
            self._begin()  # the thread and whoever held the locks are the parent's
        future: Future[T] = Future()
        with self._starting:
            self._jobs.put((future, job))
            if self._thread is None:
                # A daemon: the interpreter's end doesn't wait for a disk; the exit handler does, for a while.
                self._thread = threading.Thread(target=self._run, args=(self._jobs,), name="sayso-outbox", daemon=True)
                self._thread.start()
        return future

    def stop(self, patience: float) -> None:
        """Finish what was asked for and end the thread, or leave it after so many seconds."""
        with self._starting:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._jobs.put(None)
                self._jobs = SimpleQueue()  # a later thread must not take this end for its own
        if thread is not None and thread is not threading.current_thread():
            thread.join(patience)

    def _run(self, jobs: "SimpleQueue[_Job | None]") -> None:
        while (job := jobs.get()) is not None:
            future, work = job
            if not future.set_running_or_notify_cancel():
                continue
            with self.busy:
                try:
                    result = work()
                except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
                    future.set_exception(error)
                else:
                    future.set_result(result)
            del job, future, work
