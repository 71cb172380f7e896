"""In every way in which event SDKs lose what they were given, Sayso loses nothing.

The columns are those of the table that `make bench` prints for four of them (tests/bench/loss.py). What counts is what
the client has promised: everything for which a command returned a receipt.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.e2e.faults.checkers import lost_or_twice
from tests.e2e.faults.clients import Program, drain
from tests.e2e.faults.connection import Mode
from tests.e2e.faults.house import House, opened
from tests.e2e.faults.proxy import Proxy, proxied
from tests.e2e.faults.size import progress, sized

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.e2e.faults.logs import Line

SOME = sized(200, 1_000)
MANY = sized(3_000, 30_000)


class Column(NamedTuple):
    """One way to end.

    Attributes:
        how: As programs/loss.py takes it.
        count: How many are recorded.
        mode: How the server does while they are.
    """

    how: str
    count: int = SOME
    mode: Mode = Mode.PASS


COLUMNS = {
    "normal exit, no flush": Column("exit"),
    "kill -9": Column("killed"),
    "server answers 503, then exit": Column("exit", mode=Mode.UNWELL),
    "server away, then kill -9": Column("killed", mode=Mode.REFUSE),
    "fork, then the child sends": Column("fork"),
    "fork, then the child sends, server away": Column("fork", mode=Mode.REFUSE),
    "burst, no flush": Column("exit", count=MANY),
    "flush, server up": Column("flush"),
    "flush of a burst, server away": Column("flush", count=MANY, mode=Mode.REFUSE),
}


class Run(NamedTuple):
    """A column on its way."""

    column: Column
    proxy: Proxy
    client: Program
    outbox: Path


def start(house: House, stack: ExitStack, column: Column, folder: Path) -> Run:
    folder.mkdir()
    proxy = stack.enter_context(proxied(house.port))
    proxy.mode = column.mode
    outbox = folder / "outbox"
    settings = {"how": column.how, "count": column.count, "patience": 1 if column.mode is Mode.REFUSE else 60}
    client = stack.enter_context(Program(house, "loss", folder / "log", url=proxy.url, outbox=outbox, **settings))
    return Run(column, proxy, client, outbox)


def finish(run: Run) -> list[Line]:
    """Let the client end as its column says, and give the receipts that it returned."""
    if run.column.how == "killed":
        run.client.until(lambda: run.client.lines()[-1:] != [] and run.client.lines()[-1]["what"] == "recorded", 120)
        run.client.kill()
    else:
        run.client.wait(120 + MANY / 50)
    flushed = [line["left"] for line in run.client.lines() if line["what"] == "flushed"]
    left = 0 if run.column.mode is Mode.PASS else run.column.count
    assert flushed == ([left] if run.column.how == "flush" else [])
    return [line for line in run.client.lines() if line["what"] == "receipt"]


@pytest.mark.timeout(180 + MANY // 20)
def test_nothing_that_was_promised_is_lost_in_any_column(tmp_path):
    receipts: dict[str, list[Line]] = {}
    with opened(tmp_path / "house") as house, ExitStack() as stack:
        # Four at a time: each starts an interpreter, and a machine may have two cores.
        for some in batched(COLUMNS, 4):
            runs = {name: start(house, stack, COLUMNS[name], tmp_path / name) for name in some}
            for name, run in runs.items():
                receipts[name] = finish(run)
                progress(f"{name}: {len(receipts[name])} receipts")
                run.proxy.mode = Mode.PASS
                asyncio.run(drain(run.proxy.url, house, run.outbox))
        kept = house.kept()
    promised = {name: column.count + (column.how == "fork") for name, column in COLUMNS.items()}
    assert {name: len(each) for name, each in receipts.items()} == promised
    assert {name: lost_or_twice(each, kept) for name, each in receipts.items()} == {name: [] for name in COLUMNS}
    pending = {name for name, each in receipts.items() if "pending" in {line["status"] for line in each}}
    assert pending == {name for name, column in COLUMNS.items() if column.mode is not Mode.PASS}


def batched(names: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(names)
    while some := list(islice(rest, size)):
        yield some
