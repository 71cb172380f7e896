"""The change feed in an SQLite file: what other processes and restarts make of it, and how long it grows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from sayso_server.storage import base
from sayso_server.storage.base import FeedEntry, FeedPage, Found, StoredChange, StoredConsumer, Wanted, Write
from sayso_server.storage.sqlite import SqliteStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

NOW = 1_800_000_000_000_000


class StandingClock:
    def now(self) -> int:
        return NOW


async def record(storage: SqliteStorage, consumer_id: str, *, brand: str = "dealer", fails: bool = False) -> int:
    """Record one change, or one that the database refuses."""

    def plan(found: Mapping[str, Found], now: int) -> tuple[list[Write], int]:
        before = found[consumer_id].consumer
        version = before.version + 1 if before and not fails else 1
        row = StoredChange(version, "device", now, now, now, None, b"", b"{}")
        return [Write(consumer_id, StoredConsumer(version, now, now, b""), (row,))], version

    answer: int = await storage.record(brand, [Wanted(consumer_id)], plan)
    return answer


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    opened = SqliteStorage(tmp_path / "sayso.db", clock=StandingClock())
    await opened.start()
    yield opened
    await opened.close()


async def test_what_another_process_publishes_and_records_is_in_the_feed(
    storage: SqliteStorage, tmp_path: Path
) -> None:
    await record(storage, "ann")
    command = SqliteStorage(tmp_path / "sayso.db", clock=StandingClock(), server=False)
    await command.start()
    await command.publish("dealer", b"{}", published_at=NOW, expected_revision=0)
    await record(command, "ann")
    await command.close()
    await record(storage, "ann")

    expected = (FeedEntry(1, "ann", 1), FeedEntry(2, None, 1), FeedEntry(3, "ann", 2), FeedEntry(4, "ann", 3))
    assert await storage.head("dealer") == 4
    assert await storage.feed("dealer", after=0, limit=10) == FeedPage(4, expected)


async def test_the_feed_outlives_the_process(storage: SqliteStorage, tmp_path: Path) -> None:
    await record(storage, "ann")
    await storage.close()

    again = SqliteStorage(tmp_path / "sayso.db", clock=StandingClock())
    await again.start()
    await record(again, "ben")

    assert await again.feed("dealer", after=0, limit=10) == FeedPage(
        2, (FeedEntry(1, "ann", 1), FeedEntry(2, "ben", 1))
    )
    await again.close()


async def test_a_job_that_fails_in_a_group_leaves_no_hole_and_no_trace(storage: SqliteStorage) -> None:
    await record(storage, "cleo")

    results = await asyncio.gather(
        record(storage, "ann"),
        record(storage, "cleo", fails=True),
        record(storage, "ben"),
        record(storage, "ann", brand="shop"),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [int, ValueError, int, int]
    page = await storage.feed("dealer", after=1, limit=10)
    assert page is not None
    assert sorted((entry.consumer_id, entry.version) for entry in page.entries) == [("ann", 1), ("ben", 1)]
    assert {entry.position for entry in page.entries} == set(range(2, page.until + 1))
    assert await storage.feed("shop", after=0, limit=10) == FeedPage(1, (FeedEntry(1, "ann", 1),))


async def test_the_feed_is_cut_to_its_last_100_000_positions(storage: SqliteStorage, tmp_path: Path) -> None:
    assert base.FEED_KEPT == 100_000
    aside = apsw.Connection(str(tmp_path / "sayso.db"))
    aside.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100_300) "
        "INSERT INTO feed SELECT 'dealer', i, 0, 0, i, ?1 FROM n UNION ALL SELECT 'shop', i, 0, 0, i, ?1 FROM n",
        (NOW,),
    )
    aside.close()

    for _ in range(100):
        await record(storage, "ann")

    assert await storage.head("dealer") == 100_400
    # The next cut falls on position 100,608.
    for _ in range(208):
        await record(storage, "ann")
    assert await storage.feed("dealer", after=607, limit=1) is None
    assert await storage.feed("dealer", after=608, limit=1) == FeedPage(609, (FeedEntry(609, None, 609),))
    assert await storage.feed("shop", after=0, limit=1) == FeedPage(1, (FeedEntry(1, None, 1),))


async def test_a_gap_in_the_feed_is_never_passed_over(storage: SqliteStorage, tmp_path: Path) -> None:
    for _ in range(6):
        await record(storage, "ann")
    aside = apsw.Connection(str(tmp_path / "sayso.db"))
    aside.execute("DELETE FROM feed WHERE position IN (3, 4)")
    aside.close()

    for after in (0, 1, 2, 3):
        assert await storage.feed("dealer", after=after, limit=10) is None
    expected = (FeedEntry(5, "ann", 5), FeedEntry(6, "ann", 6))
    assert await storage.feed("dealer", after=4, limit=10) == FeedPage(6, expected)


async def test_one_record_costs_the_feed_one_small_row(storage: SqliteStorage, tmp_path: Path) -> None:
    def many(found: Mapping[str, Found], now: int) -> tuple[list[Write], None]:
        row = StoredChange(1, "device", now, now, now, None, b"", b"{}")
        return [Write(name, StoredConsumer(1, now, now, b""), (row,)) for name in found], None

    await storage.record("dealer", [Wanted(f"cust-{number}") for number in range(400)], many)

    aside = apsw.Connection(str(tmp_path / "sayso.db"))
    rows: list[Any] = aside.execute("SELECT * FROM feed").fetchall()
    aside.close()
    assert rows == [("dealer", 1, 1, 400, None, NOW)]
