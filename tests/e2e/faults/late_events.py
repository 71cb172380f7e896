"""Server-sent events on their way through a proxy that holds them back, while heartbeats flow.

The events of a change stream come in HTTP chunks. What came is taken out of its chunks and cut into events; each event
is sent on, in a chunk of its own, when it is late enough. A heartbeat is made up twice a second, so that nothing on the
way looks dead.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class Way(Protocol):
        """The connection that the events come through."""

        client: asyncio.StreamWriter
        dead: bool

        @property
        def late_by(self) -> float: ...
        def held_back(self) -> None: ...


_HEARTBEAT = b":\n\n"
_EVERY = 0.5
_END_OF_HEAD = b"\r\n\r\n"


class Chunks:
    """Takes the chunks off a body in chunked transfer coding, as it comes."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> bytes:
        """Give the content that is whole now."""
        self._left += data
        content = b""
        while True:
            size, found, rest = self._left.partition(b"\r\n")
            if not found:
                return content
            length = int(size.partition(b";")[0], 16)
            if len(rest) < length + 2:
                return content
            content += rest[:length]
            self._left = rest[length + 2 :]


class LateEvents:
    """Sends on one stream's bytes, late."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._head: bytes | None = b""
        self._chunks = Chunks()
        self._text = b""
        self._events: deque[tuple[float, bytes]] = deque()
        self._task = asyncio.ensure_future(self._send())

    def take(self, data: bytes) -> None:
        """Take what the server sent."""
        if self._head is not None:
            head, end, data = (self._head + data).partition(_END_OF_HEAD)
            if not end:
                self._head = head
                return
            self._head = None
            self._way.client.write(head + end)
        self._text += self._chunks.feed(data)
        now = asyncio.get_running_loop().time()
        while b"\n\n" in self._text:
            event, _, self._text = self._text.partition(b"\n\n")
            # How the stream begins is told at once: only then is there something to rely on, wrongly.
            if event.startswith((b":", b"event: open", b"event:open")):
                self._write(event + b"\n\n")
            elif self._way.late_by or self._events:
                self._events.append((now, event + b"\n\n"))
            else:
                self._write(event + b"\n\n")

    def end(self) -> None:
        """Send no more."""
        self._task.cancel()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        beat = loop.time() + _EVERY
        while not self._way.client.is_closing():
            now = loop.time()
            while self._events and self._events[0][0] + self._way.late_by <= now:
                self._way.held_back()
                self._write(self._events.popleft()[1])
            if self._way.late_by and self._head is None and now >= beat:
                self._write(_HEARTBEAT)
                beat = now + _EVERY
            await asyncio.sleep(0.02)

    def _write(self, content: bytes) -> None:
        if not self._way.dead:
            self._way.client.write(b"%x\r\n%b\r\n" % (len(content), content))
