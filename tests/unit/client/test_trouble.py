"""What a client says of a server that it can't talk to: the cause, the place and the remedy."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import sayso

Make = Callable[..., sayso.Client]
CONSUMER = "-".join(["cust", "42"])  # so that no line of this file holds it


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine at which every connection is refused."""
    with socket.socket() as taken:  # bound and not listening
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
async def talks() -> AsyncIterator[Callable[[bytes], Any]]:
    """Starts servers that answer whatever they get with the same bytes; gives the port."""
    servers: list[asyncio.Server] = []

    async def start(answer: bytes) -> int:
        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1024)
            writer.write(answer)
            await writer.drain()
            writer.close()

        servers.append(await asyncio.start_server(speak, "127.0.0.1", 0))
        port: int = servers[-1].sockets[0].getsockname()[1]
        return port

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


async def trouble(privacy: sayso.Client) -> str:
    """Give what a call raises that nobody answers."""
    with pytest.raises(sayso.UnavailableError) as caught:
        await privacy.consumer(CONSUMER).preferences()
    await privacy.aclose()
    assert CONSUMER not in str(caught.value)
    return str(caught.value)


async def test_https_to_a_server_that_speaks_plain_http(make_client: Make, talks: Any) -> None:
    port = await talks(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    assert await trouble(make_client(url=f"https://127.0.0.1:{port}")) == (
        f"TLS failed, because 127.0.0.1:{port} speaks plain HTTP; a server on this machine is http:// in SAYSO_URL "
        "(or url=), and one elsewhere needs TLS in front of it"
    )


async def test_http_to_a_server_that_speaks_tls(make_client: Make, talks: Any, clock: Any) -> None:
    port = await talks(b"\x15\x03\x01\x00\x02\x02\x46")  # an alert (RFC 8446 section 6)

    told = await trouble(make_client(url=f"http://127.0.0.1:{port}", clock=clock))

    assert "does not speak HTTP; check its port, and write https:// if it speaks TLS" in told


async def test_a_name_that_nobody_knows(make_client: Make, clock: Any) -> None:
    told = await trouble(make_client(url="https://sayso.invalid", clock=clock))

    assert told == "the Sayso server's name sayso.invalid can't be looked up; check SAYSO_URL (or url=)"


async def test_after_a_check_that_nobody_answers_the_client_says_why_and_no_consumer_reads_it(
    make_client: Make, closed_port: int
) -> None:
    async with make_client(url=f"http://127.0.0.1:{closed_port}") as privacy:
        assert privacy.status_reason == ""
        decision = await privacy.consumer(CONSUMER).decide("channel:sms")

        assert privacy.status_reason.startswith(f"connection refused: nothing listens at 127.0.0.1:{closed_port};")
        assert decision.reason == "unavailable"
        assert str(closed_port) not in decision.explain()  # which may be shown to the consumer, in their language


async def test_a_client_that_follows_the_changes_says_it_without_being_asked(
    make_client: Make, closed_port: int
) -> None:
    async with make_client(url=f"http://127.0.0.1:{closed_port}", live=True) as privacy:
        deadline = time.monotonic() + 6
        while not privacy.status_reason:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

        assert privacy.status in ("starting", "offline")
        assert f"nothing listens at 127.0.0.1:{closed_port}" in privacy.status_reason


async def test_once_the_server_answers_there_is_nothing_to_say(make_client: Make, server: Any) -> None:
    async with make_client() as privacy:
        server.from_now_on(503)
        assert (await privacy.consumer(CONSUMER).decide("channel:sms")).reason == "unavailable"
        assert privacy.status_reason.startswith("the server can't answer now (HTTP 503)")
        server.always = None
        assert (await privacy.consumer(CONSUMER).decide("channel:sms")).reason == "not_asked"

        assert privacy.status_reason == ""


async def test_what_was_recorded_and_got_no_answer_says_why(make_client: Make, closed_port: int, server: Any) -> None:
    away = make_client(url=f"http://127.0.0.1:{closed_port}", outbox=None)
    assert (await away.consumer(CONSUMER).deny("channel:sms")).status == "pending"
    assert f"nothing listens at 127.0.0.1:{closed_port}" in away.status_reason
    await away.aclose()


async def test_a_wrong_path_names_the_setting(make_client: Make, server: Any) -> None:
    server.from_now_on(404, {"code": "not_found"}, headers={"Content-Type": "application/problem+json"})

    async with make_client(url=f"{server.url}/privacy") as privacy:
        with pytest.raises(sayso.NotFoundError, match=r"SAYSO_URL \(or url=\) is the server's address alone"):
            await privacy.consumer(CONSUMER).grant("channel:sms", shown="en")
