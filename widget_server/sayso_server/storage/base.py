"""What the services need of a database. One contract suite holds every implementation to it.

Every method takes the brand first and touches only that brand's rows. Deciding what to write is a pure function that
the storage calls inside its transaction, so that a whole change is read, decided and written at once, and nothing in
between can be cancelled.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple, Protocol

from sayso.model.instant import Micros
from sayso_server.storage.stored import (
    Found,
    Plan,
    StoredBrand,
    StoredCatalogue,
    StoredChange,
    StoredConsumer,
    StoredKey,
    StoredTombstone,
    T,
    Wanted,
    Write,
)
from sayso_server.storage.stored_disclosures import (
    NOBODY,
    NewDisclosure,
    StoredDisclosure,
    nameless,
)
from sayso_server.storage.stored_documents import (
    DocumentKey,
    DocumentPlan,
    DocumentWrites,
    Erasure,
    ErasureFound,
    ErasurePlan,
    StoredAudit,
    StoredDocument,
)

__all__ = [
    "ERASED_NAMED",
    "ERASED_NAMED_FOR",
    "FEED_KEPT",
    "FEED_KEPT_FOR",
    "NOBODY",
    "CatalogueChangedError",
    "DocumentKey",
    "DocumentPlan",
    "DocumentWrites",
    "Erasure",
    "ErasureFound",
    "ErasurePlan",
    "FeedEntry",
    "FeedPage",
    "Found",
    "NewDisclosure",
    "Plan",
    "ReusedIdError",
    "Storage",
    "StorageUnavailableError",
    "StoredAudit",
    "StoredBrand",
    "StoredCatalogue",
    "StoredChange",
    "StoredConsumer",
    "StoredDisclosure",
    "StoredDocument",
    "StoredKey",
    "StoredTombstone",
    "T",
    "Wanted",
    "Write",
    "nameless",
]


class FeedEntry(NamedTuple):
    """One line of what has happened in a brand.

    Attributes:
        position: Where it stands; counts this brand's commits alone, 1 for the first, and rows of one commit share it.
        consumer_id: Whose preferences changed; None when the catalogue was published.
        version: The consumer's newest version within this position, or the catalogue's revision.
        erased_at: When the consumer was erased, if that is what happened. Only the process that did it knows whom, and
            only for a while.
    """

    position: int
    consumer_id: str | None
    version: int
    erased_at: Micros | None = None


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
ERASED_NAMED_FOR = timedelta(minutes=15)
"""How long the process that erased somebody can still tell its readers whom. After that they begin anew."""
ERASED_NAMED = 1_000
"""How many of them at most."""


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

    async def change_documents(self, brand_id: str, wanted: Sequence[DocumentKey], plan: DocumentPlan[T]) -> T:
        """Read documents, decide and write in one transaction; return only after it is on disk.

        What the plan raises passes through, and nothing of it is written.

        Raises:
            StorageUnavailableError: Nothing was written.
        """
        ...

    async def document(self, brand_id: str, kind: str, document_id: str) -> StoredDocument | None:
        """Give a document, or None. It may have expired; `delete_expired` has not come by yet then."""
        ...

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
        """Give up to `limit` documents of a kind by (`due_at`, id).

        Args:
            brand_id: Whose.
            kind: Which kind.
            states: Only those in one of these states; all if there are none.
            consumer_id: Only those about this consumer.
            mark: Only those that are found by this mark.
            after: Go on after this (`due_at`, id).
            limit: How many at most.
        """
        ...

    async def documented_ids(self, brand_id: str, *, after: str, limit: int) -> list[str]:
        """Give the ids of the brand's consumers with documents after one, in byte order."""
        ...

    async def delete_expired(self, now: Micros, limit: int) -> int:
        """Remove up to `limit` documents of all brands whose `expires_at` has come; give how many."""
        ...

    async def add_audit(self, brand_id: str, lines: Sequence[bytes]) -> None:
        """Append lines to a brand's audit; return only after they are on disk."""
        ...

    async def audit(self, brand_id: str, *, before: Micros | None, limit: int) -> list[StoredAudit]:
        """Give up to `limit` lines recorded before a moment, newest first."""
        ...

    async def erase(
        self, brand_id: str, ids: Mapping[str, bytes], plan: ErasurePlan[T], *, consumer_id: str | None = None
    ) -> T:
        """Remove every trace of some ids of one person, in one transaction; return only after it is on disk.

        Their states and changes go, and the documents about them; their hand-overs stay without anybody's name. The
        feed goes on by a position: this storage tells for a while whom it was, and any other that it can't go on.

        Args:
            brand_id: Whose.
            ids: The consumer's id and those linked to it, each with its mark.
            plan: Decides what stays.
            consumer_id: Whom the feed names; None for nobody, so that every reader begins anew.

        Raises:
            StorageUnavailableError: Nothing was written.
        """
        ...

    async def tombstone(self, brand_id: str, mark: bytes) -> StoredTombstone | None:
        """Give what stays of somebody erased; None for everybody else."""
        ...

    async def tombstones(self, brand_id: str, *, after: bytes, limit: int) -> list[StoredTombstone]:
        """Give the brand's tombstones after a mark, by mark."""
        ...

    async def mark_check(self) -> bytes | None:
        """Give the check value of the key that marks are made with; None before the first, and after a loss."""
        ...

    async def keep_mark_check(self, check: bytes) -> None:
        """Keep that value in place of the one before."""
        ...

    async def last_erasure(self, brand_id: str) -> Micros:
        """Give when anybody of the brand was erased last; 0 for never. Cheap enough to ask on every request."""
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
