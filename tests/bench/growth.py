"""The same requests against 10,000 and against 1,000,000 consumers with three choices each, in random order."""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import apsw
from load import TOPICS, drive
from report import Figure, spread
from servers import BRAND, CATALOGUE, Served

from sayso.catalogue import read_catalogue
from sayso.model.choice import ChoiceBatch
from sayso.model.ids import new_choice_id
from sayso.wire import TokenClass
from sayso_server.clock import SystemClock
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Published
from sayso_server.services.marks import Marks
from sayso_server.services.recording import Recording
from sayso_server.storage.memory import MemoryStorage

ROUNDS = 5
SECONDS = 3.0
CONNECTIONS = 16


async def measure(*, few: int = 10_000, many: int = 1_000_000) -> list[Figure]:
    """Give the figures; filling the larger database takes a minute or two."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = (Served("real", Path(folder) / f"{count}.db") for count in (few, many))
        for served, count in ((small, few), (large, many)):
            async with served:
                pass  # makes the database
            await asyncio.to_thread(fill, served.database, count)
        on_disk = await asyncio.to_thread(_size, Path(folder), f"{many}.db*") / (many * len(TOPICS))
        figures: list[Figure] = []
        async with small, large:
            for what, bar in (("read", 1.3), ("record", 1.6)):
                costs: dict[int, list[float]] = {few: [], many: []}
                for place in range(ROUNDS + 1):
                    for served, count in ((small, few), (large, many)):
                        result = await drive(
                            served.port,
                            (served.key_id, served.secret),
                            what,
                            connections=CONNECTIONS,
                            seconds=SECONDS,
                            consumers=count,
                        )
                        if place:
                            costs[count].append(result["seconds"] / result["requests"] * 1e6)
                ratios = [one / other for one, other in zip(costs[many], costs[few], strict=True)]
                figures.append(
                    Figure(
                        f"{what} at {many:,} consumers: times the cost at {few:,}",
                        median(ratios),
                        spread(ratios),
                        bar,
                        "less",
                        ", ".join(f"{count:,}: {median(values):.0f} µs a request" for count, values in costs.items()),
                    )
                )
        figures.append(Figure("bytes on disk per choice", on_disk, (on_disk, on_disk), None, "less"))
        return figures


def _size(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern))


def fill(database: Path, consumers: int) -> None:
    """Write consumers `c0000000` onwards as recording would, without going through HTTP."""
    rows = asyncio.run(_rows())
    connection = apsw.Connection(str(database))
    connection.pragma("synchronous", "off")
    for start in range(0, consumers, 20_000):
        count = min(20_000, consumers - start)
        connection.execute("BEGIN")
        named = [(key, f"c{key - 1:07d}") for key in range(start + 1, start + count + 1)]
        connection.executemany(
            "INSERT INTO consumer VALUES (?, ?, ?, ?, ?, ?, ?)", ((key, BRAND, name, *rows[0]) for key, name in named)
        )
        connection.executemany(
            "INSERT INTO change (consumer_key, version, kind, recorded_at, effective_at, effective_max, "
            "choice_id, fingerprint, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            _changes([key for key, _ in named], rows[1]),
        )
        connection.execute("COMMIT")
    connection.pragma("wal_checkpoint", "truncate")
    connection.close()


def _changes(keys: list[int], changes: list[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    for key in keys:
        for change in changes:
            choice_id = int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10)
            yield (key, *change[:5], choice_id, *change[6:])


async def _rows() -> tuple[tuple[object, ...], list[tuple[object, ...]]]:
    """Record three choices of one consumer in memory and take the rows."""
    storage = MemoryStorage(clock=SystemClock())
    await storage.start()
    caller = Caller(BRAND, f"{BRAND}.0123456789abcdef", TokenClass.BACKEND)

    class Catalogues:
        def of(self, _: str) -> Published:
            return Published(1, read_catalogue(CATALOGUE))

    recording = Recording(storage, Catalogues(), SystemClock(), Marks())  # type: ignore[arg-type]
    batch = {
        "choices": [
            {
                "id": new_choice_id(),
                "consumer_id": "c0000000",
                "topic": topic,
                "answer": "granted",
                "method": "chat",
                "notice": {"language": "en"},
            }
            for topic in TOPICS
        ]
    }
    await recording.record(caller, ChoiceBatch.model_validate_json(json.dumps(batch)))
    consumer = await storage.consumer(BRAND, "c0000000")
    history = await storage.changes_until(BRAND, "c0000000", SystemClock().now())
    if consumer is None:
        raise RuntimeError("nothing was recorded")
    return tuple(consumer), [tuple(change) for change in history]
