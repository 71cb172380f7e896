"""What is pending here and what the stream brings: the no that is younger, the yes that has nothing against it."""

import asyncio
import os
import time
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import sayso

from .line import line_to

MARKETING = "purpose:marketing"
START = datetime(2026, 11, 23, 19, 0, 0, tzinfo=UTC)


async def until(condition: Any, within: float = 15.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.01)


class Refusing:
    """Keeps every choice from reaching the server, and lets everything else through."""

    def __init__(self, client: sayso.Client) -> None:
        self.on = True
        call = client._transport.call

        async def refusing(method: str, path: str, *arguments: Any, **named: Any) -> Any:
            if self.on and (method, path) == ("POST", "/v1/choices"):
                raise sayso.UnavailableError("the Sayso server did not answer in time", code="timeout")
            return await call(method, path, *arguments, **named)

        client._transport.call = refusing  # type: ignore[method-assign]


@pytest.fixture
async def live(served: Any) -> sayso.Client:
    client: sayso.Client = served.client()
    await client.start()
    await until(lambda: client.status == "live")
    return client


async def test_a_pending_refusal_counts_at_once_and_in_every_kind_of_answer(live: sayso.Client, served: Any) -> None:
    ann = live.consumer("cust-42")
    await ann.grant(MARKETING, shown="en")
    assert await ann.allows(MARKETING) is True
    refusing = Refusing(live)
    pending = await ann.withdraw(MARKETING)
    assert pending.status == "pending"

    assert await ann.allows(MARKETING) is False
    decision = await ann.decide(MARKETING)
    assert (decision.reason, decision.answer, decision.choice_id) == ("withdrawn", "withdrawn", pending.choice_id)
    preferences = await ann.preferences()
    assert (preferences.allows(MARKETING), preferences.decide(MARKETING).reason) == (False, "withdrawn")
    assert preferences.allows("purpose:service") is True
    assert await ann.allows("purpose:service") is True
    assert await served.client(live=False).consumer("cust-42").allows(MARKETING) is True
    refusing.on = False
    assert await live.flush() == 0
    assert await ann.allows(MARKETING) is False
    assert await served.client(live=False).consumer("cust-42").allows(MARKETING) is False


async def test_a_pending_refusal_of_everything_leaves_what_is_required(live: sayso.Client) -> None:
    ann = live.consumer("cust-42")
    await ann.grant(MARKETING, shown="en")
    Refusing(live)
    await ann.withdraw_all()

    assert [await ann.allows(topic) for topic in (MARKETING, "purpose:analytics", "purpose:service")] == [
        False,
        False,
        True,
    ]


async def test_a_pending_grant_counts_on_fresh_data_where_nothing_else_stands_in_the_way(live: sayso.Client) -> None:
    ann = live.consumer("cust-42")
    assert await ann.allows(MARKETING) is False
    Refusing(live)
    for topic in (MARKETING, "permission:camera", "partner:vinsolutions:share"):
        assert (await ann.grant(topic, shown="en")).status == "pending"

    assert await ann.allows(MARKETING) is True
    assert (await ann.decide(MARKETING)).reason == "granted"
    assert (await ann.preferences()).allows(MARKETING) is True
    assert await ann.allows("permission:camera", device="pixel-8") is False
    assert await ann.allows("partner:vinsolutions:share") is False


async def test_a_pending_grant_loses_to_a_refusal_made_elsewhere_meanwhile(live: sayso.Client, served: Any) -> None:
    ann, there = live.consumer("cust-42"), served.client(live=False).consumer("cust-42")
    await ann.preferences()
    Refusing(live)
    await ann.grant(MARKETING, shown="en")
    assert await ann.allows(MARKETING) is True
    await there.deny(MARKETING)
    deadline = time.monotonic() + 5
    while await ann.allows(MARKETING):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)

    assert (await ann.decide(MARKETING)).reason == "denied"


async def test_a_pending_grant_counts_for_nothing_without_fresh_data(served: Any) -> None:
    async with line_to(served.url) as line, served.client(url=line.url) as live:
        ann = live.consumer("cust-42")
        await until(lambda: live.status == "live")
        line.down = True
        line.cut()
        assert (await ann.grant(MARKETING, shown="en")).status == "pending"
        await until(lambda: live.status != "live")

        assert await ann.allows(MARKETING) is False
        assert (await ann.decide(MARKETING)).reason == "unavailable"


async def test_a_forked_child_follows_nothing_until_it_starts_for_itself(live: sayso.Client, served: Any) -> None:
    ann = live.consumer("cust-42")
    await ann.grant(MARKETING, shown="en")
    assert await ann.allows(MARKETING) is True

    async def in_the_child() -> list[object]:
        found: list[object] = [live._knowing.cache.allows("cust-42", MARKETING), str(live.status)]
        found.append(await ann.allows(MARKETING))
        await live.start()
        await until(lambda: live.status == "live")
        found += [await ann.allows(MARKETING), live._knowing.cache.allows("cust-42", MARKETING)]
        return found

    def fork() -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that is what is tested
            child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        code = 1
        try:
            found = asyncio.run(asyncio.wait_for(in_the_child(), 20))
            code = 0 if found == [None, "stale", True, True, True] else 2
        finally:
            os._exit(code)

    assert await asyncio.to_thread(fork) == 0
    assert live.status == "live"
    await served.client(live=False).consumer("cust-42").withdraw(MARKETING)
    deadline = time.monotonic() + 5
    while await ann.allows(MARKETING):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_a_pending_refusal_counts_under_every_id_of_a_linked_consumer(live: sayso.Client) -> None:
    visitor = sayso.new_anonymous_id()
    ann, before = live.consumer("cust-42"), live.consumer(visitor)
    await ann.grant(MARKETING, shown="en")
    await ann.link(visitor)
    assert [await before.allows(MARKETING), await ann.allows(MARKETING), await ann.allows(MARKETING)] == [True] * 3
    refusing = Refusing(live)

    assert (await ann.withdraw(MARKETING)).status == "pending"
    assert (await before.allows(MARKETING), (await before.decide(MARKETING)).reason) == (False, "withdrawn")
    assert (await before.preferences()).allows(MARKETING) is False

    refusing.on = False
    assert await live.flush() == 0
    await ann.grant(MARKETING, shown="en")
    assert [await ann.allows(MARKETING), await ann.allows(MARKETING)] == [True, True]
    refusing.on = True
    assert (await before.withdraw(MARKETING)).status == "pending"
    assert (await ann.allows(MARKETING), (await ann.decide(MARKETING)).reason) == (False, "withdrawn")
    assert (await ann.preferences()).allows(MARKETING) is False


async def test_what_the_stream_brings_while_the_catalogue_is_asked_for_counts(
    live: sayso.Client, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = live.consumer("cust-42")
    await ann.grant(MARKETING, shown="en")
    await ann.preferences()
    catalogue = live._knowing.catalogue
    find = catalogue.find

    async def find_late(*arguments: Any) -> Any:
        recorded = await served.client(live=False, outbox=False).consumer("cust-42").withdraw(MARKETING)
        await until(lambda: live._knowing.cache.floor("cust-42") >= recorded.version)
        return await find(*arguments)

    monkeypatch.setattr(catalogue, "find", find_late)
    decision = await ann.decide(MARKETING)

    assert (decision.allowed, decision.reason) == (False, "withdrawn")


async def test_a_withdrawal_confirmed_while_the_catalogue_is_asked_for_counts_in_preferences(
    live: sayso.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = live.consumer("cust-42")
    await ann.grant(MARKETING, shown="en")
    may_go = asyncio.Event()
    call, catalogue = live._transport.call, live._knowing.catalogue
    find = catalogue.find

    async def late(method: str, path: str, *arguments: Any, **named: Any) -> Any:
        if (method, path) == ("POST", "/v1/choices"):
            await may_go.wait()
        return await call(method, path, *arguments, **named)

    async def find_late(*arguments: Any) -> Any:
        may_go.set()
        await withdrawing
        return await find(*arguments)

    monkeypatch.setattr(live._transport, "call", late)
    monkeypatch.setattr(catalogue, "find", find_late)
    withdrawing = asyncio.create_task(ann.withdraw(MARKETING))
    await until(lambda: "cust-42" in live._knowing.cache.vouched.overlay.consumers)
    preferences = await ann.preferences()

    assert withdrawing.result().status == "confirmed"
    assert (preferences.allows(MARKETING), preferences.decide(MARKETING).reason) == (False, "withdrawn")


async def test_what_becomes_known_while_others_are_waited_for_counts_in_every_answer(live: sayso.Client) -> None:
    ann = live.consumer("cust-42")
    recorded = await ann.grant(MARKETING, shown="en")

    async def first() -> bool:
        allowed = await ann.allows(MARKETING)
        live._memory.saw_version("cust-42", (recorded.version or 0) + 1)
        return allowed

    async def second() -> bool:
        return await ann.allows(MARKETING)

    assert await asyncio.gather(first(), second()) == [True, False]


async def test_once_a_visitor_is_linked_what_was_known_of_the_visitor_alone_counts_no_longer(
    live: sayso.Client,
) -> None:
    visitor = sayso.new_anonymous_id()
    before, ann = live.consumer(visitor), live.consumer("cust-42")
    await before.grant(MARKETING, shown="en")
    assert [await before.allows(MARKETING), await before.allows(MARKETING)] == [True, True]
    await ann.deny(MARKETING)

    await ann.link(visitor)
    assert await before.allows(MARKETING) is False


async def test_a_withdrawal_that_is_written_wrong_counts_for_nothing(live: sayso.Client) -> None:
    ann = live.consumer("cust-42")
    await ann.grant(MARKETING, shown="en")
    live._memory.forget("cust-42")  # so that it asks what stands first, and counts the withdrawal meanwhile

    with pytest.raises(sayso.InvalidError, match="made_at"):
        await ann.withdraw(MARKETING, made_at=START.replace(tzinfo=None))
    assert await ann.allows(MARKETING) is True


async def test_a_snapshot_allows_by_a_pending_grant_no_longer_than_that_lasts(live: sayso.Client, served: Any) -> None:
    ann = live.consumer("cust-42")
    await ann.preferences()
    Refusing(live)
    await ann.grant(MARKETING, shown="en", expires_after=timedelta(seconds=2))
    preferences = await ann.preferences()
    assert preferences.allows(MARKETING) is True

    served.clock.forward(timedelta(seconds=2.1))
    assert preferences.allows(MARKETING) is False
