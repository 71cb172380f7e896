"""A server that is older than it was, or another one: nothing is answered, and everybody is told why."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

import sayso

SERVICE = "purpose:service"


async def until(condition: Any, within: float = 15.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.01)


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir(mode=0o700)
    return tmp_path / "own" / "outbox.db"


async def test_a_live_client_answers_nothing_from_an_older_backup_and_again_once_it_has_caught_up(served: Any) -> None:
    client = served.client()
    async with client as privacy:
        ann, ben = privacy.consumer("cust-42"), privacy.consumer("cust-43")
        await ann.grant("purpose:marketing", shown="en")
        put_back = await served.back_up()
        await ann.withdraw("purpose:marketing")
        newest = await served.storage.head("dealer")
        await until(lambda: client._knowing._floor.position == newest)
        await put_back()
        await until(lambda: client.status == "blocked")

        assert "older backup" in client.status_reason
        decision = await ben.decide(SERVICE)
        assert (decision.allowed, decision.reason) == (False, "unavailable")
        assert "restored from an older backup" in decision.explain()
        assert await ben.allows(SERVICE) is False
        with pytest.raises(sayso.UnavailableError, match="restart this process") as caught:
            await ben.preferences()
        assert caught.value.code == "behind"
        await served.client(live=False).consumer("cust-42").withdraw("purpose:marketing")
        await until(lambda: client.status == "live")
        assert await ben.allows(SERVICE) is True
        assert await ann.allows("purpose:marketing") is False


async def test_a_process_started_after_the_restore_knows_from_its_file(served: Any, outbox: Path) -> None:
    put_back = None
    async with served.client(outbox=outbox) as privacy:
        await privacy.consumer("cust-42").grant("purpose:marketing", shown="en")
        put_back = await served.back_up()
        recorded = await privacy.consumer("cust-42").withdraw("purpose:marketing")
        newest = await served.storage.head("dealer")
        await until(lambda: privacy._knowing._floor.position == newest)
        assert await privacy.consumer("cust-42").allows("purpose:marketing", at_least=recorded.version) is False
    await put_back()

    for live in (True, False):
        restarted = served.client(outbox=outbox, live=live)
        async with restarted as privacy:
            assert await privacy.consumer("cust-42").allows("purpose:marketing") is False
            decision = await privacy.consumer("cust-43").decide(SERVICE)
            assert (decision.reason, restarted.status) == ("unavailable", "blocked")
            assert f"delete {outbox}.seen" in restarted.status_reason
            with pytest.raises(sayso.UnavailableError):
                await privacy.consumer("cust-43").preferences()
    await served.client(live=False).consumer("cust-42").withdraw("purpose:marketing")
    async with served.client(outbox=outbox, live=False) as privacy:
        assert await privacy.consumer("cust-43").allows(SERVICE) is True


async def test_another_database_is_turned_down_across_a_restart_until_its_file_is_deleted(
    served: Any, outbox: Path
) -> None:
    async with served.client(outbox=outbox) as privacy:
        await privacy.consumer("cust-42").grant("purpose:marketing", shown="en")
        await until(lambda: privacy.status == "live")
    await served.move()

    async with served.client(outbox=outbox) as privacy:
        assert (await privacy.consumer("cust-42").decide(SERVICE)).reason == "unavailable"
        assert privacy.status == "blocked"
        assert "another database than before" in privacy.status_reason
    await asyncio.to_thread(outbox.with_name("outbox.db.seen").unlink)
    async with served.client(outbox=outbox) as privacy:
        assert (await privacy.consumer("cust-42").decide(SERVICE)).reason == "required"


async def test_a_restart_of_the_server_loses_nothing(served: Any) -> None:
    client = served.client()
    async with client as privacy:
        ann = privacy.consumer("cust-42")
        await ann.grant("purpose:marketing", shown="en")
        await until(lambda: client.status == "live")
        assert await ann.allows("purpose:marketing") is True
        await served.restart()
        await served.client(live=False).consumer("cust-42").withdraw("purpose:marketing")
        deadline = time.monotonic() + 5
        while await ann.allows("purpose:marketing"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        await until(lambda: client.status == "live")
        assert (await ann.decide("purpose:marketing")).reason == "withdrawn"
