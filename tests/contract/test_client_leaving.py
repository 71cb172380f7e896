"""A loop of the client's ends, the blocking facade's above all: nothing goes on there, and nothing is lost."""

import asyncio
import os
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sayso

MARKETING = "purpose:marketing"


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.01)


async def own_tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("sayso-")}


@pytest.fixture
def privacy(served: Any, tmp_path: Path) -> sayso.Client:
    folder = tmp_path / "outbox"
    folder.mkdir(mode=0o700)
    client: sayso.Client = served.client(outbox=folder / "outbox.db")
    return client


async def test_leaving_ends_both_what_follows_and_what_sends(privacy: sayso.Client) -> None:
    facade = privacy.sync()
    await asyncio.to_thread(facade.start)
    await until(lambda: facade.status == "live")
    assert await asyncio.to_thread(facade._portal.run, own_tasks()) >= {
        "sayso-stream",
        "sayso-freshness",
        "sayso-outbox",
    }

    await asyncio.to_thread(facade._portal.run, privacy.leave())
    assert await asyncio.to_thread(facade._portal.run, own_tasks()) == set()
    assert facade.status != "live"
    await asyncio.to_thread(facade.close)


async def test_after_closing_a_new_facade_follows_and_sends_again(privacy: sayso.Client, served: Any) -> None:
    def use(number: int) -> None:
        with privacy.sync() as facade:
            ann = facade.consumer("cust-42")
            deadline = time.monotonic() + 15
            while facade.status != "live":
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert ann.grant(MARKETING, shown="en").version == 2 * number + 1
            assert ann.allows(MARKETING) is True
            assert ann.withdraw(MARKETING).version == 2 * number + 2
            assert ann.allows(MARKETING) is False
        assert facade.closed
        assert "sayso-sync" not in [thread.name for thread in threading.enumerate()]

    for number in range(3):
        await asyncio.to_thread(use, number)
        assert privacy.status != "live"


async def test_closing_a_facade_leaves_the_loop_alone_that_follows(privacy: sayso.Client) -> None:
    await privacy.start()
    await until(lambda: privacy.status == "live")

    def use() -> bool:
        with privacy.sync() as facade:
            return facade.consumer("cust-42").allows("purpose:service")

    assert await asyncio.to_thread(use) is True
    assert {"sayso-stream", "sayso-freshness", "sayso-outbox"} <= await own_tasks()
    assert privacy.status == "live"


async def test_a_refusal_in_memory_counts_and_is_sent_after_the_facade_that_made_it_is_closed(served: Any) -> None:
    privacy = served.client()
    lost: list[sayso.Loss] = []
    privacy.on_loss(lost.append)
    facade = privacy.sync()
    await asyncio.to_thread(facade.start)
    await asyncio.to_thread(facade.consumer("cust-42").grant, MARKETING, shown="en")
    await served.stop()
    assert (await asyncio.to_thread(facade.consumer("cust-42").withdraw, MARKETING)).status == "pending"
    await asyncio.to_thread(facade.close)

    again = privacy.sync()
    assert (again.pending, lost) == (1, [])
    assert (await asyncio.to_thread(again.consumer("cust-42").decide, MARKETING)).reason == "withdrawn"
    await served.restart()
    assert await asyncio.to_thread(again.flush) == 0
    assert (await served.client().consumer("cust-42").decide(MARKETING)).reason == "withdrawn"


async def test_a_forked_child_has_a_facade_of_its_own_and_the_parent_s_goes_on(
    privacy: sayso.Client, served: Any
) -> None:
    facade = privacy.sync()
    ann = facade.consumer("cust-42")
    await asyncio.to_thread(ann.grant, MARKETING, shown="en")
    await until(lambda: facade.status == "live")

    def in_the_child() -> bool:
        if ann.allows(MARKETING) is not True:
            return False
        deadline = time.monotonic() + 15
        while facade.status != "live" and time.monotonic() < deadline:
            time.sleep(0.01)
        refused = ann.withdraw("purpose:analytics").status == "confirmed"
        live = facade.status == "live"
        facade.close()
        return refused and live

    def fork() -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that is what is tested
            child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        code = 1
        try:
            code = 0 if in_the_child() else 2
        finally:
            os._exit(code)

    assert await asyncio.to_thread(fork) == 0
    assert facade.status == "live"
    await served.client(live=False).consumer("cust-42").withdraw(MARKETING)
    deadline = time.monotonic() + 5
    while await asyncio.to_thread(ann.allows, MARKETING):
        assert time.monotonic() < deadline
    assert await asyncio.to_thread(ann.allows, "purpose:analytics") is False
    await asyncio.to_thread(facade.close)
