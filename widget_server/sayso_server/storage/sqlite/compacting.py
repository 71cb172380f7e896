"""Writing a database anew, so that nothing is left in it of what was deleted."""

import os
from pathlib import Path

import apsw

from sayso.errors import ConfigurationError
from sayso_server.storage.sqlite.database import Database


def compact(path: Path) -> tuple[int, int]:
    """Write the database anew and empty its write-ahead log. Takes as much room again as the database has, and minutes.

    What is deleted is overwritten at once. This gets what may be left between the rows all the same, such as copies of
    rows that SQLite had moved to another page before they were deleted, and gives the room back to the disk.

    Args:
        path: The database, which no server may have open.

    Returns:
        How many bytes it had before, and has now.

    Raises:
        ConfigurationError: A server has it open, it is unsafe or damaged, or the disk is full.
    """
    before = _bytes(path)
    # Where SQLite puts the copy: beside the database, not on a small or shared disk.
    os.environ["SQLITE_TMPDIR"] = str(path.resolve().parent)
    database = Database(path, server=True, accept_loss=False)
    try:
        database.writing.execute("VACUUM")
        database.writing.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.Error as error:
        raise ConfigurationError(f"{path} can't be written anew: {error}; nothing has changed") from error
    finally:
        database.close()
    return before, _bytes(path)


def _bytes(path: Path) -> int:
    beside = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in beside if file.exists())
