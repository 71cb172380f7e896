"""What a database keeps of consumers, brands, keys and catalogues, and what a plan sees and writes of it."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeVar

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
        kind: `choice`, `device`, `signal`, `age`, `link`, `restriction` or `return` (after an erasure).
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


class StoredTombstone(NamedTuple):
    """What stays of an erased consumer: enough to know them again should they come back, not to know who they were.

    Attributes:
        mark: Keyed digest of the consumer's id; the key is not in the database (`services/marks.py`).
        version: The version that the erasure made.
        erased_at: Server time in microseconds.
        body: JSON in UTF-8: keyed digests of refusals that go on.
    """

    mark: bytes
    version: int
    erased_at: Micros
    body: bytes


class Wanted(NamedTuple):
    """What a plan needs to see of one consumer.

    Attributes:
        consumer_id: Whose.
        choice_ids: Look for changes with these choice ids.
        at_versions: Give `effective_max` as of these versions.
        whole_history: Give every change, oldest first (linking needs it).
        mark: Gives the mark that the consumer's tombstone would have. Called only for one who isn't known, in a brand
            that has erased anybody, and on whichever thread.
    """

    consumer_id: str
    choice_ids: tuple[str, ...] = ()
    at_versions: tuple[int, ...] = ()
    whole_history: bool = False
    mark: Callable[[], bytes] | None = None


class Found(NamedTuple):
    """What there is of one consumer; `consumer` is None for one never seen, or not since the erasure of `tombstone`."""

    consumer: StoredConsumer | None
    choices: Mapping[str, StoredChange] = MappingProxyType({})
    effective_max: Mapping[int, Micros] = MappingProxyType({})
    history: Sequence[StoredChange] = ()
    tombstone: StoredTombstone | None = None


class Write(NamedTuple):
    """The changes to append to one of the wanted consumers, and their new state.

    Versions follow on from what was found, a tombstone included.
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
