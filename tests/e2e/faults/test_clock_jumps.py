"""Wall clocks that jump by a day, forward and back, on either side: nothing is lost, and no yes outlives its no."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.e2e.faults.checkers import late_yes, lost_or_twice, slow_answers
from tests.e2e.faults.clocks import SetClock, timed
from tests.e2e.faults.logs import boot
from tests.e2e.faults.size import sized

import sayso

if TYPE_CHECKING:
    from tests.e2e.faults.logs import Line

TOPIC = "purpose:marketing"
DAY = timedelta(days=1)
JUMPS = sized(12, 100)
CONSUMERS = 6
MAX_STALENESS = timedelta(seconds=2)

pytestmark = pytest.mark.timeout(90 + JUMPS * 3)


class People:
    """Consumers who grant and withdraw through one client, and what they were told."""

    def __init__(self, privacy: sayso.Client) -> None:
        self.privacy = privacy
        self.said: list[Line] = []
        self.own: list[Line] = []
        self.receipts: list[Line] = []
        self.last: dict[str, str] = {}

    async def choose(self, consumer_id: str, answer: str) -> None:
        ann = self.privacy.consumer(consumer_id)
        try:
            if answer == "granted":
                self.say("granting", consumer_id)
                recorded = await ann.grant(TOPIC, shown="en", method="chat")
            else:
                recorded = await ann.withdraw(TOPIC, method="chat")
                self.say("withdrawn" if recorded.status == "confirmed" else "withdrawn here", consumer_id)
        except (sayso.NotAuthenticatedError, sayso.UnavailableError):
            self.last.pop(consumer_id, None)  # it may have been recorded or not, and says so
            return
        self.last[consumer_id] = answer
        version = recorded.version if recorded.status == "confirmed" else None
        self.receipts.append(
            {"choice": recorded.choice_id, "consumer": consumer_id, "status": recorded.status, "version": version}
        )
        if answer == "withdrawn":
            self.own.append(await asked(self.privacy, consumer_id))

    def say(self, what: str, consumer_id: str) -> None:
        self.said.append({"what": what, "at": boot(), "consumer": consumer_id})


async def asked(privacy: sayso.Client, consumer_id: str) -> Line:
    began = boot()
    try:
        yes = await privacy.consumer(consumer_id).allows(TOPIC)
    except sayso.NotAuthenticatedError:  # its clock is a day off, and no waiting mends that
        yes = False
    return {"consumer": consumer_id, "from": began, "to": boot(), "yes": yes}


async def watch(privacy: sayso.Client, answers: list[Line]) -> None:
    while True:
        await asyncio.sleep(0.05)
        for number in range(CONSUMERS):
            answers.append(await asked(privacy, f"cust-{number}"))


async def test_clocks_that_jump_a_day_lose_nothing_and_turn_no_withdrawal_into_a_yes(tmp_path):
    chance = random.Random()
    answers: list[Line] = []
    choosing, watching = SetClock(), SetClock()
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(timed(tmp_path))
        parts = {"max_staleness": MAX_STALENESS}
        privacy = await stack.enter_async_context(served.client(choosing, outbox=tmp_path / "outbox", **parts))
        elsewhere = await stack.enter_async_context(served.client(watching, outbox=tmp_path / "elsewhere", **parts))
        people = People(privacy)
        watcher = asyncio.create_task(watch(elsewhere, answers))
        for jump in range(JUMPS):
            for number in range(CONSUMERS):
                await people.choose(f"cust-{number}", chance.choice(("granted", "withdrawn")))
            await asyncio.sleep(chance.uniform(0, 0.6))
            # Every other time all are right again, so that there is something to get wrong.
            for clock in (choosing, watching, served.clock):
                clock.ahead = chance.choice((-DAY, timedelta(0), DAY)) if jump % 2 else timedelta(0)
        for clock in (choosing, watching, served.clock):
            clock.ahead = timedelta(0)
        for number in range(CONSUMERS):
            await people.choose(f"cust-{number}", "withdrawn")
        assert await privacy.flush() == 0
        kept = await served.kept()
        await asyncio.sleep(MAX_STALENESS.total_seconds() + 0.5)
        watcher.cancel()
        await asyncio.wait([watcher])
        assert watcher.cancelled()

    assert lost_or_twice(people.receipts, kept) == []
    assert late_yes(people.said, answers, bound=MAX_STALENESS.total_seconds(), margin=0.25) == []
    here = [{**one, "what": "withdrawn"} if one["what"] == "withdrawn here" else one for one in people.said]
    assert late_yes(here, people.own, bound=0.0, margin=0.0) == []
    assert slow_answers(answers, within=1.75) == []
    assert people.last == {f"cust-{number}": "withdrawn" for number in range(CONSUMERS)}
    assert {one["yes"] for one in answers} == {True, False}
    assert {one["yes"] for one in answers[-CONSUMERS:]} == {False}


@pytest.mark.parametrize("jump", [-DAY, DAY], ids=["a day back", "a day forward"])
async def test_a_clock_that_jumps_after_a_snapshot_came_keeps_no_grant_alive_beyond_its_end(tmp_path, jump):
    clock = SetClock()
    async with timed(tmp_path) as served, served.client(clock, outbox=False) as privacy:
        ann = privacy.consumer("cust-42")
        await ann.grant(TOPIC, shown="en", method="chat", expires_after=timedelta(seconds=2))
        granted = boot()
        assert await ann.allows(TOPIC)
        clock.ahead = jump
        await asyncio.sleep(granted + 2.1 - boot())
        assert not (await asked(privacy, "cust-42"))["yes"]


@pytest.mark.parametrize("jump", [-DAY, DAY], ids=["a day back", "a day forward"])
async def test_when_a_whole_machine_jumps_what_was_said_last_still_stands(tmp_path, jump):
    clock = SetClock()
    async with timed(tmp_path) as served, served.client(clock, outbox=False) as privacy:
        ann = privacy.consumer("cust-42")
        stamps = []
        for ahead in (timedelta(0), jump, timedelta(0)):
            clock.ahead = served.clock.ahead = ahead
            granted = await ann.grant(TOPIC, shown="en", method="chat")
            assert (granted.stands, await ann.allows(TOPIC)) == (True, True)
            withdrawn = await ann.withdraw(TOPIC, method="chat")
            assert (withdrawn.stands, await ann.allows(TOPIC)) == (True, False)
            stamps += [granted.recorded_at, withdrawn.recorded_at]
        assert stamps == sorted(stamps)
        assert [kept.version for kept in await served.kept()] == [1, 2, 3, 4, 5, 6]
