"""An outbox seen from outside, by somebody who looks after it: no server, no secret, nothing made."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from sayso.errors import ConfigurationError, NotFoundError
from sayso.local.outbox import belonging, tables
from sayso.local.outbox.connect import DamagedError, connect, translated
from sayso.local.outbox.mark import has_mark
from sayso.local.outbox.row import MAGIC, Unsealed
from sayso.local.outbox.side import Locks
from sayso.local.outbox.store import PARKED, PENDING, TAMPERED, Kept, StoreError
from sayso.local.owner_only import check_private, private_path

T = TypeVar("T")


def read_outbox(path: Path) -> list[Kept]:
    """Give everything that an outbox holds, in order. Whether an entry was tampered with, only its client can tell.

    Raises:
        NotFoundError: There is no outbox.
        ConfigurationError: The file is unsafe, damaged, or no outbox.
    """
    return _with(path, lambda connection: tables.read_all(connection, Unsealed()))


def retry(path: Path, ids: Sequence[int] = ()) -> list[Kept]:
    """Have parked entries sent again by the client that uses the outbox, which notices within a second.

    Args:
        path: The outbox.
        ids: Which; all that are parked by default.

    Returns:
        Those that will be sent again.

    Raises:
        NotFoundError: There is no outbox, or no such parked entry in it.
        ConfigurationError: The file is unsafe, damaged, or no outbox.
    """

    def change(connection: sqlite3.Connection) -> list[Kept]:
        connection.execute("BEGIN IMMEDIATE")
        parked = [kept for kept in tables.read_all(connection, Unsealed()) if kept.state in (PARKED, TAMPERED)]
        chosen = [kept for kept in parked if not ids or kept.row.id in ids]
        unknown = set(ids) - {kept.row.id for kept in chosen}
        if unknown:
            listed = ", ".join(map(str, sorted(unknown)))
            raise NotFoundError(f"nothing is parked under {listed}; see `sayso outbox list`", code="not_parked")
        tables.mark(connection, Unsealed(), [kept.row.id for kept in chosen], PENDING, "")
        connection.execute("COMMIT")
        return chosen

    return _with(path, change)


def _with(path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    real = private_path(path)
    if not check_private(real) or not real.stat().st_size:
        raise NotFoundError(f"there is no outbox at {path}", code="no_outbox")
    locks = Locks(real)
    try:
        with locks.using(), translated(), closing(connect(real)) as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            if not names >= tables.NAMES:
                raise belonging.not_ours(path)
            return work(connection)
    except DamagedError as error:
        if MAGIC not in real.read_bytes() and not has_mark(real):
            raise belonging.not_ours(path) from None  # a client that was given it says the same
        raise _unreadable(path, error) from None
    except StoreError as error:
        raise _unreadable(path, error) from None
    finally:
        locks.close()


def _unreadable(path: Path, error: StoreError) -> ConfigurationError:
    return ConfigurationError(
        f"{path} can't be read: {error}; the client that uses it mends it when it next opens it", code="damaged"
    )
