"""Fakes for the client's tests: a clock that is set, mocked answers, and a small server on loopback."""

import asyncio
import json
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp import web
from aioresponses import aioresponses

from sayso import Client

TOLD = "2026-11-23T19:00:00.000000Z"
TOPICS = ("purpose:marketing", "channel:sms", "permission:location", "partner:vinsolutions:share")


class SetClock:
    """A clock that moves only when told to, or when somebody sleeps by it."""

    def __init__(self) -> None:
        self.wall = 1_795_460_400_000_000  # 2026-11-23T19:00:00Z
        self.up = 1000.0
        self.slept: list[float] = []

    def now(self) -> int:
        return self.wall

    def boot(self) -> float:
        return self.up

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self.wall += round(seconds * 1_000_000)
        self.up += seconds


@dataclass
class Asked:
    """One request that reached the fake server."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any


@dataclass
class Reply:
    """What the fake server answers next; `drop` cuts the connection, `wait` is slept first."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    wait: float = 0.0


class FakeServer:
    """Speaks the wire of the real one, for one consumer at a time, on a thread of its own."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.script: list[Reply] = []
        self.always: Reply | None = None
        self.granted: set[str] = set()
        self.answers: dict[str, str] = {}
        self.version = 0
        self.store_id = "store-1"
        self.url = ""

    @property
    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]

    def then(self, status: int = 200, body: Any = None, **named: Any) -> None:
        """Answer the next request so, instead of as usual."""
        self.script.append(Reply(status, body, **named))

    def then_problem(self, status: int, code: str, detail: str = "no", **members: Any) -> None:
        headers = {"Content-Type": "application/problem+json", **members.pop("headers", {})}
        body = {"type": "about:blank", "title": "t", "status": status, "code": code, "detail": detail, **members}
        self.then(status, body, headers=headers)

    def then_drop(self) -> None:
        """Cut the next connection without an answer."""
        self.script.append(Reply(drop=True))

    def from_now_on(self, status: int = 200, body: Any = None, **named: Any) -> None:
        self.always = Reply(status, body, **named)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw) if raw else None
        asked = Asked(request.method, request.path, request.query_string, dict(request.headers), body)
        self.asked.append(asked)
        reply = self.script.pop(0) if self.script else self.always or self.usual(asked)
        await asyncio.sleep(reply.wait)
        if reply.drop:
            assert request.transport is not None
            request.transport.abort()
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = {"Content-Type": "application/json", **reply.headers}
        return web.Response(status=reply.status, body=content, headers=headers)

    def usual(self, asked: Asked) -> Reply:
        if asked.path == "/v1/choices":
            return Reply(201, {"recorded": [self.record(choice) for choice in asked.body["choices"]]})
        if asked.path == "/v1/decisions":
            return Reply(200, {"decisions": [self.decide(check) for check in asked.body["checks"]]})
        if asked.path.endswith("/preferences"):
            return Reply(200, self.snapshot(asked.path.split("/")[3]))
        self.version += 1
        return Reply(200, {"version": self.version, "states": {}, "signals": {}, "age": {}, "unknown": []})

    def record(self, choice: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        self.answers[choice["topic"]] = choice["answer"]
        granted = choice["answer"] == "granted"
        (self.granted.add if granted else self.granted.discard)(choice["topic"])
        return {
            "choice_id": choice["id"],
            "consumer_id": choice["consumer_id"],
            "topic": choice["topic"],
            "version": self.version,
            "recorded_at": TOLD,
            "effective_at": TOLD,
            "stands": True,
            "allowed": granted,
            "reason": "granted" if granted else choice["answer"],
            "replayed": False,
            "a_member_of_a_later_release": {"x": 1},
        }

    def entry(self, topic: str) -> dict[str, Any]:
        allowed = topic in self.granted
        reason = (
            "unknown_topic" if topic not in TOPICS else "granted" if allowed else self.answers.get(topic, "not_asked")
        )
        return {
            "allowed": allowed,
            "reason": reason,
            "answer": self.answers.get(topic),
            "choice_id": "01939f3e-0000-7000-8000-000000000000" if topic in self.answers else None,
            "made_at": TOLD if topic in self.answers else None,
            "expires_at": None,
            "notice_version": 3 if allowed else None,
            "valid_until": None,
            "title": {"en": topic.title(), "es": "Tema"},
        }

    def decide(self, check: dict[str, Any]) -> dict[str, Any]:
        known = {"consumer_id": check["consumer_id"], "topic": check["topic"]}
        return {**known, **self.entry(check["topic"]), "explanation": "Because."}

    def snapshot(self, consumer_id: str) -> dict[str, Any]:
        return {
            "consumer_id": consumer_id,
            "version": self.version,
            "store_id": self.store_id,
            "catalogue_revision": 7,
            "valid_until": None,
            "topics": {topic: self.entry(topic) for topic in TOPICS},
            "devices": {},
            "signals": {},
            "age": {},
        }


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="session")
def secret() -> str:
    return secrets.token_urlsafe(32)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A server on loopback that outlives the test's own loops."""
    fake = FakeServer()
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", fake.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        fake.url = "http://{}:{}".format(*runner.addresses[0][:2])
        return runner

    def serve() -> None:
        runner = loop.run_until_complete(start())
        started.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    started.wait()
    yield fake
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@pytest.fixture
def make_client(server: FakeServer, secret: str) -> Callable[..., Client]:
    """Makes clients of the fake server; whoever makes one closes it."""

    def make(**settings: Any) -> Client:
        settings = {"live": False, "outbox": False} | settings  # the tests count requests
        return Client(settings.pop("url", server.url), "dealer.k1", secret, **settings)

    return make


@pytest.fixture
async def privacy(make_client: Callable[..., Client]) -> AsyncIterator[Client]:
    """A client by the machine's clock."""
    async with make_client() as client:
        yield client


class _AnsweredResponse(aiohttp.ClientResponse):
    """aioresponses 0.7.9 doesn't know the argument that aiohttp 3.14 requires."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        writer = Mock()
        writer.output_size = 0
        super().__init__(*arguments, stream_writer=writer, **named)


class _Mocked(aioresponses):  # type: ignore[misc]
    def add(self, *arguments: Any, **named: Any) -> None:
        named.setdefault("response_class", _AnsweredResponse)
        super().add(*arguments, **named)


@pytest.fixture
def mocked() -> Iterator[aioresponses]:
    """aioresponses, mended: what a brand's own tests put between the client and the network."""
    with _Mocked() as answers:
        yield answers
