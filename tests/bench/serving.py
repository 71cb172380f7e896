"""Recording and reading over HTTP, against the same handlers with one thing left out."""

import tempfile
from pathlib import Path
from statistics import median

from load import drive
from report import Figure, spread
from servers import Served

ROUNDS = 5
SECONDS = 2.5


async def measure() -> list[Figure]:
    """Give the figures."""
    return [
        await _side_by_side(
            "record 3 choices, 64 connections: share of storing nothing",
            ("real", "stores-nothing"),
            "record",
            connections=64,
            consumers=0,
            by="rate",
            bar=0.65,
            better="more",
        ),
        await _side_by_side(
            "record 3 choices, 1 connection: times the handler with a bare commit",
            ("real", "bare-commit"),
            "record",
            connections=1,
            consumers=0,
            by="p50",
            bar=1.6,
            better="less",
        ),
        await _side_by_side(
            "read a hot consumer, 64 connections: share of bytes from memory",
            ("real", "from-memory"),
            "read",
            connections=64,
            consumers=1,
            by="rate",
            bar=0.7,
            better="more",
        ),
    ]


async def _side_by_side(
    name: str,
    kinds: tuple[str, str],
    what: str,
    *,
    connections: int,
    consumers: int,
    by: str,
    bar: float,
    better: str,
) -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = (Served(kind, Path(folder) / f"{kind}.db") for kind in kinds)
        async with ours, theirs:
            measured: dict[str, list[float]] = {kind: [] for kind in kinds}
            cpu: dict[str, list[float]] = {kind: [] for kind in kinds}
            if what == "read":
                for served in (ours, theirs):
                    await _record_once(served)
            for place in range(ROUNDS + 1):
                for kind, served in zip(kinds, (ours, theirs), strict=True):
                    before = served.cpu_seconds()
                    result = await drive(
                        served.port,
                        (served.key_id, served.secret),
                        what,
                        connections=connections,
                        seconds=SECONDS,
                        consumers=consumers,
                    )
                    if place:  # the first round warms up
                        rate = result["requests"] / result["seconds"]
                        measured[kind].append(rate if by == "rate" else result["p50"])
                        cpu[kind].append((served.cpu_seconds() - before) / result["requests"] * 1e6)
    ratios = [one / other for one, other in zip(*measured.values(), strict=True)]
    unit = "requests/s" if by == "rate" else "µs a request"
    notes = ", ".join(
        f"{kind} {median(measured[kind]):,.0f} {unit} ({median(cpu[kind]):.0f} µs of processor)" for kind in kinds
    )
    return Figure(name, median(ratios), spread(ratios), bar, better, notes)


async def _record_once(served: Served) -> None:
    """Record something of the hot consumer: one never seen is not worth keeping in memory."""
    key = (served.key_id, served.secret)
    await drive(served.port, key, "record", connections=1, seconds=0.05, consumers=1)
