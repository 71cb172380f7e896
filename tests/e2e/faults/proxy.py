"""A TCP proxy on loopback that misbehaves on request, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tests.e2e.faults.connection import Connection, Mode
from tests.e2e.faults.house import free_port

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator


class Proxy:
    """Passes bytes on to a server. `mode` and `seconds` may be set from any thread at any time.

    Attributes:
        server_port: Where it passes things on to.
        seconds: How late, for the modes that are late.
        requests: How many have come.
        done: How often each mode did something to somebody: a test asserts that the fault it names took place.
    """

    def __init__(self, server_port: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.seconds = 0.0
        self.done: dict[Mode, int] = dict.fromkeys(Mode, 0)
        self.server_port = server_port
        self._mode = Mode.PASS
        self._loop = asyncio.new_event_loop()
        self.requests = 0
        self._listening: socket.socket | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._there(self._listen())

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._mode = mode
        self._there(self._cut() if mode is Mode.REFUSE else self._listen())

    def cut(self) -> None:
        """Close every connection, and go on listening."""
        self._there(self._cut(listening=True))

    def close(self) -> None:
        """End the thread and everything in it."""
        self._there(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _there(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        if self._listening is None:
            # Neither asyncio's server nor its sock_accept: told to end while a connection comes in, they lose it open.
            self._listening = socket.create_server(("127.0.0.1", self.port), backlog=512)
            self._listening.setblocking(False)
            self._loop.add_reader(self._listening, self._accept, self._listening)

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            accepted, _ = listening.accept()
            accepted.setblocking(False)
            closing = ExitStack()
            closing.callback(accepted.close)
            task = asyncio.ensure_future(self._serve(accepted, closing))
            self._open.add(task)
            task.add_done_callback(self._open.discard)
            task.add_done_callback(lambda _: closing.close())

    async def _cut(self, *, listening: bool = False) -> None:
        if self._listening is not None and not listening:
            self.done[Mode.REFUSE] += 1
            self._loop.remove_reader(self._listening)
            self._listening.close()
            self._listening = None
        open_now = list(self._open)
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)

    async def _end(self) -> None:
        await self._cut()
        await asyncio.sleep(0.05)  # transports say goodbye in their own time

    async def _serve(self, accepted: socket.socket, closing: ExitStack) -> None:
        with suppress(OSError):
            client = await asyncio.open_connection(sock=accepted)
            closing.pop_all()
            closing.callback(client[1].close)
            answers, server = await asyncio.open_connection("127.0.0.1", self.server_port)
            upstream = [server]
            connection = Connection(self, client, (answers, server), upstream)
            both = [asyncio.ensure_future(connection.requests()), asyncio.ensure_future(connection.answers())]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                connection.end()
                for task in both:
                    task.cancel()
                for one in upstream:
                    one.transport.abort()
                await asyncio.gather(*both, return_exceptions=True)


@contextmanager
def proxied(server_port: int) -> Iterator[Proxy]:
    """Give a proxy in front of a port, and end it."""
    proxy = Proxy(server_port)
    try:
        yield proxy
    finally:
        proxy.close()
