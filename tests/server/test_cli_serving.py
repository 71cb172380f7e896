"""How the running server treats connections: slow ones, broken ones, and those that are open when it stops."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import socket
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import timedelta
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from sayso.catalogue import read_catalogue
from sayso.model.ids import new_choice_id
from sayso.transport.tokens import TokenMinter
from sayso.wire import Role, TokenClass
from sayso_server.app import RUNNER_OPTIONS, SERVICES, create_app
from sayso_server.clock import SystemClock
from sayso_server.keys import KeyFile, new_key
from sayso_server.logs import forget_the_peer, set_up_logging
from sayso_server.routes import bodies
from sayso_server.run import serve
from sayso_server.storage.base import StoredBrand
from sayso_server.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from aiohttp import web

STARTER = (resources.files("sayso_server") / "starter.toml").read_bytes()


class HesitantStorage(MemoryStorage):
    """Records only when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def record(self, brand_id: str, wanted: Any, plan: Any) -> Any:
        self.asked.set()
        await self.go_on.wait()
        return await super().record(brand_id, wanted, plan)


class Served:
    """A server that runs until `stop` is set."""

    def __init__(self, storage: HesitantStorage, port: int, token: str, stop: asyncio.Event, task: Any) -> None:
        self.storage = storage
        self.port = port
        self.token = token
        self.stop = stop
        self.task = task

    def post(self, choice_id: str, *, part: float = 1.0) -> bytes:
        """Give a request that refuses text messages, or the first part of its body."""
        choice = {"id": choice_id, "consumer_id": "cust-42", "topic": "channel:sms", "answer": "denied"}
        body = json.dumps({"choices": [{**choice, "method": "sms"}]}).encode()
        head = (
            "POST /v1/choices HTTP/1.1\r\nHost: privacy\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body[: int(len(body) * part)]

    async def recorded(self) -> list[str | None]:
        changes = await self.storage.history("dealer", "cust-42", before=None, limit=100)
        return [change.choice_id for change in changes]


@asynccontextmanager
async def serving(tmp_path: Path, **options: Any) -> AsyncIterator[Served]:
    clock, storage, stop = SystemClock(), HesitantStorage(), asyncio.Event()
    key_file = KeyFile(tmp_path / "sayso.keys")
    key, secret = new_key("dealer", "HS256", [TokenClass.BACKEND], [Role.BACKEND, Role.ADMIN], now=clock.now())
    assert secret is not None
    await asyncio.to_thread(key_file.add, key.key_id, secret)
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def when_listening(app: web.Application, url: str) -> None:
        await storage.add_brand(StoredBrand("dealer", "Dealer", clock.now()))
        await storage.add_key(key)
        await app[SERVICES].publishing.publish("dealer", read_catalogue(STARTER))
        listening.set_result(int(url.rpartition(":")[2]))

    task = asyncio.create_task(
        serve(
            lambda url: create_app(storage, key_file, public_origin=url, clock=clock),
            host="127.0.0.1",
            port=0,
            stop=stop,
            when_listening=when_listening,
            options={**RUNNER_OPTIONS, **options},
        )
    )
    await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        yield Served(storage, listening.result(), TokenMinter(key.key_id, secret).backend_token(), stop, task)
    finally:
        storage.go_on.set()
        stop.set()
        async with asyncio.timeout(15):
            await task


class Wire:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, dict[str, Any]]:
        """Read one answer: its status and, if it is JSON, its body."""
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            body = await self.reader.readexactly(int(fields["Content-Length"]))
        return int(head.split(" ")[1]), json.loads(body) if "json" in fields["Content-Type"] else {}

    async def end(self) -> bytes:
        """Wait for the server to hang up, and give what it still sent."""
        async with asyncio.timeout(10):
            return await self.reader.read()


@asynccontextmanager
async def wire(served: Served) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):  # the server was first
            await writer.wait_closed()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged at debug level."""
    root, peer = logging.getLogger(), logging.getLogger("aiohttp.server")
    before = list(root.handlers), root.level, logging.getLogger("asyncio").level, peer.level, list(peer.filters)
    stream = io.StringIO()
    set_up_logging("debug", stream)
    yield stream
    root.handlers[:], peer.filters[:] = before[0], before[4]
    root.setLevel(before[1])
    logging.getLogger("asyncio").setLevel(before[2])
    peer.setLevel(before[3])


# --- slow ------------------------------------------------------------------------------------------------------


def test_the_limits_are_those_that_the_documentation_gives() -> None:
    assert timedelta(seconds=10) == bodies.BODY_TIMEOUT
    assert RUNNER_OPTIONS["keepalive_timeout"] == 15.0


async def test_a_half_sent_body_is_refused_with_408_and_the_connection_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_TIMEOUT", timedelta(seconds=0.3))
    async with serving(tmp_path) as served, wire(served) as half:
        start = asyncio.get_running_loop().time()
        half.send(served.post(new_choice_id(), part=0.5))
        status, problem = await half.answer()
        waited = asyncio.get_running_loop().time() - start

        assert (status, problem["code"]) == (408, "timed_out")
        assert 0.25 <= waited <= 3
        assert await half.end() == b""
        assert await served.recorded() == []


async def test_an_idle_connection_is_closed_when_its_time_is_over(tmp_path: Path) -> None:
    async with serving(tmp_path, keepalive_timeout=0.4) as served, wire(served) as idle:
        idle.send(b"GET /healthz HTTP/1.1\r\nHost: privacy\r\n\r\n")
        assert (await idle.answer())[0] == 200
        start = asyncio.get_running_loop().time()

        assert await idle.end() == b""
        assert 0.2 <= asyncio.get_running_loop().time() - start <= 3


async def test_a_header_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    async with serving(tmp_path, keepalive_timeout=0.4) as served, wire(served) as slow:
        slow.send(b"GET /healthz HTTP/1.1\r\nHost: pri")

        assert await slow.end() == b""


# --- broken ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /healthz HTTP/0.9", 505),
        (b"GET /healthz", 505),
        (b"GET /healthz HTTP/2.0", 505),
        (b"GET http://evil.example/healthz HTTP/1.1", 400),
        (b"GET //evil.example/healthz\x00 HTTP/1.1", 400),
        (b"GET evil.example HTTP/1.1", 400),
    ],
)
async def test_what_is_no_request_to_this_server_is_refused_with_a_problem(
    tmp_path: Path, request_line: bytes, status: int
) -> None:
    async with serving(tmp_path) as served, wire(served) as odd:
        odd.send(request_line + b"\r\nHost: privacy\r\n\r\n")
        answered, problem = await odd.answer()

        assert (answered, problem["code"], problem["status"]) == (status, "bad_request", status)
        assert await odd.end() == b""


@pytest.mark.parametrize(
    "fields",
    [
        b"Host: privacy\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Host: privacy\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
        b"Host: privacy\r\nContent-Length: +5\r\n",
        b"Host: privacy\r\nTransfer-Encoding : chunked\r\n",
        b"Host: privacy\r\nX-Long: " + b"x" * 9000 + b"\r\n",
    ],
)
async def test_fields_that_two_readers_could_understand_differently_are_refused(tmp_path: Path, fields: bytes) -> None:
    async with serving(tmp_path) as served, wire(served) as odd:
        odd.send(b"POST /v1/choices HTTP/1.1\r\n" + fields + b"\r\nhello")
        status, problem = await odd.answer()

        assert (status, problem["code"]) == (400, "bad_request")
        assert "aiohttp" not in json.dumps(problem)
        assert await served.recorded() == []


async def test_what_a_stranger_sends_never_reaches_the_log(tmp_path: Path, log: io.StringIO) -> None:
    async with serving(tmp_path) as served:
        for data in (
            b"GET /cust-canary\x00 HTTP/1.1\r\nHost: privacy\r\n\r\n",
            b"GET /v1/consumers/cust-canary/choices HTTP/1.1\r\nHost: privacy\r\nX canary: 1\r\n\r\n",
            b"\x16\x03\x01canary\r\n\r\n",
            b"GET /cust-canary HTTP/1.1\r\nHost: privacy\r\nAuthorization: Bearer canary\r\nConnection: close\r\n\r\n",
        ):
            async with wire(served) as odd:
                odd.send(data)
                await odd.end()
    told = log.getvalue()
    assert "answered 400 to a request that went wrong" in told
    assert "canary" not in told
    assert "127.0.0.1" not in told


def test_a_trace_in_the_log_shows_where_but_not_what(log: io.StringIO) -> None:
    try:
        try:
            raise KeyError("cust-canary")
        except KeyError as error:
            raise ValueError("ann@canary.example") from error
    except ValueError:
        logging.getLogger("sayso_server").exception("unexpected error")

    told = log.getvalue()
    assert "canary" not in told.replace('raise KeyError("cust-canary")', "").replace('ann@canary.example") from', "")
    assert told.index("KeyError\n") < told.index("\nValueError")
    assert "in test_a_trace_in_the_log_shows_where_but_not_what" in told


def test_what_aiohttp_says_about_a_connection_loses_the_address() -> None:
    record = logging.LogRecord(
        "aiohttp.server", logging.ERROR, "", 0, "Error handling request from %s", ("192.0.2.7",), None
    )

    assert forget_the_peer(record)
    assert record.getMessage() == "a connection failed"


# --- stopping --------------------------------------------------------------------------------------------------


async def test_a_request_in_flight_when_the_server_stops_is_recorded_and_acknowledged(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, wire(served) as busy:
        choice_id = new_choice_id()
        served.storage.go_on.clear()
        busy.send(served.post(choice_id))
        await served.storage.asked.wait()
        served.stop.set()
        await asyncio.sleep(0.1)
        served.storage.go_on.set()

        status, answer = await busy.answer()
        assert status == 201
        assert answer["recorded"][0]["choice_id"] == choice_id
        assert await busy.end() == b""
        await served.task


async def test_a_body_that_is_half_there_when_the_server_stops_is_refused_and_not_just_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_TIMEOUT", timedelta(seconds=0.4))
    async with serving(tmp_path) as served, wire(served) as half:
        half.send(served.post(new_choice_id(), part=0.5))
        await asyncio.sleep(0.1)
        served.stop.set()

        status, problem = await half.answer()
        assert (status, problem["code"]) == (408, "timed_out")
        await served.task


async def test_idle_connections_do_not_hold_up_the_stop(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, wire(served) as idle:
        idle.send(b"GET /healthz HTTP/1.1\r\nHost: privacy\r\n\r\n")
        assert (await idle.answer())[0] == 200
        served.stop.set()

        async with asyncio.timeout(2):
            await served.task
        assert await idle.end() == b""


async def test_a_stopping_server_takes_no_new_connection(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, wire(served) as busy:
        served.storage.go_on.clear()
        busy.send(served.post(new_choice_id()))
        await served.storage.asked.wait()
        served.stop.set()
        await asyncio.sleep(0.1)

        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", served.port)
        served.storage.go_on.set()
        assert (await busy.answer())[0] == 201


async def test_connections_that_come_in_the_moment_of_the_stop_are_closed(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        with ExitStack() as late:
            come = [late.enter_context(socket.create_connection(("127.0.0.1", served.port))) for _ in range(3)]
            await asyncio.sleep(0)  # in the next turn of the loop the server accepts them, and after that it hears this
            served.stop.set()
            async with asyncio.timeout(5):
                await served.task
            gc.collect()  # one that nobody closed would warn now
            for one in come:
                one.settimeout(5)
                assert one.recv(1) == b""


async def test_an_application_that_can_not_start_leaves_the_port_free(tmp_path: Path) -> None:
    class BrokenStorage(MemoryStorage):
        async def start(self) -> None:
            raise OSError("no such disk")

    bound: list[str] = []

    def make_app(url: str) -> web.Application:
        bound.append(url)
        return create_app(BrokenStorage(), KeyFile(tmp_path / "sayso.keys"), public_origin=url)

    async def never(_app: web.Application, _url: str) -> None:
        pytest.fail("it is listening")

    with pytest.raises(OSError, match="no such disk"):
        await serve(make_app, host="127.0.0.1", port=0, stop=asyncio.Event(), when_listening=never)
    (url,) = bound
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
