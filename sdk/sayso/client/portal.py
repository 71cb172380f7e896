"""A thread with an event loop, on which blocking code runs coroutines."""

import asyncio
import atexit
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, TypeVar

from sayso.errors import ConfigurationError, UnavailableError
from sayso.local.forks import watch

T = TypeVar("T")
_PATIENCE = 2.0
_LAST_WORDS = 3.0
"""Seconds for what is done last on the loop; it has a shorter time of its own."""


class Portal:
    """Runs coroutines on its own thread. Started on first use, in each process: a thread doesn't survive a fork."""

    def __init__(
        self,
        first: Callable[[], Coroutine[Any, Any, None]] | None = None,
        last: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            first: What is done on the loop before anything else.
            last: What is done on it at the end.
        """
        self._first = first
        self._last = last
        self._opening: Future[None] | None = None
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0
        self.closed = False
        watch(self)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and wait for it. Safe inside another thread's running loop, which it blocks meanwhile.

        Raises:
            ConfigurationError: The portal is closed, or this is its own thread, which would wait for itself.
            UnavailableError: It was closed meanwhile.
        """
        try:
            self._open()
            with self._lock:  # what is handed over before `close` is cancelled by it; afterwards nothing is
                future = asyncio.run_coroutine_threadsafe(coroutine, self._running())
        except BaseException:
            coroutine.close()
            raise
        try:
            return future.result()
        except CancelledError:
            if not self.closed:
                raise
        except BaseException:  # Ctrl-C while waiting: don't leave it running behind the caller's back
            future.cancel()
            raise
        raise UnavailableError("the blocking client was closed before there was an answer", code="closed")

    def close(self) -> None:
        """End the loop and the thread; what still runs is cancelled. Does nothing the second time."""
        with self._lock:
            self.closed = True
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None or self._process != os.getpid() or loop.is_closed():
            return
        if self._last is not None and thread is not threading.current_thread():
            done = asyncio.run_coroutine_threadsafe(self._last(), loop)
            with suppress(Exception):  # whatever it is, nothing may keep the interpreter from ending
                done.result(_LAST_WORDS)
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(_PATIENCE)

    def before_fork(self) -> None:
        """Do nothing: what runs here stays the parent's."""

    def after_fork_in_parent(self) -> None:
        """Do nothing."""

    def after_fork_in_child(self) -> None:
        """Start afresh on first use; another thread may have held the lock."""
        self._lock = threading.Lock()
        self._opening = None

    def _open(self) -> None:
        """Do what comes before anything else, once; if it fails, whoever comes next tries again."""
        if self._first is None:
            return
        with self._lock:
            loop = self._running()
            if self._opening is None:
                self._opening = asyncio.run_coroutine_threadsafe(self._first(), loop)
            opening = self._opening
        try:
            opening.result()
        except BaseException:
            self._opening = None
            raise

    def _running(self) -> asyncio.AbstractEventLoop:
        if self.closed:
            raise ConfigurationError("this client is closed; make a new one with sync()", code="closed")
        if threading.current_thread() is self._thread:
            raise ConfigurationError("the blocking client can't be used on its own loop", code="own_loop")
        if self._loop is None or self._process != os.getpid():
            self._loop = self._start()
        return self._loop

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        self._process = os.getpid()
        # A daemon: at the interpreter's end nothing waits for it unasked, and the exit handler ends it in order.
        self._thread = threading.Thread(target=_serve, args=(loop,), name="sayso-sync", daemon=True)
        self._thread.start()
        atexit.register(_close_if_alive, weakref.ref(self))
        return loop


def _close_if_alive(portal: "weakref.ref[Portal]") -> None:
    alive = portal()
    if alive is not None:
        alive.close()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        running = asyncio.all_tasks(loop)
        for task in running:
            task.cancel()
        if running:
            loop.run_until_complete(asyncio.gather(*running, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())  # closes the loop's session
        loop.close()
