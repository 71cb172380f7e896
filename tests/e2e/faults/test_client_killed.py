"""`kill -9` of a client with a filled outbox: every receipt it returned is on the server in the end, exactly once."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

import pytest
from tests.e2e.faults.checkers import lost_or_twice
from tests.e2e.faults.clients import Program, drain
from tests.e2e.faults.connection import Mode
from tests.e2e.faults.house import opened
from tests.e2e.faults.proxy import proxied
from tests.e2e.faults.size import progress, sized

KILLS = sized(5, 50)


@pytest.mark.timeout(90 + KILLS * 10)
def test_every_receipt_that_was_returned_is_on_the_server_once_whenever_the_client_was_killed(tmp_path):
    chance = random.Random()
    with opened(tmp_path / "house") as house, proxied(house.port) as proxy:
        parts = {"url": proxy.url, "outbox": tmp_path / "outbox"}
        for kill in range(KILLS):
            proxy.mode = Mode.REFUSE
            with Program(house, "writers", tmp_path / "log", name=f"k{kill}", **parts) as writers:
                before = len(writers.lines())
                writers.until(lambda before=before, writers=writers: len(writers.lines()) > before + 24)
                if chance.random() < 0.7:  # while it sends what waited, too
                    proxy.mode = Mode.PASS
                time.sleep(chance.uniform(0, 0.6))
                writers.kill()
            progress(f"client killed {kill + 1} of {KILLS} times, {len(writers.lines())} receipts")
        proxy.mode = Mode.PASS
        asyncio.run(drain(proxy.url, house, tmp_path / "outbox"))
        receipts = [line for line in writers.lines() if line["what"] == "receipt"]
        kept = house.kept()
    said = Counter(line["status"] for line in receipts)
    assert said["pending"] >= KILLS * 24 - 8
    assert said["confirmed"] > 0
    assert lost_or_twice(receipts, kept) == []
