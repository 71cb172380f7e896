"""What an erasure does to the files: the write-ahead log, other processes, databases of the version before."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from sayso.model.instant import Micros
from sayso_server.storage import base
from sayso_server.storage.base import (
    Erasure,
    ErasureFound,
    Found,
    StoredBrand,
    StoredChange,
    StoredConsumer,
    StoredTombstone,
    Wanted,
    Write,
)
from sayso_server.storage.files import create_private
from sayso_server.storage.sqlite import SqliteStorage, writer
from sayso_server.storage.sqlite.schema import known_migrations, migrate

MARK = b"m" * 32
CANARY = b"a state with a canary in it"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "TRUNCATE_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(writer, "TRUNCATE_EVERY_SECONDS", 0.02)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "sayso.db"


@pytest.fixture
async def server(database: Path) -> AsyncIterator[SqliteStorage]:
    storage = SqliteStorage(database)
    await storage.start()
    yield storage
    await storage.close()


async def record(storage: SqliteStorage, consumer_id: str = "cust-42") -> None:
    content = CANARY if consumer_id == "cust-42" else b"{}"

    def plan(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], None]:
        change = StoredChange(1, "choice", now, now, now, None, b"", content)
        return [Write(consumer_id, StoredConsumer(1, now, now, content * 500), (change,))], None

    await storage.record("dealer", [Wanted(consumer_id)], plan)


async def erase(storage: SqliteStorage, consumer_id: str = "cust-42") -> None:
    def plan(found: ErasureFound, now: Micros) -> tuple[Erasure, None]:
        return Erasure({consumer_id: StoredTombstone(MARK, 2, now, b"")}), None

    await storage.erase("dealer", {consumer_id: MARK}, plan, consumer_id=consumer_id)


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.005)


def has_canary(database: Path) -> bool:
    return any(CANARY[:12] in file.read_bytes() for file in database.parent.iterdir())


async def test_the_log_is_emptied_soon_after_an_erasure_and_writing_goes_on(
    server: SqliteStorage, database: Path
) -> None:
    await record(server)
    await erase(server)

    await until(lambda: not database.with_name("sayso.db-wal").stat().st_size)
    assert not has_canary(database)
    await record(server, "ben")
    assert await server.version("dealer", "ben") == 1


async def test_a_reader_in_the_way_puts_it_off_and_holds_up_nobody(server: SqliteStorage, database: Path) -> None:
    await record(server)
    reader = apsw.Connection(str(database))
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM change").fetchall()

    await erase(server)
    await asyncio.sleep(0.2)
    assert database.with_name("sayso.db-wal").stat().st_size
    await asyncio.wait_for(record(server, "ben"), 2)
    reader.execute("COMMIT")
    reader.close()

    await until(lambda: not has_canary(database))


async def test_a_server_notices_whom_a_command_erased(server: SqliteStorage, database: Path) -> None:
    await record(server)
    assert await server.last_erasure("dealer") == 0
    command = SqliteStorage(database, server=False)
    await command.start()
    await erase(command)
    await command.close()
    await asyncio.sleep(0)

    assert await server.last_erasure("dealer") > 0
    assert await server.feed("dealer", after=1, limit=10) is None  # it doesn't know whom: every reader begins anew
    await until(lambda: not has_canary(database))


async def test_a_database_of_the_version_before_is_brought_up_to_date(database: Path) -> None:
    await asyncio.to_thread(create_private, database)
    old = apsw.Connection(str(database))
    migrate(old, database, (await asyncio.to_thread(known_migrations))[:1])
    old.execute("INSERT INTO brand VALUES ('dealer', 'Dealer', 7)")
    old.close()

    storage = SqliteStorage(database)
    await storage.start()
    assert await storage.brands() == [StoredBrand("dealer", "Dealer", 7)]
    await record(storage)
    await erase(storage)
    assert await storage.tombstone("dealer", MARK) is not None
    await storage.close()


async def test_a_server_empties_the_log_of_what_was_erased_while_no_server_ran(
    server: SqliteStorage, database: Path
) -> None:
    await record(server)
    await server.close()
    command = SqliteStorage(database, server=False)
    await command.start()
    await erase(command)
    await command.close()
    assert has_canary(database)

    again = SqliteStorage(database)
    await again.start()
    await until(lambda: not has_canary(database))
    await again.close()


async def test_who_was_erased_is_forgotten_in_memory_though_nobody_reads_the_feed(
    server: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record(server)
    monkeypatch.setattr(base, "ERASED_NAMED_FOR", timedelta(milliseconds=20))
    await erase(server)
    assert len(server._named) == 1

    await until(lambda: not server._named)


async def test_an_erasure_that_fails_names_nobody(server: SqliteStorage, database: Path) -> None:
    """Another process may take the position that it would have had."""
    await record(server)
    other = apsw.Connection(str(database))
    other.execute("CREATE TRIGGER no BEFORE UPDATE OF sequence ON meta BEGIN SELECT raise(ABORT, 'no'); END")

    with pytest.raises(ValueError, match="contradict"):
        await erase(server)

    assert not server._named
    other.close()
