"""How the contract suite talks to a server: plain HTTP, nothing of the client but the signing of tokens."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from sayso.model.ids import new_choice_id
from sayso.transport.tokens import TokenMinter


@dataclass(frozen=True)
class ServerUnderTest:
    """Where the server is, and a key of a brand that is kept for this.

    Attributes:
        url: Such as `http://127.0.0.1:8787`.
        key_id: As `sayso-server brand create` printed it.
        secret: The key's secret.
    """

    url: str
    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        """The JSON of it."""
        return json.loads(self.body)

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Each (pointer, code) of an answer that is a problem (RFC 9457)."""
        assert self.headers["Content-Type"] == "application/problem+json", self.body
        assert self.json["request_id"]
        return [(error["pointer"], error["code"]) for error in self.json["errors"]]

    @property
    def code(self) -> str:
        """The code of an answer that is a problem."""
        assert self.headers["Content-Type"] == "application/problem+json", self.body
        return str(self.json["code"])


class Wire:
    """One test's connection."""

    def __init__(self, server: ServerUnderTest) -> None:
        """Take the server."""
        self.server = server
        self.minter = TokenMinter(server.key_id, server.secret)
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    def consumer(self) -> str:
        """Give the id of a consumer that nobody has heard of."""
        return f"cust-{secrets.token_hex(12)}x"

    async def call(
        self,
        method: str,
        path: str,
        json_body: object = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answered:
        """Send a request with a backend token, or with another, or with none if that is empty."""
        sent = {"Content-Type": "application/json"} if json_body is not None else {}
        sent |= headers or {}
        token = self.minter.backend_token() if token is None else token
        if token:
            sent["Authorization"] = f"Bearer {token}"
        body = json_body if isinstance(json_body, bytes | None) else json.dumps(json_body).encode()
        async with self.session.request(method, self.server.url + path, data=body, headers=sent) as response:
            return Answered(response.status, response.headers, await response.read())

    async def post_choices(self, *choices: dict[str, Any], **members: Any) -> Answered:
        """Record choices."""
        return await self.call("POST", "/v1/choices", {"choices": list(choices), **members})

    async def record(self, *choices: dict[str, Any]) -> list[dict[str, Any]]:
        """Record choices that have to be taken, and give what was recorded."""
        answered = await self.post_choices(*choices)
        assert answered.status == 201, answered.body
        recorded: list[dict[str, Any]] = answered.json["recorded"]
        return recorded

    async def preferences(self, consumer_id: str, query: str = "") -> dict[str, Any]:
        """Give a consumer's snapshot."""
        answered = await self.call("GET", f"/v1/consumers/{consumer_id}/preferences{query}")
        assert answered.status == 200, answered.body
        found: dict[str, Any] = answered.json
        return found

    async def reason(self, consumer_id: str, topic: str, **members: Any) -> str:
        """Give why a topic is or isn't allowed."""
        check = {"consumer_id": consumer_id, "topic": topic, **members}
        answered = await self.call("POST", "/v1/decisions", {"checks": [check]})
        assert answered.status == 200, answered.body
        return str(answered.json["decisions"][0]["reason"])


def choice(consumer_id: str, topic: str, answer: str, **members: Any) -> dict[str, Any]:
    """Give a choice as the wire has it; a grant comes with a notice."""
    notice = {"notice": {"language": "en"}} if answer == "granted" else {}
    named = {"id": new_choice_id(), "consumer_id": consumer_id, "topic": topic, "answer": answer, "method": "api"}
    return {**named, **notice, **members}


def over_the_wire(test: Callable[[Wire], Awaitable[None]]) -> Callable[[ServerUnderTest], None]:
    """Make a test of a coroutine function, which needs no pytest plugin to run."""

    def run(sayso_server_under_test: ServerUnderTest) -> None:
        async def main() -> None:
            async with Wire(sayso_server_under_test) as wire:
                await test(wire)

        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(main())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    run.__module__ = test.__module__
    run.__qualname__ = test.__qualname__
    return run
