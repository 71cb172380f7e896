import asyncio
import socket
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import jwt
import pytest

import sayso
from sayso.transport.http import Transport
from sayso.transport.sessions import Sessions
from sayso.transport.tokens import TokenMinter


@pytest.fixture
async def transport(server, clock, secret):
    made = Transport(
        server.url,
        TokenMinter("dealer.k1", secret),
        Sessions(),
        clock=clock,
        time_box=timedelta(seconds=30),
        jitter=lambda: 0.0,
    )
    yield made
    await made.aclose()


async def test_a_first_success_waits_for_nothing(transport, server, clock) -> None:
    server.then(200, {"x": 1})

    answer = await transport.call("GET", "/v1/catalogue")

    assert answer.data == {"x": 1}
    assert clock.slept == []
    assert server.paths == ["GET /v1/catalogue"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again(transport, server, clock, status: int) -> None:
    server.then(status)
    server.then(status)

    answer = await transport.call("PUT", "/v1/consumers/cust-42/age", b'{"source":"self"}')

    assert answer.data["version"] == 1
    assert [asked.body for asked in server.asked] == [{"source": "self"}] * 3
    assert clock.slept == [0.2, 0.4]


async def test_a_cut_connection_is_tried_again(transport, server) -> None:
    server.then_drop()

    answer = await transport.call("POST", "/v1/consumers/cust-42/signals", b'{"name":"gpc"}')

    assert answer.data["version"] == 1
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 413, 415, 422])
async def test_what_is_final_is_not_tried_again(transport, server, clock, status: int) -> None:
    server.then_problem(status, "some_code")

    with pytest.raises(sayso.Error) as caught:
        await transport.call("GET", "/v1/catalogue")

    assert caught.value.code == "some_code"
    assert len(server.asked) == 1
    assert clock.slept == []


async def test_retry_after_is_waited_for(transport, server, clock) -> None:
    server.then_problem(429, "rate_limited", headers={"Retry-After": "7"})

    await transport.call("PUT", "/v1/consumers/cust-42/age", b"{}")

    assert clock.slept == [7.0]


async def test_jitter_spreads_clients_that_failed_together(server, clock, secret) -> None:
    transport = Transport(
        server.url,
        TokenMinter("dealer.k1", secret),
        Sessions(),
        clock=clock,
        time_box=timedelta(seconds=30),
        jitter=lambda: 0.5,
    )
    server.then(503)
    server.then(503, headers={"Retry-After": "10"})

    await transport.call("PUT", "/v1/consumers/cust-42/age", b"{}")
    await transport.aclose()

    assert clock.slept == pytest.approx([0.15, 10.5])


async def test_waits_grow_up_to_five_seconds_and_end_with_the_time_box(transport, server, clock) -> None:
    server.from_now_on(503)

    with pytest.raises(sayso.UnavailableError) as caught:
        await transport.call("GET", "/v1/catalogue")

    assert caught.value.code == "http_503"
    assert clock.slept == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0])
    assert sum(clock.slept) < 30


async def test_no_wait_begins_that_would_outlast_the_time_box(transport, server, clock) -> None:
    server.then_problem(429, "rate_limited", headers={"Retry-After": "31"})

    with pytest.raises(sayso.RateLimitedError) as caught:
        await transport.call("GET", "/v1/catalogue")

    assert caught.value.retry_after == timedelta(seconds=31)
    assert clock.slept == []
    assert len(server.asked) == 1


async def test_a_server_that_does_not_answer_is_a_timeout(server, secret) -> None:
    transport = Transport(
        server.url,
        TokenMinter("dealer.k1", secret),
        Sessions(),
        clock=sayso.client.snapshot.SYSTEM_CLOCK,
        time_box=timedelta(milliseconds=150),
    )
    server.from_now_on(200, {}, wait=5)

    with pytest.raises(sayso.UnavailableError, match="did not answer in time") as caught:
        await transport.call("GET", "/v1/consumers/cust-42/preferences")
    await transport.aclose()

    assert caught.value.code == "timeout"


async def test_a_redirect_is_never_followed(transport, server) -> None:
    server.then(307, headers={"Location": f"{server.url}/elsewhere"})

    with pytest.raises(sayso.UnavailableError, match="redirect") as caught:
        await transport.call("GET", "/v1/catalogue")

    assert caught.value.code == "redirected"
    assert server.paths == ["GET /v1/catalogue"]


async def test_a_body_that_is_no_json_is_no_answer(transport, server) -> None:
    server.then(200, b"<html>welcome to our hotel</html>")

    with pytest.raises(sayso.UnavailableError, match="not a Sayso server") as caught:
        await transport.call("GET", "/v1/catalogue")

    assert caught.value.code == "not_sayso"


async def test_an_expired_token_is_renewed_once(transport, server) -> None:
    server.then_problem(401, "token_expired")

    await transport.call("PUT", "/v1/consumers/cust-42/age", b"{}")

    first, second = (asked.headers["Authorization"] for asked in server.asked)
    assert first.startswith("Bearer ")
    assert first != second


async def test_a_token_that_stays_expired_is_an_error(transport, server) -> None:
    server.then_problem(401, "token_expired")
    server.then_problem(401, "token_expired")

    with pytest.raises(sayso.NotAuthenticatedError):
        await transport.call("GET", "/v1/catalogue")

    assert len(server.asked) == 2


def _issued(asked) -> int:
    return jwt.decode(asked.headers["Authorization"][7:], options={"verify_signature": False})["iat"]


async def test_a_clock_that_is_a_day_off_signs_by_the_servers_clock(transport, server) -> None:
    tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    server.then_problem(401, "token_invalid", headers={"Date": format_datetime(tomorrow, usegmt=True)})

    await transport.call("PUT", "/v1/consumers/cust-42/age", b"{}")
    await transport.call("PUT", "/v1/consumers/cust-42/age", b"{}")

    dated = [_issued(asked) - tomorrow.timestamp() for asked in server.asked]
    assert [round(off / 3600) for off in dated] == [-24, 0, 0]


async def test_a_key_that_is_refused_by_any_clock_leaves_the_clock_alone(transport, server) -> None:
    tomorrow = {"Date": format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)}
    server.then_problem(401, "token_invalid", headers=tomorrow)
    server.then_problem(401, "token_invalid", headers=tomorrow)

    with pytest.raises(sayso.NotAuthenticatedError):
        await transport.call("GET", "/v1/catalogue")
    await transport.call("PUT", "/v1/consumers/cust-42/age", b"{}")

    dated = [_issued(asked) - datetime.now(UTC).timestamp() for asked in server.asked]
    assert [round(off / 3600) for off in dated] == [0, 24, 0]


async def test_one_token_serves_many_calls(transport, server) -> None:
    await transport.call("PUT", "/v1/consumers/cust-42/age", b"{}")
    await transport.call("PUT", "/v1/consumers/cust-42/age", b"{}")

    assert len({asked.headers["Authorization"] for asked in server.asked}) == 1


async def test_nothing_about_the_consumer_leaks_into_an_error(secret, clock) -> None:
    consumer_id = "-".join(["cust", "42"])  # so that no line of this file holds it
    with socket.socket() as taken:  # bound and not listening: every connection is refused
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        privacy = sayso.Client(url, "dealer.k1", secret, clock=clock)
        with pytest.raises(sayso.UnavailableError) as caught:
            await privacy.consumer(consumer_id).preferences()
        await privacy.aclose()

    told = "".join(traceback.format_exception(caught.value))
    assert str(caught.value) == (
        f"connection refused: nothing listens at 127.0.0.1:{port}; check the host and port in SAYSO_URL (or url=), and "
        "that the server is running"
    )
    assert not isinstance(caught.value.__context__, OSError)
    assert consumer_id not in told
    assert url not in told
    assert len(clock.slept) > 3


async def test_a_cancelled_call_stops_at_once(transport, server) -> None:
    server.from_now_on(200, {}, wait=5)
    task = asyncio.create_task(transport.call("GET", "/v1/catalogue"))
    await asyncio.sleep(0.05)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
