"""Opening the outbox's database, and what its errors mean."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sayso.local.outbox.store import BusyError, FullError, StoreError

PATIENCE = 5.0
"""Seconds to wait for another process that is writing."""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH})
"""The statements are right, so an error in one means that the tables are not those that were made."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS outbox (
         one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL, outbox_id TEXT NOT NULL,
         brand TEXT NOT NULL, url TEXT NOT NULL, appended INTEGER NOT NULL, settled INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS row (
         id INTEGER PRIMARY KEY, state TEXT NOT NULL, why TEXT NOT NULL, consumer TEXT NOT NULL,
         seen_row INTEGER NOT NULL, sealed BLOB NOT NULL)""",
    # Only grants that wait for a refusal are looked for by consumer.
    "CREATE INDEX IF NOT EXISTS waits ON row (consumer, seen_row) WHERE seen_row > 0",
    """CREATE TABLE IF NOT EXISTS confirmed (
         consumer TEXT PRIMARY KEY, version INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS told (
         consumer TEXT, id INTEGER, sealed BLOB NOT NULL, PRIMARY KEY (consumer, id)) WITHOUT ROWID""",
)
FORMAT = 1


class DamagedError(StoreError):
    """The file is not what SQLite wrote."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the database, whose file exists.

    The rollback journal with EXTRA: a commit is on disk when it returns, and a damaged file can't open as a shorter one
    as it does with a write-ahead log. FULL doesn't sync the folder from which the journal was deleted: after a power
    cut the journal may be back, and undo the commit (sqlite.org/pragma.html#pragma_synchronous).

    Raises:
        sqlite3.Error: It can't be opened.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None, timeout=PATIENCE, check_same_thread=False
    )
    try:
        connection.text_factory = _lenient
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("PRAGMA secure_delete = ON")  # what was sent or erased leaves nothing behind
        connection.execute("PRAGMA trusted_schema = OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def _lenient(text: bytes) -> str:
    """Read text that may be damaged: what an entry says is under its seal, not in the columns beside it."""
    return text.decode("utf-8", "replace")


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables that aren't there yet."""
    for statement in _SCHEMA:
        connection.execute(statement)


@contextmanager
def translated() -> Iterator[None]:
    """Tell a damaged file from one that can't be written now.

    Raises:
        DamagedError: It is damaged.
        FullError: The disk is full.
        BusyError: Another process holds the file.
        StoreError: The disk is broken or read-only.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        message = f"{error} ({getattr(error, 'sqlite_errorname', type(error).__name__)})"
    except OSError as error:
        code = sqlite3.SQLITE_FULL if error.errno in _NO_ROOM else 0
        message = error.strerror or type(error).__name__
    except UnicodeDecodeError as error:  # SQLite's own message quotes what it can't read
        code, message = sqlite3.SQLITE_CORRUPT, type(error).__name__
    else:
        return
    if code in _DAMAGED:
        raise DamagedError(message)
    if code == sqlite3.SQLITE_FULL:
        raise FullError(message)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise BusyError(message)
    raise StoreError(message)
