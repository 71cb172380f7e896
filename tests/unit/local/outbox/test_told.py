"""What a refusal's version was is kept until the grants that have seen it are sent, and is nobody else's to write."""

import sqlite3
from pathlib import Path

import pytest

from sayso.local.outbox.pick import Pick
from sayso.local.outbox.row import Row, Seal
from sayso.local.outbox.store import PARKED, PENDING, TAMPERED, Done
from sayso.local.outbox.told import VERSION


def rows_of(store) -> list[Row]:
    return store.batch(Pick(500, 10**6)).rows


def told(path: Path) -> list[tuple[str, int]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT consumer, id FROM told ORDER BY consumer, id").fetchall()
    finally:
        connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def test_a_grant_says_the_same_in_whatever_process_it_is_sent_again(open_store, row) -> None:
    store = open_store()
    store.append([row(), row("granted", seen_row=1), row("granted", consumer="cust-43", seen_row=1)])
    store.settle([Done(rows_of(store)[0], 7)])

    assert [(one.id, one.based_on) for one in rows_of(open_store())] == [(2, 7), (3, None)]
    store.close()
    again = open_store()
    assert [(kept.row.id, kept.row.based_on) for kept in again.found.kept] == [(2, 7), (3, None)]
    assert [(one.id, one.based_on) for one in rows_of(again)] == [(2, 7), (3, None)]


def test_a_grant_says_no_version_of_a_refusal_that_it_has_not_seen(open_store, row) -> None:
    store = open_store()
    store.append([row(), row(topic="channel:email"), row("granted", seen_row=1)])
    store.append([row("granted", topic="channel:email", seen_row=2)])
    refusals = [one for one in rows_of(store) if one.refuses]
    store.settle([Done(refusals[0], 7), Done(refusals[1], 9)])

    assert [(one.id, one.based_on) for one in rows_of(store)] == [(3, 7), (4, 9)]


def test_a_grant_whose_refusal_never_got_a_version_has_seen_the_one_before(open_store, row) -> None:
    store = open_store()
    store.append([row(), row(), row(), row("granted", seen_row=3)])
    first, second, *_ = rows_of(store)
    store.settle([Done(first, 7), Done(second, 8)])
    store.mark([3], PARKED, "unknown_topic")

    assert [(one.id, one.based_on) for one in rows_of(store)] == [(4, 8)]


def test_a_later_refusal_with_a_lower_version_takes_nothing_back(open_store, row) -> None:
    store = open_store()
    store.append([row(), row(), row("granted", seen_row=2)])
    first, second, *_ = rows_of(store)
    store.settle([Done(first, 7)])
    store.settle([Done(second, 4)])  # sent before by another process, which got no answer

    assert [(one.id, one.based_on) for one in rows_of(store)] == [(3, 7)]


def test_no_more_versions_are_kept_than_grants_need(open_store, row, path: Path) -> None:
    store = open_store()
    store.append([row(), row(), row(), row("granted", seen_row=1), row("granted", seen_row=2)])
    store.append([row(), row("granted", seen_row=6), row(consumer="cust-43")])
    one, two, three, *_ = rows_of(store)
    store.settle([Done(one, 1), Done(two, 2), Done(three, 3)])
    assert told(path) == [("cust-42", 1), ("cust-42", 2), ("cust-42", 3)]
    store.settle([Done(rows_of(store)[0], 4)])
    assert told(path) == [("cust-42", 2), ("cust-42", 3)]
    store.settle([Done(rows_of(store)[0], 5)])
    assert told(path) == [("cust-42", 3)]
    store.settle([Done(rows_of(store)[0], 6)])
    assert told(path) == [("cust-42", 6)]
    store.settle([Done(rows_of(store)[0], 7)])
    assert told(path) == []
    store.settle([Done(one, 1) for one in rows_of(store)])
    assert told(path) == []


def test_nobody_can_have_a_grant_say_that_it_has_seen_more(open_store, row, path: Path, seal: Seal) -> None:
    store = open_store()
    store.append([row(), row(), row("granted", seen_row=1), row("granted", seen_row=2), row("granted", seen_row=1)])
    first, second, *_ = rows_of(store)
    store.settle([Done(first, 7), Done(second, 9)])
    change = sqlite3.connect(path)
    ((of_second,),) = change.execute("SELECT sealed FROM told WHERE id = 2").fetchall()
    of_another_outbox = Row(VERSION, "cust-42", b"", 0, 0.0, "0" * 32, based_on=900, id=1)
    an_entry = Row("choice", "cust-42", b"{}", 0, 0.0, "", based_on=900, id=1)
    for forged in (
        of_second,
        of_second.replace(b",9,", b",8,"),
        seal.close(of_another_outbox),
        seal.close(an_entry),
        "nonsense",
    ):
        change.execute("UPDATE told SET sealed = ? WHERE id = 1", (forged,))
        change.commit()
        assert [(one.id, one.based_on) for one in rows_of(store)] == [(3, None), (4, 9), (5, None)]
    change.close()


def test_a_version_in_the_place_of_an_entry_is_never_sent(open_store, row, path: Path, seal: Seal) -> None:
    store = open_store()
    store.append([row()])
    change = sqlite3.connect(path)
    version = seal.close(Row(VERSION, "cust-42", b"", 0, 0.0, "", based_on=7, id=1))
    change.execute("UPDATE row SET sealed = ?", (version,))
    change.commit()
    change.close()

    batch = store.batch(Pick(500, 10**6))
    assert (batch.rows, [one.id for one in batch.tampered]) == ([], [1])
    store.close()
    assert [kept.state for kept in open_store().found.kept] == [TAMPERED]


def test_versions_are_carried_over_from_a_damaged_file(open_store, row, path: Path) -> None:
    store = open_store()
    store.append([row(), row("granted", seen_row=1)])
    store.settle([Done(rows_of(store)[0], 7)])
    store.close()
    with path.open("r+b") as file:
        file.write(b"\0" * 100)

    store = open_store()
    assert (store.found.missing, store.found.broken != "") == (0, True)
    assert [(one.id, one.based_on) for one in rows_of(store)] == [(2, 7)]


def test_a_file_from_before_there_were_versions_is_used_as_it_is(open_store, row, path: Path) -> None:
    store = open_store()
    store.append([row(), row("granted", seen_row=1)])
    store.close()
    old = sqlite3.connect(path)
    old.execute("DROP TABLE told")
    old.execute("DROP INDEX waits")
    old.close()

    store = open_store()
    assert [(kept.row.id, kept.state) for kept in store.found.kept] == [(1, PENDING), (2, PENDING)]
    store.settle([Done(rows_of(store)[0], 7)])
    assert [(one.id, one.based_on) for one in rows_of(store)] == [(2, 7)]
