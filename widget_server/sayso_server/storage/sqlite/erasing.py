"""The SQL of erasure: what goes, and what stays."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import apsw

from sayso_server.clock import Clock
from sayso_server.storage.base import (
    DocumentKey,
    ErasureFound,
    ErasurePlan,
    StoredConsumer,
    StoredTombstone,
    T,
)
from sayso_server.storage.sqlite import documents, feed
from sayso_server.storage.sqlite.statements import padded, rows

ONE = "SELECT mark, version, erased_at, body FROM tombstone WHERE brand_id = ? AND mark = ?"
PAGE = "SELECT mark, version, erased_at, body FROM tombstone WHERE brand_id = ? AND mark > ? ORDER BY mark LIMIT ?"
LAST = "SELECT coalesce(max(erased_at), 0) FROM tombstone WHERE brand_id = ?"

_CONSUMER = (
    "SELECT key, version, recorded_at, effective_max, state FROM consumer WHERE brand_id = ? AND consumer_id = ?"
)
_PUT = (
    "INSERT INTO tombstone VALUES (?, ?, ?, ?, ?) ON CONFLICT (brand_id, mark) DO UPDATE SET "
    "version = excluded.version, erased_at = excluded.erased_at, body = excluded.body"
)
# Two people's hand-overs may have one id. It tells them apart among those about nobody, so the later one gets another.
_NEW_IDS = (
    "UPDATE disclosure SET disclosure_id = randomblob(16) WHERE brand_id = ?1 AND consumer_id = ?2 AND EXISTS ("
    "SELECT 1 FROM disclosure AS other WHERE other.brand_id = ?1 AND other.consumer_id = '' "
    "AND other.disclosure_id = disclosure.disclosure_id)"
)
_DISOWN = "UPDATE disclosure SET consumer_id = '' WHERE brand_id = ? AND consumer_id = ?"
MARK_CHECK = "SELECT mark_check FROM meta"
_COUNT = "UPDATE meta SET erasures = erasures + 1"

Named = Callable[[int, Mapping[str, StoredTombstone]], None]
"""Told the position in the brand's feed, and who was erased, with what is left of them."""


@cache
def of_marks(count: int) -> str:
    """Read several tombstones of one brand."""
    marks = ",".join("?" * count)
    return f"SELECT mark, version, erased_at, body FROM tombstone WHERE brand_id = ? AND mark IN ({marks})"  # noqa: S608


def find(cursor: apsw.Cursor, brand_id: str, marks: Sequence[bytes]) -> dict[bytes, StoredTombstone]:
    """Give the tombstones that there are, by mark."""
    found: dict[bytes, StoredTombstone] = {}
    for count, values in padded(marks, 1):
        for row in rows(cursor, of_marks(count), (brand_id, *values)):
            found[row[0]] = StoredTombstone._make(row)
    return found


def erase(
    cursor: apsw.Cursor,
    brand_id: str,
    ids: Mapping[str, bytes],
    plan: ErasurePlan[T],
    *,
    clock: Clock,
    named: Named,
) -> T:
    """Remove every trace of some ids of one person, and leave what the plan says."""
    now = clock.now()
    consumers: dict[str, tuple[int, StoredConsumer]] = {}
    for whose in ids:
        for key, *row in rows(cursor, _CONSUMER, (brand_id, whose)):
            consumers[whose] = (key, StoredConsumer._make(row))
    about = documents.of_consumers(cursor, brand_id, ids)
    before = find(cursor, brand_id, list(ids.values()))
    found = ErasureFound({whose: consumer for whose, (_, consumer) in consumers.items()}, about, before)
    erasure, answer = plan(found, now)
    for key, _ in consumers.values():
        cursor.execute("DELETE FROM change WHERE consumer_key = ?", (key,))
        cursor.execute("DELETE FROM consumer WHERE key = ?", (key,))
    for whose in ids:
        cursor.execute(_NEW_IDS, (brand_id, whose))
        cursor.execute(_DISOWN, (brand_id, whose))
    documents.delete(cursor, brand_id, [DocumentKey(each.kind, each.document_id) for each in about])
    documents.put(cursor, brand_id, erasure.documents)
    for each in erasure.tombstones.values():
        cursor.execute(_PUT, (brand_id, *each))
    documents.add_audit(cursor, brand_id, erasure.audit, now)
    cursor.execute(_COUNT)
    position = feed.erased(cursor, brand_id, now)
    named(position, erasure.tombstones)
    return answer


def keep_mark_check(cursor: apsw.Cursor, check: bytes) -> None:
    """Keep the check value of the key that marks are made with."""
    cursor.execute("UPDATE meta SET mark_check = ?", (check,))


def stored(row: Sequence[Any]) -> StoredTombstone:
    """Read the columns of one tombstone."""
    return StoredTombstone._make(row)
