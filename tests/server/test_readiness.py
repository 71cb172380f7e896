"""Whether the server is ready: it is not while its database can't take choices."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from sayso_server.storage.base import StorageUnavailableError
from sayso_server.storage.sqlite import SqliteStorage, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.conftest import Brand, World

NOT_READY = (503, "unavailable", "not ready")


async def ready(world: World) -> tuple[int, str, str]:
    answer = await world.call("GET", "/readyz")
    if answer.status == 200:
        return answer.status, answer.json["status"], ""
    assert answer.headers["Retry-After"] == "1"
    return answer.status, answer.code, answer.json["detail"]


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


def full_disk(storage: SqliteStorage) -> None:
    writing = storage._database.writing  # type: ignore[union-attr]
    writing.pragma("max_page_count", writing.pragma("page_count"))


def room(storage: SqliteStorage) -> None:
    storage._database.writing.pragma("max_page_count", 1_000_000)  # type: ignore[union-attr]


@pytest.fixture
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "WRITER_WAIT_MS", 50)


@pytest.fixture
def storage_kind(short_wait: None) -> str:
    return "sqlite"


async def test_a_server_that_can_write_is_ready_and_writes_nothing_about_anybody(dealer: Brand) -> None:
    async with dealer.world.nothing_stored():
        assert await ready(dealer.world) == (200, "ready", "")


async def test_a_server_whose_database_is_locked_is_not_ready_until_it_can_write_again(
    dealer: Brand, make_choice: Any, tmp_path: Path
) -> None:
    with write_lock(tmp_path / "sayso.db"):
        refused = await dealer.post(make_choice("channel:sms", "denied"))
        while_locked = [await ready(dealer.world) for _ in range(3)]
    after = await ready(dealer.world)

    assert refused.status == 503
    assert while_locked == [NOT_READY] * 3
    assert after == (200, "ready", "")
    assert await dealer.world.storage.version("dealer", "cust-42") == 0


async def test_a_server_whose_disk_is_full_is_not_ready_until_there_is_room(dealer: Brand, make_choice: Any) -> None:
    storage = dealer.world.storage
    assert isinstance(storage, SqliteStorage)
    full_disk(storage)
    # Something will fit into the pages there are; the first that does not is refused.
    for number in range(100):
        big = [make_choice("channel:sms", "denied", f"cust-{number}-{each}") for each in range(50)]
        if (await dealer.post(*big)).status == 503:
            break
    full = await ready(dealer.world)
    room(storage)

    assert full == NOT_READY
    assert await ready(dealer.world) == (200, "ready", "")


async def test_the_question_itself_never_waits_long(world: World, tmp_path: Path) -> None:
    storage = SqliteStorage(tmp_path / "other.db")
    connect.WRITER_WAIT_MS = 10_000
    await storage.start()
    try:
        with write_lock(tmp_path / "other.db"):
            async with asyncio.timeout(3):
                answers = await asyncio.gather(*(storage.can_write() for _ in range(5)))
        assert answers == [False] * 5
        assert await storage.can_write() is True
    finally:
        await storage.close()


async def test_a_storage_that_cannot_write_or_answer_is_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no(self: SqliteStorage) -> bool:
        return False

    async def unavailable(self: SqliteStorage) -> bool:
        raise StorageUnavailableError("the disk /dev/sda1 is full")

    for broken in (no, unavailable):
        with monkeypatch.context() as patched:
            patched.setattr(SqliteStorage, "can_write", broken)
            assert await ready(world) == NOT_READY
    assert await ready(world) == (200, "ready", "")
