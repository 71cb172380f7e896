"""Sayso in dictionaries: for tests and trials. Nothing outlives the process."""

import secrets
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from sayso.model.instant import Micros
from sayso_server.clock import Clock, SystemClock
from sayso_server.storage.base import (
    CatalogueChangedError,
    DocumentKey,
    DocumentPlan,
    ErasureFound,
    ErasurePlan,
    FeedPage,
    Found,
    NewDisclosure,
    Plan,
    StorageUnavailableError,
    StoredAudit,
    StoredBrand,
    StoredCatalogue,
    StoredChange,
    StoredConsumer,
    StoredDisclosure,
    StoredDocument,
    StoredKey,
    StoredTombstone,
    Wanted,
    Write,
    nameless,
)
from sayso_server.storage.memory_disclosures import MemoryDisclosures
from sayso_server.storage.memory_documents import MemoryAudit, MemoryDocuments, MemoryTombstones
from sayso_server.storage.memory_feed import MemoryFeeds

T = TypeVar("T")


@dataclass(slots=True)
class _Kept:
    """One consumer: the newest state, every change since the version of an erasure or 0, and the choices among them."""

    consumer: StoredConsumer
    since: int = 0
    changes: list[StoredChange] = field(default_factory=list)
    choices: dict[str, StoredChange] = field(default_factory=dict)


class MemoryStorage:
    """The storage interface without a database.

    A record runs from start to end without giving the event loop a turn, so that, as in a transaction, nothing comes in
    between and no cancellation splits it.

    Args:
        clock: What plans get as the storage's time.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._store_id = secrets.token_hex(16)
        self._open = False
        self._consumers: dict[tuple[str, str], _Kept] = {}
        self._config_version = 0
        self._brands: dict[str, StoredBrand] = {}
        self._keys: dict[str, StoredKey] = {}
        self._origins: set[tuple[str, str]] = set()
        self._catalogues: dict[str, list[StoredCatalogue]] = {}
        self._feeds = MemoryFeeds()
        self._disclosures = MemoryDisclosures()
        self._documents = MemoryDocuments()
        self._audit = MemoryAudit()
        self._tombstones = MemoryTombstones()
        self._mark_check: bytes | None = None

    @property
    def store_id(self) -> str:
        """Random id made with the storage."""
        return self._store_id

    async def start(self) -> None:
        """Open it; what it held before `close` is still there."""
        self._open = True

    async def close(self) -> None:
        """Refuse everything from now on. Idempotent."""
        self._open = False
        self._feeds.listeners.clear()

    async def record(self, brand_id: str, wanted: Sequence[Wanted], plan: Plan[T]) -> T:
        """Read, decide and write at once.

        Raises:
            StorageUnavailableError: It is closed; nothing was written.
        """
        self._check_open()
        now = self._clock.now()
        found = {each.consumer_id: self._find(brand_id, each) for each in wanted}
        writes, answer = plan(found, now)
        since = {whose: each.tombstone.version for whose, each in found.items() if each.tombstone is not None}
        for write in writes:
            self._check(brand_id, write, since.get(write.consumer_id, 0))
        for write in writes:
            self._append(brand_id, write, since.get(write.consumer_id, 0))
        self._feeds.wrote(brand_id, writes, now)
        return answer

    async def can_write(self) -> bool:
        """Tell whether it is open."""
        return self._open

    async def consumer(self, brand_id: str, consumer_id: str) -> StoredConsumer | None:
        """Give the newest state, or None for a consumer never seen."""
        self._check_open()
        kept = self._consumers.get((brand_id, consumer_id))
        return kept.consumer if kept else None

    async def version(self, brand_id: str, consumer_id: str) -> int:
        """Give the newest version; 0 for a consumer never seen."""
        consumer = await self.consumer(brand_id, consumer_id)
        return consumer.version if consumer else 0

    async def history(
        self, brand_id: str, consumer_id: str, *, before: int | None, limit: int, kind: str | None = None
    ) -> list[StoredChange]:
        """Give up to `limit` changes with a version below `before`, newest first, optionally of one kind."""
        changes = self._changes(brand_id, consumer_id)
        return [
            each
            for each in reversed(changes)
            if (before is None or each.version < before) and kind in (None, each.kind)
        ][:limit]

    async def changes_until(self, brand_id: str, consumer_id: str, recorded_until: Micros) -> list[StoredChange]:
        """Give every change recorded at or before a moment, oldest first."""
        return [each for each in self._changes(brand_id, consumer_id) if each.recorded_at <= recorded_until]

    async def consumer_ids(self, brand_id: str, *, after: str, limit: int) -> list[str]:
        """Give the brand's consumer ids after one, in byte order."""
        self._check_open()
        ids = sorted(consumer_id for brand, consumer_id in self._consumers if brand == brand_id)
        start = bisect_right(ids, after)
        return ids[start : start + limit]

    async def disclose(self, brand_id: str, new: Sequence[NewDisclosure], *, now: Micros) -> list[bool]:
        """Record hand-overs; tell for each whether it was there already.

        Raises:
            ReusedIdError: Some were there with other content; nothing was recorded.
        """
        self._check_open()
        return self._disclosures.record(brand_id, nameless(new, partial(self._tombstones.get, brand_id)), now)

    async def disclosures(
        self, brand_id: str, consumer_ids: Sequence[str], *, before: Micros | None, limit: int
    ) -> list[StoredDisclosure]:
        """Give up to `limit` of some consumers' hand-overs recorded before a moment, newest first."""
        self._check_open()
        return self._disclosures.page(brand_id, consumer_ids, before, limit)

    async def disclosed_ids(self, brand_id: str, *, after: str, limit: int) -> list[str]:
        """Give the ids of the brand's consumers with hand-overs after one, in byte order."""
        self._check_open()
        return self._disclosures.consumer_ids(brand_id, after, limit)

    async def change_documents(self, brand_id: str, wanted: Sequence[DocumentKey], plan: DocumentPlan[T]) -> T:
        """Read documents, decide and write at once."""
        self._check_open()
        now = self._clock.now()
        found = {key: document for key in wanted if (document := self._documents.get(brand_id, key)) is not None}
        writes, answer = plan(found, now)
        self._documents.delete(brand_id, writes.delete)
        self._documents.put(brand_id, writes.put)
        self._audit.add(brand_id, writes.audit, now)
        return answer

    async def document(self, brand_id: str, kind: str, document_id: str) -> StoredDocument | None:
        """Give a document, or None."""
        self._check_open()
        return self._documents.get(brand_id, DocumentKey(kind, document_id))

    async def documents(
        self,
        brand_id: str,
        kind: str,
        *,
        states: Collection[str] = (),
        consumer_id: str | None = None,
        mark: bytes | None = None,
        after: tuple[Micros, str] | None = None,
        limit: int,
    ) -> list[StoredDocument]:
        """Give up to `limit` documents of a kind by (`due_at`, id)."""
        self._check_open()
        return self._documents.page(
            brand_id, kind, states=states, consumer_id=consumer_id, mark=mark, after=after, limit=limit
        )

    async def documented_ids(self, brand_id: str, *, after: str, limit: int) -> list[str]:
        """Give the ids of the brand's consumers with documents after one, in byte order."""
        self._check_open()
        return self._documents.consumer_ids(brand_id, after, limit)

    async def delete_expired(self, now: Micros, limit: int) -> int:
        """Remove up to `limit` documents of all brands whose `expires_at` has come; give how many."""
        self._check_open()
        return self._documents.delete_expired(now, limit)

    async def add_audit(self, brand_id: str, lines: Sequence[bytes]) -> None:
        """Append lines to a brand's audit."""
        self._check_open()
        self._audit.add(brand_id, lines, self._clock.now())

    async def audit(self, brand_id: str, *, before: Micros | None, limit: int) -> list[StoredAudit]:
        """Give up to `limit` lines recorded before a moment, newest first."""
        self._check_open()
        return self._audit.page(brand_id, before, limit)

    async def erase(
        self, brand_id: str, ids: Mapping[str, bytes], plan: ErasurePlan[T], *, consumer_id: str | None = None
    ) -> T:
        """Remove every trace of some ids of one person."""
        self._check_open()
        now = self._clock.now()
        kept = {whose: self._consumers[brand_id, whose] for whose in ids if (brand_id, whose) in self._consumers}
        documents = self._documents.of_consumers(brand_id, ids)
        before = {mark: there for mark in ids.values() if (there := self._tombstones.get(brand_id, mark)) is not None}
        found = ErasureFound({whose: each.consumer for whose, each in kept.items()}, documents, before)
        erasure, answer = plan(found, now)
        for whose in kept:
            del self._consumers[brand_id, whose]
        self._disclosures.forget(brand_id, ids)
        self._documents.delete(brand_id, [DocumentKey(each.kind, each.document_id) for each in documents])
        self._documents.put(brand_id, erasure.documents)
        self._tombstones.put(brand_id, erasure.tombstones)
        self._audit.add(brand_id, erasure.audit, now)
        self._feeds.erased(brand_id, erasure.tombstones if consumer_id is not None else {}, now)
        return answer

    async def tombstone(self, brand_id: str, mark: bytes) -> StoredTombstone | None:
        """Give what stays of somebody erased; None for everybody else."""
        self._check_open()
        return self._tombstones.get(brand_id, mark)

    async def tombstones(self, brand_id: str, *, after: bytes, limit: int) -> list[StoredTombstone]:
        """Give the brand's tombstones after a mark, by mark."""
        self._check_open()
        return self._tombstones.page(brand_id, after, limit)

    async def mark_check(self) -> bytes | None:
        """Give the check value of the key that marks are made with; None before the first."""
        self._check_open()
        return self._mark_check

    async def keep_mark_check(self, check: bytes) -> None:
        """Keep that value in place of the one before."""
        self._check_open()
        self._mark_check = check

    async def last_erasure(self, brand_id: str) -> Micros:
        """Give when anybody of the brand was erased last; 0 for never."""
        self._check_open()
        return self._tombstones.last(brand_id)

    async def head(self, brand_id: str) -> int:
        """Give the newest position of a brand's feed, 0 for none."""
        self._check_open()
        return self._feeds.head(brand_id)

    async def feed(self, brand_id: str, *, after: int, limit: int) -> FeedPage | None:
        """Give what happened in a brand after a position; None if it can't go on from there."""
        self._check_open()
        return self._feeds.page(brand_id, after, limit)

    def on_commit(self, listener: Callable[[Collection[str]], None]) -> None:
        """Call a listener after every commit, with the brands whose feed has grown. `close` forgets it."""
        self._feeds.listeners.append(listener)

    async def config_version(self) -> int:
        """Give a number that changes whenever brands, keys, origins or catalogues do."""
        self._check_open()
        return self._config_version

    async def add_brand(self, brand: StoredBrand) -> bool:
        """Add a brand; False if there is one of that id."""
        self._check_open()
        if brand.brand_id in self._brands:
            return False
        self._brands[brand.brand_id] = brand
        self._config_version += 1
        return True

    async def brands(self) -> list[StoredBrand]:
        """Give every brand."""
        self._check_open()
        return sorted(self._brands.values())

    async def add_key(self, key: StoredKey) -> None:
        """Register a key.

        Raises:
            ValueError: There is one of that id.
        """
        self._check_open()
        if key.key_id in self._keys:
            raise ValueError("there is a key of this id already")
        self._keys[key.key_id] = key
        self._config_version += 1

    async def revoke_key(self, brand_id: str, key_id: str, at: Micros) -> bool:
        """Revoke a key; False if the brand has no such key or it is revoked already."""
        self._check_open()
        key = self._keys.get(key_id)
        if key is None or key.brand_id != brand_id or key.revoked_at is not None:
            return False
        self._keys[key_id] = key._replace(revoked_at=at)
        self._config_version += 1
        return True

    async def keys(self) -> list[StoredKey]:
        """Give every key of every brand, revoked ones included."""
        self._check_open()
        return sorted(self._keys.values(), key=lambda key: (key.created_at, key.key_id))

    async def add_origin(self, brand_id: str, origin: str) -> bool:
        """Register an origin; False if it was there."""
        self._check_open()
        if (brand_id, origin) in self._origins:
            return False
        self._origins.add((brand_id, origin))
        self._config_version += 1
        return True

    async def remove_origin(self, brand_id: str, origin: str) -> bool:
        """Remove an origin; False if it was not there."""
        self._check_open()
        if (brand_id, origin) not in self._origins:
            return False
        self._origins.remove((brand_id, origin))
        self._config_version += 1
        return True

    async def origins(self) -> list[tuple[str, str]]:
        """Give every (brand, origin)."""
        self._check_open()
        return sorted(self._origins)

    async def publish(
        self, brand_id: str, body: bytes, *, published_at: Micros, expected_revision: int
    ) -> StoredCatalogue:
        """Store the next revision.

        Raises:
            CatalogueChangedError: The newest revision is not `expected_revision`.
        """
        self._check_open()
        revisions = self._catalogues.setdefault(brand_id, [])
        if len(revisions) != expected_revision:
            raise CatalogueChangedError(f"the newest revision is {len(revisions)}, not {expected_revision}")
        stored = StoredCatalogue(len(revisions) + 1, published_at, body)
        revisions.append(stored)
        self._config_version += 1
        self._feeds.published(brand_id, stored.revision, published_at)
        return stored

    async def revisions(self) -> list[tuple[str, int, Micros]]:
        """Give (brand, revision, when it was published) of every catalogue, by brand and revision; no bodies."""
        self._check_open()
        return [
            (brand_id, stored.revision, stored.published_at)
            for brand_id, revisions in sorted(self._catalogues.items())
            for stored in revisions
        ]

    async def catalogues(self, brand_id: str, *, revision: int | None = None) -> list[StoredCatalogue]:
        """Give every revision, oldest first; or only the one that is named, if there is one of that number."""
        self._check_open()
        return [each for each in self._catalogues.get(brand_id, ()) if revision in (None, each.revision)]

    def _check_open(self) -> None:
        if not self._open:
            raise StorageUnavailableError("the storage is not open")

    def _changes(self, brand_id: str, consumer_id: str) -> list[StoredChange]:
        self._check_open()
        kept = self._consumers.get((brand_id, consumer_id))
        return kept.changes if kept else []

    def _find(self, brand_id: str, wanted: Wanted) -> Found:
        kept = self._consumers.get((brand_id, wanted.consumer_id))
        if kept is None:
            if wanted.mark is None or not self._tombstones.has_any(brand_id):
                return Found(None)
            return Found(None, tombstone=self._tombstones.get(brand_id, wanted.mark()))
        changes, since = kept.changes, kept.since
        return Found(
            consumer=kept.consumer,
            choices={each: kept.choices[each] for each in wanted.choice_ids if each in kept.choices},
            effective_max={
                at: changes[at - since - 1].effective_max for at in wanted.at_versions if 0 < at - since <= len(changes)
            },
            history=tuple(changes) if wanted.whole_history else (),
        )

    def _check(self, brand_id: str, write: Write, since: int) -> None:
        """Hold a plan to what a database's constraints would: versions without a gap, each choice once."""
        kept = self._consumers.get((brand_id, write.consumer_id))
        first = kept.since + len(kept.changes) + 1 if kept else since + 1
        ids = [each.choice_id for each in write.changes if each.choice_id is not None]
        if [each.version for each in write.changes] != list(range(first, first + len(write.changes))):
            raise ValueError("a plan's versions have to follow on from the newest")
        if len(set(ids)) < len(ids) or (kept and not kept.choices.keys().isdisjoint(ids)):
            raise ValueError("a plan recorded a choice twice")

    def _append(self, brand_id: str, write: Write, since: int) -> None:
        kept = self._consumers.setdefault((brand_id, write.consumer_id), _Kept(write.consumer, since))
        kept.consumer = write.consumer
        kept.changes.extend(write.changes)
        kept.choices.update({each.choice_id: each for each in write.changes if each.choice_id is not None})
