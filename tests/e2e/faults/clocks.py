"""A server in this process, and clients, whose wall clocks can be set; the boot clock is the machine's."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import resources
from typing import TYPE_CHECKING

from aiohttp import web
from tests.e2e.faults.checkers import Kept

import sayso
from sayso.catalogue import read_catalogue
from sayso.model.instant import Micros
from sayso.transport.clock import SystemClock
from sayso_server.app import RUNNER_OPTIONS, SERVICES, create_app
from sayso_server.keys import KeyFile, new_key
from sayso_server.storage.base import StoredBrand
from sayso_server.storage.sqlite import SqliteStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BRAND = "dealer"


class SetClock(SystemClock):
    """The machine's clocks, of which the wall clock is ahead by `ahead`."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> Micros:
        return super().now() + self.ahead // timedelta(microseconds=1)


@dataclass(frozen=True)
class Timed:
    """A server and the clock it goes by."""

    url: str
    key_id: str
    secret: str
    clock: SetClock
    storage: SqliteStorage

    def client(self, clock: SetClock, **more: object) -> sayso.Client:
        """Make a client that goes by a clock of its own."""
        return sayso.Client(self.url, self.key_id, self.secret, clock=clock, **more)  # type: ignore[arg-type]

    async def kept(self) -> list[Kept]:
        """Give every choice that the server has."""
        consumers = await self.storage.consumer_ids(BRAND, after="", limit=1_000)
        return [
            Kept(change.choice_id, consumer, change.version)
            for consumer in consumers
            for change in await self.storage.changes_until(BRAND, consumer, 1 << 62)
            if change.choice_id is not None
        ]


@asynccontextmanager
async def timed(folder: Path) -> AsyncIterator[Timed]:
    """Serve on loopback."""
    clock = SetClock()
    storage = SqliteStorage(folder / "sayso.db", clock=clock)
    keys = KeyFile(folder / "keys")
    app = create_app(storage, keys, public_origin="http://127.0.0.1", clock=clock)
    runner = web.AppRunner(app, **RUNNER_OPTIONS)
    await runner.setup()
    try:
        services = app[SERVICES]
        await storage.add_brand(StoredBrand(BRAND, "Dealer", clock.now()))
        key, secret = new_key(BRAND, "HS256", ["backend"], ["backend"], now=clock.now())
        await asyncio.to_thread(keys.add, key.key_id, str(secret))
        await storage.add_key(key)
        await services.catalogues.refresh()
        starter = resources.files("sayso_server") / "starter.toml"
        with resources.as_file(starter) as path:
            catalogue = await asyncio.to_thread(read_catalogue, path)
        await services.publishing.publish(BRAND, catalogue)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield Timed(f"http://127.0.0.1:{runner.addresses[0][1]}", key.key_id, str(secret), clock, storage)
    finally:
        await runner.cleanup()
