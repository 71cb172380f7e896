"""Every route in one table: who may call it, with which roles, how much it takes. The router is built from it alone."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web
from pydantic import BaseModel

from sayso.wire import JSON_TYPE, MAX_BODY, Role, TokenClass
from sayso_server.routes.access import PUBLIC, Access
from sayso_server.routes.asked import Asked

Handler = Callable[[Asked], Awaitable[web.StreamResponse]]

SMALL_BODY = 64 * 1024
CATALOGUE_BODY = 1024 * 1024
NO_BODY = 0


class RateClass(StrEnum):
    """Which bucket a call draws from. Recording has its own, so that nothing else can keep anyone from opting out."""

    RECORD = "record"
    READ = "read"
    ADMIN = "admin"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Row:
    """One route.

    Attributes:
        method: HTTP method.
        path: Template as aiohttp writes it.
        handler: What answers.
        summary: One line for `/openapi.json`.
        access: The classes of token that may call it, and for each the roles that count.
        own_sub: The consumer is the token's `sub`, never a path member or a member of the body.
        single_use: The call uses its token up; another such call needs another token.
        body_limit: Bytes of body taken; 0 for none.
        rate_class: Which rate limit it draws from.
        body: The model of the body, for `/openapi.json`.
        body_type: The content type of the body, for the same.
        status: The status of success.
        answer: Name of the answer's schema.
        errors: Name of the schema of its errors.
        query: Query parameters and what they are.
        headers: Request headers of its own and what they are.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    access: Access = PUBLIC
    own_sub: bool = False
    single_use: bool = False
    body_limit: int = NO_BODY
    rate_class: RateClass = RateClass.READ
    body: type[BaseModel] | None = None
    body_type: str = JSON_TYPE
    status: int = 200
    answer: str = "Object"
    errors: str = "Problem"
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> frozenset[TokenClass]:
        """Token classes that may call it; none for a public route."""
        return self.access.classes

    @property
    def methods(self) -> tuple[str, ...]:
        """What the row answers: HEAD too where it answers GET, with the same header and no body (RFC 9110 §9.3.2)."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)


def check_rows(rows: tuple[Row, ...]) -> None:
    """Refuse a table that leaves a question open.

    Raises:
        ValueError: Naming the row.
    """
    seen: set[tuple[str, str]] = set()
    for row in rows:
        where = f"{row.method} {row.path}"
        if (row.method, row.path) in seen:
            raise ValueError(f"{where} stands in the table twice")
        seen.add((row.method, row.path))
        if row.method == "HEAD":
            raise ValueError(f"{where} has no row of its own; the GET row answers it")
        if Role.AGENT in row.access.backend:
            raise ValueError(f"{where}: agent is no role of a backend's token, which speaks for the consumer")
        if Role.BACKEND in row.access.staff:
            raise ValueError(f"{where}: backend is no role of a staff token; a person is no backend")
        if row.single_use and not row.classes:
            raise ValueError(f"{where} asks for no token that it could use up")
        if row.own_sub != (row.classes == {TokenClass.CONSUMER}):
            raise ValueError(f"{where}: exactly the routes of consumer tokens alone act on the token's sub")
        if row.body is not None and not 0 < row.body_limit <= MAX_BODY:
            raise ValueError(f"{where} takes a body but names no limit")


def check_router(app: web.Application, rows: tuple[Row, ...]) -> None:
    """Refuse an application that answers on a route without a row.

    Raises:
        ValueError: Naming the route.
    """
    known = {(method, row.path) for row in rows for method in row.methods}
    known |= {("OPTIONS", row.path) for row in rows if row.access.consumer}  # a browser asks before it calls
    for route in app.router.routes():
        path = route.resource.canonical if route.resource is not None else "*"
        if (route.method, path) not in known:
            raise ValueError(f"{route.method} {path} has no row in the route table")
