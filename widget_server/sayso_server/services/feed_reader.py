"""One reader of a brand's changes: what waits for it, and how long it may stay."""

import asyncio
from collections.abc import Callable

from sayso.model.instant import Micros
from sayso.wire import StreamEnd
from sayso_server.services.caller import Caller
from sayso_server.services.feed_frames import ended, new_stream_id

MOST_WAITING = 256 * 1024
"""Bytes. Who has so many before it and hasn't fetched them is cut off, and goes on later from where it was."""


class Reader:
    """A buffer with one writer, the brand's feeder, and one consumer, the connection. Belongs to one event loop.

    Attributes:
        stream_id: Under which the other side renews it.
        brand_id: Whose changes.
        key_id: The key whose token opened it; only that key's tokens renew it.
        key: That key as it was; a revoked or changed one is another object.
        expires_at: When the token ends.
        position: Everything up to here is in the buffer or was fetched.
        live: It has caught up, and gets what happens as it happens.
        has_ended: Nothing more will come.
        said_at: When something was put in last, in the event loop's seconds.
        cut: How to cut the connection; set once there is one.
        send: How to send something without waiting, False if the connection can't take it now; where there is one.
    """

    __slots__ = (
        "_idle",
        "_parts",
        "_something",
        "brand_id",
        "cut",
        "expires_at",
        "has_ended",
        "key",
        "key_id",
        "live",
        "position",
        "said_at",
        "send",
        "stream_id",
        "waiting",
    )

    def __init__(self, caller: Caller, key: object) -> None:
        """Start empty, and behind."""
        self.stream_id = new_stream_id()
        self.brand_id = caller.brand_id
        self.key_id = caller.key_id
        self.key = key
        self.expires_at: Micros = caller.expires_at
        self.position = 0
        self.live = False
        self.has_ended = False
        self.said_at = 0.0
        self.waiting = 0
        self.cut: Callable[[], None] | None = None
        self.send: Callable[[bytes], bool] | None = None
        self._idle = False
        self._parts: list[bytes] = []
        self._something = asyncio.Event()

    def put(self, events: bytes, now: float) -> None:
        """Add what is to be sent. Whoever is too slow is cut off instead.

        Only what has been waiting counts: a single commit may be larger than anything that may wait.
        """
        if self.has_ended:
            return
        if self.waiting > MOST_WAITING:
            self.cut_off()
            return
        self.said_at = now
        # Sent from here it costs a fifth of what waking the connection's task does.
        # What waits goes first, though.
        if self._idle and not self._parts and self.send is not None and self.send(events):
            return
        self._parts.append(events)
        self.waiting += len(events)
        self._something.set()

    def end(self, reason: StreamEnd) -> None:
        """Say why, and let nothing more come. A revoked key gets nothing of what is still here either."""
        if not self.has_ended:
            if reason is StreamEnd.REVOKED:
                self._parts.clear()
            self._parts.append(ended(reason))
            self.has_ended = True
            self._something.set()

    def cut_off(self) -> None:
        """End without a word, for the other side doesn't listen."""
        self.has_ended = True
        self._parts.clear()
        self.waiting = 0
        self._something.set()
        if self.cut is not None:
            self.cut()

    async def take(self) -> bytes:
        """Wait for something and fetch all of it; empty once the stream has ended."""
        self._something.clear()
        if not self._parts and not self.has_ended:
            self._idle = True
            await self._something.wait()
            self._idle = False
        parts, self._parts = self._parts, []
        self.waiting = 0
        return b"".join(parts)
