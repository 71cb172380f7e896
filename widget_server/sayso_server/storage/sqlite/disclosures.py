"""The SQL of disclosures."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import apsw

from sayso.model.instant import Micros
from sayso_server.storage.base import NewDisclosure, ReusedIdError, StoredDisclosure, nameless
from sayso_server.storage.sqlite import erasing
from sayso_server.storage.sqlite.statements import pack, padded, rows, unpack

CONSUMER_IDS = (
    "SELECT DISTINCT consumer_id FROM disclosure WHERE brand_id = ? AND consumer_id > ? ORDER BY consumer_id LIMIT ?"
)

_ANYBODY_ERASED = "SELECT EXISTS (SELECT 1 FROM tombstone WHERE brand_id = ?)"
_NEWEST = "SELECT coalesce(max(recorded_at), 0) FROM disclosure WHERE brand_id = ?"


@cache
def of_consumers(count: int) -> str:
    """Read the newest disclosures of some consumers: of brand ?1, before ?2, at most ?3; then the consumers.

    Of each no more index entries are read than fit the page, and of the rows only those on it.
    """
    marks = ",".join(f"(?{number})" for number in range(4, 4 + count))
    return f"""
    WITH wanted (whose) AS (VALUES {marks})
    SELECT recorded_at, consumer_id, disclosure_id, body FROM disclosure
    WHERE brand_id = ?1 AND recorded_at IN (
        SELECT one.recorded_at FROM wanted CROSS JOIN disclosure AS one
        WHERE one.brand_id = ?1 AND one.consumer_id = whose AND one.recorded_at < ?2 AND one.recorded_at >= coalesce((
            SELECT other.recorded_at FROM disclosure AS other
            WHERE other.brand_id = ?1 AND other.consumer_id = whose AND other.recorded_at < ?2
            ORDER BY other.recorded_at DESC LIMIT 1 OFFSET ?3 - 1
        ), 0)
        ORDER BY one.recorded_at DESC LIMIT ?3
    )
    ORDER BY recorded_at DESC
    """  # noqa: S608 - marks only


@cache
def _known(count: int) -> str:
    marks = ",".join(["(?, ?)"] * count)
    return (
        f"WITH wanted (whose, id) AS (VALUES {marks}) "  # noqa: S608 - marks only
        "SELECT consumer_id, disclosure_id, fingerprint FROM wanted CROSS JOIN disclosure "
        "WHERE brand_id = ? AND consumer_id = whose AND disclosure_id = id"
    )


@cache
def _insert(count: int) -> str:
    marks = ",".join(["(?, ?, ?, ?, ?, ?)"] * count)
    return f"INSERT INTO disclosure SELECT * FROM (VALUES {marks}) WHERE column1 IS NOT NULL"  # noqa: S608 - marks only


def record(cursor: apsw.Cursor, brand_id: str, new: Sequence[NewDisclosure], now: Micros) -> list[bool]:
    """Append disclosures, and tell for each whether it was there already.

    Raises:
        ReusedIdError: An id stands for something else; nothing was appended.
    """
    ((anybody_erased,),) = rows(cursor, _ANYBODY_ERASED, (brand_id,))
    if anybody_erased:
        marks = [each.mark() for each in new if each.mark is not None]
        new = nameless(new, erasing.find(cursor, brand_id, list(dict.fromkeys(marks))).get)
    found: dict[tuple[str, bytes], bytes] = {}
    wanted = [value for each in new for value in (each.consumer_id, pack(each.disclosure_id))]
    for count, values in padded(wanted, 2):
        for consumer_id, packed, fingerprint in rows(cursor, _known(count), (*values, brand_id)):
            found[consumer_id, packed] = fingerprint
    known = [found.get((each.consumer_id, pack(each.disclosure_id) or b"")) for each in new]
    reused = [
        place
        for place, (each, before) in enumerate(zip(new, known, strict=True))
        if before not in (None, each.fingerprint)
    ]
    if reused:
        raise ReusedIdError(reused)
    ((newest,),) = rows(cursor, _NEWEST, (brand_id,))
    at = max(now, newest + 1)
    fresh = [each for each, before in zip(new, known, strict=True) if before is None]
    flat: list[Any] = []
    for place, each in enumerate(fresh):
        flat += (brand_id, at + place, each.consumer_id, pack(each.disclosure_id), each.fingerprint, each.body)
    for count, values in padded(flat, 6):
        cursor.execute(_insert(count), values)
    return [before is not None for before in known]


def stored(row: Sequence[Any]) -> StoredDisclosure:
    """Read the columns of one disclosure."""
    recorded_at, consumer_id, packed, body = row
    return StoredDisclosure(recorded_at, consumer_id, unpack(packed) or "", body)
