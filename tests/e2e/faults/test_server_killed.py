"""`kill -9` of the server at random moments under load: what was acknowledged is there, and nothing twice."""

from __future__ import annotations

import random
import time

import pytest
from tests.e2e.faults.checkers import lost_or_twice
from tests.e2e.faults.clients import Program
from tests.e2e.faults.house import opened
from tests.e2e.faults.size import progress, sized

KILLS = sized(5, 50)


@pytest.mark.timeout(60 + KILLS * 10)
def test_every_acknowledged_choice_outlives_the_server_and_none_is_there_twice(tmp_path):
    chance = random.Random()
    with opened(tmp_path / "house") as house, Program(house, "writers", tmp_path / "log") as writers:
        for kill in range(KILLS):
            before = len(writers.lines())
            writers.until(lambda before=before: len(writers.lines()) > before + 8)
            time.sleep(chance.uniform(0, 0.4))
            house.kill()
            house.start()
            progress(f"server killed {kill + 1} of {KILLS} times, {len(writers.lines())} answers")
        writers.stop()
        receipts = [line for line in writers.lines() if line["what"] == "receipt"]
        kept = house.kept()
    assert len(receipts) >= KILLS * 8
    assert {line["status"] for line in receipts} == {"confirmed"}
    assert lost_or_twice(receipts, kept) == []
