"""A withdrawal made in one process is a no in every other, never later than `max_staleness` after its acknowledgement.

One process withdraws and grants, for many consumers, each at random moments: one schedule each time. Five others watch,
each in trouble of its own. What all of them wrote down is compared.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import timedelta
from typing import NamedTuple

import pytest
from tests.e2e.faults.chaos import Trouble, troubled
from tests.e2e.faults.checkers import late_yes, slow_answers
from tests.e2e.faults.clients import Program
from tests.e2e.faults.connection import Mode
from tests.e2e.faults.house import opened
from tests.e2e.faults.proxy import proxied
from tests.e2e.faults.size import lasting, progress, sized

LASTS = lasting(timedelta(seconds=8), timedelta(minutes=4)).total_seconds()
CONSUMERS = sized(16, 50)
# Shorter than the default of 5 s, so that more schedules fit; the trouble lasts longer than this either way.
MAX_STALENESS = 2.0
# Between deciding and writing down a process may wait for its turn on a machine with two cores.
MARGIN = 0.25
BLOCKED = 3.0


class Watched(NamedTuple):
    """A watcher and the trouble it is in."""

    troubles: tuple[Trouble, ...] = ()
    block: float = 0.0
    max_staleness: float = MAX_STALENESS
    calm: float = 2.0


WATCHERS = {
    "healthy": Watched(),
    "cut": Watched((Trouble(Mode.PASS, 0.1, cut=True), Trouble(Mode.REFUSE, 3.0))),
    "half open": Watched((Trouble(Mode.HALF_OPEN_STREAM, 6.0), Trouble(Mode.HALF_OPEN, 3.0))),
    "late by ten seconds": Watched((Trouble(Mode.LATE_EVENTS, 20.0, seconds=10.0),), calm=0.5),
    "blocked": Watched(block=BLOCKED),
}
# The control: one that would rely for an hour on a stream that is four seconds late. The checker has to find it out.
GULLIBLE = "gullible"
ALL = {**WATCHERS, GULLIBLE: Watched((Trouble(Mode.LATE_EVENTS, 60.0, seconds=4.0),), max_staleness=3600.0)}
EVERY_TROUBLE = {Mode.REFUSE, Mode.HALF_OPEN_STREAM, Mode.LATE_EVENTS}
LONGER = 30
"""Seconds that are waited at most for what has not happened yet."""


def took_place(proxies):
    """Give what the proxies have done to anybody so far."""
    return {mode for proxy in proxies.values() for mode, times in proxy.done.items() if times}


@pytest.mark.timeout(180 + LASTS + LONGER)
def test_a_withdrawal_is_a_no_everywhere_in_time_whatever_happens_to_the_stream(tmp_path):
    shared = {"consumers": CONSUMERS}
    with opened(tmp_path / "house") as house, ExitStack() as stack:
        proxies = {name: stack.enter_context(proxied(house.port)) for name in ALL}
        watchers = {
            name: stack.enter_context(
                Program(
                    house,
                    "watcher",
                    tmp_path / name,
                    url=proxies[name].url,
                    block=watched.block or "",
                    outbox=tmp_path / f"{name}.outbox",
                    max_staleness=watched.max_staleness,
                    **shared,
                )
            )
            for name, watched in ALL.items()
        }
        withdrawer = stack.enter_context(
            Program(
                house,
                "withdrawer",
                tmp_path / "said",
                outbox=tmp_path / "said.outbox",
                max_staleness=MAX_STALENESS,
                **shared,
            )
        )
        with ExitStack() as troubles:
            for name, watched in ALL.items():
                watchers[name].until(lambda name=name: bool(watchers[name].lines()))
                if watched.troubles:
                    troubles.enter_context(troubled(proxies[name], watched.troubles, calm=watched.calm))
            second = 0
            # On a busy machine a trouble may find no stream to trouble at first.
            while second < LASTS or (not took_place(proxies) >= EVERY_TROUBLE and second < LASTS + LONGER):
                time.sleep(1)
                second += 1
                progress(f"withdrawing and watching: {second} of {LASTS:.0f} s")
        withdrawer.stop()
        for watcher in watchers.values():
            watcher.tell()
        for watcher in watchers.values():
            watcher.wait()
        asked = {name: proxy.requests for name, proxy in proxies.items()}
        happened = took_place(proxies)

    said = withdrawer.lines()
    answers = {name: [one for one in each.lines() if one["what"] == "answer"] for name, each in watchers.items()}
    own = [line for line in said if line["what"] == "own answer"]
    late = {name: late_yes(said, each, bound=MAX_STALENESS, margin=MARGIN) for name, each in answers.items()}
    assert late.pop(GULLIBLE) != []
    assert late == {name: [] for name in WATCHERS}
    assert late_yes(said, own, bound=0.0, margin=0.0) == []
    slow = {name: slow_answers(each, within=1.75) for name, each in answers.items() if name != "blocked"}
    assert slow == {name: [] for name in slow}

    # What was claimed to happen did: many schedules, every trouble, yes and no from every watcher, cached answers.
    assert sum(line["what"] == "withdrawn" for line in said) >= CONSUMERS + CONSUMERS // 2
    assert happened >= EVERY_TROUBLE
    assert {name: {one["yes"] for one in each} for name, each in answers.items()} == {
        name: {True, False} for name in ALL
    }
    assert asked["healthy"] < len(answers["healthy"]) / 2
    live = {name for name, each in watchers.items() if any(one.get("status") == "live" for one in each.lines())}
    assert live == set(ALL)
    assert sum(line["what"] == "blocked" for line in watchers["blocked"].lines()) >= 2
