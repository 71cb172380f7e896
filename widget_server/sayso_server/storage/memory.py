"""Sayso in dictionaries: for tests and trials. Nothing outlives the process."""

import secrets
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sayso.model.instant import Micros
from sayso_server.clock import Clock, SystemClock
from sayso_server.storage.base import (
    CatalogueChangedError,
    FeedPage,
    Found,
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
    Write,
)
from sayso_server.storage.memory_disclosures import MemoryDisclosures
from sayso_server.storage.memory_feed import MemoryFeeds

T = TypeVar("T")


@dataclass(slots=True)
class _Kept:
    """One consumer: the newest state, every change by version − 1, and where each choice is among them."""

    consumer: StoredConsumer
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
        writes, answer = plan({each.consumer_id: self._find(brand_id, each) for each in wanted}, now)
        for write in writes:
            self._check(brand_id, write)
        for write in writes:
            self._append(brand_id, write)
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
        older = changes if before is None else changes[: max(before - 1, 0)]
        return [each for each in reversed(older) if kind in (None, each.kind)][:limit]

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
        return self._disclosures.record(brand_id, new, now)

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
            return Found(None)
        changes = kept.changes
        return Found(
            consumer=kept.consumer,
            choices={each: kept.choices[each] for each in wanted.choice_ids if each in kept.choices},
            effective_max={at: changes[at - 1].effective_max for at in wanted.at_versions if 0 < at <= len(changes)},
            history=tuple(changes) if wanted.whole_history else (),
        )

    def _check(self, brand_id: str, write: Write) -> None:
        """Hold a plan to what a database's constraints would: versions without a gap, each choice once."""
        kept = self._consumers.get((brand_id, write.consumer_id))
        first = len(kept.changes) + 1 if kept else 1
        ids = [each.choice_id for each in write.changes if each.choice_id is not None]
        if [each.version for each in write.changes] != list(range(first, first + len(write.changes))):
            raise ValueError("a plan's versions have to follow on from the newest")
        if len(set(ids)) < len(ids) or (kept and not kept.choices.keys().isdisjoint(ids)):
            raise ValueError("a plan recorded a choice twice")

    def _append(self, brand_id: str, write: Write) -> None:
        kept = self._consumers.setdefault((brand_id, write.consumer_id), _Kept(write.consumer))
        kept.consumer = write.consumer
        kept.changes.extend(write.changes)
        kept.choices.update({each.choice_id: each for each in write.changes if each.choice_id is not None})
