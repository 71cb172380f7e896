"""The change stream: who listens, for how long, and what the newest position is.

The feed in the storage is the truth. A commit of this process rings a bell, so that readers hear of it at once; what
another process committed is found by looking four times a second.
"""

import asyncio
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus

from sayso.wire import Code, StreamEnd
from sayso_server.clock import Clock
from sayso_server.services.caller import Caller
from sayso_server.services.feed_brand import BrandFeed, Keys
from sayso_server.services.feed_reader import Reader
from sayso_server.services.refusals import RefusedError
from sayso_server.storage.base import Storage

STREAMS_PER_KEY = 2_000
_GOODBYE = timedelta(seconds=1)
"""How long readers may take at shutdown to fetch what waits for them."""


class Feed:
    """Every brand's stream, one task for each brand that somebody listens to. Streams open from `start` to `stop`."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        """Take what it works with."""
        self._storage = storage
        self._clock = clock
        self._keys: Keys | None = None
        self._brands: dict[str, BrandFeed] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._streams: dict[str, tuple[Reader, BrandFeed]] = {}
        self._of_key: Counter[str] = Counter()
        self._nobody = asyncio.Event()

    def start(self, keys: Keys) -> None:
        """Begin to listen to the storage, which has been started."""
        self._keys = keys
        self._storage.on_commit(self._ring)

    async def stop(self) -> None:
        """End every stream, and wait until the readers have gone; those that don't listen are cut off. Idempotent."""
        self._keys = None
        for reader, _ in self._streams.values():
            reader.end(StreamEnd.SHUTTING_DOWN)
        for brand in self._brands.values():
            brand.stop()
        if self._streams:
            with suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE.total_seconds()):
                    await self._nobody.wait()
        for reader, _ in self._streams.values():
            reader.cut_off()
        await asyncio.gather(*self._tasks)

    async def head(self, brand_id: str) -> dict[str, object]:
        """Give the newest position, as the storage itself has it now."""
        return {"store_id": self._storage.store_id, "position": await self._storage.head(brand_id)}

    def renew(self, caller: Caller, stream_id: str) -> bool:
        """Let a stream last as long as this token of the same key; False if the caller has no such stream now."""
        reader, _ = self._streams.get(stream_id, (None, None))
        if reader is None or reader.has_ended or reader.key_id != caller.key_id:
            return False
        reader.expires_at = max(reader.expires_at, caller.expires_at)
        return True

    def enter(self, caller: Caller) -> Reader:
        """Let a reader in; `leave` has to follow, whatever happens.

        Raises:
            RefusedError: 429 if its key has too many streams, 503 if the server is about to end.
        """
        if self._keys is None:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, Code.UNAVAILABLE, "the server is ending; reconnect")
        if self._of_key[caller.key_id] >= STREAMS_PER_KEY:
            message = f"the key has {STREAMS_PER_KEY} streams open; one for each process is enough, close some"
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, Code.RATE_LIMITED, message)
        reader = Reader(caller, self._keys.usable(caller.key_id))
        reader.said_at = asyncio.get_running_loop().time()
        brand = self._brands.get(caller.brand_id)
        if brand is None:
            brand = self._brands[caller.brand_id] = BrandFeed(self._storage, caller.brand_id, self._clock)
            task = asyncio.create_task(self._follow(caller.brand_id, brand, self._keys), name="sayso-feed")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        brand.readers.add(reader)
        self._streams[reader.stream_id] = reader, brand
        self._nobody.clear()
        self._of_key[reader.key_id] += 1
        return reader

    def leave(self, reader: Reader) -> None:
        """Forget a reader."""
        reader.has_ended = True
        _, brand = self._streams.pop(reader.stream_id)
        brand.readers.discard(reader)
        self._of_key[reader.key_id] -= 1
        if not self._of_key[reader.key_id]:
            del self._of_key[reader.key_id]
        if not self._streams:
            self._nobody.set()

    async def begin(self, reader: Reader, cursor: str | None) -> None:
        """Say where the stream starts: at the head, or after the cursor if it is one of this brand's and not too old.

        Raises:
            StorageUnavailableError: The feed can't be read now.
        """
        _, brand = self._streams[reader.stream_id]
        await brand.begin(reader, cursor)

    async def next(self, reader: Reader) -> bytes:
        """Wait for what comes next, bytes of `text/event-stream`; empty once the stream has ended.

        Raises:
            StorageUnavailableError: The feed can't be read now.
        """
        _, brand = self._streams[reader.stream_id]
        return await brand.next(reader)

    def __len__(self) -> int:
        return len(self._streams)

    def _ring(self, brands: Collection[str]) -> None:
        for brand_id in brands:
            brand = self._brands.get(brand_id)
            if brand is not None:
                brand.ring()

    async def _follow(self, brand_id: str, brand: BrandFeed, keys: Keys) -> None:
        try:
            await brand.follow(keys)
        finally:
            del self._brands[brand_id]
