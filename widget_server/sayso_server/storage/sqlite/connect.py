"""How connections to the database are opened."""

import logging
from pathlib import Path

import apsw

from sayso.errors import ConfigurationError

_log = logging.getLogger(__name__)

SAFE_SQLITE = 3_051_003
"""3.7.0 to 3.51.2 can corrupt a database when two connections write and checkpoint at once ("WAL reset")."""

WRITER_WAIT_MS = 10_000
"""For a command that is writing. It holds the lock for milliseconds, unless its disk is in trouble."""
COMMAND_WAIT_MS = 30_000
"""A busy server commits one group after another; a command has to catch a gap between two."""
READER_WAIT_MS = 100
"""Readers don't wait for writers. They may wait for another process that is opening the write-ahead log."""

CACHE_KIB = 64 * 1024
"""For the writer: the inner pages of the indexes of some ten million choices."""
READER_CACHE_KIB = 8 * 1024
"""Each commit empties a reader's cache, so a large one would not pay."""
CHECKPOINT_PAGES = 4_000
"""16 MiB of write-ahead log. Measured: with 10,000 consumers 10 to 25 % cheaper per record than SQLite's 1,000, for a
page that changes often is copied once; with a million the same; 16,000 brought no more. Neither did `mmap_size`."""
STATEMENTS = 256


def open_writer(path: Path, *, server: bool) -> apsw.Connection:
    """Open a connection that writes, durably: a commit has reached the disk when it returns.

    Only a server ever copies the write-ahead log into the database. A command leaves that alone, so that no two
    processes do it at once.

    Raises:
        ConfigurationError: The file is no database, or can't be opened.
    """
    connection = _open(path, apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(WRITER_WAIT_MS if server else COMMAND_WAIT_MS)
        if connection.pragma("journal_mode", "wal") != "wal":
            raise ConfigurationError(f"{path} can't use a write-ahead log here; move it to a local disk")
        connection.pragma("synchronous", "full")
        connection.pragma("secure_delete", True)  # what is deleted or replaced is overwritten, not just forgotten
        connection.pragma("cache_size", -CACHE_KIB)
        connection.pragma("wal_autocheckpoint", CHECKPOINT_PAGES if server else 0)
        connection.pragma("journal_size_limit", 4 * CHECKPOINT_PAGES * 4096)  # a WAL that a long read let grow
        if not server:
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    except apsw.NotADBError as error:
        connection.close()
        raise ConfigurationError(f"{path} is not an SQLite database; choose another file") from error
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> apsw.Connection:
    """Open a connection that only reads."""
    connection = _open(path, apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(READER_WAIT_MS)
    connection.pragma("cache_size", -READER_CACHE_KIB)
    return connection


def warn_about_old_sqlite(version: int) -> None:
    """Say so in the log if this SQLite may corrupt a database.

    Args:
        version: As `apsw.SQLITE_VERSION_NUMBER` has it: 3051003 is 3.51.3.
    """
    if version < SAFE_SQLITE:
        _log.warning(
            "SQLite %d.%d.%d can corrupt a database (WAL reset); install apsw 3.51.3 or newer",
            version // 1_000_000,
            version // 1000 % 1000,
            version % 1000,
        )


def _open(path: Path, mode: int) -> apsw.Connection:
    try:
        return apsw.Connection(str(path), flags=mode | apsw.SQLITE_OPEN_NOFOLLOW, statementcachesize=STATEMENTS)
    except apsw.Error as error:
        raise ConfigurationError(f"{path} can't be opened as a database: {error}") from error
