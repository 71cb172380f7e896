"""One aiohttp session per event loop, so that a client outlives `asyncio.run` per job, WSGI and test clients.

A session belongs to the loop it was made on: used from another it fails with "Event loop is closed". Each loop
gets its own here, and gives it up when it ends.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import aiohttp

from sayso.errors import ConfigurationError

Loop = asyncio.AbstractEventLoop
_parents: list[object] = []
"""Sessions that a forked child must neither use nor close, nor let the garbage collector close."""


class _Kept(NamedTuple):
    session: aiohttp.ClientSession
    keeper: AsyncGenerator[None, None]


class Sessions:
    """Hands out the running loop's session.

    A session passed in stays the caller's and is never closed here. It serves the loop that was running when it
    was passed, or the first that asks; other loops get sessions of their own.
    """

    def __init__(self, lent: aiohttp.ClientSession | None = None, *, trust_env: bool = False) -> None:
        """Take the caller's session, if there is one."""
        self._lent = lent
        self._lent_to: Loop | None = _running_loop() if lent is not None else None
        self._trust_env = trust_env
        self._kept: dict[Loop, _Kept] = {}
        self._lock = threading.Lock()
        self._closed = False

    def ready(self) -> aiohttp.ClientSession | None:
        """Give the running loop's session if there is one already.

        Raises:
            ConfigurationError: The client was closed, or the caller's session was.
        """
        if self._closed:
            raise ConfigurationError("this client is closed; call start() to open it again", code="closed")
        loop = asyncio.get_running_loop()
        if self._lent is not None and loop is (self._lent_to or loop):
            self._lent_to = loop
            if self._lent.closed:
                raise ConfigurationError("the session passed to the client is closed", code="closed")
            return self._lent
        kept = self._kept.get(loop)
        return kept.session if kept is not None and not kept.session.closed else None

    async def open(self) -> aiohttp.ClientSession:
        """Make the running loop's session; `aclose` closes it, or else the loop's end."""
        session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),  # the server sets none, and no brand may get another's
            trust_env=self._trust_env,
        )
        # A loop closes its asynchronous generators before itself. It is the one hook at a loop's end.
        keeper = _close_in_the_end(session)
        await anext(keeper)
        with self._lock:
            ended = [self._kept.pop(loop) for loop in list(self._kept) if loop.is_closed()]
            self._kept[asyncio.get_running_loop()] = _Kept(session, keeper)
        for kept in ended:
            await _abandon(kept.session)
        return session

    def reopen(self) -> None:
        """Take back `aclose`."""
        self._closed = False

    def after_fork(self) -> None:
        """Leave the parent's sessions to it, in a forked child: closing one here would speak on its connections."""
        _parents.append(self._kept)
        self._kept = {}
        self._lock = threading.Lock()

    async def aclose(self) -> None:
        """Close every session made here, also those of other loops, and hand out no more."""
        self._closed = True
        with self._lock:
            everything, self._kept = self._kept, {}
        for loop, kept in everything.items():
            if loop is asyncio.get_running_loop():
                await kept.keeper.aclose()
            elif loop.is_closed() or not _close_over_there(loop, kept):
                await _abandon(kept.session)


async def _close_in_the_end(session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await session.close()
        await asyncio.sleep(0)  # a transport lets go of its socket one turn of the loop later


def _close_over_there(loop: Loop, kept: _Kept) -> bool:
    tasks: set[asyncio.Task[None]] = set()

    def close() -> None:
        task = loop.create_task(_finish(kept.keeper), name="sayso-close-session")
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    try:
        loop.call_soon_threadsafe(close)
    except RuntimeError:  # it ended in between
        return False
    return True


async def _finish(keeper: AsyncGenerator[None, None]) -> None:
    await keeper.aclose()


async def _abandon(session: aiohttp.ClientSession) -> None:
    """Let go, in silence, of a session whose loop was closed without ending its generators.

    Closing properly needs that loop. What remains is to close the sockets themselves, which nothing public reaches;
    where aiohttp or the loop are built differently, the interpreter closes them and says so.
    """
    connector = session.connector
    session.detach()
    if connector is None:
        return
    for held in list(getattr(connector, "_conns", {}).values()):
        for protocol, _ in held:
            _drop_socket(protocol.transport)
    await connector.close()


def _drop_socket(transport: Any) -> None:
    tls = getattr(transport, "_ssl_protocol", None)
    if tls is not None:
        transport._closed = True
        transport = getattr(tls, "_transport", None)
    sock = getattr(transport, "_sock", None)
    if sock is not None:
        transport._sock = None
        sock.close()


def _running_loop() -> Loop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
