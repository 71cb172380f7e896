"""The file: on disk before anybody is told so, for its owner only, for one brand at one server."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

import sayso
from sayso.local.outbox import tables
from sayso.local.outbox.connect import connect
from sayso.local.outbox.pick import Pick
from sayso.local.outbox.row import Row, Seal
from sayso.local.outbox.store import OVERRULED, PARKED, TAMPERED, Done, StoreError

SIDES = ["", ".drain", ".hwm", ".lock", ".reserve"]


def rows_of(store) -> list[Row]:
    return store.batch(Pick(500, 10**6)).rows


def test_what_was_kept_is_there_after_opening_again(open_store, row) -> None:
    store = open_store()
    assert store.append([row(), row("granted")]) == [1, 2]
    assert store.append([row()]) == [3]
    store.close()

    found = open_store().found
    assert [(kept.row.id, kept.row.choice_id, kept.state) for kept in found.kept] == [
        (1, "id-1", "pending"),
        (2, "id-2", "pending"),
        (3, "id-3", "pending"),
    ]
    assert (found.missing, found.broken) == (0, "")


def test_a_commit_is_on_disk_when_it_returns(open_store, tmp_path: Path) -> None:
    open_store()
    connection = connect(tmp_path / "outbox.db")

    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (3,)  # EXTRA: the journal's end is on disk, too
    connection.close()


def test_numbers_are_never_given_twice(open_store, row) -> None:
    store = open_store()
    store.append([row(), row()])
    store.settle([Done(one, 1) for one in rows_of(store)])

    assert store.append([row()]) == [3]


def test_what_was_sent_leaves_nothing_behind(open_store, row, tmp_path: Path) -> None:
    store = open_store()
    store.append([row(body=b'{"evidence":"a sentence that nobody else may read"}') for _ in range(50)])
    assert b"nobody else may read" in (tmp_path / "outbox.db").read_bytes()

    store.settle([Done(one, 1) for one in rows_of(store)])
    assert b"nobody else may read" not in (tmp_path / "outbox.db").read_bytes()


def test_a_grant_has_seen_the_refusals_it_waited_for_before_it_is_first_sent(open_store, row) -> None:
    store = open_store()
    store.append([row(), row(consumer="cust-43"), row()])
    store.append([row("granted", seen_row=3, based_on=4), row("granted"), row("granted", seen_row=1)])
    first = rows_of(store)
    assert [one.id for one in first] == [1, 2, 3]

    store.settle([Done(one, version) for one, version in zip(first, (7, 90, 8), strict=True)])
    assert [(one.id, one.based_on) for one in rows_of(store)] == [(4, 8), (5, None), (6, 7)]


def test_the_last_tenth_is_kept_for_refusals(open_store, row) -> None:
    store = open_store(limit=20)

    assert store.append([row("granted") for _ in range(19)]) == [*range(1, 19), 0]
    assert store.append([row("", kind="device")]) == [0]
    assert store.append([row() for _ in range(3)]) == [19, 20, 0]


def test_every_file_is_for_its_owner_only_whatever_the_umask(open_store, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store()
    finally:
        os.umask(before)

    for side in SIDES:
        assert stat.S_IMODE((tmp_path / f"outbox.db{side}").stat().st_mode) == 0o600, side
    store.close()


@pytest.mark.parametrize("side", SIDES)
def test_a_file_that_others_can_open_is_refused_with_the_remedy(open_store, tmp_path: Path, side: str) -> None:
    file = tmp_path / f"outbox.db{side}"
    file.touch()
    file.chmod(0o640)

    with pytest.raises(sayso.ConfigurationError, match=r"mode 0640\); run: chmod 600") as caught:
        open_store()
    assert caught.value.code == "unsafe_file"


@pytest.mark.parametrize("side", SIDES)
def test_a_symbolic_link_is_refused(open_store, tmp_path: Path, side: str) -> None:
    (tmp_path / "elsewhere").touch(0o600)
    (tmp_path / f"outbox.db{side}").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(sayso.ConfigurationError, match="is a symbolic link"):
        open_store()


def test_a_directory_in_its_place_is_refused(open_store, tmp_path: Path) -> None:
    (tmp_path / "outbox.db").mkdir(mode=0o700)

    with pytest.raises(sayso.ConfigurationError, match="is not a regular file"):
        open_store()


def test_a_directory_that_others_may_write_is_refused(open_store, tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)

    with pytest.raises(sayso.ConfigurationError, match="others may write in the directory"):
        open_store(path=folder / "outbox.db")


def test_nobody_is_told_to_change_a_directory_that_everybody_shares(open_store, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)

    with pytest.raises(sayso.ConfigurationError, match=f"mkdir -m 700 {shared}/sayso") as caught:
        open_store(path=shared / "outbox.db")

    assert "chmod" not in str(caught.value)


def test_a_directory_that_is_not_there_is_named_with_the_remedy(open_store, tmp_path: Path) -> None:
    with pytest.raises(sayso.ConfigurationError, match="make one: mkdir -m 700"):
        open_store(path=tmp_path / "missing" / "outbox.db")


@pytest.mark.parametrize(
    ("other", "named"),
    [({"brand": "shop"}, "speaks for shop at"), ({"url": "https://staging.example"}, "at https://staging.example")],
)
def test_an_outbox_serves_one_brand_at_one_server(open_store, other, named: str) -> None:
    open_store()

    with pytest.raises(
        sayso.ConfigurationError, match=r"belongs to dealer at https://sayso\.dealer\.example"
    ) as caught:
        open_store(**other)
    assert named in str(caught.value)
    assert "SAYSO_OUTBOX" in str(caught.value)
    assert caught.value.code == "outbox_of_another"


def test_an_entry_that_was_tampered_with_is_never_sent(open_store, row, tmp_path: Path) -> None:
    store = open_store()
    store.append(
        [row("granted", body=b'{"topic":"channel:sms"}'), row(consumer="cust-43"), row("granted"), row("granted")]
    )
    change = sqlite3.connect(tmp_path / "outbox.db")
    ((sealed,),) = change.execute("SELECT sealed FROM row WHERE id = 1").fetchall()
    change.execute("UPDATE row SET sealed = ? WHERE id = 1", (sealed.replace(b"channel:sms", b"channel:fax"),))
    change.execute("UPDATE row SET sealed = 'nonsense' WHERE id = 2")
    change.execute("UPDATE row SET consumer = 'cust-44' WHERE id = 3")
    change.execute("UPDATE row SET id = 5 WHERE id = 4")
    change.commit()
    change.close()

    batch = store.batch(Pick(500, 10**6))
    assert [(one.id, one.consumer_id) for one in batch.rows] == [(3, "cust-42")]
    assert [(one.id, one.consumer_id, one.topic, one.answer) for one in batch.tampered] == [
        (1, "cust-42", "channel:fax", "granted"),
        (2, "cust-43", "*", "withdrawn"),  # what it was can't be told, so it counts as a refusal of everything
        (5, "cust-42", "channel:sms", "granted"),
    ]


def test_entries_under_an_unknown_secret_are_tampered_with(open_store, row, secret: str) -> None:
    store = open_store()
    store.append([row()])
    store.close()

    strange = Seal([secret[::-1]], "dealer", "https://sayso.dealer.example")
    assert [kept.state for kept in open_store(seal=strange).found.kept] == [TAMPERED]


def test_parked_entries_stay_until_they_are_sent_again(open_store, row) -> None:
    store = open_store()
    store.append([row(), row()])
    store.mark([1], PARKED, "unknown_topic")
    assert [one.id for one in rows_of(store)] == [2]
    store.close()

    again = open_store()
    assert [(kept.row.id, kept.state, kept.why) for kept in again.found.kept] == [
        (1, "parked", "unknown_topic"),
        (2, "pending", ""),
    ]
    again.mark([1], "pending")
    assert [one.id for one in rows_of(again)] == [1, 2]


def test_another_process_s_doings_are_learned_of(open_store, row) -> None:
    one, other = open_store(), open_store()
    assert one.changes(dict) is None
    other.append([row(), row(), row(consumer="cust-43")])
    other.mark([2], OVERRULED)
    changes = one.changes(dict)
    assert [(kept.row.id, kept.state) for kept in changes.new] == [(1, "pending"), (2, "overruled"), (3, "pending")]
    assert one.changes(dict) is None

    other.settle([Done(rows_of(other)[0], 12)])
    changes = one.changes(lambda: {1: "cust-42", 2: "cust-42", 3: "cust-43"})
    assert (changes.new, changes.gone) == ([], [(1, 12)])
    assert changes.states == {2: "overruled", 3: "pending"}


def test_one_process_sends_at_a_time_and_another_takes_over(open_store) -> None:
    one, other = open_store(), open_store()
    assert one.lead() is True
    assert other.lead() is False
    assert one.lead() is True
    one.close()
    assert other.lead() is True
    other.follow()
    assert open_store().lead() is True


def test_a_closed_file_takes_nothing(open_store, row) -> None:
    store = open_store()
    store.close()

    with pytest.raises(StoreError):
        store.append([row()])


def test_an_emptied_file_gives_its_room_back(open_store, row, tmp_path: Path) -> None:
    store = open_store()
    store.append([row(body=b"x" * 3000) for _ in range(1000)])
    assert (tmp_path / "outbox.db").stat().st_size > 3_000_000

    store.settle([Done(one, 1) for one in store.batch(Pick(1000, 10**7)).rows])
    assert (tmp_path / "outbox.db").stat().st_size < 100_000


@pytest.mark.parametrize("content", [b"dear diary\n", b""])
def test_some_other_file_is_left_alone(open_store, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "outbox.db"
    if content:
        file.write_bytes(content)
    else:
        connection = sqlite3.connect(file)
        connection.execute("CREATE TABLE friends (name TEXT)")
        connection.close()
    file.chmod(0o600)
    before = file.read_bytes()

    with pytest.raises(sayso.ConfigurationError, match="is no outbox but some other file") as caught:
        open_store()
    assert caught.value.code == "not_an_outbox"
    assert file.read_bytes() == before


@pytest.mark.parametrize("state", ["parked", "tampered", "overruled"])
def test_nobody_can_have_an_entry_pass_for_one_that_is_not_sent(open_store, row, tmp_path: Path, state: str) -> None:
    store = open_store()
    store.append([row(), row()])
    store.mark([2], PARKED, "unknown_topic")
    change = sqlite3.connect(tmp_path / "outbox.db")
    change.execute("UPDATE row SET state = ? WHERE id = 1", (state,))
    change.commit()
    change.close()

    assert store.changes(lambda: {1: "cust-42", 2: "cust-42"}).states == {1: "pending", 2: "parked"}
    assert [one.id for one in store.batch(Pick(500, 10**6)).rows] == [1]
    assert [kept.state for kept in open_store().found.kept] == ["pending", "parked"]


def test_a_mark_that_can_t_be_written_makes_nothing_unkept(open_store, row, monkeypatch, caplog) -> None:
    store = open_store()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sayso.local.outbox.mark.Mark.write", full)
    assert store.append([row("granted")]) == [1]
    assert "the mark beside the file can't be written" in caplog.text


def test_what_others_did_is_of_one_moment(open_store, row, monkeypatch) -> None:
    store, other = open_store(), open_store()
    other.append([row(), row()])
    peeled = tables.kept_of
    refused: list[str] = []

    def meanwhile(*args):
        if not refused:
            other._connection.execute("PRAGMA busy_timeout = 10")
            try:
                other.settle([Done(row(id=2), 1)])
            except StoreError as error:
                refused.append(str(error))
        return peeled(*args)

    monkeypatch.setattr(tables, "kept_of", meanwhile)
    assert [kept.row.id for kept in store.changes(dict).new] == [1, 2]
    assert refused == ["database is locked (SQLITE_BUSY)"]
