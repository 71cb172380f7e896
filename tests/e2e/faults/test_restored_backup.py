"""A server restored from an older backup would undo withdrawals: clients that have seen newer don't answer from it."""

from __future__ import annotations

import asyncio
import shutil
import signal

import pytest
from tests.e2e.faults.clients import Program
from tests.e2e.faults.house import House, opened

import sayso

TOPIC = "purpose:marketing"

pytestmark = pytest.mark.timeout(120)


async def chosen(house: House, answer: str) -> None:
    async with sayso.Client(house.url, house.key_id, house.secret, live=False, outbox=False) as privacy:
        ann = privacy.consumer("cust-42")
        if answer == "granted":
            await ann.grant(TOPIC, shown="en", method="chat")
        else:
            await ann.withdraw(TOPIC, method="chat")


def restore_older(house: House) -> None:
    """Bring back the day on which the grant stood and the withdrawal had not been made, in every file of the server."""
    house.kill(signal.SIGTERM)
    for path in house.folder.glob("sayso.db*"):
        path.unlink()
    for path in (house.folder / "backup").iterdir():
        shutil.copy2(path, house.folder / path.name)
    house.start()


@pytest.fixture
def house(tmp_path):
    """A server of which there is a backup from before a withdrawal."""
    with opened(tmp_path / "house") as house:
        asyncio.run(chosen(house, "granted"))
        house.kill(signal.SIGTERM)
        (house.folder / "backup").mkdir()
        for path in house.folder.glob("sayso.db*"):
            shutil.copy2(path, house.folder / "backup" / path.name)
        house.start()
        yield house


def said(lines, what):
    return [line for line in lines if line["what"] == what]


@pytest.mark.parametrize("restarted", [False, True], ids=["a client that ran on", "a client that was started anew"])
def test_who_has_seen_newer_never_answers_from_an_older_backup_and_says_why(house, tmp_path, restarted):
    parts = {"outbox": tmp_path / "outbox", "max_staleness": 2.0}
    with Program(house, "before_and_after", tmp_path / "log", **parts) as client:
        client.until(lambda: any(line["yes"] for line in said(client.lines(), "answer")))
        asyncio.run(chosen(house, "withdrawn"))
        client.until(lambda: any(line["reason"] == "withdrawn" for line in said(client.lines(), "answer")))
        # What was seen is written down beside the outbox once a second.
        seen_before = len(client.lines())
        client.until(lambda: len(said(client.lines()[seen_before:], "answer")) >= 8)
        if restarted:
            client.stop()
        restore_older(house)
        before = len(client.lines())
        if not restarted:
            client.until(lambda: len(said(client.lines()[before:], "answer")) >= 8, within=30)
            client.stop()
    if restarted:
        with Program(house, "before_and_after", tmp_path / "log", **parts) as client:
            client.until(lambda: len(said(client.lines()[before:], "answer")) >= 8, within=30)
            client.stop()

    after = client.lines()[before:]
    assert {line["yes"] for line in said(after, "answer")} == {False}
    # For a moment the newer state may still be known to be fresh; the older one never shows.
    assert {line["version"] for line in said(after, "snapshot")} <= {2}
    assert said(after[-9:], "snapshot") == []
    assert said(after, "answer")[-1]["reason"] == "unavailable"
    last = said(after, "error")[-1]
    assert last["code"] == "behind"
    assert "restored from an older backup" in last["message"]
    status = said(after, "status")[-1]
    assert status["status"] == "blocked"
    assert "restored from an older backup" in status["reason"]
    assert str(tmp_path / "outbox.seen") in status["reason"]


def test_a_client_that_has_seen_nothing_newer_answers(house, tmp_path):
    asyncio.run(chosen(house, "withdrawn"))
    restore_older(house)
    with Program(house, "before_and_after", tmp_path / "log", outbox=tmp_path / "new", max_staleness=2.0) as client:
        client.until(lambda: any(line["yes"] for line in said(client.lines(), "answer")))
        client.stop()
