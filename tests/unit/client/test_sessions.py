import asyncio
import gc
import os
import warnings

import aiohttp
import pytest

import sayso


@pytest.fixture
def no_warnings():
    """Fails on whatever asyncio and aiohttp complain about, also from destructors."""
    complaints = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
        complaints = [str(one.message) for one in caught]
    assert complaints == []


def test_one_client_survives_asyncio_run_per_job(make_client, server, no_warnings) -> None:
    server.granted.add("channel:sms")
    privacy = make_client()

    async def job() -> bool:
        return await privacy.consumer("cust-42").allows("channel:sms")

    assert [asyncio.run(job()) for _ in range(3)] == [True, True, True]


def test_a_loop_that_was_simply_closed_leaves_nothing_to_complain_about(make_client, server, no_warnings) -> None:
    server.granted.add("channel:sms")
    privacy = make_client()
    ann = privacy.consumer("cust-42")

    async def check() -> bool:
        return await ann.allows("channel:sms")

    for _ in range(2):
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(check()) is True
        loop.close()
    asyncio.run(privacy.aclose())


def test_a_client_that_nobody_closes_is_closed_by_its_loop(make_client, no_warnings) -> None:
    async def job() -> None:
        await make_client().consumer("cust-42").allows("channel:sms")

    asyncio.run(job())


async def test_one_loop_has_one_session_however_many_ask_at_once(make_client, server) -> None:
    async with make_client() as privacy:
        first = privacy._sessions.ready()
        await asyncio.gather(*(privacy.consumer("cust-42").allows("channel:sms") for _ in range(20)))

        assert privacy._sessions.ready() is first
        assert len(privacy._sessions._kept) == 1


async def test_start_and_aclose_may_be_called_twice_and_again(make_client, server) -> None:
    server.granted.add("channel:sms")
    privacy = make_client()
    await privacy.start()
    await privacy.start()
    await privacy.aclose()
    await privacy.aclose()

    with pytest.raises(sayso.ConfigurationError, match="this client is closed"):
        await privacy.consumer("cust-42").allows("channel:sms")

    await privacy.start()
    assert await privacy.consumer("cust-42").allows("channel:sms") is True
    await privacy.aclose()


async def test_whatever_fails_while_closing_the_outbox_and_the_session_are_closed_all_the_same(
    make_client, tmp_path, monkeypatch
) -> None:
    privacy = make_client(outbox=tmp_path / "outbox.db")
    await privacy.start()
    await privacy.consumer("cust-42").allows("channel:sms")
    session = privacy._sessions.ready()

    async def fail(*_: object) -> None:
        raise OSError("unforeseen")

    monkeypatch.setattr(privacy._knowing, "stop", fail)
    monkeypatch.setattr(privacy._drainer, "finish", fail)
    with pytest.raises(OSError, match="unforeseen"):
        await privacy.aclose()

    assert (session.closed, privacy._outbox._closed) == (True, True)
    monkeypatch.undo()
    await privacy.aclose()


async def test_a_session_passed_in_stays_the_callers(make_client, server) -> None:
    server.granted.add("channel:sms")
    async with aiohttp.ClientSession(headers={"X-Mine": "yes"}, raise_for_status=True) as session:
        privacy = make_client(session=session)
        async with privacy:
            assert await privacy.consumer("cust-42").allows("channel:sms") is True
        assert not session.closed

    assert server.asked[0].headers["X-Mine"] == "yes"


async def test_a_session_passed_in_serves_its_own_loop_only(make_client, server) -> None:
    server.granted.add("channel:sms")
    async with aiohttp.ClientSession(headers={"X-Mine": "yes"}) as session:
        privacy = make_client(session=session)
        ann = privacy.consumer("cust-42")

        async def elsewhere() -> bool:
            return await ann.allows("channel:sms")

        there = await asyncio.to_thread(asyncio.run, elsewhere())
        here = await ann.allows("channel:sms")
        await privacy.aclose()

    assert (there, here) == (True, True)
    assert ["X-Mine" in asked.headers for asked in server.asked] == [False, True]


async def test_a_session_passed_in_closed_is_said_to_be(make_client) -> None:
    session = aiohttp.ClientSession()
    await session.close()

    with pytest.raises(sayso.ConfigurationError, match="the session passed to the client is closed"):
        await make_client(session=session).catalogue()


async def test_closing_reaches_the_sessions_of_other_loops(make_client, server) -> None:
    privacy = make_client()
    opened, may_end = asyncio.Event(), asyncio.Event()
    here = asyncio.get_running_loop()
    closed = []

    async def elsewhere() -> None:
        await privacy.start()
        session = privacy._sessions.ready()
        here.call_soon_threadsafe(opened.set)
        while not session.closed:  # noqa: ASYNC110 - aiohttp has no event for it
            await asyncio.sleep(0.01)
        closed.append(session.closed)
        here.call_soon_threadsafe(may_end.set)

    thread = asyncio.create_task(asyncio.to_thread(asyncio.run, elsewhere()))
    await opened.wait()
    await privacy.aclose()
    await asyncio.wait_for(may_end.wait(), 5)
    await thread

    assert closed == [True]


@pytest.mark.parametrize(("trusted", "reached"), [(False, True), (True, False)])
async def test_a_proxy_from_the_environment_is_used_only_when_asked_for(
    make_client, server, monkeypatch, trusted: bool, reached: bool
) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nothing listens there
    server.granted.add("channel:sms")
    async with make_client(trust_env=trusted) as privacy:
        assert await privacy.consumer("cust-42").allows("channel:sms") is reached


async def test_a_client_that_can_t_begin_leaves_nothing_open(make_client, tmp_path, no_warnings) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)

    with pytest.raises(sayso.ConfigurationError):
        async with make_client(outbox=shared / "outbox.db"):
            pass
