"""What the services need of a database. One contract suite holds every implementation to it.

Every method takes the brand first and touches only that brand's rows. Deciding what to write is a pure function that
the storage calls inside its transaction, so that a whole change is read, decided and written at once, and nothing in
between can be cancelled.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple, Protocol, TypeVar

from sayso.model.instant import Micros

T = TypeVar("T")


class StoredConsumer(NamedTuple):
    """The newest state of one consumer.

    Attributes:
        version: Counts every recorded change; 1 for the first.
        recorded_at: When the last change was recorded; never goes back.
        effective_max: The largest effective time of any choice so far.
        state: The folded preferences, encoded by the services.
    """

    version: int
    recorded_at: Micros
    effective_max: Micros
    state: bytes


class StoredChange(NamedTuple):
    """One recorded change. Rows are never updated.

    Attributes:
        version: The consumer's version that it made.
        kind: `choice`, `device`, `signal`, `age` or `link`.
        recorded_at: Server time in microseconds.
        effective_at: When it counts from.
        effective_max: The largest `effective_at` of any choice up to and including this version.
        choice_id: For choices, the id, a UUID in its canonical lower-case form; else None.
        fingerprint: For choices, SHA-256 of the content as sent; else empty.
        body: JSON in UTF-8: the content, who recorded it, and the answer that was given.
    """

    version: int
    kind: str
    recorded_at: Micros
    effective_at: Micros
    effective_max: Micros
    choice_id: str | None
    fingerprint: bytes
    body: bytes


class Wanted(NamedTuple):
    """What a plan needs to see of one consumer.

    Attributes:
        consumer_id: Whose.
        choice_ids: Look for changes with these choice ids.
        at_versions: Give `effective_max` as of these versions.
        whole_history: Give every change, oldest first (linking needs it).
    """

    consumer_id: str
    choice_ids: tuple[str, ...] = ()
    at_versions: tuple[int, ...] = ()
    whole_history: bool = False


class Found(NamedTuple):
    """What there is of one consumer; `consumer` is None for one never seen."""

    consumer: StoredConsumer | None
    choices: Mapping[str, StoredChange] = MappingProxyType({})
    effective_max: Mapping[int, Micros] = MappingProxyType({})
    history: Sequence[StoredChange] = ()


class Write(NamedTuple):
    """The changes to append to one of the wanted consumers, and their new state.

    Versions follow on from what was found.
    """

    consumer_id: str
    consumer: StoredConsumer
    changes: tuple[StoredChange, ...]


Plan = Callable[[Mapping[str, Found], Micros], tuple[Sequence[Write], T]]
"""Given what was found and the storage's time, what to write and what to answer. Pure: it may be called again."""


class StoredBrand(NamedTuple):
    """A tenant. Nothing crosses from one to another."""

    brand_id: str
    name: str
    created_at: Micros


class StoredKey(NamedTuple):
    """A registered key. `classes` and `roles` are fixed when it is made; its secret is not here but in `SAYSO_KEYS`."""

    key_id: str
    brand_id: str
    algorithm: str
    classes: tuple[str, ...]
    roles: tuple[str, ...]
    public_key: str | None
    created_at: Micros
    revoked_at: Micros | None


class StoredCatalogue(NamedTuple):
    """One published revision of a brand's catalogue."""

    revision: int
    published_at: Micros
    body: bytes


class NewDisclosure(NamedTuple):
    """One hand-over to record.

    Attributes:
        consumer_id: Whose data.
        disclosure_id: A UUID in its canonical lower-case form.
        fingerprint: SHA-256 of the content as sent.
        body: JSON in UTF-8: the content and who recorded it.
    """

    consumer_id: str
    disclosure_id: str
    fingerprint: bytes
    body: bytes


class StoredDisclosure(NamedTuple):
    """One recorded hand-over. Rows are never updated.

    Attributes:
        recorded_at: Server time in microseconds. No two of a brand's are the same and a later one is larger, so that it
            is also where a page goes on.
        consumer_id: For whom it was recorded.
        disclosure_id: Its id.
        body: As in `NewDisclosure`.
    """

    recorded_at: Micros
    consumer_id: str
    disclosure_id: str
    body: bytes


class FeedEntry(NamedTuple):
    """One line of what has happened in a brand.

    Attributes:
        position: Where it stands; counts this brand's commits alone, 1 for the first, and rows of one commit share it.
        consumer_id: Whose preferences changed; None when the catalogue was published.
        version: The consumer's newest version within this position, or the catalogue's revision.
    """

    position: int
    consumer_id: str | None
    version: int


class FeedPage(NamedTuple):
    """A run of whole positions.

    Attributes:
        until: The last position read, of which there may be nothing left to tell; `after` if there is none yet.
        entries: Oldest position first.
    """

    until: int
    entries: tuple[FeedEntry, ...]


FEED_KEPT = 100_000
"""Positions of a brand that its feed goes back at least, unless they are older than `FEED_KEPT_FOR`."""
FEED_KEPT_FOR = timedelta(hours=24)
"""How long a position is kept at least, unless `FEED_KEPT` newer ones came."""


class StorageUnavailableError(Exception):
    """The database can't take or give anything now; nothing was acknowledged."""


class ReusedIdError(Exception):
    """Ids that are to be recorded stand for other content already; nothing was recorded."""

    def __init__(self, places: Sequence[int]) -> None:
        """Keep where among those to record they stood."""
        super().__init__("an id was used before for other content")
        self.places = tuple(places)


class CatalogueChangedError(Exception):
    """Somebody else published in between."""


class Storage(Protocol):
    """A database for Sayso."""

    @property
    def store_id(self) -> str:
        """Random id made with the database; another id means other data (a restore makes a new one)."""
        ...

    async def start(self) -> None:
        """Open the database, bring its schema up to date, and refuse what is unsafe or unknown."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then let go. Idempotent."""
        ...

    async def record(self, brand_id: str, wanted: Sequence[Wanted], plan: Plan[T]) -> T:
        """Read, decide and write in one transaction; return only after it is on disk.

        What the plan raises passes through, and nothing of it is written. Cancelling the caller changes nothing about
        the transaction: it happens whole or not at all.

        Raises:
            StorageUnavailableError: Nothing was written.
            ValueError: The plan's writes contradict what is stored (a version or a choice that is there already),
                which is a defect of the plan; nothing was written.
        """
        ...

    async def can_write(self) -> bool:
        """Tell whether a change would reach the disk now. Records nothing about anybody, and answers within seconds."""
        ...

    async def consumer(self, brand_id: str, consumer_id: str) -> StoredConsumer | None:
        """Give the newest state, or None for a consumer never seen."""
        ...

    async def version(self, brand_id: str, consumer_id: str) -> int:
        """Give the newest version; 0 for a consumer never seen."""
        ...

    async def history(
        self, brand_id: str, consumer_id: str, *, before: int | None, limit: int, kind: str | None = None
    ) -> list[StoredChange]:
        """Give up to `limit` changes with a version below `before`, newest first, optionally of one kind."""
        ...

    async def changes_until(self, brand_id: str, consumer_id: str, recorded_until: Micros) -> list[StoredChange]:
        """Give every change recorded at or before a moment, oldest first."""
        ...

    async def consumer_ids(self, brand_id: str, *, after: str, limit: int) -> list[str]:
        """Give the brand's consumer ids after one, in byte order."""
        ...

    async def disclose(self, brand_id: str, new: Sequence[NewDisclosure], *, now: Micros) -> list[bool]:
        """Record hand-overs in one transaction; return only after they are on disk.

        The consumers need not be known otherwise. No consumer and id may stand twice among them.

        Args:
            brand_id: Whose.
            new: What to record.
            now: The time; what is recorded gets later times than all of the brand's before.

        Returns:
            For each whether it was there already, with the same content.

        Raises:
            ReusedIdError: Some were there with other content; nothing was recorded.
            StorageUnavailableError: Nothing was recorded.
        """
        ...

    async def disclosures(
        self, brand_id: str, consumer_ids: Sequence[str], *, before: Micros | None, limit: int
    ) -> list[StoredDisclosure]:
        """Give up to `limit` of some consumers' hand-overs recorded before a moment, newest first.

        However many ids a consumer had, they are read in a few steps; no id may be named twice.
        """
        ...

    async def disclosed_ids(self, brand_id: str, *, after: str, limit: int) -> list[str]:
        """Give the ids of the brand's consumers with hand-overs after one, in byte order."""
        ...

    async def head(self, brand_id: str) -> int:
        """Give the newest position of a brand's feed, 0 for none; every commit that was acknowledged is counted."""
        ...

    async def feed(self, brand_id: str, *, after: int, limit: int) -> FeedPage | None:
        """Give what happened in a brand after a position.

        The newest position always stays; what is older than `FEED_KEPT` and `FEED_KEPT_FOR` say may be gone.

        Args:
            brand_id: Whose feed.
            after: The last position that is known; 0 for none.
            limit: No further position is read once so many changes have been; a position is never split.

        Returns:
            None if it can't go on from there: what came after `after` is gone, or `after` is ahead of the head.
        """
        ...

    def on_commit(self, listener: Callable[[Collection[str]], None]) -> None:
        """Call a listener on the event loop soon after commits, with the brands whose feed has grown.

        It is a bell, not the news: other processes commit without ringing it. `close` forgets every listener.
        """
        ...

    async def config_version(self) -> int:
        """Give a number that changes whenever brands, keys, origins or catalogues do, by whichever process.

        Cheap enough to ask on every request.
        """
        ...

    async def add_brand(self, brand: StoredBrand) -> bool:
        """Add a brand; False if there is one of that id."""
        ...

    async def brands(self) -> list[StoredBrand]:
        """Give every brand."""
        ...

    async def add_key(self, key: StoredKey) -> None:
        """Register a key.

        Raises:
            ValueError: There is one of that id.
        """
        ...

    async def revoke_key(self, brand_id: str, key_id: str, at: Micros) -> bool:
        """Revoke a key; False if the brand has no such key or it is revoked already."""
        ...

    async def keys(self) -> list[StoredKey]:
        """Give every key of every brand, revoked ones included."""
        ...

    async def add_origin(self, brand_id: str, origin: str) -> bool:
        """Register an origin; False if it was there."""
        ...

    async def remove_origin(self, brand_id: str, origin: str) -> bool:
        """Remove an origin; False if it was not there."""
        ...

    async def origins(self) -> list[tuple[str, str]]:
        """Give every (brand, origin)."""
        ...

    async def publish(
        self, brand_id: str, body: bytes, *, published_at: Micros, expected_revision: int
    ) -> StoredCatalogue:
        """Store the next revision, counted from 1.

        Args:
            brand_id: Whose catalogue.
            body: The catalogue, encoded by the services.
            published_at: When.
            expected_revision: The newest revision that the publisher has seen; 0 for none.

        Raises:
            CatalogueChangedError: The newest revision is not `expected_revision`.
        """
        ...

    async def revisions(self) -> list[tuple[str, int, Micros]]:
        """Give (brand, revision, when it was published) of every catalogue, by brand and revision; no bodies."""
        ...

    async def catalogues(self, brand_id: str, *, revision: int | None = None) -> list[StoredCatalogue]:
        """Give every revision, oldest first; or only the one that is named, if there is one of that number."""
        ...
