"""Erasing again whom a restored backup brought back, before anybody is answered."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from sayso.model.instant import Micros
from sayso_server.services.marks import Marks
from sayso_server.storage.base import Erasure, ErasureFound, Storage, StoredTombstone

log = logging.getLogger(__name__)

_PAGE = 1_000


class Journal(Protocol):
    """Erasures kept beside the keys, outside the database and its backups. Both methods block on the disk."""

    def read(self) -> Mapping[tuple[str, bytes], StoredTombstone]:
        """Give the newest tombstone of each brand and mark."""
        ...

    def add(self, brand_id: str, tombstones: list[StoredTombstone]) -> None:
        """Append tombstones; they are on disk when it returns."""
        ...


async def erase_again(storage: Storage, marks: Marks, journal: Journal) -> int:
    """Make database and journal say the same: carry out what only the journal has, and note what only the database has.

    Returns:
        How many ids of people were there again, and are erased now.

    Raises:
        ConfigurationError: The journal is unsafe or damaged.
    """
    noted = await asyncio.to_thread(journal.read)
    there_again = lacked = 0
    for brand in await storage.brands():
        brand_id = brand.brand_id
        wanted = {mark: tombstone for (whose, mark), tombstone in noted.items() if whose == brand_id}
        unnoted: list[StoredTombstone] = []
        async for tombstone in _tombstones(storage, brand_id):
            known = wanted.get(tombstone.mark)
            if known is None or known.erased_at < tombstone.erased_at:
                unnoted.append(tombstone)
            if known is not None and known.erased_at <= tombstone.erased_at:
                del wanted[tombstone.mark]
        if unnoted:
            await asyncio.to_thread(journal.add, brand_id, unnoted)
            lacked += len(unnoted)
        if wanted:
            there_again += await _carry_out(storage, marks, brand_id, wanted)
    if lacked:
        # A power cut between the two, or a journal that is not the newest: then a backup brings people back.
        log.warning(
            "the journal of erasures lacked %d of the database's; if the database came from a backup, put the journal "
            "back from its own newest one and start again",
            lacked,
        )
    if there_again:
        log.warning("%d erased ids were in the database again, from a backup; they are erased now", there_again)
    return there_again


async def _carry_out(storage: Storage, marks: Marks, brand_id: str, wanted: dict[bytes, StoredTombstone]) -> int:
    count = 0
    async for consumer_id in _ids(storage, brand_id):
        mark = marks.erased(brand_id, consumer_id)
        tombstone = wanted.pop(mark, None)
        if tombstone is not None:
            await _erase(storage, brand_id, {consumer_id: mark}, {consumer_id: tombstone})
            count += 1
    # Of the others nothing came back; their tombstones were not in the backup either.
    rest = {mark.hex(): tombstone for mark, tombstone in wanted.items()}
    if rest:
        await _erase(storage, brand_id, {}, rest)
    return count


async def _erase(
    storage: Storage, brand_id: str, ids: Mapping[str, bytes], tombstones: Mapping[str, StoredTombstone]
) -> None:
    def plan(found: ErasureFound, _: Micros) -> tuple[Erasure, None]:
        left: dict[str, StoredTombstone] = {}
        for whose, tombstone in tombstones.items():
            consumer = found.consumers.get(whose)
            version = max(tombstone.version, consumer.version + 1 if consumer is not None else 0)
            left[whose] = tombstone._replace(version=version)
        return Erasure(left), None

    await storage.erase(brand_id, ids, plan)


async def _tombstones(storage: Storage, brand_id: str) -> AsyncIterator[StoredTombstone]:
    after = b""
    while page := await storage.tombstones(brand_id, after=after, limit=_PAGE):
        for tombstone in page:
            yield tombstone
        after = page[-1].mark


async def _ids(storage: Storage, brand_id: str) -> AsyncIterator[str]:
    """Give every id that anything is held about."""
    for read in (storage.consumer_ids, storage.disclosed_ids, storage.documented_ids):
        after = ""
        while page := await read(brand_id, after=after, limit=_PAGE):
            for consumer_id in page:
                yield consumer_id
            after = page[-1]
