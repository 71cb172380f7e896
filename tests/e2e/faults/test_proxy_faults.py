"""Everything a network does to connections: nothing acknowledged is lost or twice, and a no stays a no."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from datetime import timedelta

import pytest
from tests.e2e.faults.chaos import Trouble, troubled
from tests.e2e.faults.checkers import late_yes, lost_or_twice, slow_answers
from tests.e2e.faults.clients import Program, drain
from tests.e2e.faults.connection import Mode
from tests.e2e.faults.house import opened
from tests.e2e.faults.proxy import proxied
from tests.e2e.faults.size import lasting, progress, sized

LASTS = lasting(timedelta(seconds=6), timedelta(minutes=3)).total_seconds()
REFUSED = lasting(timedelta(seconds=3), timedelta(seconds=30)).total_seconds()
MAX_STALENESS = 2.0
CONSUMERS = sized(20, 50)
# A check takes a second at most, and on a busy machine with two cores a process may wait for its turn.
CHECK_WITHIN, MARGIN = 1.0 + 0.75, 0.25
EVERYTHING = (
    Trouble(Mode.DROP, 0.8),
    Trouble(Mode.DELAY, 1.0, seconds=0.3),
    Trouble(Mode.DELAY, 1.0, seconds=3.0),
    Trouble(Mode.REPEAT_REQUEST, 1.5),
    Trouble(Mode.REPEAT_ANSWER, 0.8),
    Trouble(Mode.TRUNCATE, 0.8),
    Trouble(Mode.HALF_OPEN, 1.5),
    Trouble(Mode.LATE_EVENTS, 3.0, seconds=10.0),
    Trouble(Mode.UNWELL, 0.8),
    Trouble(Mode.PASS, 0.2, cut=True),
)


@pytest.mark.timeout(120 + LASTS + REFUSED)
def test_no_network_loses_or_doubles_what_was_acknowledged_or_turns_a_withdrawal_into_a_yes(tmp_path):
    shared = {"consumers": CONSUMERS, "max_staleness": MAX_STALENESS, "writers": 4, "pause": 0.02}
    with opened(tmp_path / "house") as house, ExitStack() as stack:
        names = ("writers", "withdrawer", "watcher")
        proxies = {name: stack.enter_context(proxied(house.port)) for name in names}
        programs = {
            name: stack.enter_context(
                Program(house, name, tmp_path / name, url=proxy.url, outbox=tmp_path / f"{name}.outbox", **shared)
            )
            for name, proxy in proxies.items()
        }
        for program in programs.values():
            program.until(lambda program=program: bool(program.lines()))
        time.sleep(1)
        with ExitStack() as troubles:
            for proxy in proxies.values():
                troubles.enter_context(troubled(proxy, EVERYTHING, calm=0.5))
            for second in range(round(LASTS)):
                time.sleep(1)
                progress(f"trouble: {second + 1} of {LASTS:.0f} s")
        for proxy in proxies.values():
            proxy.mode = Mode.REFUSE
        time.sleep(REFUSED)
        for proxy in proxies.values():
            proxy.mode = Mode.PASS
        for program in programs.values():
            program.tell()
        for program in programs.values():
            program.wait()
        for name in ("writers", "withdrawer"):
            asyncio.run(drain(proxies[name].url, house, tmp_path / f"{name}.outbox"))
        kept = house.kept()
        took_place = {mode for proxy in proxies.values() for mode, times in proxy.done.items() if times}

    said = programs["withdrawer"].lines()
    own = [line for line in said if line["what"] == "own answer"]
    watched = [line for line in programs["watcher"].lines() if line["what"] == "answer"]
    receipts = [line for line in said + programs["writers"].lines() if line["what"] == "receipt"]
    assert lost_or_twice(receipts, kept) == []
    assert late_yes(said, watched, bound=MAX_STALENESS, margin=MARGIN) == []
    here = [{**line, "what": "withdrawn"} if line["what"] == "withdrawn here" else line for line in said]
    assert late_yes(here, own, bound=0.0, margin=0.0) == []
    assert slow_answers(own + watched, within=CHECK_WITHIN) == []
    assert {line["status"] for line in receipts} == {"pending", "confirmed"}
    assert {line["yes"] for line in watched} == {True, False}
    assert Mode.REFUSE in took_place
    assert len(took_place) >= 5
