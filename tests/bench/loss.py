"""What event SDKs lose of what they were given, column by column, beside Sayso: `make bench ARGS=loss`.

Every SDK with its defaults, against a sink on loopback that counts what reaches it; Sayso with an outbox, against its
own server. Each column is a process of its own (loss_peers.py, loss_sayso.py). An outage lasts longer than the process
that meets it: what the next process then sends counts as kept, but of the four none writes anything down to send.
LaunchDarkly's asks for a `close()` before the end, and all four say that a full queue drops.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from loss_sayso import sayso_lost
from loss_sink import Sink
from report import OUT

FEW = 1_000
MANY = 30_000
LONGEST = 60.0
PEERS = {
    "segment": "segment.analytics",
    "posthog": "posthog",
    "sentry": "sentry_sdk",
    "launchdarkly": "ldclient",
}


class Column(NamedTuple):
    """One way to end.

    Attributes:
        name: As it is printed.
        how: As the programs take it.
        count: How many are given.
        up: Whether the server answers well.
    """

    name: str
    how: str
    count: int = FEW
    up: bool = True


COLUMNS = (
    Column("exit", "exit"),
    Column("kill -9", "killed"),
    Column("503, exit", "exit", up=False),
    Column("fork", "fork"),
    Column("burst", "exit", count=MANY),
    Column("flush", "flush"),
    Column("flush burst", "flush", count=MANY),
    Column("flush, 503", "flush", up=False),
)


def measure() -> None:
    """Run every column of every SDK that is installed, print the table and keep it."""
    lost: dict[str, list[int]] = {}
    for peer, module in PEERS.items():
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            sys.stderr.write(f"  {peer} is not installed, and left out\n")
            continue
        lost[peer] = list(_columns(peer, lambda column, peer=peer: _peer_lost(peer, column)))
    lost["sayso"] = list(_columns("sayso", lambda column: sayso_lost(column.how, column.count, up=column.up)))
    _show(lost)


def _columns(who: str, run: Callable[[Column], int]) -> Iterator[int]:
    for column in COLUMNS:
        began = time.monotonic()
        number = run(column)
        sys.stderr.write(f"  {who}, {column.name}: {number:,} lost, {time.monotonic() - began:.0f} s\n")
        yield number


def _peer_lost(peer: str, column: Column) -> int:
    with _sink(up=column.up) as sink, tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready"
        program = str(Path(__file__).with_name("loss_peers.py"))
        words = [sys.executable, program, peer, column.how, str(column.count), sink.url, str(ready)]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                if column.how == "killed":
                    end = time.monotonic() + LONGEST
                    while not ready.exists() and process.poll() is None and time.monotonic() < end:
                        time.sleep(0.005)
                    time.sleep(0.05)  # as any crash, a moment after the last event
                    process.kill()
                process.wait(LONGEST)
            except subprocess.TimeoutExpired:
                sys.stderr.write(f"  {peer}, {column.name}: still trying after {LONGEST:.0f} s, and ended then\n")
            finally:
                if process.poll() is None:
                    process.kill()
        time.sleep(0.2)
        return column.count - len(sink.events)


@contextmanager
def _sink(*, up: bool) -> Iterator[Sink]:
    sink = Sink(up=up)
    try:
        yield sink
    finally:
        sink.close()


def _show(lost: dict[str, list[int]]) -> None:
    head = ["lost of what was given", *(column.name for column in COLUMNS)]
    given = ["given", *(f"{column.count:,}" for column in COLUMNS)]
    rows = [head, given, *([who, *(f"{number:,}" for number in numbers)] for who, numbers in lost.items())]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for name, *cells in rows:
        aligned = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        print("  ".join([name.ljust(widths[0]), *aligned]))
    OUT.mkdir(parents=True, exist_ok=True)
    columns = [column.name for column in COLUMNS]
    (OUT / "loss.json").write_text(json.dumps({"columns": columns, "lost": lost}, indent=1))
