"""The versions that refusals got while grants still wait to say that they have seen them.

Written in the transaction that takes a refusal out, before such a grant is first sent: sent again, it must say the
same, for what it has seen is part of what the server compares. Each is sealed like an entry, and for one outbox:
whoever can write the file can't have a grant claim to have seen more than it has.
"""

import sqlite3
from collections.abc import Sequence

from sayso.local.outbox.row import Row, Seal, having_seen
from sayso.local.outbox.store import Done

VERSION = "version"
"""The kind under which a version is sealed; no entry has it."""


class Versions:
    """What the table says, for one use of the file."""

    def __init__(self, connection: sqlite3.Connection, seal: Seal) -> None:
        """Take the file and what seals it."""
        self._connection = connection
        self._seal = seal
        self._outbox_id: str | None = None

    def in_view(self, row: Row) -> Row:
        """Give an entry with the version of the newest refusal that it waited for, if that is known."""
        version = 0 if row.seen_row <= 0 or row.refuses else self._version(row.consumer_id, row.seen_row)
        return having_seen(row, version) if version else row

    def note(self, done: Sequence[Done]) -> None:
        """Keep the versions of refusals that were taken out, as long as grants may need them, and no others."""
        if not self._connection.execute("SELECT 1 FROM row WHERE seen_row > 0 LIMIT 1").fetchone():
            self._forget({row.consumer_id for row, _ in done if row.seen_row > 0})
            return
        refusals: dict[str, list[tuple[int, int]]] = {row.consumer_id: [] for row, _ in done if row.seen_row > 0}
        for row, version in done:
            if version is not None and row.refuses:
                refusals.setdefault(row.consumer_id, []).append((row.id, version))
        for consumer_id, some in refusals.items():
            (first,) = self._connection.execute(
                "SELECT min(seen_row) FROM row WHERE consumer = ? AND seen_row > 0", (consumer_id,)
            ).fetchone()
            if first is None:
                self._forget({consumer_id})
                continue
            if some:
                self._add(consumer_id, sorted(some))
            self._connection.execute(
                "DELETE FROM told WHERE consumer = ?1 AND id < "
                "(SELECT max(id) FROM told WHERE consumer = ?1 AND id <= ?2)",
                (consumer_id, first),
            )

    def _add(self, consumer_id: str, refusals: Sequence[tuple[int, int]]) -> None:
        newest = self._version(consumer_id, refusals[0][0])
        for place, (number, version) in enumerate(refusals, 1):
            newest = max(newest, version)
            # The last one is kept even if no grant waits for it: a refusal behind it may never get a version.
            if place == len(refusals) or self._is_waited_for(consumer_id, number, refusals[place][0]):
                one = Row(VERSION, consumer_id, b"", 0, 0.0, self._outbox(), based_on=newest, id=number)
                self._connection.execute(
                    "INSERT OR REPLACE INTO told VALUES (?, ?, ?)", (consumer_id, number, self._seal.close(one))
                )

    def _is_waited_for(self, consumer_id: str, refusal: int, following: int) -> bool:
        """Tell whether a grant has seen a refusal, but not the following one."""
        query = "SELECT 1 FROM row WHERE consumer = ? AND seen_row > 0 AND seen_row >= ? AND seen_row < ? LIMIT 1"
        return self._connection.execute(query, (consumer_id, refusal, following)).fetchone() is not None

    def _forget(self, consumers: set[str]) -> None:
        self._connection.executemany("DELETE FROM told WHERE consumer = ?", [(one,) for one in consumers])

    def _version(self, consumer_id: str, up_to: int) -> int:
        """Give the version of the newest refusal that was taken out, up to this number; 0 for none."""
        found = self._connection.execute(
            "SELECT id, sealed FROM told WHERE consumer = ? AND id <= ? ORDER BY id DESC LIMIT 1", (consumer_id, up_to)
        ).fetchone()
        one = self._seal.open(found[1]) if found is not None and isinstance(found[1], bytes) else None
        if one is None or (one.kind, one.consumer_id, one.id) != (VERSION, consumer_id, found[0]):
            return 0
        return one.based_on or 0 if one.boot_id == self._outbox() else 0

    def _outbox(self) -> str:
        if self._outbox_id is None:
            (self._outbox_id,) = self._connection.execute("SELECT outbox_id FROM outbox").fetchone()
        return self._outbox_id or ""


def restore(connection: sqlite3.Connection, seal: Seal, versions: Sequence[Row]) -> None:
    """Write versions that were found in a damaged file. Those of an outbox with another id say nothing here."""
    connection.executemany(
        "INSERT OR REPLACE INTO told VALUES (?, ?, ?)", [(one.consumer_id, one.id, seal.close(one)) for one in versions]
    )
