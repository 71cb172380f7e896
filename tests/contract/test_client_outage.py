"""When the server is away, slow, restarted or not the one it was: closed, once, and back again."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

import sayso

IN_TIME = 1.5
"""Seconds: a check answers within one, and the machine that runs the tests may have others to serve."""
SOON = timedelta(milliseconds=600)


@asynccontextmanager
async def listening(handler: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    """Stand between the client and the server."""
    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


class LossyLine:
    """Passes every request on, and loses the first answers."""

    def __init__(self, url: str, *, lost: int) -> None:
        self.url = url
        self.lost = lost
        self.passed = 0

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method,
                f"{self.url}{request.path_qs}",
                headers={name: request.headers[name] for name in ("Authorization", "Content-Type")},
                data=await request.read(),
            ) as answer,
        ):
            body = await answer.read()
        self.passed += 1
        if self.passed <= self.lost and request.transport is not None:
            request.transport.abort()
        return web.Response(status=answer.status, body=body, headers={"Content-Type": answer.headers["Content-Type"]})


async def no_answer(request: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def test_while_the_server_is_away_checks_answer_no_within_a_second_and_never_raise(
    privacy: sayso.Client, served: Any
) -> None:
    ann = privacy.consumer("cust-42")
    await ann.grant("purpose:marketing", shown="en")
    assert await ann.allows("purpose:marketing") is True
    await served.stop()

    began = time.monotonic()
    assert await ann.allows("purpose:marketing") is False
    decision = await ann.decide("purpose:service", device="pixel-8")
    many = await privacy.decide_many([("cust-42", "purpose:marketing"), ("cust-43", "channel:sms")])
    assert time.monotonic() - began < 3 * IN_TIME
    assert (decision.allowed, decision.reason, decision.device_id) == (False, "unavailable", "pixel-8")
    assert [one.reason for one in many] == ["unavailable", "unavailable"]
    assert decision.explain(language="es") == (
        "«purpose:service» no está permitido: no hubo una respuesta lo bastante reciente, y la duda significa no."
    )


async def test_a_server_that_never_answers_holds_a_check_up_for_less_than_a_second(served: Any) -> None:
    async with listening(no_answer) as url:
        privacy = served.client(url=url)
        began = time.monotonic()
        assert await privacy.consumer("cust-42").allows("purpose:service") is False
        first = time.monotonic() - began
        began = time.monotonic()
        decisions = await privacy.decide_many((f"cust-{number}", "purpose:service") for number in range(1600))
        rest = time.monotonic() - began

    assert 0.5 < first < IN_TIME
    assert rest < IN_TIME
    assert {decision.reason for decision in decisions} == {"unavailable"}
    assert len(decisions) == 1600


async def test_a_snapshot_can_t_be_had_and_commands_say_so_when_their_time_is_up(served: Any) -> None:
    ann = served.client(time_box=SOON, outbox=False).consumer("cust-42")
    await served.stop()
    for asking in (
        ann.preferences(),
        ann.deny("channel:sms"),
        ann.grant("channel:sms", shown="en"),
        ann.report_signal("gpc"),
        anext(ann.history()),
    ):
        with pytest.raises(sayso.UnavailableError) as caught:
            await asking
        assert caught.value.code == "no_connection"
        assert "cust-42" not in str(caught.value)


async def test_checks_are_answered_again_as_soon_as_the_server_is_back(ann: sayso.Consumer, served: Any) -> None:
    await ann.grant("purpose:marketing", shown="en")
    await served.stop()
    assert await ann.allows("purpose:marketing") is False
    await served.restart()

    assert await ann.allows("purpose:marketing") is True
    assert (await ann.preferences()).version == 1


async def test_what_was_acknowledged_is_there_after_a_restart(ann: sayso.Consumer, served: Any) -> None:
    await ann.grant("purpose:training", shown="es", method="chat")
    await ann.report_device("pixel-8", {"camera": "granted"}, vocabulary="web")
    await ann.report_age(source="brand", lower=30)
    await ann.withdraw("purpose:analytics")
    before = await ann.preferences()
    await served.restart()

    after = await served.client().consumer("cust-42").preferences()
    assert (after.version, after.store_id, after.answers) == (4, before.store_id, before.answers)
    assert (after.devices, after.age) == (before.devices, before.age)
    assert after.answers == {"purpose:training": "granted", "purpose:analytics": "denied"}


async def test_a_command_waits_for_a_server_that_restarts_and_is_recorded_once(
    ann: sayso.Consumer, served: Any
) -> None:
    await ann.preferences()
    await served.stop()
    waiting = [asyncio.create_task(ann.deny("channel:sms")) for _ in range(3)]
    await asyncio.sleep(0.3)
    assert not any(task.done() for task in waiting)
    await served.restart()

    recorded = await asyncio.gather(*waiting)
    assert sorted(one.version for one in recorded) == [1, 2, 3]
    assert len([choice async for choice in ann.history()]) == 3


async def test_an_answer_lost_on_the_way_leaves_one_record_and_says_replayed(served: Any) -> None:
    line = LossyLine(served.url, lost=2)
    async with listening(line) as url:
        recorded = await served.client(url=url).consumer("cust-42").deny("channel:sms")

    assert (line.passed, recorded.version, recorded.replayed) == (3, 1, True)
    (choice,) = [choice async for choice in served.client().consumer("cust-42").history()]
    assert choice.id == recorded.choice_id


async def test_a_try_that_came_late_still_says_how_long_ago_the_choice_was_made(served: Any) -> None:
    async def away(_: web.BaseRequest) -> web.StreamResponse:
        served.clock.forward(timedelta(seconds=20))
        return web.Response(status=503, headers={"Retry-After": "0"})

    line = LossyLine(served.url, lost=0)
    tried = 0

    async def second_time_lucky(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal tried
        tried += 1
        return await (away if tried == 1 else line)(request)

    async with listening(second_time_lucky) as url:
        recorded = await served.client(url=url, outbox=False).consumer("cust-42").deny("channel:sms")

    age = recorded.recorded_at - recorded.effective_at
    assert timedelta(seconds=20) <= age < timedelta(seconds=22)


async def test_a_database_that_can_t_answer_is_an_outage_like_any_other(served: Any) -> None:
    ann = served.client(time_box=SOON, outbox=False).consumer("cust-42")
    assert await ann.allows("purpose:service") is True
    await served.storage.close()

    began = time.monotonic()
    assert (await ann.decide("purpose:service")).reason == "unavailable"
    assert time.monotonic() - began < IN_TIME
    with pytest.raises(sayso.UnavailableError) as caught:
        await ann.deny("channel:sms")
    assert (caught.value.code, caught.value.request_id != "") == ("unavailable", True)


async def test_a_client_never_answers_from_an_older_version_than_it_has_seen(
    privacy: sayso.Client, served: Any
) -> None:
    ann, ben = privacy.consumer("cust-42"), privacy.consumer("cust-43")
    await ann.grant("purpose:marketing", shown="en")
    put_back = await served.back_up()
    await ann.withdraw("purpose:marketing")
    await put_back()

    assert (await served.client().consumer("cust-42").decide("purpose:marketing")).reason == "granted"
    assert (await ann.decide("purpose:marketing")).reason == "unavailable"
    assert await ann.allows("purpose:marketing") is False
    assert (await ben.decide("purpose:service")).reason == "required"
    with pytest.raises(sayso.UnavailableError) as caught:
        await ann.preferences()
    assert caught.value.code == "behind"


async def test_a_client_answers_nothing_from_another_database_than_before(ann: sayso.Consumer, served: Any) -> None:
    await ann.preferences()
    assert await ann.allows("purpose:service") is True
    await served.move()

    assert (await served.client().consumer("cust-42").decide("purpose:service")).reason == "required"
    assert (await ann.decide("purpose:service")).reason == "unavailable"
    with pytest.raises(sayso.UnavailableError) as caught:
        await ann.preferences()
    assert caught.value.code == "store_changed"
