"""Entries in a SQLite file: each is on disk before anybody is told that it is kept."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sayso.local.outbox import tables
from sayso.local.outbox.opening import OutboxFile
from sayso.local.outbox.pick import Pick
from sayso.local.outbox.row import Row, Seal
from sayso.local.outbox.side import set_aside
from sayso.local.outbox.store import PENDING, Batch, Changes, Done, Opened, StoreError
from sayso.model.instant import Micros

LIMIT = 100_000
_GROWN = 512
"""Pages: a file that is empty again and has more than these is shrunk."""


class FileStore(OutboxFile):
    """Holds entries in one file, which several processes may share."""

    def __init__(
        self,
        path: Path,
        brand: str,
        url: str,
        seal: Seal,
        now: Callable[[], Micros],
        *,
        limit: int = LIMIT,
        on_mended: Callable[[Opened], None] = lambda _: None,
    ) -> None:
        """Take what `OutboxFile` does, and how many entries there is room for; the last tenth is for refusals."""
        super().__init__(path, brand, url, seal, now, on_mended=on_mended)
        self._limit = limit

    def append(self, rows: Sequence[Row]) -> list[int]:
        """Keep entries, all in one transaction; give each its number, 0 where there is no room."""
        return self.write(lambda connection: tables.append(connection, self._seal, rows, self._limit))

    def batch(self, pick: Pick) -> Batch:
        """Give what may be sent next, behind what was given for this pick before."""
        return self.mended(lambda connection: tables.batch(connection, self._seal, pick))

    def settle(self, done: Sequence[Done]) -> None:
        """Take entries out in one transaction."""
        if not done:
            return
        self.write(lambda connection: tables.settle(connection, self._seal, done, self._now()))
        with suppress(StoreError):
            self._tidy()

    def let_go(self, consumer_id: str, before: Micros | None) -> list[Row]:
        """Take out and give what is a consumer's, and forget their versions."""
        return self.write(lambda connection: tables.let_go(connection, self._seal, consumer_id, before))

    def mark(self, ids: Sequence[int], state: str, why: str = "") -> None:
        """Change how entries stand."""
        self.write(lambda connection: tables.mark(connection, self._seal, ids, state, why))

    def changes(self, known: Callable[[], Mapping[int, str]]) -> Changes | None:
        """Tell what other processes did since the last time; None for nothing, found out without reading."""

        def compare(connection: sqlite3.Connection) -> Changes | None:
            if connection.execute("PRAGMA data_version").fetchone()[0] == self._data_version:
                return None
            connection.execute("BEGIN")  # what is read below is of one moment
            try:
                data_version = connection.execute("PRAGMA data_version").fetchone()[0]
                found = tables.changes(connection, self._seal, known())
                stray = tables.strays(connection, self._seal)
            finally:
                connection.execute("ROLLBACK")
            if stray:
                connection.execute("BEGIN IMMEDIATE")
                tables.mark(connection, self._seal, stray, PENDING, "")
                connection.execute("COMMIT")
            self._data_version = data_version
            return found

        return self.mended(compare)

    def _tidy(self) -> None:
        """Once everything is sent, give back the room that a long outage took, and forget what others know by now."""
        with self.using() as connection:
            if tables.read_counts(connection).left == 0:
                tables.forget_versions(connection, self._now())
                (pages,) = connection.execute("PRAGMA page_count").fetchone()
                if pages > _GROWN:
                    connection.execute("VACUUM")
                set_aside(self.path)  # what refusals were given in need
