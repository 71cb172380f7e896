"""What readers of the change stream get: server-sent events (WHATWG HTML §9.2), and cursors to go on from."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Iterable
from typing import NamedTuple

from sayso.model.instant import format_micros
from sayso.wire import StreamEnd, StreamEvent
from sayso_server.jsonio import dumps
from sayso_server.storage.base import FeedEntry, FeedPage

HEARTBEAT = b":\n\n"

_TAG_BYTES = 12
_POSITION_BYTES = 8
_CURSOR_LENGTH = 27
_AT_ONCE = 500
"""Changes framed before others have their turn: half a millisecond. One commit may hold more than 100,000."""


class Frames(NamedTuple):
    """The events of one position, and last that it is complete."""

    position: int
    events: bytes


def new_stream_id() -> str:
    """Give an id under which a stream is renewed: 128 random bits."""
    return secrets.token_urlsafe(16)


class Framing:
    """Makes the events of one brand in one store. Its cursors mean nothing anywhere else."""

    def __init__(self, store_id: str, brand_id: str) -> None:
        """Take where and whose."""
        self._store_id = store_id
        self._tag = hashlib.sha256(f"{store_id} {brand_id}".encode()).digest()[:_TAG_BYTES]

    def cursor(self, position: int) -> str:
        """Give the cursor of a position; opaque to its holder."""
        packed = self._tag + position.to_bytes(_POSITION_BYTES, "big")
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    def position_of(self, cursor: str) -> int | None:
        """Give a cursor's position; None if it is another brand's, another store's, or no cursor at all."""
        if len(cursor) != _CURSOR_LENGTH or not cursor.isascii():
            return None
        try:
            packed = base64.urlsafe_b64decode(cursor + "=")
        except ValueError:
            return None
        position = int.from_bytes(packed[_TAG_BYTES:], "big")
        return position if cursor == self.cursor(position) else None

    def opened(self, stream_id: str, position: int) -> bytes:
        """Say which stream this is, and after which position it goes on."""
        data = {"stream": stream_id, "store_id": self._store_id, "position": position}
        return _event(StreamEvent.OPEN, data, cursor=self.cursor(position))

    def reset(self, position: int) -> bytes:
        """Say that something was missed: forget everything and go on from here."""
        data = {"store_id": self._store_id, "position": position}
        return _event(StreamEvent.RESET, data, cursor=self.cursor(position))

    async def page(self, page: FeedPage) -> list[Frames]:
        """Give the events of each position, and for the last one in any case that it is complete."""
        by_position: dict[int, list[bytes]] = {}
        for number, entry in enumerate(page.entries, start=1):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            by_position.setdefault(entry.position, []).append(_entry(entry))
        by_position.setdefault(page.until, [])
        return [Frames(at, b"".join([*events, self._complete(at)])) for at, events in by_position.items()]

    def _complete(self, position: int) -> bytes:
        return _event(StreamEvent.POSITION, {"position": position}, cursor=self.cursor(position))


def ended(reason: StreamEnd) -> bytes:
    """Say why the stream ends."""
    return _event(StreamEvent.END, {"reason": reason.value})


def joined(frames: Iterable[Frames], after: int) -> bytes:
    """Give the events of all positions after one."""
    return b"".join([one.events for one in frames if one.position > after])


def _entry(entry: FeedEntry) -> bytes:
    if entry.consumer_id is None:
        return _event(StreamEvent.CATALOGUE, {"revision": entry.version})
    data: dict[str, object] = {"consumer_id": entry.consumer_id, "version": entry.version}
    if entry.erased_at is not None:
        data |= {"erased": True, "erased_at": format_micros(entry.erased_at)}
    return _event(StreamEvent.CHANGE, data)


def _event(name: StreamEvent, data: dict[str, object], *, cursor: str = "") -> bytes:
    # The id comes with whole positions alone: who reconnects in the middle of one gets all of it again.
    marked = f"id: {cursor}\n" if cursor else ""
    return f"event: {name.value}\n{marked}data: ".encode() + dumps(data) + b"\n\n"
