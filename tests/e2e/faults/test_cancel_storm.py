"""A storm of cancelled tasks, as web frameworks make them when clients hang up: nothing lost, no lock held."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from datetime import timedelta

import pytest
from tests.e2e.faults.checkers import lost_or_twice
from tests.e2e.faults.clients import drain
from tests.e2e.faults.connection import Mode
from tests.e2e.faults.house import House, opened
from tests.e2e.faults.proxy import Proxy, proxied
from tests.e2e.faults.size import sized

import sayso

TASKS = sized(2_000, 10_000)
AT_ONCE = 200
TOPICS = ("purpose:marketing", "channel:sms", "channel:email")


async def storm(privacy: sayso.Client, proxy: Proxy | None) -> tuple[list[sayso.Recorded], int]:
    """Let every task record or ask something, and cancel half of them at random moments."""
    chance = random.Random()
    receipts: list[sayso.Recorded] = []
    cancelled = 0

    async def one(number: int) -> None:
        someone = privacy.consumer(f"cust-{number % 50}")
        topic = TOPICS[number % len(TOPICS)]
        match number % 4:
            case 0:
                receipts.append(await someone.deny(topic, method="chat"))
            case 1:
                receipts.append(await someone.grant(topic, shown="en", method="chat"))
            case 2:
                receipts.append(await someone.withdraw(topic, method="chat"))
            case _:
                await someone.allows(topic)

    async def hang_up(number: int) -> None:
        nonlocal cancelled
        task = asyncio.create_task(one(number))
        if chance.random() < 0.5:
            await asyncio.sleep(chance.choice((0, 0, chance.uniform(0, 0.02), chance.uniform(0, 0.3))))
            cancelled += task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    gate = asyncio.Semaphore(AT_ONCE)

    async def through_the_gate(number: int) -> None:
        async with gate:
            if proxy is not None and number % 500 == 250:
                proxy_mode = Mode.REFUSE if proxy.mode is Mode.PASS else Mode.PASS
                await asyncio.to_thread(setattr, proxy, "mode", proxy_mode)
            await hang_up(number)

    await asyncio.gather(*map(through_the_gate, range(TASKS)))
    return receipts, cancelled


@pytest.mark.timeout(120 + TASKS // 20)
@pytest.mark.parametrize("coming_and_going", [False, True], ids=["server there", "server comes and goes"])
async def test_a_storm_of_cancelled_tasks_loses_nothing_and_leaves_no_lock(tmp_path, coming_and_going):
    opening = opened(tmp_path / "house")
    house: House = await asyncio.to_thread(opening.__enter__)
    try:
        with proxied(house.port) as proxy:
            outbox = tmp_path / "outbox"
            async with sayso.Client(proxy.url, house.key_id, house.secret, outbox=outbox) as privacy:
                receipts, cancelled = await storm(privacy, proxy if coming_and_going else None)
                await asyncio.to_thread(setattr, proxy, "mode", Mode.PASS)
                # No lock is held: another connection writes to the outbox at once, and a command goes through.
                with sqlite3.connect(outbox, timeout=2, isolation_level=None) as other:
                    other.execute("BEGIN IMMEDIATE")
                    other.execute("ROLLBACK")
                other.close()
                async with asyncio.timeout(timedelta(seconds=30).total_seconds()):
                    receipts.append(await privacy.consumer("cust-after").deny("channel:sms", method="chat"))
            await drain(proxy.url, house, outbox)
            kept = await asyncio.to_thread(house.kept)
    finally:
        await asyncio.to_thread(opening.__exit__, None, None, None)
    lines = [
        {
            "choice": one.choice_id,
            "consumer": one.consumer_id,
            "status": one.status,
            "version": one.version if one.status == "confirmed" else None,
        }
        for one in receipts
    ]
    assert cancelled > TASKS / 10
    assert len(lines) > TASKS / 4
    assert not coming_and_going or "pending" in {line["status"] for line in lines}
    assert lost_or_twice(lines, kept) == []
