"""Checks from the cache: kept true by the change stream, and answered without a request."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

import sayso

SOON = 6.0
"""Seconds within which everything has to have happened; the machine that runs the tests may have others to serve."""


async def until(condition: Callable[[], object], *, within: float = SOON) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.005)


async def until_allowed(consumer: sayso.Consumer, topic: str, expected: bool, *, within: float = SOON) -> None:
    deadline = time.monotonic() + within
    while await consumer.allows(topic) is not expected:
        assert time.monotonic() < deadline, "the answer never changed"
        await asyncio.sleep(0.005)


class Counted:
    """Counts the requests of a client, those of the stream and of the head left out."""

    def __init__(self, client: sayso.Client) -> None:
        self.made: list[str] = []
        transport = client._transport
        call = transport.call

        async def counted(method: str, path: str, *arguments: Any, **named: Any) -> Any:
            if "/changes" not in path:
                self.made.append(f"{method} {path}")
            return await call(method, path, *arguments, **named)

        transport.call = counted  # type: ignore[method-assign]


@pytest.fixture
async def live(served: Any) -> sayso.Client:
    """A client that follows the changes."""
    client: sayso.Client = served.client()
    await client.start()
    await until(lambda: client.status == "live")
    return client


@pytest.fixture
async def elsewhere(served: Any) -> sayso.Client:
    """Another process's client."""
    client: sayso.Client = served.client(live=False)
    return client


async def test_a_second_check_needs_no_request(live: sayso.Client, elsewhere: sayso.Client) -> None:
    await elsewhere.consumer("cust-42").grant("purpose:marketing", shown="en")
    ann, counted = live.consumer("cust-42"), Counted(live)

    assert await ann.allows("purpose:marketing") is True
    assert counted.made == ["GET /v1/consumers/cust-42/preferences"]
    for _ in range(3):
        assert await ann.allows("purpose:marketing") is True
        assert await ann.allows("channel:sms") is False
        assert await ann.allows("purpose:nothing") is False
        assert await ann.allows("permission:camera", device="pixel-8") is False
    assert (await ann.preferences()).allows("purpose:marketing") is True
    assert counted.made == ["GET /v1/consumers/cust-42/preferences"]


async def test_a_change_by_another_process_arrives(live: sayso.Client, elsewhere: sayso.Client) -> None:
    ann, there = live.consumer("cust-42"), elsewhere.consumer("cust-42")
    await there.grant("purpose:marketing", shown="en")
    assert await ann.allows("purpose:marketing") is True
    await there.withdraw("purpose:marketing")
    acknowledged = time.monotonic()
    await until_allowed(ann, "purpose:marketing", False)
    assert time.monotonic() - acknowledged < 2
    await there.grant("purpose:marketing", shown="en")

    await until_allowed(ann, "purpose:marketing", True)


async def test_what_this_process_records_counts_at_once(live: sayso.Client) -> None:
    ann = live.consumer("cust-42")
    for _ in range(5):
        await ann.grant("purpose:marketing", shown="en")
        assert await ann.allows("purpose:marketing") is True
        await ann.withdraw("purpose:marketing")
        assert await ann.allows("purpose:marketing") is False


async def test_a_device_s_permission_is_answered_from_the_cache(live: sayso.Client) -> None:
    ann = live.consumer("cust-42")
    await ann.grant("permission:camera", shown="en")
    await ann.report_device("pixel-8", {"camera": "granted"}, vocabulary="capacitor")
    await ann.report_device("iphone-9", {"camera": "denied"}, vocabulary="capacitor")
    assert await ann.allows("permission:camera", device="pixel-8") is True
    counted = Counted(live)

    devices = ("pixel-8", "iphone-9", "tablet-1", None, "no such id")
    for _ in range(2):
        assert [await ann.allows("permission:camera", device=device) for device in devices] == [
            True,
            False,
            False,
            False,
            False,
        ]
    assert counted.made == []


async def test_a_published_catalogue_drops_what_an_older_one_decided(
    live: sayso.Client, served: Any, catalogue: sayso.Catalogue
) -> None:
    ann = live.consumer("cust-42")
    await ann.grant("purpose:marketing", shown="en")
    assert await ann.allows("purpose:marketing") is True
    asked_anew = {
        **catalogue.topics,
        "purpose:marketing": catalogue.topics["purpose:marketing"].model_copy(update={"version": 2}),
    }
    await served.client(role="admin", live=False).publish_catalogue(catalogue.model_copy(update={"topics": asked_anew}))

    await until_allowed(ann, "purpose:marketing", False)
    assert (await ann.decide("purpose:marketing")).reason == "outdated"


async def test_a_grant_ends_in_the_cache_when_it_said(live: sayso.Client, served: Any) -> None:
    ann = live.consumer("cust-42")
    await ann.grant("purpose:marketing", shown="en", expires_after=timedelta(seconds=3))
    assert await ann.allows("purpose:marketing") is True
    served.clock.forward(timedelta(seconds=3))

    assert await ann.allows("purpose:marketing") is False


async def test_decisions_keep_their_detail(live: sayso.Client) -> None:
    ann = live.consumer("cust-42")
    recorded = await ann.grant("purpose:marketing", shown="en")
    asked = await ann.decide("purpose:marketing")
    await ann.preferences()
    await ann.decide("purpose:marketing")
    counted = Counted(live)
    kept = await ann.decide("purpose:marketing")

    assert kept.explain() == asked.explain()
    assert (kept.choice_id, kept.title, kept.made_at) == (recorded.choice_id, asked.title, asked.made_at)
    assert counted.made == []
    assert (await ann.decide("purpose:nothing")).explain() == (
        "“purpose:nothing” is not allowed: the brand's catalogue has no such topic."
    )


async def test_one_call_fills_the_cache(live: sayso.Client, elsewhere: sayso.Client) -> None:
    consumers = [f"cust-{number}" for number in range(700)]
    await elsewhere.record_many(
        [sayso.Choice(consumer, "channel:sms", "granted", shown="en") for consumer in consumers[::2]]
    )
    counted = Counted(live)

    assert await live.prefetch(consumers) == 700
    assert [await live.consumer(consumer).allows("channel:sms") for consumer in consumers[:4]] == [
        True,
        False,
        True,
        False,
    ]
    assert counted.made == ["POST /v1/preferences"] * 2
    await elsewhere.consumer("cust-0").withdraw("channel:sms")
    await until_allowed(live.consumer("cust-0"), "channel:sms", False)


async def test_a_client_that_does_not_follow_asks_every_time(served: Any) -> None:
    async with served.client(live=False) as client:
        counted = Counted(client)
        ann = client.consumer("cust-42")
        assert [await ann.allows("purpose:service") for _ in range(3)] == [True] * 3
        assert await client.prefetch(["cust-42"]) == 0
    assert counted.made == ["POST /v1/decisions"] * 3


async def test_a_version_carried_along_in_a_message_counts_here(live: sayso.Client, elsewhere: sayso.Client) -> None:
    ann = live.consumer("cust-42")
    assert await ann.allows("channel:sms") is False
    recorded = await elsewhere.consumer("cust-42").grant("channel:sms", shown="en")

    assert await ann.allows("channel:sms", at_least=recorded.version) is True
    assert (await ann.decide("channel:sms", at_least=recorded.version)).reason == "granted"
    assert (await ann.preferences(at_least=recorded.version)).allows("channel:sms") is True
    assert await ann.allows("channel:sms", at_least=9) is False
    assert (await ann.decide("channel:sms", at_least=9)).reason == "unavailable"
    with pytest.raises(sayso.ConflictError):
        await ann.preferences(at_least=9)


@pytest.mark.parametrize("consumer_id", ["cust-42", sayso.new_anonymous_id()], ids=["known", "visitor"])
async def test_a_version_that_is_on_its_way_is_waited_for_by_every_check(
    live: sayso.Client, elsewhere: sayso.Client, consumer_id: str
) -> None:
    ann = live.consumer(consumer_id)
    await elsewhere.consumer(consumer_id).grant("channel:sms", shown="en")
    assert await ann.allows("channel:sms", at_least=1) is True

    async def later() -> None:
        await asyncio.sleep(0.2)
        await elsewhere.consumer(consumer_id).deny("channel:sms")

    began = time.monotonic()
    allows, decision, many, _ = await asyncio.gather(
        ann.allows("channel:sms", at_least=2),
        ann.decide("channel:sms", at_least=2),
        live.decide_many([sayso.Check(consumer_id, "channel:sms", at_least=2), ("cust-43", "purpose:service")]),
        later(),
    )

    assert allows is False
    assert decision.reason == "denied"
    assert [one.reason for one in many] == ["denied", "required"]
    assert time.monotonic() - began < 1.5


async def test_a_version_is_waited_for_within_the_second_and_other_checks_of_the_call_are_answered(
    live: sayso.Client,
) -> None:
    began = time.monotonic()
    asked = [sayso.Check("cust-42", "purpose:service", at_least=9), sayso.Check("cust-43", "purpose:service")]
    never, known = await live.decide_many(asked)
    took = time.monotonic() - began

    assert (never.reason, known.reason) == ("unavailable", "required")
    assert 0.5 < took < 1.5
    assert await live.consumer("cust-44").allows("purpose:service") is True


async def test_a_visitor_s_version_holds_after_the_link(live: sayso.Client, elsewhere: sayso.Client) -> None:
    visitor = sayso.new_anonymous_id()
    before = live.consumer(visitor)
    for _ in range(4):
        recorded = await before.grant("purpose:ads", shown="en", method="widget")
    assert await before.allows("purpose:ads", at_least=recorded.version) is True
    await elsewhere.consumer("cust-42").link(visitor)
    await elsewhere.consumer("cust-42").withdraw("purpose:ads")

    assert await before.allows("purpose:service", at_least=recorded.version) is True
    assert (await before.preferences(at_least=recorded.version)).consumer_id == "cust-42"
    assert (await before.decide("purpose:service", at_least=recorded.version)).reason == "required"
    await until_allowed(before, "purpose:ads", False)
    await elsewhere.consumer("cust-42").grant("purpose:ads", shown="en")
    await until_allowed(before, "purpose:ads", True)


async def test_status_goes_through_its_stages_and_callbacks_hear_of_each(served: Any) -> None:
    client = served.client(max_staleness=timedelta(seconds=2))
    heard: list[str] = []

    def failing(_: object) -> None:
        raise RuntimeError("a fault of the brand's")

    client.on_status(failing)
    stop = client.on_status(heard.append)
    assert client.status == "starting"
    await client.start()
    await until(lambda: heard == ["live"])
    await served.stop()
    await until(lambda: heard == ["live", "offline"])
    assert await client.consumer("cust-42").allows("purpose:service") is False
    await served.restart()
    await until(lambda: heard == ["live", "offline", "live"], within=20)
    stop()
    await client.aclose()
    assert heard == ["live", "offline", "live"]


async def test_after_the_bound_a_check_is_closed_and_open_again_when_the_server_is(served: Any) -> None:
    client = served.client(max_staleness=timedelta(seconds=1))
    await client.start()
    ann = client.consumer("cust-42")
    await ann.grant("purpose:marketing", shown="en")
    await until(lambda: client.status == "live")
    assert await ann.allows("purpose:marketing") is True
    await served.stop()

    await until_allowed(ann, "purpose:marketing", False, within=2.5)
    assert (await ann.decide("purpose:marketing")).reason == "unavailable"
    await served.restart()
    await until_allowed(ann, "purpose:marketing", True)
    assert (await ann.preferences()).version == 1


async def test_unchanged_is_told_in_few_words(live: sayso.Client) -> None:
    ann = live.consumer("cust-42")
    await ann.grant("purpose:marketing", shown="en")
    assert await ann.allows("purpose:marketing") is True
    live._knowing.cache.new_epoch()  # as after a stream that could not be resumed
    answers: list[bool] = []
    call = live._transport.call

    async def watched(*arguments: Any, **named: Any) -> Any:
        answer = await call(*arguments, **named)
        answers.append(answer.unchanged)
        return answer

    live._transport.call = watched  # type: ignore[method-assign]
    assert await ann.allows("purpose:marketing") is True
    assert answers == [True]
    await until(lambda: live.status == "live")
    assert await ann.allows("purpose:marketing") is True


async def test_many_checks_of_one_consumer_share_a_request(live: sayso.Client) -> None:
    ann, counted = live.consumer("cust-42"), Counted(live)

    assert await asyncio.gather(*(ann.allows("purpose:service") for _ in range(50))) == [True] * 50
    assert counted.made == ["GET /v1/consumers/cust-42/preferences"]


async def test_who_shares_a_request_is_not_cancelled_with_the_one_who_made_it(live: sayso.Client) -> None:
    ann = live.consumer("cust-42")

    async def ask() -> bool:
        return await ann.allows("purpose:service")

    first, second = asyncio.create_task(ask()), asyncio.create_task(ask())
    await asyncio.sleep(0)
    first.cancel()

    assert await second is True
    assert first.cancelled() or first.cancelling()


async def test_each_loop_of_a_job_follows_in_turn(served: Any) -> None:
    client: sayso.Client = served.client()

    def jobs() -> list[str]:
        async def job() -> str:
            await client.start()
            ann = client.consumer("cust-42")
            await until(lambda: client.status == "live")
            assert await ann.allows("purpose:service") is True
            counted = Counted(client)
            assert await ann.allows("purpose:service") is True
            assert counted.made == []
            return str(client.status)

        return [asyncio.run(job()), asyncio.run(job())]

    assert await asyncio.to_thread(jobs) == ["live", "live"]
    assert client.status != "live"


async def test_another_thread_asks_the_server(live: sayso.Client) -> None:
    ann = live.consumer("cust-42")
    assert await ann.allows("purpose:service") is True
    counted = Counted(live)

    async def ask() -> bool:
        return await ann.allows("purpose:service")

    assert await asyncio.to_thread(lambda: asyncio.run(ask())) is True
    assert counted.made == ["POST /v1/decisions"]


async def test_the_blocking_client_follows_too(served: Any) -> None:
    client: sayso.Client = served.client()

    def work() -> Awaitable[None] | None:
        with client.sync() as blocking:
            ann = blocking.consumer("cust-42")
            deadline = time.monotonic() + SOON
            while blocking.status != "live":
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert ann.grant("purpose:marketing", shown="en").version == 1
            assert ann.allows("purpose:marketing") is True
            counted = Counted(client)
            assert ann.allows("purpose:marketing") is True
            assert counted.made == []
            assert blocking.prefetch(["cust-43"]) == 1
        return None

    await asyncio.to_thread(work)


async def test_a_version_that_is_never_reached_closes_only_its_own_check(live: sayso.Client) -> None:
    visitor = live.consumer(sayso.new_anonymous_id())
    await visitor.deny("channel:sms")
    waiting = asyncio.create_task(live.consumer("cust-43").preferences(at_least=5))
    assert await live.consumer("cust-42").allows("purpose:service", at_least=5) is False
    assert await live.consumer("cust-44").allows("purpose:service") is True
    assert await visitor.allows("purpose:service", at_least=5) is False
    assert (await visitor.decide("purpose:service", at_least=5)).reason == "unavailable"
    assert (await visitor.decide("purpose:service", at_least=1)).reason == "required"
    with pytest.raises(sayso.ConflictError):
        await waiting
