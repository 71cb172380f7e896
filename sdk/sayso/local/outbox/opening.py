"""Opening the outbox's file, mending it when it is damaged, and using it beside other processes."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from sayso.local.outbox import belonging, recovery, tables
from sayso.local.outbox.connect import DamagedError, connect, create_tables, translated
from sayso.local.outbox.mark import Counts, Mark, missing
from sayso.local.outbox.row import MAGIC, Seal
from sayso.local.outbox.side import Locks, set_aside
from sayso.local.outbox.store import PENDING, Opened, StoreError
from sayso.local.owner_only import create_private, ensure_private, private_path
from sayso.model.instant import Micros

_log = logging.getLogger("sayso.outbox")
_parents: list[object] = []
"""Connections that a forked child must neither use nor close, nor let the garbage collector close."""
T = TypeVar("T")


class OutboxFile:
    """One file, which several processes may use."""

    def __init__(
        self,
        path: Path,
        brand: str,
        url: str,
        seal: Seal,
        now: Callable[[], Micros],
        *,
        on_mended: Callable[[Opened], None] = lambda _: None,
    ) -> None:
        """Take where, whose, and how entries are sealed. Nothing is opened yet.

        Args:
            path: The file.
            brand: Whose entries it holds.
            url: The server they are for.
            seal: Seals and opens them.
            now: The wall clock.
            on_mended: Told what is left when the file proves damaged while it is in use.
        """
        self.path = path
        self._brand = brand
        self._url = url
        self._seal = seal
        self._now = now
        self._on_mended = on_mended
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._locks: Locks | None = None
        self._mark: Mark | None = None
        self._data_version = -1

    def open(self) -> Opened:
        """Open or make the file, mend it if it is damaged, and read everything in it.

        Raises:
            ConfigurationError: It is unsafe, or belongs to another brand or server.
            StoreError: It can't be read or written.
        """
        self.path = private_path(self.path)
        with translated():
            self._locks = self._locks or Locks(self.path)
            self._mark = self._mark or Mark(self.path)
            set_aside(self.path)
            try:
                with self._locks.using(), translated():
                    recovery.clear(self.path)
                    return self._open_file()
            except DamagedError:
                return self._recover()

    def lead(self) -> bool:
        """Try to be the one process that sends."""
        return self._locks is not None and self._locks.lead()

    def follow(self) -> None:
        """Let another process send."""
        if self._locks is not None:
            self._locks.follow()

    def close(self) -> None:
        """Close the file and let go of the locks."""
        self._disconnect()
        locks, self._locks = self._locks, None
        mark, self._mark = self._mark, None
        for side in (mark, locks):
            if side is not None:
                side.close()

    def abandon(self) -> None:
        """Leave the parent's connection untouched; descriptors of side files are this process's own to close."""
        _parents.append(self._connection)
        self._connection = None
        self.close()

    # --- opening and mending ---

    def _open_file(self) -> Opened:
        made = ensure_private(self.path)
        connection = connect(self.path)
        try:
            connection.execute("BEGIN IMMEDIATE")  # nobody else writes between what is counted here
            if not made:
                belonging.check(self.path, connection, self._is_ours)
            create_tables(connection)
            belonging.bind(self.path, connection, self._brand, self._url)
            tables.mark(connection, self._seal, tables.strays(connection, self._seal), PENDING, "")
            kept = tables.read_all(connection, self._seal)
            counts = tables.read_counts(connection)
            lost = missing(self._marked(), counts, len(kept))
            if lost:  # said once: from now on the file is what there is
                counts = self._count_again(connection, counts, len(kept))
            self._data_version = connection.execute("PRAGMA data_version").fetchone()[0]
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        self._connection, self._inode = connection, self.path.stat().st_ino
        self._note(counts)
        return Opened(kept, lost)

    def _is_ours(self) -> bool:
        """Tell whether there ever was an outbox here, so that a file that is none now must be a damaged one."""
        return self._marked() is not None or MAGIC in self.path.read_bytes()

    def _recover(self) -> Opened:
        """Carry whole entries over into a new file, and keep the damaged one."""
        self._disconnect()
        if self._locks is None:
            raise StoreError("the outbox is closed")
        with self._locks.replacing():
            try:  # another process may have been here first
                with translated():
                    return self._open_file()
            except DamagedError:
                pass
            if not self._is_ours():
                raise belonging.not_ours(self.path)
            self._build_new()
            broken = recovery.put_in_place(self.path, self._now())
            return self._open_file()._replace(broken=str(broken))

    def _build_new(self) -> None:
        """Write a file with every whole entry beside the damaged one, on disk when this returns.

        It takes on the damaged file's counts as the mark has them, so that opening it finds, says and only then counts
        off what is missing, also if this process ends before.
        """
        rows = recovery.salvage(self.path, self._seal)
        marked = self._marked()
        recovery.clear(self.path)
        new = recovery.unfinished(self.path)
        create_private(new)
        with closing(connect(new)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            create_tables(connection)
            belonging.bind(new, connection, self._brand, self._url, marked.outbox_id if marked else None)
            tables.restore(connection, self._seal, rows, marked)
            connection.execute("COMMIT")

    def _count_again(self, connection: sqlite3.Connection, counts: Counts, rows: int) -> Counts:
        marked = self._marked()
        appended = max(counts.appended, marked.appended if marked else 0)
        connection.execute("UPDATE outbox SET appended = ?, settled = ?", (appended, appended - rows))
        return tables.read_counts(connection)

    # --- using ---

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the file in one transaction, mending it if need be."""

        def whole(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                counts = tables.read_counts(connection)
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
            self._note(counts)
            return result

        return self.mended(whole)

    def mended(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the file; if it turns out to be damaged, mend it and do it once more."""
        with translated():
            try:
                with self.using() as connection:
                    return work(connection)
            except DamagedError:
                self._on_mended(self._recover())
            with self.using() as connection:
                return work(connection)

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """Use the file: nobody replaces it meanwhile.

        Raises:
            StoreError: It is closed, damaged, or can't be read or written.
        """
        if self._locks is None:
            raise StoreError("the outbox is closed")
        with self._locks.using(), translated():
            if self._connection is None or self._inode_now() != self._inode:
                self._reconnect()  # another process put a mended file in its place
            yield self.connected()

    def _inode_now(self) -> int:
        try:
            return self.path.stat().st_ino
        except FileNotFoundError:
            raise DamagedError("somebody removed the file") from None

    def _reconnect(self) -> None:
        self._disconnect()
        self._connection, self._inode = connect(self.path), self.path.stat().st_ino
        self._data_version = -1

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def connected(self) -> sqlite3.Connection:
        """Give the connection.

        Raises:
            StoreError: There is none.
        """
        if self._connection is None:
            raise StoreError("the outbox is closed")
        return self._connection

    def _marked(self) -> Counts | None:
        return self._mark.read() if self._mark is not None else None

    def _note(self, counts: Counts) -> None:
        """Write the mark. Without it the file says as much as it did, so what was committed is kept all the same."""
        if self._mark is not None:
            try:
                self._mark.write(counts)
            except OSError as error:
                _log.warning("outbox: the mark beside the file can't be written: %s", error.strerror)
