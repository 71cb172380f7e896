"""A damaged file: whole entries are carried over, the file is kept aside, and what is missing is said."""

import os
import random
import signal
import sqlite3
from pathlib import Path

import pytest

from sayso.local.outbox import recovery
from sayso.local.outbox.pick import Pick
from sayso.local.outbox.store import Done

COUNT = 300


@pytest.fixture
def filled(open_store, row, tmp_path: Path) -> Path:
    store = open_store()
    store.append([row(consumer=f"cust-{number}") for number in range(COUNT)])
    store.settle([Done(one, 1) for one in store.batch(Pick(20, 10**6)).rows])
    store.close()
    return tmp_path / "outbox.db"


LEFT = COUNT - 20


def ids(found) -> list[int]:
    return [kept.row.id for kept in found.kept if not kept.parked]


def test_a_file_that_was_cut_off_gives_back_what_is_whole(filled: Path, open_store) -> None:
    content = filled.read_bytes()
    filled.write_bytes(content[: len(content) // 2])

    store = open_store()
    kept = ids(store.found)
    assert 50 < len(kept) < LEFT
    assert kept == sorted(set(kept))
    assert store.found.missing == LEFT - len(kept)
    assert Path(store.found.broken).read_bytes()[:1000] == content[:1000]
    assert store.found.broken.startswith(f"{filled}.broken-20261123T190000Z")


def test_what_was_carried_over_is_sent_and_nothing_is_said_twice(filled: Path, open_store, row) -> None:
    content = filled.read_bytes()
    filled.write_bytes(content[: len(content) // 2])
    store = open_store()
    (new,) = store.append([row()])
    assert new == COUNT + 1
    store.settle([Done(one, 1) for one in store.batch(Pick(COUNT, 10**7)).rows])
    store.close()

    again = open_store()
    assert (again.found.kept, again.found.missing, again.found.broken) == ([], 0, "")


def test_a_file_whose_head_is_destroyed_gives_back_every_whole_entry(filled: Path, open_store) -> None:
    with filled.open("r+b") as file:
        file.write(b"\0" * 100)

    found = open_store().found
    assert ids(found) == list(range(21, COUNT + 1))
    assert (found.missing, found.broken != "") == (0, True)


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_byte_costs_one_entry_at_most_and_never_silently(filled: Path, open_store, seed: int) -> None:
    dice = random.Random(seed)
    content = bytearray(filled.read_bytes())
    for _ in range(3):
        content[dice.randrange(len(content))] ^= dice.randrange(1, 256)
    filled.write_bytes(content)

    found = open_store().found
    whole = ids(found)
    tampered = [kept for kept in found.kept if kept.parked]
    assert len(whole) >= LEFT - 3
    assert len(whole) + len(tampered) + found.missing >= LEFT
    assert set(whole) <= set(range(1, COUNT + 1))


def test_an_emptied_file_says_what_is_missing(filled: Path, open_store) -> None:
    filled.write_bytes(b"")

    found = open_store().found
    assert (found.kept, found.missing) == ([], LEFT)


def test_a_removed_file_says_what_is_missing(filled: Path, open_store) -> None:
    filled.unlink()

    assert open_store().found.missing == LEFT
    assert open_store().found.missing == 0  # said once


def test_an_older_copy_in_its_place_says_what_is_missing(filled: Path, open_store, row) -> None:
    older = filled.read_bytes()
    store = open_store()
    store.append([row(), row()])
    store.close()
    filled.write_bytes(older)

    found = open_store().found
    assert (len(found.kept), found.missing) == (LEFT, 2)


def test_entries_that_somebody_deleted_are_missing(filled: Path, open_store) -> None:
    change = sqlite3.connect(filled)
    change.execute("DELETE FROM row WHERE id > 290")
    change.commit()
    change.close()

    assert open_store().found.missing == 10
    assert open_store().found.missing == 0


def test_a_mark_that_can_t_be_read_is_written_anew(filled: Path, open_store) -> None:
    filled.with_name("outbox.db.hwm").write_bytes(b"\xff" * 10)

    found = open_store().found
    assert (len(found.kept), found.missing) == (LEFT, 0)
    assert open_store().found.missing == 0


def test_damage_found_while_the_file_is_in_use_is_mended_in_use(filled: Path, open_store, row) -> None:
    said = []
    store = open_store(on_mended=said.append)
    other = open_store()
    content = filled.read_bytes()
    with filled.open("r+b") as file:
        file.write(b"\0" * (len(content) // 2))

    (number,) = store.append([row()])
    assert number == COUNT + 1
    (mended,) = said
    assert mended.missing == LEFT - len(mended.kept)
    assert mended.broken

    # The other process had the damaged file open; it goes on with the new one.
    (number,) = other.append([row()])
    assert number == COUNT + 2
    assert [kept.row.id for kept in open_store().found.kept][-2:] == [COUNT + 1, COUNT + 2]


@pytest.mark.parametrize("step", ["tables.restore", "recovery.put_in_place", "OutboxFile._note"])
def test_a_process_killed_while_it_mends_loses_no_whole_entry(
    filled: Path, open_store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with filled.open("r+b") as file:
        file.write(b"\0" * 100)
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(f"sayso.local.outbox.opening.{step}", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        open_store()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL

    found = open_store().found
    assert ids(found) == list(range(21, COUNT + 1))
    assert found.missing == 0
    assert [path.name for path in filled.parent.glob("*.mending*")] == []


def test_what_is_missing_is_said_also_when_the_process_that_mended_was_killed(
    filled: Path, open_store, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = filled.read_bytes()
    filled.write_bytes(content[: len(content) // 2])
    child = os.fork()
    if child == 0:

        def killed(*_: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        real = recovery.put_in_place
        monkeypatch.setattr(recovery, "put_in_place", lambda *args: killed(real(*args)))
        open_store()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL

    found = open_store().found
    assert found.missing == LEFT - len(ids(found)) > 0
    assert open_store().found.missing == 0
