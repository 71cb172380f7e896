"""One brand's changes: read once, handed to every reader that listens."""

import asyncio
import logging
import traceback
from datetime import timedelta
from typing import NamedTuple, Protocol

from sayso.wire import StreamEnd
from sayso_server.clock import Clock
from sayso_server.services.feed_frames import HEARTBEAT, Frames, Framing, joined
from sayso_server.services.feed_reader import Reader
from sayso_server.storage.base import Storage, StorageUnavailableError

log = logging.getLogger(__name__)

HEARTBEAT_EVERY = timedelta(seconds=1)
LOOK_EVERY = timedelta(milliseconds=250)
"""How often readers are looked after, and how soon is seen what another process committed."""
_PAGE = 1_000
"""Changes; some 100 kB of events."""
_REST_PER_READER = timedelta(microseconds=10)
"""Sending something to a reader costs about as much. A rest as long after each round leaves half of the time to
requests, and the more comes meanwhile, the more goes out at once."""


class Keys(Protocol):
    """The part of the keys that this needs."""

    async def refresh(self) -> None:
        """Bring them up to date."""
        ...

    def usable(self, key_id: str) -> object | None:
        """Give a key that is accepted now: another object once it has changed, None once it is revoked."""
        ...


class _Read(NamedTuple):
    until: int
    frames: list[Frames]


class BrandFeed:
    """Follows a brand's feed as long as anybody reads it.

    Attributes:
        readers: Those who read, live or not yet.
    """

    def __init__(self, storage: Storage, brand_id: str, clock: Clock) -> None:
        """Nothing is read before somebody begins."""
        self.readers: set[Reader] = set()
        self._storage = storage
        self._brand_id = brand_id
        self._clock = clock
        self._framing = Framing(storage.store_id, brand_id)
        self._position: int | None = None  # what the live readers have
        self._bell = asyncio.Event()
        self._rest_until = 0.0
        self._stopping = False
        self._reading: dict[int, asyncio.Task[_Read | None]] = {}

    def ring(self) -> None:
        """Have a look now: there may be something."""
        self._bell.set()

    def stop(self) -> None:
        """End `follow`."""
        self._stopping = True
        self._bell.set()

    async def begin(self, reader: Reader, cursor: str | None) -> None:
        """Say where the stream starts: at the head, or after the cursor if it is one of this brand's and not too old.

        Raises:
            StorageUnavailableError: The feed can't be read now.
        """
        head = await self._storage.head(self._brand_id)
        if self._position is None:
            self._position = head
        known = None if cursor is None else self._framing.position_of(cursor)
        if known is not None and (known > head or (known < head and await self._read(known) is None)):
            known = None
        reader.position = head if known is None else known
        now = asyncio.get_running_loop().time()
        reader.put(self._framing.opened(reader.stream_id, reader.position), now)
        if cursor is not None and known is None:
            reader.put(self._framing.reset(head), now)

    async def next(self, reader: Reader) -> bytes:
        """Wait for what comes next; empty once the stream has ended.

        Raises:
            StorageUnavailableError: The feed can't be read now.
        """
        while not (reader.live or reader.waiting or reader.has_ended):
            await self._catch_up(reader)
        return await reader.take()

    async def follow(self, keys: Keys) -> None:
        """Hand on what happens, until nobody reads any more."""
        loop = asyncio.get_running_loop()
        look_at = loop.time()
        try:
            while self.readers and not self._stopping:
                await self._wait_until(look_at)
                await self._advance()
                if loop.time() >= look_at:
                    look_at = loop.time() + LOOK_EVERY.total_seconds()
                    await self._look_after(keys)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody may wait for news that never come
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("a change stream broke: %s\n%s", type(error).__qualname__, where)
            for reader in self.readers:
                reader.cut_off()

    async def _wait_until(self, moment: float) -> None:
        try:
            async with asyncio.timeout_at(moment):
                await self._bell.wait()
                await asyncio.sleep(self._rest_until - asyncio.get_running_loop().time())
        except TimeoutError:
            pass
        self._bell.clear()

    async def _advance(self) -> None:
        """Hand what is new to those who are live."""
        try:
            head = await self._storage.head(self._brand_id)
            if self._position is None:
                self._position = head
            while self._position < head:
                read = await self._read(self._position)
                self._hand_out(read, head)
        except StorageUnavailableError:
            log.warning("the change feed can't be read now")

    def _hand_out(self, read: _Read | None, head: int) -> None:
        before, self._position = self._position or 0, head if read is None else read.until
        whole = self._framing.reset(head) if read is None else joined(read.frames, before)
        now = asyncio.get_running_loop().time()
        for reader in [reader for reader in self.readers if reader.live and reader.position < self._position]:
            # Who came in with a newer head than this feed had seen has some of it already.
            fresh = whole if read is None or reader.position == before else joined(read.frames, reader.position)
            reader.put(fresh, now)
            reader.position = self._position
        self._rest_until = now + len(self.readers) * _REST_PER_READER.total_seconds()

    async def _look_after(self, keys: Keys) -> None:
        """End what has come to its end, and show the others that the connection lives."""
        try:
            await keys.refresh()
        except StorageUnavailableError:
            log.warning("the keys can't be read now")
        wall, now = self._clock.now(), asyncio.get_running_loop().time()
        silent_since = now - (HEARTBEAT_EVERY - LOOK_EVERY / 2).total_seconds()
        for reader in list(self.readers):
            if reader.key is None or keys.usable(reader.key_id) is not reader.key:
                reader.end(StreamEnd.REVOKED)
            elif reader.expires_at <= wall:
                reader.end(StreamEnd.TOKEN_EXPIRED)
            elif reader.said_at <= silent_since and not reader.waiting:
                reader.put(HEARTBEAT, now)

    async def _catch_up(self, reader: Reader) -> None:
        """Give a reader the next page of what it missed, or make it live."""
        if self._position is None or reader.position >= self._position:
            reader.live = True
            return
        read = await self._read(reader.position)
        now = asyncio.get_running_loop().time()
        if read is None:
            reader.position = await self._storage.head(self._brand_id)
            reader.put(self._framing.reset(reader.position), now)
        else:
            reader.put(joined(read.frames, reader.position), now)
            reader.position = read.until

    async def _read(self, after: int) -> _Read | None:
        """Read and frame a page; after a restart everybody wants the same one, and it is read once."""
        reading = self._reading.get(after)
        if reading is None:
            reading = self._reading[after] = asyncio.create_task(self._read_page(after), name="sayso-feed-page")
            reading.add_done_callback(lambda _: self._reading.pop(after, None))
        return await asyncio.shield(reading)

    async def _read_page(self, after: int) -> _Read | None:
        page = await self._storage.feed(self._brand_id, after=after, limit=_PAGE)
        return None if page is None else _Read(page.until, await self._framing.page(page))
