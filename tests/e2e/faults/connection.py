"""One connection through the proxy, and what is done to it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import StrEnum
from typing import Any, Protocol

from tests.e2e.faults.late_events import LateEvents

_AT_ONCE = 64 * 1024
_STREAM = b"GET /v1/changes HTTP/"
_UNWELL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Mode(StrEnum):
    """What the proxy does to connections, existing ones and new ones."""

    PASS = "pass"
    DROP = "drop"
    """The request arrives, the answer doesn't: the connection is closed instead."""
    DELAY = "delay"
    """Answers come `seconds` late."""
    REPEAT_REQUEST = "repeat request"
    """Every request is delivered a second time, on a connection of its own."""
    REPEAT_ANSWER = "repeat answer"
    """Every answer is delivered twice, on the connection that the next request may use."""
    TRUNCATE = "truncate"
    """An answer is cut in the middle, and the connection closed."""
    HALF_OPEN = "half open"
    """Nothing passes in either direction, and nobody is told."""
    HALF_OPEN_STREAM = "half open stream"
    """The same, only of change streams."""
    LATE_EVENTS = "late events"
    """Events of change streams come `seconds` late; heartbeats and everything else flow."""
    UNWELL = "unwell"
    """Every request is answered 503."""
    REFUSE = "refuse"
    """Nobody listens, and what was open is cut."""


class Ruler(Protocol):
    """The proxy, as its connections see it."""

    seconds: float
    requests: int
    done: dict[Mode, int]
    server_port: int

    @property
    def mode(self) -> Mode: ...


class Connection:
    """One client's connection and what belongs to it.

    Attributes:
        client: Where answers go.
        dead: Whether nothing passes any more, though nobody was told.
    """

    def __init__(
        self,
        proxy: Ruler,
        client: Ends,
        server: Ends,
        upstream: list[asyncio.StreamWriter],
    ) -> None:
        self._proxy = proxy
        self._client_reader, self.client = client
        self._server_reader, self._server = server
        self._upstream = upstream
        self._second: asyncio.StreamWriter | None = None
        self._ignoring: asyncio.Task[Any] | None = None
        self._late: LateEvents | None = None
        self._is_stream = False
        self.dead = False

    def end(self) -> None:
        """Stop what runs beside the two directions."""
        if self._ignoring is not None:
            self._ignoring.cancel()
        if self._late is not None:
            self._late.end()

    def _dies(self) -> bool:
        """Whether nothing passes any more: what was once held back is gone, and the connection with it."""
        mode = self._proxy.mode
        if mode is Mode.HALF_OPEN or (mode is Mode.HALF_OPEN_STREAM and self._is_stream):
            self._proxy.done[mode] += not self.dead
            self.dead = True
        return self.dead

    async def requests(self) -> None:
        """Pass on what the client says."""
        while data := await self._client_reader.read(_AT_ONCE):
            self._is_stream = self._is_stream or data.startswith(_STREAM)
            self._proxy.requests += 1
            if self._dies():
                continue
            mode = self._proxy.mode
            if mode is Mode.UNWELL:
                self._proxy.done[mode] += 1
                self.client.write(_UNWELL)
                await self.client.drain()
                return
            if mode is Mode.REPEAT_REQUEST and not self._is_stream:
                await self._repeat(data)
            self._server.write(data)
            await self._server.drain()

    async def answers(self) -> None:
        """Pass on what the server says, or do to it what the mode says."""
        while data := await self._server_reader.read(_AT_ONCE):
            if self._dies():
                continue
            mode = self._proxy.mode
            if mode in (Mode.DROP, Mode.TRUNCATE, Mode.REPEAT_ANSWER, Mode.DELAY):
                self._proxy.done[mode] += 1
            if mode is Mode.DROP:
                return
            if mode is Mode.DELAY:
                await asyncio.sleep(self._proxy.seconds)
            if mode is Mode.TRUNCATE:
                data = data[: len(data) * 2 // 3]
            if self._is_stream:
                self._late = self._late or LateEvents(self)
                self._late.take(data)
            else:
                self.client.write(data * 2 if mode is Mode.REPEAT_ANSWER else data)
            await self.client.drain()
            if mode is Mode.TRUNCATE:
                return

    @property
    def late_by(self) -> float:
        """How many seconds events are held back now."""
        return self._proxy.seconds if self._proxy.mode is Mode.LATE_EVENTS else 0.0

    def held_back(self) -> None:
        """Count an event that came late."""
        self._proxy.done[Mode.LATE_EVENTS] += 1

    async def _repeat(self, data: bytes) -> None:
        if self._second is None:
            reader, self._second = await asyncio.open_connection("127.0.0.1", self._proxy.server_port)
            self._upstream.append(self._second)
            self._ignoring = asyncio.ensure_future(_ignore(reader))
        self._proxy.done[Mode.REPEAT_REQUEST] += 1
        with suppress(OSError):
            self._second.write(data)
            await self._second.drain()


async def _ignore(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(_AT_ONCE):
            pass
