"""What the outbox's tables are asked and told. Each function is one transaction's worth; the caller has the lock."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sayso.local.outbox import told
from sayso.local.outbox.mark import Counts
from sayso.local.outbox.memory import room_for
from sayso.local.outbox.pick import Pick
from sayso.local.outbox.row import Row, Seal, Unsealed, peek, unreadable
from sayso.local.outbox.store import OVERRULED, PARKED, PENDING, TAMPERED, Batch, Changes, Done, Gone, Kept
from sayso.model.instant import MICROS_PER_SECOND, Micros

REMEMBERED = 3600 * MICROS_PER_SECOND
"""For so long, other processes find the version of a consumer whose entry was sent by this one."""
NAMES = frozenset({"outbox", "row", "confirmed"})
_COLUMNS = "SELECT id, consumer, state, why, sealed FROM row"
_CHUNK = 500


def has_strange_states(connection: sqlite3.Connection) -> bool:
    """Tell whether an entry stands in none of the ways there are: it would neither be sent nor be shown."""
    query = "SELECT 1 FROM row WHERE state NOT IN (?, ?, ?, ?) LIMIT 1"
    return connection.execute(query, (PENDING, PARKED, TAMPERED, OVERRULED)).fetchone() is not None


def read_counts(connection: sqlite3.Connection) -> Counts:
    """Give how far the file has come."""
    return Counts(*connection.execute("SELECT outbox_id, appended, settled FROM outbox").fetchone())


def read_all(connection: sqlite3.Connection, seal: Seal | Unsealed) -> list[Kept]:
    """Give every entry, in order."""
    kept = [kept_of(seal, found) for found in connection.execute(f"{_COLUMNS} ORDER BY id")]
    if isinstance(seal, Unsealed):
        return kept
    versions = told.Versions(connection, seal)
    return [one if one.state == TAMPERED else one._replace(row=versions.in_view(one.row)) for one in kept]


def append(connection: sqlite3.Connection, seal: Seal, rows: Sequence[Row], limit: int) -> list[int]:
    """Write entries; give each its number, 0 where there is no room."""
    _, appended, settled = read_counts(connection)
    ids: list[int] = []
    values: list[tuple[Any, ...]] = []
    for row in rows:
        if appended - settled >= room_for(row, limit):
            ids.append(0)
            continue
        appended += 1
        ids.append(appended)
        sealed = seal.close(row._replace(id=appended))
        values.append((appended, PENDING, "", row.consumer_id, row.seen_row, sealed))
    connection.executemany("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)", values)
    connection.execute("UPDATE outbox SET appended = ?", (appended,))
    return ids


def restore(connection: sqlite3.Connection, seal: Seal, rows: Sequence[Row], marked: Counts | None) -> None:
    """Write what was found in a damaged file, entries under their old numbers, and what the mark said of its counts.

    The entries that are missing by the mark aren't counted off: whoever opens the file finds and says that.
    """
    rows, versions = [row for row in rows if row.kind != told.VERSION], rows
    told.restore(connection, seal, [row for row in versions if row.kind == told.VERSION])
    connection.executemany(
        "INSERT INTO row VALUES (?, ?, '', ?, ?, ?)",
        [(row.id, row.state, row.consumer_id, row.seen_row, seal.close(row)) for row in rows],
    )
    appended = max([row.id for row in rows] + [marked.appended if marked else 0])
    settled = appended - len(rows)
    if marked is not None:
        settled = min(settled, marked.settled)
    connection.execute("UPDATE outbox SET appended = ?, settled = ?", (appended, settled))


def batch(connection: sqlite3.Connection, seal: Seal, pick: Pick) -> Batch:
    """Give what may be sent next, behind what was given for this pick before."""
    pick.begin()
    tampered: list[Row] = []
    versions = told.Versions(connection, seal)
    while pick.wants:
        found = connection.execute(
            "SELECT id, consumer, sealed FROM row WHERE state = ? AND id > ? ORDER BY id LIMIT ?",
            (PENDING, pick.last, _CHUNK),
        ).fetchall()
        rows: list[Row] = []
        if not found:
            break
        for number, consumer, sealed in found:
            row = _untouched(seal, number, sealed)
            if row is None:
                tampered.append(kept_of(seal, (number, consumer, PENDING, "", sealed)).row)
            else:
                rows.append(versions.in_view(row))
        pick.take(rows)
        pick.last = found[-1][0]
    return Batch(pick.end(), tampered)


def settle(connection: sqlite3.Connection, seal: Seal, done: Sequence[Done], at: Micros) -> None:
    """Take entries out, and note what version they brought."""
    ids = [row.id for row, _ in done]
    first, last = min(ids), max(ids)
    (between,) = connection.execute("SELECT count(*) FROM row WHERE id BETWEEN ? AND ?", (first, last)).fetchone()
    if between == len(ids) == len(set(ids)):  # nothing else lies between them, as is usual: one statement
        gone = connection.execute("DELETE FROM row WHERE id BETWEEN ? AND ?", (first, last)).rowcount
    else:
        gone = connection.executemany("DELETE FROM row WHERE id = ?", [(number,) for number in ids]).rowcount
    told.Versions(connection, seal).note(done)
    newest = {row.consumer_id: version for row, version in done if version is not None}
    connection.executemany(
        "INSERT INTO confirmed VALUES (?, ?, ?) "
        "ON CONFLICT DO UPDATE SET version = max(version, excluded.version), at = excluded.at",
        [(consumer_id, version, at) for consumer_id, version in newest.items()],
    )
    connection.execute("UPDATE outbox SET settled = settled + ?", (gone,))


def let_go(connection: sqlite3.Connection, seal: Seal, consumer_id: str, before: Micros | None) -> list[Row]:
    """Take out what is a consumer's, and forget their versions; give the entries."""
    there = connection.execute(f"{_COLUMNS} WHERE consumer = ? ORDER BY id", (consumer_id,)).fetchall()
    rows = [kept.row for kept in (kept_of(seal, found) for found in there) if kept.goes(before)]
    connection.executemany("DELETE FROM row WHERE id = ?", [(row.id,) for row in rows])
    connection.execute("DELETE FROM told WHERE consumer = ?", (consumer_id,))
    connection.execute("DELETE FROM confirmed WHERE consumer = ?", (consumer_id,))
    connection.execute("UPDATE outbox SET settled = settled + ?", (len(rows),))
    return rows


def forget_versions(connection: sqlite3.Connection, now: Micros) -> None:
    """Forget the versions that every process has learned of long ago."""
    connection.execute("DELETE FROM told")
    connection.execute("DELETE FROM confirmed WHERE at NOT BETWEEN ? AND ?", (now - REMEMBERED, now))


def mark(connection: sqlite3.Connection, seal: Seal | Unsealed, ids: Sequence[int], state: str, why: str) -> None:
    """Change how entries stand. That they wait needs no seal; that they aren't sent any more is under it."""
    connection.executemany("UPDATE row SET state = ?, why = ? WHERE id = ?", [(state, why, number) for number in ids])
    if state == PENDING or isinstance(seal, Unsealed):
        return
    for number in ids:
        found = connection.execute("SELECT sealed FROM row WHERE id = ?", (number,)).fetchone()
        row = _untouched(seal, number, found[0]) if found is not None else None
        if row is not None:
            sealed = seal.close(row._replace(state=state))
            connection.execute("UPDATE row SET sealed = ? WHERE id = ?", (sealed, number))


def changes(connection: sqlite3.Connection, seal: Seal, known: Mapping[int, str]) -> Changes:
    """Compare what is there with what is known: the consumer of each entry, by its number."""
    states: dict[int, str] = dict(connection.execute("SELECT id, state FROM row"))
    for number, sealed in connection.execute("SELECT id, sealed FROM row WHERE state != ?", (PENDING,)):
        states[number] = _state_of(seal, _untouched(seal, number, sealed), states[number])
    new: list[Kept] = []
    for number in sorted(states.keys() - known.keys()):
        there = connection.execute(f"{_COLUMNS} WHERE id = ?", (number,)).fetchone()
        if there is not None:
            new.append(kept_of(seal, there))
    gone: list[Gone] = []
    for number, consumer_id in known.items():
        if number not in states:
            found = connection.execute("SELECT version FROM confirmed WHERE consumer = ?", (consumer_id,)).fetchone()
            gone.append(Gone(number, found[0] if found else None))
    return Changes(new, gone, states)


def kept_of(seal: Seal | Unsealed, found: tuple[int, str, str, str, object]) -> Kept:
    """Read an entry; one that is not what was sealed, or not where it was put, is `tampered`.

    What such an entry claims to refuse counts, for doubt means no; what it claims to grant never does.
    """
    number, consumer, state, why, sealed = found
    row = _untouched(seal, number, sealed)
    if row is not None:
        return Kept(row._replace(state=PENDING), _state_of(seal, row, state), why)
    claimed = (peek(sealed) if isinstance(sealed, bytes) else None) or unreadable(number, str(consumer))
    return Kept(claimed._replace(id=number), TAMPERED, TAMPERED)


def strays(connection: sqlite3.Connection, seal: Seal) -> list[int]:
    """Give the entries that stand otherwise than their seal says.

    Somebody wrote beside the client, or an entry that seemed tampered with can be read again. They are to wait again,
    for that they be sent is what was asked for: a refusal must not vanish without a word.
    """
    return [
        number
        for number, state, sealed in connection.execute(
            "SELECT id, state, sealed FROM row WHERE state != ?", (PENDING,)
        )
        if _state_of(seal, _untouched(seal, number, sealed), state) != state
    ]


def _state_of(seal: Seal | Unsealed, row: Row | None, state: str) -> str:
    """Give how an entry stands: as written beside its seal where the seal says the same, else it waits to be sent."""
    return state if row is None or state == row.state or isinstance(seal, Unsealed) else PENDING


def _untouched(seal: Seal | Unsealed, number: int, sealed: object) -> Row | None:
    row = seal.open(sealed) if isinstance(sealed, bytes) else None
    return row if row is not None and row.id == number and row.kind != told.VERSION else None
