"""`SqliteStorage`: the storage interface on one SQLite file."""

import asyncio
import os
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, TypeVar

import apsw

from sayso.model.instant import Micros
from sayso_server.clock import Clock, SystemClock
from sayso_server.storage.base import (
    FeedPage,
    NewDisclosure,
    Plan,
    StorageUnavailableError,
    StoredBrand,
    StoredCatalogue,
    StoredChange,
    StoredConsumer,
    StoredDisclosure,
    StoredKey,
    Wanted,
)
from sayso_server.storage.sqlite import config, disclosures, feed, statements
from sayso_server.storage.sqlite.cases import SqliteCases
from sayso_server.storage.sqlite.database import Database
from sayso_server.storage.sqlite.writer import Writer

T = TypeVar("T")
_NEWEST = 2**63 - 1
_LONG = 1_000
"""Changes that are made of their rows within about a millisecond; more of them on another thread."""


class SqliteStorage(SqliteCases):
    """Sayso's data in one SQLite file, for one server process and any number of short commands.

    Beside the file lie `-wal` and `-shm` (SQLite's own), `.lock` (one server at a time) and `.hwm` (how far the
    database had come). All of it belongs on a local disk and is readable by its owner alone.

    Args:
        path: The database file; it is made if it doesn't exist. Its directory has to exist, and to be safe.
        clock: What plans get as the storage's time.
        server: False for a command: it takes no lock and works beside a running server.
        accept_loss: Start even if the database has come less far than its high-water mark says, under a new
            `store_id`. Choices that were acknowledged are missing then: for one start, after looking for a better copy.
            Likewise with another key of marks: nobody who was erased so far is known again then.

    It belongs to the event loop that awaited `start`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Clock | None = None,
        server: bool = True,
        accept_loss: bool = False,
    ) -> None:
        super().__init__(clock or SystemClock(), accept_loss=accept_loss)
        self._path = path
        self._server = server
        self._database: Database | None = None
        self._writer: Writer | None = None
        self._closing: asyncio.Task[None] | None = None
        self._config_version: int | None = None
        self._erasures: int | None = None
        self._listeners: list[Callable[[Collection[str]], None]] = []

    @property
    def store_id(self) -> str:
        """Random id made with the database; another id means other data."""
        return self._open.store_id

    async def start(self) -> None:
        """Open the database.

        Raises:
            ConfigurationError: It is unsafe, unknown, in use by another server, or shorter than its high-water mark.
        """
        self._database = await asyncio.to_thread(
            Database, self._path, server=self._server, accept_loss=self._accept_loss
        )
        loop = asyncio.get_running_loop()
        self._writer = Writer(self._database.writing, self._clock, loop, ring=self._ring, server=self._server)
        self._writer.truncate_soon()  # of what was erased while no server ran, or just before the last one ended

    async def close(self) -> None:
        """Finish what was accepted, then let go. Idempotent."""
        if self._database is None or self._writer is None:
            return
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(self._database, self._writer), name="sayso-storage-close")
        await asyncio.shield(self._closing)

    async def record(self, brand_id: str, wanted: Sequence[Wanted], plan: Plan[T]) -> T:
        """Read, decide and write in one transaction; return only after it is on disk.

        Raises:
            StorageUnavailableError: Nothing was written.
        """
        answer: T = await self._writing.record(brand_id, wanted, plan)
        return answer

    async def can_write(self) -> bool:
        """Tell whether a change would reach the disk now; see `Writer.can_write`."""
        try:
            return await self._writing.can_write()
        except StorageUnavailableError:
            return False

    async def consumer(self, brand_id: str, consumer_id: str) -> StoredConsumer | None:
        """Give the newest state, or None for a consumer never seen."""
        rows = self._open.readers.point(statements.CONSUMER, (brand_id, consumer_id))
        return StoredConsumer._make(rows[0]) if rows else None

    async def version(self, brand_id: str, consumer_id: str) -> int:
        """Give the newest version; 0 for a consumer never seen."""
        rows = self._open.readers.point(statements.VERSION, (brand_id, consumer_id))
        return rows[0][0] if rows else 0

    async def history(
        self, brand_id: str, consumer_id: str, *, before: int | None, limit: int, kind: str | None = None
    ) -> list[StoredChange]:
        """Give up to `limit` changes with a version below `before`, newest first, optionally of one kind."""
        below = _NEWEST if before is None else before
        if kind is None:
            rows = await self._open.readers.rows(statements.HISTORY, (brand_id, consumer_id, below, limit))
        else:
            values = (brand_id, consumer_id, below, kind, limit)
            rows = await self._open.readers.rows(statements.HISTORY_OF_KIND, values)
        return [statements.change(row) for row in rows]

    async def changes_until(self, brand_id: str, consumer_id: str, recorded_until: Micros) -> list[StoredChange]:
        """Give every change recorded at or before a moment, oldest first."""
        rows = await self._open.readers.rows(statements.UNTIL, (brand_id, consumer_id, recorded_until))
        if len(rows) <= _LONG:
            return _changes(rows)
        return await asyncio.to_thread(_changes, rows)

    async def consumer_ids(self, brand_id: str, *, after: str, limit: int) -> list[str]:
        """Give the brand's consumer ids after one, in byte order."""
        rows = await self._open.readers.rows(statements.CONSUMER_IDS, (brand_id, after, limit))
        return [consumer_id for (consumer_id,) in rows]

    async def disclose(self, brand_id: str, new: Sequence[NewDisclosure], *, now: Micros) -> list[bool]:
        """Record hand-overs; return only after they are on disk.

        Raises:
            ReusedIdError: Some were there with other content; nothing was recorded.
            StorageUnavailableError: Nothing was recorded.
        """
        return await self._write(partial(disclosures.record, brand_id=brand_id, new=new, now=now))

    async def disclosures(
        self, brand_id: str, consumer_ids: Sequence[str], *, before: Micros | None, limit: int
    ) -> list[StoredDisclosure]:
        """Give up to `limit` of some consumers' hand-overs recorded before a moment, newest first."""
        below = _NEWEST if before is None else before
        found: list[StoredDisclosure] = []
        for count, ids in statements.padded(consumer_ids, 1):
            read = await self._open.readers.rows(disclosures.of_consumers(count), (brand_id, below, limit, *ids))
            found += [disclosures.stored(row) for row in read]
        return sorted(found, key=lambda each: each.recorded_at, reverse=True)[:limit]

    async def disclosed_ids(self, brand_id: str, *, after: str, limit: int) -> list[str]:
        """Give the ids of the brand's consumers with hand-overs after one, in byte order."""
        rows = await self._open.readers.rows(disclosures.CONSUMER_IDS, (brand_id, after, limit))
        return [consumer_id for (consumer_id,) in rows]

    async def head(self, brand_id: str) -> int:
        """Give the newest position of a brand's feed, 0 for none."""
        return self._open.readers.point(feed.HEAD, (brand_id,))[0][0] or 0

    async def feed(self, brand_id: str, *, after: int, limit: int) -> FeedPage | None:
        """Give what happened in a brand after a position; None if it can't go on from there."""
        read = await self._open.readers.rows(feed.PAGE, (brand_id, after, limit))
        return feed.page(read, after, partial(self._named.at, brand_id))

    def on_commit(self, listener: Callable[[Collection[str]], None]) -> None:
        """Call a listener on the event loop after commits, with the brands whose feed has grown."""
        self._listeners.append(listener)

    def _ring(self, brands: Collection[str]) -> None:
        for listener in self._listeners:
            listener(brands)

    async def config_version(self) -> int:
        """Give a number that changes whenever brands, keys, origins or catalogues do, by whichever process.

        Read once in each turn of the event loop. That takes 3 µs by itself; but it lets go of Python's global lock and
        comes after commits that emptied the reader's cache, so that on a busy server it took several times that.
        """
        if self._config_version is None:
            ((self._config_version, erasures),) = self._open.readers.point(config.VERSION, ())
            if erasures != self._erasures:
                if self._erasures is not None:
                    self._somebody_was_erased()
                self._erasures = erasures
            asyncio.get_running_loop().call_soon(self._forget_config_version)
        return self._config_version

    def _forget_config_version(self) -> None:
        self._config_version = None

    async def add_brand(self, brand: StoredBrand) -> bool:
        """Add a brand; False if there is one of that id."""
        return await self._write(partial(config.add_brand, brand=brand))

    async def brands(self) -> list[StoredBrand]:
        """Give every brand."""
        return [StoredBrand._make(row) for row in await self._open.readers.rows(config.BRANDS)]

    async def add_key(self, key: StoredKey) -> None:
        """Register a key.

        Raises:
            ValueError: There is one of that id.
        """
        await self._write(partial(config.add_key, key=key))

    async def revoke_key(self, brand_id: str, key_id: str, at: Micros) -> bool:
        """Revoke a key; False if the brand has no such key or it is revoked already."""
        return await self._write(partial(config.revoke_key, brand_id=brand_id, key_id=key_id, at=at))

    async def keys(self) -> list[StoredKey]:
        """Give every key of every brand, revoked ones included."""
        return [config.key_of(row) for row in await self._open.readers.rows(config.KEYS)]

    async def add_origin(self, brand_id: str, origin: str) -> bool:
        """Register an origin; False if it was there."""
        return await self._write(partial(config.add_origin, brand_id=brand_id, origin=origin))

    async def remove_origin(self, brand_id: str, origin: str) -> bool:
        """Remove an origin; False if it was not there."""
        return await self._write(partial(config.remove_origin, brand_id=brand_id, origin=origin))

    async def origins(self) -> list[tuple[str, str]]:
        """Give every (brand, origin)."""
        return [(brand_id, origin) for brand_id, origin in await self._open.readers.rows(config.ORIGINS)]

    async def publish(
        self, brand_id: str, body: bytes, *, published_at: Micros, expected_revision: int
    ) -> StoredCatalogue:
        """Store the next revision.

        Raises:
            CatalogueChangedError: The newest revision is not `expected_revision`.
        """
        work = partial(
            config.publish,
            brand_id=brand_id,
            body=body,
            published_at=published_at,
            expected_revision=expected_revision,
        )
        stored = await self._write(work)
        self._ring((brand_id,))
        return stored

    async def revisions(self) -> list[tuple[str, int, Micros]]:
        """Give (brand, revision, when it was published) of every catalogue, by brand and revision; no bodies."""
        rows = await self._open.readers.rows(config.REVISIONS)
        return [(brand_id, revision, published_at) for brand_id, revision, published_at in rows]

    async def catalogues(self, brand_id: str, *, revision: int | None = None) -> list[StoredCatalogue]:
        """Give every revision, oldest first; or only the one that is named, if there is one of that number."""
        if revision is None:
            rows = await self._open.readers.rows(config.CATALOGUES, (brand_id,))
        else:
            rows = await self._open.readers.rows(config.CATALOGUE, (brand_id, revision))
        return [StoredCatalogue._make(row) for row in rows]

    async def _write(self, work: Callable[[apsw.Cursor], T]) -> T:
        answer: T = await self._writing.task(work)
        return answer

    async def _close(self, database: Database, writer: Writer) -> None:
        await writer.close()
        self._listeners.clear()
        await asyncio.to_thread(database.close)

    @property
    def _open(self) -> Database:
        if self._database is None or self._closing is not None:
            raise StorageUnavailableError("the storage is not open")
        return self._database

    @property
    def _writing(self) -> Writer:
        if self._writer is None or self._closing is not None:
            raise StorageUnavailableError("the storage is not open")
        return self._writer


def _changes(rows: Sequence[Sequence[Any]]) -> list[StoredChange]:
    return [statements.change(row) for row in rows]
