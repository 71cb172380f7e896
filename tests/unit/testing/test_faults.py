import asyncio
import time
from datetime import timedelta

import aiohttp
import pytest

import sayso
from sayso.testing import FakeSayso, Privacy
from sayso.testing.service import LOOPBACK
from sayso.transport.clock import SYSTEM_CLOCK


@pytest.fixture
def privacy(fake: FakeSayso) -> Privacy:
    return fake.client(outbox=False)


async def test_in_an_outage_every_check_is_no_and_afterwards_it_is_as_before(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("channel:sms")
    assert await ann.allows("channel:sms") is True
    with privacy.outage():
        assert (await ann.decide("channel:sms")).reason == "unavailable"
    assert await ann.allows("channel:sms") is True


async def test_a_command_gives_up_when_its_time_is_over_and_nobody_has_waited(privacy: Privacy) -> None:
    began = time.monotonic()
    with privacy.outage(), pytest.raises(sayso.UnavailableError):
        await privacy.consumer("cust-42").deny("channel:sms")
    assert timedelta(seconds=20) < sum(privacy.clock.slept, timedelta(0)) <= timedelta(seconds=30)
    assert time.monotonic() - began < 5


async def test_waits_are_the_same_in_every_run(privacy: Privacy) -> None:
    with privacy.outage():
        await privacy.consumer("cust-42").allows("channel:sms")
    assert privacy.clock.slept == [timedelta(milliseconds=200), timedelta(milliseconds=400)]


async def test_outages_nest(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("channel:sms")
    with privacy.outage():
        with privacy.outage():
            assert await ann.allows("channel:sms") is False
        assert await ann.allows("channel:sms") is False
    assert await ann.allows("channel:sms") is True


async def test_an_outage_ends_though_the_block_raises(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("channel:sms")
    with pytest.raises(KeyError), privacy.outage():
        raise KeyError
    assert await ann.allows("channel:sms") is True


async def test_an_answer_on_its_way_is_cut_by_an_outage(fake: FakeSayso) -> None:
    async with aiohttp.ClientSession() as session:
        token = sayso.transport.tokens.TokenMinter(*fake.credentials(), clock=fake.clock).backend_token()
        headers = {"Authorization": f"Bearer {token}"}
        with fake.slow(0.1):
            asked = asyncio.ensure_future(session.get(f"{fake.url}/v1/catalogue", headers=headers))
            await asyncio.sleep(0.05)
            with fake.outage(), pytest.raises(aiohttp.ClientError):
                await asked


async def test_a_server_that_is_too_slow_for_a_check_costs_the_clock_a_check_and_no_real_time(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("channel:sms")
    began, before = time.monotonic(), privacy.clock.boot()
    with privacy.slow(3):
        assert (await ann.decide("channel:sms")).reason == "unavailable"
    assert privacy.clock.boot() - before == pytest.approx(0.9)
    assert time.monotonic() - began < 0.8


async def test_a_server_that_is_slow_but_not_too_slow_answers(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("channel:sms")
    with privacy.slow(0.2), privacy.slow(0.3):
        assert await ann.allows("channel:sms") is True
    assert privacy.clock.slept == [timedelta(milliseconds=500)]
    assert await ann.allows("channel:sms") is True
    assert privacy.clock.slept == [timedelta(milliseconds=500)]


async def test_a_client_that_the_fake_did_not_make_really_waits() -> None:
    async with FakeSayso(clock=SYSTEM_CLOCK) as fake, sayso.Client(fake.url, *fake.credentials()) as own:
        began = time.monotonic()
        with fake.slow(0.2):
            await own.catalogue()
        assert time.monotonic() - began >= 0.2


async def _versions(seed: int) -> tuple[list[int], list[timedelta]]:
    async with FakeSayso() as fake:
        privacy = fake.client(outbox=False)
        with privacy.flaky(0.5, seed=seed):
            recorded = [await privacy.consumer("cust-42").deny("channel:sms") for _ in range(8)]
        return [one.version or 0 for one in recorded], privacy.clock.slept


async def test_nothing_is_recorded_twice_however_much_gets_lost() -> None:
    versions, slept = await _versions(seed=7)
    assert versions == [1, 2, 3, 4, 5, 6, 7, 8]
    assert slept


async def test_the_same_seed_loses_the_same_requests_and_another_others() -> None:
    (_, first), (_, again), (_, other) = await _versions(1), await _versions(1), await _versions(2)
    assert first == again
    assert first != other


async def test_at_rate_0_nothing_is_lost_and_at_rate_1_everything(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("channel:sms")
    with privacy.flaky(0):
        assert await ann.allows("channel:sms") is True
        with privacy.flaky(1):
            assert await ann.allows("channel:sms") is False
    assert await ann.allows("channel:sms") is True


async def test_faults_out_of_range_are_refused(privacy: Privacy) -> None:
    with pytest.raises(ValueError, match="from 0"), privacy.flaky(1.5):
        pass
    with pytest.raises(ValueError, match="0 or more"), privacy.slow(-1):
        pass


async def test_what_is_recorded_in_an_outage_arrives_afterwards(fake: FakeSayso) -> None:
    async with fake.client() as privacy:
        ann = privacy.consumer("cust-42").grants("channel:sms")
        with privacy.outage():
            assert (await ann.withdraw("channel:sms")).status == "pending"
            assert await ann.allows("channel:sms") is False
        assert await privacy.flush() == 0
        assert (await fake.client().consumer("cust-42").decide("channel:sms")).reason == "withdrawn"


async def test_a_client_with_a_cache_answers_from_it_until_time_passes(fake: FakeSayso) -> None:
    async with fake.client(live=True) as privacy:
        ann = privacy.consumer("cust-42").grants("channel:sms")
        live = asyncio.Event()
        privacy.on_status(lambda status: live.set() if status == "live" else None)
        if privacy.status != "live":
            await asyncio.wait_for(live.wait(), 10)
        assert await ann.allows("channel:sms") is True
        with privacy.outage():
            assert await ann.allows("channel:sms") is True
            privacy.clock.advance(timedelta(seconds=6))
            assert await ann.allows("channel:sms") is False


def test_the_fake_listens_on_loopback_and_nowhere_else() -> None:
    assert LOOPBACK == "127.0.0.1"
    with FakeSayso() as fake:
        listener = fake._backend._service._listener
        assert listener is not None
        assert [socket.getsockname()[0] for socket in listener.sockets] == ["127.0.0.1"]
        assert fake.url.startswith("http://127.0.0.1:")
