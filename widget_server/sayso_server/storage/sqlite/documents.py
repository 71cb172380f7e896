"""The SQL of documents and of the audit."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

import apsw

from sayso.model.instant import Micros
from sayso_server.clock import Clock
from sayso_server.storage.base import DocumentKey, DocumentPlan, StoredAudit, StoredDocument, T
from sayso_server.storage.sqlite.statements import rows

_COLUMNS = "key, kind, document_id, consumer_id, state, created_at, due_at, expires_at, body"
# The marks of a document come as one text: hex, in their order, with a space between.
_MARKS = (
    "(SELECT group_concat(hex(mark), ' ') FROM "
    "(SELECT mark FROM document_mark WHERE document_key = document.key ORDER BY place))"
)
ONE = (
    f"SELECT {_COLUMNS}, {_MARKS} FROM document "  # noqa: S608 - names only
    "WHERE brand_id = ? AND kind = ? AND document_id = ?"
)
AUDIT = "SELECT recorded_at, body FROM audit WHERE brand_id = ? AND recorded_at < ? ORDER BY recorded_at DESC LIMIT ?"

CONSUMER_IDS = (
    "SELECT DISTINCT consumer_id FROM document "
    "WHERE brand_id = ? AND consumer_id IS NOT NULL AND consumer_id > ? ORDER BY consumer_id LIMIT ?"
)

_OF_CONSUMER = f"SELECT {_COLUMNS}, {_MARKS} FROM document WHERE brand_id = ? AND consumer_id = ?"  # noqa: S608
_PUT = (
    "INSERT INTO document "
    "(brand_id, kind, document_id, consumer_id, state, created_at, due_at, expires_at, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (brand_id, kind, document_id) DO UPDATE SET "
    "consumer_id = excluded.consumer_id, state = excluded.state, created_at = excluded.created_at, "
    "due_at = excluded.due_at, expires_at = excluded.expires_at, body = excluded.body RETURNING key"
)
_PUT_MARK = "INSERT INTO document_mark VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_DELETE_MARKS = "DELETE FROM document_mark WHERE document_key = ?"
_DELETE = "DELETE FROM document WHERE key = ?"
_KEY = "SELECT key FROM document WHERE brand_id = ? AND kind = ? AND document_id = ?"
_EXPIRED = "SELECT key FROM document WHERE expires_at <= ? ORDER BY expires_at LIMIT ?"
_NEWEST_AUDIT = "SELECT coalesce(max(recorded_at), 0) FROM audit WHERE brand_id = ?"
_ADD_AUDIT = "INSERT INTO audit VALUES (?, ?, ?)"


@cache
def page(states: int, *, of_consumer: bool, marked: bool) -> str:
    """Read a page of a kind: takes brand, kind, due_at and id to go on after; consumer, mark, states; and how many."""
    # SQLite would go along `document_due`, which is in order, through everybody's.
    way = " NOT INDEXED" if marked else " INDEXED BY document_of_consumer" if of_consumer else ""
    conditions = ["brand_id = ?1 AND kind = ? AND (due_at, document_id) > (?, ?)"]
    if of_consumer:
        conditions.append("consumer_id = ?")
    if marked:
        conditions.append("key IN (SELECT document_key FROM document_mark WHERE brand_id = ?1 AND mark = ?)")
    if states:
        conditions.append(f"state IN ({','.join('?' * states)})")
    return (
        f"SELECT {_COLUMNS}, {_MARKS} FROM document{way} WHERE {' AND '.join(conditions)} "  # noqa: S608 - names and marks
        "ORDER BY due_at, document_id LIMIT ?"
    )


def stored(row: Sequence[Any]) -> StoredDocument:
    """Read the columns of one document."""
    _, kind, document_id, consumer_id, state, created_at, due_at, expires_at, body, marks = row
    packed = tuple(bytes.fromhex(mark) for mark in marks.split()) if marks else ()
    return StoredDocument(kind, document_id, consumer_id, state, created_at, due_at, expires_at, packed, body)


def change(cursor: apsw.Cursor, brand_id: str, wanted: Sequence[DocumentKey], plan: DocumentPlan[T], clock: Clock) -> T:
    """Let a plan decide about documents, and do what it says."""
    now = clock.now()
    found = {key: stored(row) for key in wanted for row in rows(cursor, ONE, (brand_id, key.kind, key.document_id))}
    writes, answer = plan(found, now)
    delete(cursor, brand_id, writes.delete)
    put(cursor, brand_id, writes.put)
    add_audit(cursor, brand_id, writes.audit, now)
    return answer


def put(cursor: apsw.Cursor, brand_id: str, documents: Iterable[StoredDocument]) -> None:
    """Add or replace documents."""
    for kind, document_id, consumer_id, state, created_at, due_at, expires_at, marks, body in documents:
        values = (brand_id, kind, document_id, consumer_id, state, created_at, due_at, expires_at, body)
        ((key,),) = rows(cursor, _PUT, values)
        cursor.execute(_DELETE_MARKS, (key,))
        for place, mark in enumerate(marks):
            cursor.execute(_PUT_MARK, (brand_id, mark, key, place))


def delete(cursor: apsw.Cursor, brand_id: str, keys: Iterable[DocumentKey]) -> None:
    """Remove documents, if they are there."""
    for key in keys:
        _delete(cursor, rows(cursor, _KEY, (brand_id, key.kind, key.document_id)))


def delete_expired(cursor: apsw.Cursor, now: Micros, limit: int) -> int:
    """Remove up to `limit` documents whose time has come; give how many."""
    gone = rows(cursor, _EXPIRED, (now, limit))
    _delete(cursor, gone)
    return len(gone)


def of_consumers(cursor: apsw.Cursor, brand_id: str, ids: Collection[str]) -> list[StoredDocument]:
    """Give every document about one of some consumers, by kind and id."""
    return sorted(stored(row) for whose in ids for row in rows(cursor, _OF_CONSUMER, (brand_id, whose)))


def add_audit(cursor: apsw.Cursor, brand_id: str, lines: Sequence[bytes], now: Micros) -> None:
    """Append lines, each at a time of its own."""
    if not lines:
        return
    ((newest,),) = rows(cursor, _NEWEST_AUDIT, (brand_id,))
    first = max(now, newest + 1)
    for place, line in enumerate(lines):
        cursor.execute(_ADD_AUDIT, (brand_id, first + place, line))


def audit_line(row: Sequence[Any]) -> StoredAudit:
    """Read the columns of one line."""
    return StoredAudit._make(row)


def _delete(cursor: apsw.Cursor, keys: Iterable[Sequence[Any]]) -> None:
    for (key,) in keys:
        cursor.execute(_DELETE_MARKS, (key,))
        cursor.execute(_DELETE, (key,))
