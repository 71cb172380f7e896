"""The servers that are measured side by side, each a process of its own on loopback.

`real` is the server as it is. The others answer the same request with the same handler and leave one thing out, so that
a ratio says what that thing costs: `stores-nothing` verifies the token, validates the body, checks it against the
catalogue and answers as much, `bare-commit` does one commit of one row in the same journal mode besides, `from-memory`
returns the same bytes without asking anybody.

On a machine with two cores a ratio with many connections is one of processor time. The handler alone uses one thread;
`real` a second one, for whose writing there is what the load leaves of the other core (some 45 µs a request are the
load's). Both threads share Python's lock, so that little of what they do is done at once.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any, TypeVar

import apsw
from aiohttp import web

from sayso.catalogue import read_catalogue
from sayso.model.choice import ChoiceBatch
from sayso_server.app import RUNNER_OPTIONS, SERVICES, create_app
from sayso_server.clock import SystemClock
from sayso_server.keys import KeyFile, new_key
from sayso_server.run import run
from sayso_server.services.admission import problems_of
from sayso_server.services.caller import Caller
from sayso_server.services.reading import Reading
from sayso_server.services.recording import Recording
from sayso_server.services.snapshot import Snapshot
from sayso_server.storage.base import StoredBrand
from sayso_server.storage.sqlite import SqliteStorage

BRAND = "bench"
CATALOGUE = Path(__file__).parents[2] / "examples/automotive/catalogue.toml"


_Kind = TypeVar("_Kind")


class StoresNothing(Recording):
    """Checks everything that can be checked without storage and makes up the rest of the answer."""

    async def record(self, caller: Caller, batch: ChoiceBatch) -> list[dict[str, Any]]:
        """Answer as if it had been recorded."""
        published = self._catalogues.of(caller.brand_id)
        if problems_of(batch.choices, published, caller, sent_at=None, now=self._clock.now()):
            raise RuntimeError("the load sends what is not valid")
        return [
            {
                "choice_id": choice.id,
                "consumer_id": choice.consumer_id,
                "topic": choice.topic,
                "version": 1,
                "recorded_at": "2026-01-01T00:00:00.000000Z",
                "effective_at": "2026-01-01T00:00:00.000000Z",
                "stands": True,
                "allowed": True,
                "reason": "granted",
                "replayed": False,
            }
            for choice in batch.choices
        ]


class BareCommit(StoresNothing):
    """Does the same, and one commit of one row."""

    connection: apsw.Connection

    async def record(self, caller: Caller, batch: ChoiceBatch) -> list[dict[str, Any]]:
        """Answer after the commit."""
        answer = await super().record(caller, batch)
        self.connection.execute("INSERT INTO bare (body) VALUES (?)", (json.dumps(answer),))
        return answer


class FromMemory(Reading):
    """Returns bytes that were made once."""

    kept: Snapshot | None = None

    async def snapshot(self, brand_id: str, consumer_id: str) -> Snapshot:
        """Answer without asking storage."""
        if self.kept is None:
            self.kept = await super().snapshot(brand_id, consumer_id)
        return self.kept


def _as(kind: type[_Kind], service: object) -> _Kind:
    """Give a service that does the same but for what `kind` overrides, with the same parts."""
    other = kind.__new__(kind)
    vars(other).update(vars(service))
    return other


async def serve(kind: str, database: Path) -> None:
    """Serve until standard input closes; the first line printed says where and with which key."""
    clock = SystemClock()
    storage = SqliteStorage(database, clock=clock)
    keys = KeyFile(database.with_name(database.name + ".keys"))
    app = create_app(storage, keys, public_origin="http://127.0.0.1")
    runner = web.AppRunner(app, **RUNNER_OPTIONS)
    await runner.setup()
    services = app[SERVICES]
    await storage.add_brand(StoredBrand(BRAND, "Bench", clock.now()))
    key, secret = new_key(BRAND, "HS256", ["backend"], ["backend"], now=clock.now())
    keys.add(key.key_id, str(secret))
    await storage.add_key(key)
    await services.catalogues.refresh()
    await services.publishing.publish(BRAND, read_catalogue(CATALOGUE))
    if kind == "stores-nothing":
        object.__setattr__(services, "recording", _as(StoresNothing, services.recording))
    elif kind == "bare-commit":
        recording = _as(BareCommit, services.recording)
        recording.connection = apsw.Connection(str(database.with_suffix(".bare")))
        recording.connection.pragma("journal_mode", "wal")
        recording.connection.pragma("synchronous", "full")
        recording.connection.execute("CREATE TABLE IF NOT EXISTS bare (body TEXT)")
        object.__setattr__(services, "recording", recording)
    elif kind == "from-memory":
        object.__setattr__(services, "reading", _as(FromMemory, services.reading))
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    sys.stdout.write(json.dumps({"port": port, "key_id": key.key_id, "secret": secret}) + "\n")
    sys.stdout.flush()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    await runner.cleanup()


class Served:
    """A running server process, for `async with`."""

    def __init__(self, kind: str, database: Path) -> None:
        """Name what to serve; nothing runs yet."""
        self._arguments = (str(Path(__file__)), kind, str(database))
        self.database = database
        self.port = 0
        self.key_id = self.secret = ""

    async def __aenter__(self) -> "Served":
        """Start it and wait until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self._arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        told = json.loads(await self._process.stdout.readline())
        self.port, self.key_id, self.secret = told["port"], told["key_id"], told["secret"]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close its standard input and wait until it has ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    def resident_bytes(self) -> int:
        """Give the memory that it holds now."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self) -> float:
        """Give the processor time it has used, user and system."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind")
    parser.add_argument("database", type=Path)
    chosen = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        run(serve(chosen.kind, chosen.database))
