"""The servers that the published contract suite is run against: the fake, and the application over each storage."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import sayso
from sayso.testing import CATALOGUE_FILE, FakeSayso
from sayso.testing.contract import ServerUnderTest
from sayso.transport.clock import SYSTEM_CLOCK
from sayso.wire import TokenClass
from sayso_server.app import create_app
from sayso_server.keys import KeyFile, new_key
from sayso_server.run import serve
from sayso_server.storage.base import Storage, StoredBrand
from sayso_server.storage.memory import MemoryStorage
from sayso_server.storage.sqlite import SqliteStorage

ORIGIN = "https://dealer.example"


def fake(folder: Path) -> Iterator[ServerUnderTest]:
    with FakeSayso(clock=SYSTEM_CLOCK) as running:
        yield ServerUnderTest(running.url, *running.credentials())


def over_memory(folder: Path) -> Iterator[ServerUnderTest]:
    yield from application(MemoryStorage(), folder)


def over_sqlite(folder: Path) -> Iterator[ServerUnderTest]:
    yield from application(SqliteStorage(folder / "sayso.db"), folder)


def application(storage: Storage, folder: Path) -> Iterator[ServerUnderTest]:
    """Run the server as it is run, on a thread of its own."""
    ready = threading.Event()
    found: list[ServerUnderTest] = []
    stops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        async with running(storage, folder) as (server, stop):
            found.append(server)
            stops.append((asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(20)
    yield found[0]
    loop, stop = stops[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)


@asynccontextmanager
async def running(storage: Storage, folder: Path) -> AsyncIterator[tuple[ServerUnderTest, asyncio.Event]]:
    stop = asyncio.Event()
    keys = KeyFile(folder / "sayso.keys")
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def when_listening(_: object, url: str) -> None:
        listening.set_result(url)

    app = create_app(storage, keys, public_origin="https://privacy.example")
    serving = asyncio.create_task(
        serve(lambda _: app, host="127.0.0.1", port=0, stop=stop, when_listening=when_listening)
    )
    url = await listening
    await storage.add_brand(StoredBrand("dealer", "Dealer", SYSTEM_CLOCK.now()))
    await storage.add_origin("dealer", ORIGIN)
    secrets = {}
    for role, classes in (("backend", [TokenClass.BACKEND, TokenClass.CONSUMER]), ("admin", [TokenClass.BACKEND])):
        key, secret = new_key("dealer", "HS256", classes, [role], now=SYSTEM_CLOCK.now())
        assert secret is not None
        await asyncio.to_thread(keys.add, key.key_id, secret)
        await storage.add_key(key)
        secrets[role] = key.key_id, secret
    async with sayso.Client(url, *secrets["admin"]) as admin:
        await admin.publish_catalogue(CATALOGUE_FILE)
    yield ServerUnderTest(url, *secrets["backend"]), stop
    stop.set()
    await serving


@pytest.fixture(scope="session", params=[fake, over_memory, over_sqlite], ids=lambda kind: kind.__name__)
def sayso_server_under_test(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerUnderTest]:
    yield from request.param(tmp_path_factory.mktemp("server"))
