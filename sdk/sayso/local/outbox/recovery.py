"""Getting whole entries out of a damaged file, one by one."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

from sayso.local.outbox.connect import connect
from sayso.local.outbox.row import Row, Seal, scan
from sayso.local.outbox.told import VERSION
from sayso.local.owner_only import create_private, sync_directory
from sayso.model.instant import Micros, from_micros

_NOT_READABLE = (sqlite3.Error, ValueError, TypeError, OverflowError)
"""What the sqlite3 module raises for damage; the message itself may be damaged text."""
_FROM_BOTH_ENDS = ("SELECT sealed FROM row ORDER BY id", "SELECT sealed FROM row ORDER BY id DESC")


def unfinished(path: Path) -> Path:
    """Give the name under which the file is built that will take the place of a damaged one."""
    return path.with_name(path.name + ".mending")


def clear(path: Path) -> None:
    """Remove what a process that ended while it mended the file left behind. The caller keeps others from mending."""
    for left in (unfinished(path), _journal(unfinished(path))):
        left.unlink(missing_ok=True)


def put_in_place(path: Path, now: Micros) -> Path:
    """Put the finished new file in the place of the damaged one, which gets another name; tell which.

    There is a file under the path at every moment: until the last step the damaged one, which would be mended again.
    """
    stamp = f"{path.name}.broken-{from_micros(now):%Y%m%dT%H%M%SZ}"
    names = (stamp if attempt == 1 else f"{stamp}-{attempt}" for attempt in count(1))
    broken = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    try:
        broken.hardlink_to(path)
    except OSError:  # a file system without links
        _copy(path, broken)
    with suppress(FileNotFoundError):  # or SQLite would play it back into the new file
        _journal(path).rename(_journal(broken))
    sync_directory(path.parent)
    unfinished(path).replace(path)
    sync_directory(path.parent)
    return broken


def salvage(broken: Path, seal: Seal) -> list[Row]:
    """Give every entry that is whole, as its seal shows, in order, and the versions that grants wait to have seen.

    What SQLite still reads comes first; then whatever looks like an entry anywhere in the file.
    """
    # Read before SQLite is let at it, which may roll back what a crash left half written.
    before = broken.read_bytes()
    found: dict[tuple[bool, int], Row] = {}
    for sealed in (*_readable(broken), *scan(broken.read_bytes()), *scan(before)):
        row = seal.open(sealed)
        if row is not None:
            found.setdefault((row.kind == VERSION, row.id), row)
    return [found[which] for which in sorted(found)]


def _journal(path: Path) -> Path:
    return path.with_name(path.name + "-journal")


def _copy(path: Path, copy: Path) -> None:
    create_private(copy)
    with copy.open("wb") as file:
        file.write(path.read_bytes())
        file.flush()
        os.fsync(file.fileno())


def _readable(broken: Path) -> Iterator[bytes]:
    with suppress(*_NOT_READABLE), closing(connect(broken)) as connection:
        for query in _FROM_BOTH_ENDS:  # up to the damage
            with suppress(*_NOT_READABLE):
                for (sealed,) in connection.execute(query):
                    if isinstance(sealed, bytes):
                        yield sealed
