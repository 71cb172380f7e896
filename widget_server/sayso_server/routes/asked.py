"""One request on its way through a route: who asks, about whom, with what."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from sayso.errors import Problem
from sayso.model.ids import IdError, check_consumer_id, check_id
from sayso.model.instant import Micros, parse_instant
from sayso.wire import Code
from sayso_server.jsonio import dumps
from sayso_server.routes.answers import json_answer
from sayso_server.routes.bodies import parse, parse_members, read_body
from sayso_server.services import Services
from sayso_server.services.caller import Caller
from sayso_server.services.refusals import RefusedError, refuse_member, refuse_members

Model = TypeVar("Model", bound=BaseModel)


@dataclass(slots=True)
class Asked:
    """What a handler gets.

    Attributes:
        request: The HTTP request.
        request_id: Its id in the log.
        services: What can be done.
        body_limit: How many bytes of body the route takes.
        known_caller: Who asks; None on public routes.
    """

    request: web.Request
    request_id: str
    services: Services
    body_limit: int
    known_caller: Caller | None

    @property
    def caller(self) -> Caller:
        """Who asks, on a route that needs a token."""
        if self.known_caller is None:
            raise RuntimeError("a public route has no caller")
        return self.known_caller

    @property
    def consumer_id(self) -> str:
        """Whom it is about: the token's `sub` on consumer routes, else the path's id."""
        if "id" not in self.request.match_info:
            return self.caller.subject or ""
        return _checked(check_consumer_id, self.request.match_info["id"], "consumer id in the path")

    @property
    def device_id(self) -> str:
        """The path's device."""
        return _checked(check_id, self.request.match_info["device_id"], "device id in the path")

    async def parse(self, model: type[Model]) -> Model:
        """Read the body into a model."""
        return parse(model, await read_body(self.request, limit=self.body_limit))

    async def members(self) -> object:
        """Read the body as strict JSON."""
        return parse_members(await read_body(self.request, limit=self.body_limit))

    def answer(self, value: object, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
        """Answer with JSON."""
        return json_answer(dumps(value), status=status, request_id=self.request_id, headers=headers)

    def query_int(self, name: str, *, digits: int = 15) -> int | None:
        """Give a whole number from the query, if it is there; as long as any version, or so many digits.

        Raises:
            RefusedError: It is no whole number from 0.
        """
        text = self.request.query.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= digits):
            raise _bad_query(name, "send a whole number")
        return int(text)

    def query_instant(self, name: str) -> Micros | None:
        """Give a time from the query, if it is there.

        Raises:
            RefusedError: It is no time with an offset.
        """
        text = self.request.query.get(name)
        if text is None:
            return None
        try:
            # An unescaped "+" of an offset arrives as a space.
            return parse_instant(text.replace(" ", "+"))
        except (ValueError, OverflowError):
            raise _bad_query(name, "send an RFC 3339 time with an offset, such as 2026-11-23T19:00:00Z") from None


def _checked(check: Callable[[str], str], value: str, what: str) -> str:
    try:
        return check(value)
    except IdError as error:
        raise refuse_members([Problem("", error.code, f"{what}: {error}")]) from None


def _bad_query(name: str, remedy: str) -> RefusedError:
    return refuse_member("", Code.INVALID_VALUE, f"the query parameter {name} does not fit; {remedy}")
