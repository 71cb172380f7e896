"""What a database keeps of cases and links that are worked on and of the audit, and what an erasure leaves."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sayso.model.instant import Micros
from sayso_server.storage.stored import StoredConsumer, StoredTombstone, T


class StoredDocument(NamedTuple):
    """One case or link that is worked on, such as a rights request or an unsubscribe link. Replaced whole.

    Attributes:
        kind: `request`, `unsubscribe`, `guardian`, `invitation` …
        document_id: Unique within brand and kind: a UUID, or the hex SHA-256 of a link's random part.
        consumer_id: Whom it is about, if anybody known; it is deleted when they are erased.
        state: How far it has come, in the service's own words.
        created_at: When it began.
        due_at: Lists go by it, then by id; 0 for none.
        expires_at: From then on `delete_expired` removes it; None for never.
        marks: Keyed digests that it is found by, of an e-mail address or a phone number (`services/marks.py`).
        body: JSON in UTF-8.
    """

    kind: str
    document_id: str
    consumer_id: str | None
    state: str
    created_at: Micros
    due_at: Micros
    expires_at: Micros | None
    marks: tuple[bytes, ...]
    body: bytes


class DocumentKey(NamedTuple):
    """What names a document within its brand."""

    kind: str
    document_id: str


class DocumentWrites(NamedTuple):
    """What a plan does to documents, all at once.

    Attributes:
        put: New ones, and new contents of ones that were wanted.
        delete: Those to remove; one that isn't there is no error.
        audit: Lines for the audit, JSON in UTF-8, none of them with text, addresses or tokens of anybody.
    """

    put: Sequence[StoredDocument] = ()
    delete: Sequence[DocumentKey] = ()
    audit: Sequence[bytes] = ()


DocumentPlan = Callable[[Mapping[DocumentKey, StoredDocument], Micros], tuple[DocumentWrites, T]]
"""Given those of the wanted documents that there are and the storage's time: what to do and what to answer. Pure."""


class StoredAudit(NamedTuple):
    """One line of a brand's audit. Rows are never updated.

    Attributes:
        recorded_at: Server time in microseconds. No two of a brand's are the same and a later one is larger, so that it
            is also where a page goes on.
        body: JSON in UTF-8.
    """

    recorded_at: Micros
    body: bytes


class ErasureFound(NamedTuple):
    """What there is of those who are to be erased.

    Attributes:
        consumers: Of each of their ids that is known, the newest state.
        documents: Every document about one of them.
        tombstones: By mark, those of them who were erased before.
    """

    consumers: Mapping[str, StoredConsumer]
    documents: Sequence[StoredDocument]
    tombstones: Mapping[bytes, StoredTombstone]


class Erasure(NamedTuple):
    """What to leave of those who are erased.

    Attributes:
        tombstones: By id, what stays; one for each that was to be erased.
        documents: Documents that stay, in what form; none of them may name anybody.
        audit: As in `DocumentWrites`.
    """

    tombstones: Mapping[str, StoredTombstone]
    documents: Sequence[StoredDocument] = ()
    audit: Sequence[bytes] = ()


ErasurePlan = Callable[[ErasureFound, Micros], tuple[Erasure, T]]
"""Given what there is and the storage's time: what to leave and what to answer. Pure: it may be called again."""
