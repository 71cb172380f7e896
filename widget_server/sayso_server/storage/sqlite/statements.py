"""The SQL for consumers and their changes, and how rows become what the services see.

Each step of a statement lets go of Python's global lock and has to wait for it again; on a busy event loop that wait is
several times the step. So a group is read and written with a few statements of many rows, not with many of one.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import apsw

from sayso_server.storage.base import StoredChange

CONSUMER = "SELECT version, recorded_at, effective_max, state FROM consumer WHERE brand_id = ? AND consumer_id = ?"
VERSION = "SELECT version FROM consumer WHERE brand_id = ? AND consumer_id = ?"
CONSUMER_IDS = "SELECT consumer_id FROM consumer WHERE brand_id = ? AND consumer_id > ? ORDER BY consumer_id LIMIT ?"

_COLUMNS = "version, kind, recorded_at, effective_at, effective_max, choice_id, fingerprint, body"
_OF_CONSUMER = (
    f"SELECT {_COLUMNS} FROM change "  # noqa: S608 - names only
    "WHERE consumer_key = (SELECT key FROM consumer WHERE brand_id = ? AND consumer_id = ?)"
)
WHOLE_HISTORY = f"{_OF_CONSUMER} ORDER BY version"
UNTIL = f"{_OF_CONSUMER} AND recorded_at <= ? ORDER BY version"
HISTORY = f"{_OF_CONSUMER} AND version < ? ORDER BY version DESC LIMIT ?"
HISTORY_OF_KIND = f"{_OF_CONSUMER} AND version < ? AND kind = ? ORDER BY version DESC LIMIT ?"

LARGEST = 256
"""Rows per statement; beyond, a longer statement saves nothing more."""

# Below, a key takes the place of brand and consumer. Only `consumers` tells keys, of one brand's consumers alone, and
# they live no longer than the transaction that asked.


@cache
def consumers(count: int) -> str:
    """Read several consumers of one brand, with their keys.

    One row has no name: it says the last key that was given out, and whether anybody of the brand was erased.
    """
    return (
        "SELECT NULL, coalesce(max(key), 0), EXISTS (SELECT 1 FROM tombstone WHERE brand_id = ?1), "  # noqa: S608
        "NULL, NULL, NULL FROM consumer UNION ALL "
        "SELECT consumer_id, key, version, recorded_at, effective_max, state FROM consumer "
        f"WHERE brand_id = ?1 AND consumer_id IN ({_marks('?', count)})"
    )


@cache
def choices(count: int) -> str:
    """Read changes by consumer's key and choice id."""
    return (
        f"WITH wanted (whose, choice) AS (VALUES {_marks('(?, ?)', count)}) "  # noqa: S608 - marks only
        f"SELECT consumer_key, {_COLUMNS} FROM wanted CROSS JOIN change "
        "WHERE consumer_key = whose AND choice_id = choice"
    )


@cache
def maxima(count: int) -> str:
    """Read `effective_max` as of versions, by consumer's key."""
    return (
        f"WITH wanted (whose, at) AS (VALUES {_marks('(?, ?)', count)}) "  # noqa: S608 - marks only
        "SELECT consumer_key, version, effective_max FROM wanted CROSS JOIN change "
        "WHERE consumer_key = whose AND version = at"
    )


@cache
def insert_changes(count: int) -> str:
    """Append changes; rows without a key are none."""
    return (
        f"INSERT INTO change (consumer_key, {_COLUMNS}) "  # noqa: S608 - marks only
        f"SELECT * FROM (VALUES {_marks('(?, ?, ?, ?, ?, ?, ?, ?, ?)', count)}) WHERE column1 IS NOT NULL"
    )


@cache
def put_consumers(count: int) -> str:
    """Write consumers' newest states, each under its key; rows without one are none."""
    return (
        "INSERT INTO consumer (key, brand_id, consumer_id, version, recorded_at, effective_max, state) "  # noqa: S608
        f"SELECT * FROM (VALUES {_marks('(?, ?, ?, ?, ?, ?, ?)', count)}) WHERE column1 IS NOT NULL "
        "ON CONFLICT (key) DO UPDATE SET version = excluded.version, "
        "recorded_at = excluded.recorded_at, effective_max = excluded.effective_max, state = excluded.state"
    )


def rows(cursor: apsw.Cursor, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Read all rows of a statement, whose columns its caller knows."""
    return cursor.execute(sql, values).fetchall()


def padded(values: Sequence[Any], width: int) -> Iterator[tuple[int, Sequence[Any]]]:
    """Cut flat values into runs of 1, 2, 3, 4, 6, 8, 12 … 256 rows, filled up with NULL, which equals nothing.

    Few lengths make few statements, and those stay prepared.

    Args:
        values: The rows, one after another.
        width: Values per row.
    """
    for start in range(0, len(values), LARGEST * width):
        part = values[start : start + LARGEST * width]
        rows = len(part) // width
        length = 1 << (rows - 1).bit_length()
        if rows <= length * 3 // 4 and length > 2:  # noqa: PLR2004 - 2 has no three quarters
            length = length * 3 // 4
        yield length, part if length == rows else (*part, *(None,) * ((length - rows) * width))


def pack(choice_id: str | None) -> bytes | None:
    """Give a UUID as its 16 bytes."""
    return None if choice_id is None else bytes.fromhex(choice_id.replace("-", ""))


def unpack(packed: bytes | None) -> str | None:
    """Give 16 bytes as a UUID in its canonical form."""
    if packed is None:
        return None
    text = packed.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def change(row: Sequence[Any]) -> StoredChange:
    """Read the columns of one change."""
    version, kind, recorded_at, effective_at, effective_max, choice_id, fingerprint, body = row
    return StoredChange(version, kind, recorded_at, effective_at, effective_max, unpack(choice_id), fingerprint, body)


def _marks(row: str, count: int) -> str:
    return ",".join([row] * count)
