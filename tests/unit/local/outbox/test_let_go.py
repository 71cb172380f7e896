"""Taking out what an outbox has of somebody who was erased."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sayso.local.outbox.memory import MemoryStore
from sayso.local.outbox.row import Row
from sayso.local.outbox.store import PARKED, Done

WHO = "canary-42"
NOW = 1_795_460_400_000_000  # when entries are made unless told otherwise
MakeRow = Callable[..., Row]


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, open_store: Any) -> Any:
    return open_store() if request.param == "file" else MemoryStore()


def left(store: Any) -> list[tuple[str, str]]:
    kept = store.open().kept
    return [(one.row.consumer_id, one.row.kind) for one in kept]


def test_everything_of_theirs_goes_and_nothing_of_others(store: Any, row: MakeRow) -> None:
    rows = [row(consumer=WHO), row(consumer="ben"), row("granted", WHO, topic="purpose:marketing"), row(consumer=WHO)]
    ids = store.append(rows)
    store.mark([ids[3]], PARKED, "not_refusable")

    gone = store.let_go(WHO, None)

    assert [one.id for one in gone] == [ids[0], ids[2], ids[3]]
    assert left(store) == [("ben", "choice")]
    assert store.let_go(WHO, None) == []


def test_a_hand_over_that_waits_is_told_and_a_parked_one_goes(store: Any, row: MakeRow) -> None:
    ids = store.append([row("", WHO, kind="disclosure"), row("", WHO, kind="disclosure")])
    store.mark([ids[1]], PARKED, "invalid_value")

    assert [one.id for one in store.let_go(WHO, None)] == [ids[1]]
    assert left(store) == [(WHO, "disclosure")]


def test_what_was_made_after_the_erasure_stays(store: Any, row: MakeRow) -> None:
    minute = 60_000_000
    rows = [row(consumer=WHO, made=NOW, age=minute), row(consumer=WHO, made=NOW), row(consumer=WHO, made=NOW + 1)]
    ids = store.append(rows)

    assert [one.id for one in store.let_go(WHO, NOW)] == ids[:2]
    assert left(store) == [(WHO, "choice")]


def test_the_file_has_nothing_of_them_afterwards_and_counts_right(
    open_store: Any, row: MakeRow, tmp_path: Path
) -> None:
    store = open_store()
    refusal, waiting, other = row(consumer=WHO), row("granted", WHO, seen_row=1), row(consumer="ben")
    ids = store.append([refusal, waiting, other])
    store.settle([Done(refusal._replace(id=ids[0]), 7)])  # its version is kept for the grant, and for other processes
    assert WHO.encode() in (tmp_path / "outbox.db").read_bytes()

    store.let_go(WHO, None)

    assert [file.name for file in tmp_path.iterdir() if WHO.encode() in file.read_bytes()] == []
    assert left(store) == [("ben", "choice")]
    store.close()
    again = open_store()
    assert (len(again.found.kept), again.found.missing) == (1, 0)
