"""The thread that writes: groups, failures, and what a crash leaves."""

# ruff: noqa: ASYNC240 - a test has nothing else to do while it looks at a file

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import apsw
import pytest

from sayso.model.instant import Micros
from sayso_server.storage.base import Found, Plan, StorageUnavailableError, StoredChange, StoredConsumer, Wanted, Write
from sayso_server.storage.sqlite import SqliteStorage, connect, writer


def append(consumer_id: str, choice: int, *, body: bytes = b"{}") -> Plan[int]:
    def plan(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], int]:
        before = found[consumer_id].consumer
        version = before.version + 1 if before else 1
        change = StoredChange(version, "choice", now, now, now, str(UUID(int=choice)), b"f" * 32, body)
        return [Write(consumer_id, StoredConsumer(version, now, now, b"{}"), (change,))], version

    return plan


async def record(storage: SqliteStorage, consumer_id: str, choice: int, *, body: bytes = b"{}") -> int:
    return await storage.record("dealer", [Wanted(consumer_id)], append(consumer_id, choice, body=body))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "sayso.db"


@pytest.fixture
async def storage(database: Path) -> AsyncIterator[SqliteStorage]:
    opened = SqliteStorage(database)
    await opened.start()
    yield opened
    await opened.close()


@contextmanager
def write_lock(database: Path) -> Iterator[None]:
    """Hold the database's write lock as another process would."""
    other = apsw.Connection(str(database))
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def commits(database: Path) -> int:
    other = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    count: int = other.execute("SELECT sequence FROM meta").get
    other.close()
    return count


async def test_a_commit_waits_for_the_disk(storage: SqliteStorage) -> None:
    writing = storage._database.writing

    assert writing.pragma("journal_mode") == "wal"
    assert writing.pragma("synchronous") == 2  # FULL


async def test_what_is_acknowledged_is_committed(storage: SqliteStorage, database: Path) -> None:
    other = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    for number in range(1, 101):
        await record(storage, "cust-42", number)
        assert other.execute("SELECT count(*) FROM change").get == number
    other.close()


async def test_what_has_queued_up_becomes_one_transaction(storage: SqliteStorage, database: Path) -> None:
    with write_lock(database):
        first = asyncio.create_task(record(storage, "first", 1))
        await asyncio.sleep(0.05)  # the writer has it, and waits for the lock
        waiting = [asyncio.create_task(record(storage, f"cust-{number}", number)) for number in range(200)]
        await asyncio.sleep(0)
    assert await asyncio.gather(first, *waiting) == [1] * 201

    assert commits(database) == 2


async def test_who_comes_again_at_once_joins_what_has_come_meanwhile(storage: SqliteStorage, database: Path) -> None:
    async def twice() -> list[int]:
        return [await record(storage, "cust-42", 1), await record(storage, "cust-42", 2)]

    with write_lock(database):
        busy = asyncio.create_task(twice())
        await asyncio.sleep(0.05)  # the writer has the first, and waits for the lock
        meanwhile = asyncio.create_task(record(storage, "ben", 3))
        await asyncio.sleep(0)
    assert await asyncio.gather(busy, meanwhile) == [[1, 2], 1]

    assert commits(database) == 2


async def test_closing_writes_what_waits_behind_a_commit(storage: SqliteStorage, database: Path) -> None:
    with write_lock(database):
        first = asyncio.create_task(record(storage, "cust-42", 1))
        await asyncio.sleep(0.05)  # the writer has it, and waits for the lock
        behind = asyncio.create_task(record(storage, "ben", 2))
        await asyncio.sleep(0)
        closing = asyncio.create_task(storage.close())
        await asyncio.sleep(0)
    await closing

    assert await asyncio.gather(first, behind) == [1, 1]


async def test_looking_without_writing_commits_nothing(storage: SqliteStorage, database: Path) -> None:
    await record(storage, "cust-42", 1)

    seen = await storage.record("dealer", [Wanted("cust-42")], lambda found, now: ((), found["cust-42"].consumer))

    assert seen is not None
    assert seen.version == 1
    assert commits(database) == 1


async def test_readers_do_not_wait_for_writers(storage: SqliteStorage, database: Path) -> None:
    await record(storage, "cust-42", 1)
    with write_lock(database):
        waiting = asyncio.create_task(record(storage, "cust-42", 2))
        await asyncio.sleep(0.02)
        started = time.perf_counter()
        assert await storage.version("dealer", "cust-42") == 1
        assert len(await storage.history("dealer", "cust-42", before=None, limit=9)) == 1
        took = time.perf_counter() - started
        assert not waiting.done()

    assert await waiting == 2
    assert took < 0.5


async def test_a_cancelled_callers_write_is_carried_out(storage: SqliteStorage, database: Path) -> None:
    with write_lock(database):
        waiting = asyncio.create_task(record(storage, "cust-42", 1))
        await asyncio.sleep(0.02)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert await record(storage, "cust-42", 2) == 2


async def test_a_cancelled_close_goes_on(database: Path) -> None:
    storage = SqliteStorage(database)
    await storage.start()
    with write_lock(database):
        waiting = asyncio.create_task(record(storage, "cust-42", 1))
        await asyncio.sleep(0.02)
        closing = asyncio.create_task(storage.close())
        await asyncio.sleep(0.02)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing

    assert await waiting == 1
    await storage.close()
    with pytest.raises(StorageUnavailableError):
        await storage.version("dealer", "cust-42")


async def test_a_broken_write_in_a_group_fails_alone(storage: SqliteStorage, database: Path) -> None:
    await record(storage, "ann", 1)
    with write_lock(database):
        first = asyncio.create_task(record(storage, "first", 1))
        await asyncio.sleep(0.05)
        group = [
            asyncio.create_task(record(storage, who, number)) for who, number in (("ben", 2), ("ann", 1), ("cleo", 3))
        ]
        await asyncio.sleep(0)
    results = await asyncio.gather(first, *group, return_exceptions=True)

    assert [results[0], results[1], results[3]] == [1, 1, 1]
    assert isinstance(results[2], ValueError)
    assert await storage.version("dealer", "ann") == 1
    assert commits(database) == 4  # ann's first, the lock's, then ben and cleo apart


async def test_a_lock_that_stays_refuses_what_waits_and_keeps_nothing(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "WRITER_WAIT_MS", 50)
    storage = SqliteStorage(database)
    await storage.start()
    with write_lock(database):
        results = await asyncio.gather(
            *(record(storage, f"cust-{number}", number) for number in range(20)), return_exceptions=True
        )

    assert {type(each) for each in results} == {StorageUnavailableError}
    assert await storage.consumer_ids("dealer", after="", limit=100) == []
    assert await record(storage, "cust-42", 1) == 1
    await storage.close()


async def test_a_full_queue_refuses_at_once(
    storage: SqliteStorage, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "QUEUE_LIMIT", 10)
    with write_lock(database):
        waiting = [asyncio.create_task(record(storage, "cust-42", number)) for number in range(1, 13)]
        await asyncio.sleep(0.02)
        assert [task.done() for task in waiting] == [False] * 10 + [True] * 2
    results = await asyncio.gather(*waiting, return_exceptions=True)

    assert results[:10] == list(range(1, 11))
    assert {type(each) for each in results[10:]} == {StorageUnavailableError}
    assert await record(storage, "cust-42", 99) == 11


async def test_a_full_disk_acknowledges_nothing_that_it_lost_and_recovers_by_itself(storage: SqliteStorage) -> None:
    writing = storage._database.writing
    writing.pragma("max_page_count", writing.pragma("page_count") + 20)

    results = await asyncio.gather(
        *(record(storage, f"cust-{number:03}", number, body=b"." * 2_000) for number in range(200)),
        return_exceptions=True,
    )
    kept = {f"cust-{number:03}" for number, each in enumerate(results) if each == 1}
    assert {type(each) for each in results} == {int, StorageUnavailableError}
    assert set(await storage.consumer_ids("dealer", after="", limit=1_000)) == kept

    writing.pragma("max_page_count", 1_000_000)
    again = await asyncio.gather(*(record(storage, f"cust-{n:03}", 1_000 + n) for n in range(200)))
    assert again == [2 if f"cust-{n:03}" in kept else 1 for n in range(200)]


async def test_a_failing_write_to_the_log_acknowledges_nothing_and_recovers_by_itself(
    storage: SqliteStorage, database: Path
) -> None:
    await record(storage, "cust-42", 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{database}-wal").stat().st_size + 5_000, hard))
    try:
        results = await asyncio.gather(
            *(record(storage, f"cust-{number}", number) for number in range(100, 120)), return_exceptions=True
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert {type(each) for each in results} == {StorageUnavailableError}
    assert await storage.consumer_ids("dealer", after="", limit=100) == ["cust-42"]
    assert await record(storage, "cust-42", 2) == 2


_VICTIM = """
import asyncio, sys, uuid
from sayso_server.storage.base import StoredChange, StoredConsumer, Wanted, Write
from sayso_server.storage.sqlite import SqliteStorage

async def main():
    storage = SqliteStorage(sys.argv[1])
    await storage.start()
    print("up", flush=True)

    async def write(consumer_id):
        while True:
            choice = str(uuid.uuid4())

            def plan(found, now):
                before = found[consumer_id].consumer
                version = before.version + 1 if before else 1
                change = StoredChange(version, "choice", now, now, now, choice, b"f" * 32, b"{}")
                return [Write(consumer_id, StoredConsumer(version, now, now, b"{}"), (change,))], version

            version = await storage.record("dealer", [Wanted(consumer_id)], plan)
            print(consumer_id, version, choice, flush=True)

    await asyncio.gather(*(write(f"cust-{number}") for number in range(16)))

asyncio.run(main())
"""


@pytest.mark.timeout(120)
async def test_a_server_killed_20_times_keeps_every_acknowledged_choice(database: Path) -> None:
    acknowledged: list[list[str]] = []
    for killing in range(20):
        victim = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _VICTIM, str(database), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert victim.stdout is not None
        assert await victim.stdout.readline() == b"up\n"
        await asyncio.sleep(0.01 + 0.005 * killing)
        victim.kill()
        output, _ = await victim.communicate()
        # The last line may be cut; everything before it was acknowledged.
        acknowledged += [line.split() for line in output.decode().split("\n")[:-1]]

    storage = SqliteStorage(database)
    await storage.start()
    kept = {
        (f"cust-{number}", change.version, change.choice_id)
        for number in range(16)
        for change in await storage.changes_until("dealer", f"cust-{number}", 2**62)
    }
    versions = {f"cust-{number}": await storage.version("dealer", f"cust-{number}") for number in range(16)}
    await storage.close()

    assert len(acknowledged) > 200
    assert {(consumer, int(version), choice) for consumer, version, choice in acknowledged} <= kept
    assert sum(versions.values()) == len(kept)
