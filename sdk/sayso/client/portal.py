"""A thread with an event loop, on which blocking code runs coroutines."""

import asyncio
import atexit
import os
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from sayso.errors import ConfigurationError, UnavailableError

T = TypeVar("T")
_PATIENCE = 2.0


class Portal:
    """Runs coroutines on its own thread. Started on first use, in each process: a thread doesn't survive a fork."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0
        self.closed = False

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and wait for it. Safe inside another thread's running loop, which it blocks meanwhile.

        Raises:
            ConfigurationError: The portal is closed, or this is its own thread, which would wait for itself.
            UnavailableError: It was closed meanwhile.
        """
        with self._lock:  # what is handed over before `close` is cancelled by it; afterwards nothing is
            try:
                loop = self._running()
            except ConfigurationError:
                coroutine.close()
                raise
            future = asyncio.run_coroutine_threadsafe(coroutine, loop)
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
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(_PATIENCE)

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
