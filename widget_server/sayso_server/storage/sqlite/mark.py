"""The high-water mark: how far the database had come, kept outside it.

SQLite opens a damaged or truncated write-ahead log without a word, just shorter: acknowledged choices would be gone and
nobody would know. So the newest commit number is written beside the database each second, and a database that starts
behind its mark is refused.
"""

import fcntl
import os
import re
from pathlib import Path
from typing import NamedTuple

from sayso.errors import ConfigurationError
from sayso_server.storage.files import check_private, open_private

_FORM = re.compile(rb"([0-9a-f]{32}) ([0-9]{20})\n")
_LENGTH = 54


class Mark(NamedTuple):
    """How far a database had come."""

    store_id: str
    sequence: int


def mark_path(database: Path) -> Path:
    """Give the place of a database's mark."""
    return database.with_name(database.name + ".hwm")


def read_mark(database: Path) -> Mark | None:
    """Give the mark; None if there is none yet.

    Raises:
        ConfigurationError: The file is unsafe or unreadable.
    """
    path = mark_path(database)
    if not check_private(path):
        return None
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return _parse(path, os.pread(descriptor, 2 * _LENGTH, 0))
    finally:
        os.close(descriptor)


def write_mark(database: Path, mark: Mark, *, replace: bool = False) -> None:
    """Write the mark and wait until it is on disk. One that is ahead already stays, unless `replace` is given.

    The line always has one length, well below a disk's sector, so that a power cut leaves the old one or the new one.

    Raises:
        OSError: It can't be written.
        ConfigurationError: The file is unsafe or unreadable.
    """
    path = mark_path(database)
    descriptor = open_private(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # a command and a server may both be at it
        there = None if replace else _parse(path, os.pread(descriptor, 2 * _LENGTH, 0))
        if there is not None and there.store_id == mark.store_id and there.sequence >= mark.sequence:
            return
        os.pwrite(descriptor, f"{mark.store_id} {mark.sequence:020d}\n".encode(), 0)
        os.ftruncate(descriptor, _LENGTH)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def complaint(database: Path, mark: Mark | None, found: Mark | None) -> str | None:
    """Say what is wrong with a database that has come less far than its mark; None if all is well.

    Args:
        database: The file, to be named.
        mark: What the mark says; None if there is no mark.
        found: What the database says; None if there is no database.
    """
    if mark is None or (found is not None and found.store_id == mark.store_id and found.sequence >= mark.sequence):
        return None
    if found is None:
        what = f"{database} is gone, but {mark_path(database)} says that it held {mark.sequence} commits."
    elif found.store_id != mark.store_id:
        what = f"{database} is not the database that {mark_path(database)} was written for."
    else:
        what = f"{database} ends at commit {found.sequence}, but it had come to {mark.sequence}."
    return (
        f"{what} Choices that were acknowledged may be missing: its write-ahead log was damaged or removed, or it was "
        "replaced by an older copy. Put back the newest copy together with its -wal file; or, if there is none, accept "
        "the loss once: sayso-server serve --accept-loss. That gives the database a new store_id, by which clients "
        "see that what they know may be newer."
    )


def _parse(path: Path, line: bytes) -> Mark | None:
    if not line:
        return None  # made, but the power went before the first line
    form = _FORM.fullmatch(line)
    if form is None:
        raise ConfigurationError(
            f"{path} is damaged, so nobody can tell whether the database is whole; "
            f"check the database, then remove the file: rm {path}"
        )
    return Mark(form[1].decode(), int(form[2]))
