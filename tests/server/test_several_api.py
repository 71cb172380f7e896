"""POST /v1/preferences: several consumers at once, for clients that fill their cache."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from sayso_server.clock import SystemClock
from sayso_server.services import make_services
from sayso_server.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from tests.server.conftest import Brand

    from sayso_server.storage.base import StoredConsumer

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])


@BOTH
async def test_each_consumer_s_snapshot_is_the_one_they_have_alone(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted", consumer="ann")
    await dealer.say("channel:sms", "denied", consumer="ben")
    asked = ["ben", "ann", "stranger", "ben"]

    answer = await dealer.call("POST", "/v1/preferences", json={"consumer_ids": asked})

    alone = [await dealer.call("GET", f"/v1/consumers/{consumer}/preferences") for consumer in asked]
    assert answer.json["preferences"] == [one.json for one in alone]
    assert answer.json["etags"] == [one.headers["ETag"] for one in alone]
    assert [one["topics"]["channel:sms"]["reason"] for one in answer.json["preferences"]] == [
        "denied",
        "granted",
        "not_asked",
        "denied",
    ]


@pytest.mark.parametrize(
    ("consumer_ids", "code", "pointer"),
    [
        ([], "batch_empty", "/consumer_ids"),
        (["ann"] * 501, "batch_too_large", "/consumer_ids"),
        (["ann", "ann@dealer.example"], "personal_id", "/consumer_ids/1"),
        (["ann", 7], "wrong_type", "/consumer_ids/1"),
    ],
)
async def test_a_list_that_won_t_do_is_refused_by_name(
    dealer: Brand, consumer_ids: list[object], code: str, pointer: str
) -> None:
    answer = await dealer.call("POST", "/v1/preferences", json={"consumer_ids": consumer_ids})

    assert (answer.status, answer.json["code"], answer.json["errors"][0]["pointer"]) == (422, code, pointer)


async def test_500_consumers_are_one_request(dealer: Brand) -> None:
    asked = [f"cust-{place}" for place in range(500)]

    answer = await dealer.call("POST", "/v1/preferences", json={"consumer_ids": asked})

    assert [one["consumer_id"] for one in answer.json["preferences"]] == asked


class Counted(MemoryStorage):
    """Counts how often a consumer is read."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock=clock)
        self.read: Counter[str] = Counter()

    async def consumer(self, brand_id: str, consumer_id: str) -> StoredConsumer | None:
        self.read[consumer_id] += 1
        return await super().consumer(brand_id, consumer_id)


async def test_a_consumer_named_500_times_is_read_once_an_alias_too() -> None:
    storage = Counted(SystemClock())
    await storage.start()
    reading = make_services(storage, SystemClock()).reading
    visitor = "anon_" + "A" * 22

    found = await reading.snapshots("dealer", ["ann", visitor] * 250)

    assert [each.version for each in found] == [0] * 500
    assert storage.read["ann"] == 1
    assert storage.read[visitor] == 2  # whom it stands for, and what was said


async def test_whoever_else_is_there_gets_a_turn_while_500_consumers_are_read() -> None:
    storage = MemoryStorage(clock=SystemClock())
    await storage.start()
    reading = make_services(storage, SystemClock()).reading
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    await reading.snapshots("dealer", [f"cust-{place}" for place in range(500)])
    other.cancel()

    assert turns >= 24
