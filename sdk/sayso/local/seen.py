"""The file that remembers across restarts what was seen of the server."""

import fcntl
import json
import logging
import os
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from sayso.local.owner_only import check_private, create_private, open_private, sync_directory

_log = logging.getLogger("sayso.local")


class Seen(NamedTuple):
    """What the file holds.

    Attributes:
        brand: Whose changes the position counts.
        store_id: Which database.
        position: The highest seen of it.
    """

    brand: str
    store_id: str
    position: int


def read_seen(path: Path, brand: str) -> Seen | None:
    """Read the file; None if there is none of this brand.

    Raises:
        ConfigurationError: It can be opened by others.
    """
    if not check_private(path):
        return None
    try:
        kept = json.loads(path.read_bytes())
        seen = Seen(str(kept["brand"]), str(kept["store_id"]), int(kept["position"]))
    except (ValueError, KeyError, TypeError):
        _log.warning("%s can't be read: what this client had seen of the server before is not known", path)
        return None
    return seen if seen.brand == brand else None


def write_seen(path: Path, seen: Seen) -> None:
    """Put the file in place at once and durably; another process's higher position in it stays.

    Raises:
        OSError: It can't be written.
        ConfigurationError: What is there can be opened by others.
    """
    lock = open_private(path.with_name(path.name + ".lock"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # between the look and the write nobody else writes a higher one
        there = read_seen(path, seen.brand)
        if there is None or (there.store_id == seen.store_id and there.position < seen.position):
            _replace(path, json.dumps(seen._asdict()).encode())
    finally:
        os.close(lock)


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f"{path.name}.{uuid4().hex}")  # several clients of one process may write at once
    try:
        create_private(new)
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
