"""The route table: a route without a row, or a row that leaves a question open, stops the start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from aiohttp import web

from sayso.errors import ConfigurationError
from sayso.wire import MAX_BODY, Role
from sayso_server import app as application
from sayso_server.keys import KeyFile
from sayso_server.routes.rows import make_rows
from sayso_server.routes.table import BACKEND, CONSUMER, SMALL_BODY, STAFF, Row, check_router, check_rows
from sayso_server.services.checks import CheckBatch
from sayso_server.storage.memory import MemoryStorage


async def never(*_: object, **__: object) -> NoReturn:
    raise AssertionError("no request is made here")


GOOD = Row("POST", "/v1/choices", never, "Record choices", BACKEND, frozenset({Role.BACKEND}))


def make_app() -> web.Application:
    return application.create_app(MemoryStorage(), KeyFile(Path("none.keys")), public_origin="https://privacy.example")


def test_the_servers_own_table_leaves_no_question_open() -> None:
    check_rows(make_app()[application.ROWS])


def test_every_route_of_the_application_stands_in_the_table() -> None:
    app = make_app()
    routed = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "OPTIONS"
    }

    assert routed == {(row.method, row.path) for row in app[application.ROWS]}


def test_a_route_without_a_row_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A room that adds its route past the table is found before the first request."""

    make_application = web.Application

    def with_a_backdoor(**options: Any) -> web.Application:
        app = make_application(**options)
        app.router.add_post("/v1/backdoor", never)
        return app

    monkeypatch.setattr(application.web, "Application", with_a_backdoor)

    with pytest.raises(ValueError, match="POST /v1/backdoor has no row in the route table"):
        make_app()


async def test_a_route_that_is_added_afterwards_stops_the_start() -> None:
    app = make_app()
    app.router.add_post("/v1/backdoor", never)
    runner = web.AppRunner(app)

    with pytest.raises(ValueError, match="POST /v1/backdoor has no row in the route table"):
        await runner.setup()

    await runner.cleanup()


@pytest.mark.parametrize(
    "add",
    [
        lambda router: router.add_get("/v1/choices", never),
        lambda router: router.add_route("*", "/v1/choices", never),
        lambda router: router.add_get("/v1/consumers/{id}/secrets", never),
        lambda router: router.add_static("/files", Path(__file__).parent),
    ],
    ids=["another method", "any method", "another path", "a folder of files"],
)
def test_a_route_that_no_row_names_is_refused(add: Any) -> None:
    app = web.Application()
    app.router.add_post("/v1/choices", never)
    check_router(app, (GOOD,))

    add(app.router)

    with pytest.raises(ValueError, match="has no row in the route table"):
        check_router(app, (GOOD,))


def test_a_row_with_everything_is_taken() -> None:
    check_rows((GOOD, replace(GOOD, path="/v1/me/choices", classes=CONSUMER, roles=frozenset(), own_sub=True)))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"roles": frozenset()}, "takes backend or staff tokens but names no role"),
        ({"roles": frozenset(), "classes": STAFF}, "takes backend or staff tokens but names no role"),
        ({"roles": frozenset(), "classes": BACKEND | CONSUMER}, "takes backend or staff tokens but names no role"),
        ({"classes": CONSUMER, "roles": frozenset()}, "act on the token's sub"),
        ({"own_sub": True}, "act on the token's sub"),
        ({"own_sub": True, "classes": BACKEND | CONSUMER}, "act on the token's sub"),
        ({"own_sub": True, "classes": frozenset()}, "act on the token's sub"),
        ({"body": CheckBatch}, "takes a body but names no limit"),
        ({"body": CheckBatch, "body_limit": 0}, "takes a body but names no limit"),
        ({"body": CheckBatch, "body_limit": -1}, "takes a body but names no limit"),
        ({"body": CheckBatch, "body_limit": MAX_BODY + 1}, "takes a body but names no limit"),
    ],
)
def test_a_row_that_leaves_a_question_open_is_refused_by_its_name(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as refused:
        check_rows((replace(GOOD, **changes),))

    assert str(refused.value).startswith("POST /v1/choices")


def test_a_route_that_stands_in_the_table_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="POST /v1/choices stands in the table twice"):
        check_rows((GOOD, replace(GOOD, body=CheckBatch, body_limit=SMALL_BODY)))


def test_a_bad_row_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_one_more(visitor_is_here: Any) -> tuple[Row, ...]:
        return (*make_rows(visitor_is_here), Row("GET", "/v1/audit", never, "Audit", BACKEND))

    monkeypatch.setattr(application, "make_rows", with_one_more)

    with pytest.raises(ValueError, match="GET /v1/audit takes backend or staff tokens but names no role"):
        make_app()


def test_an_aiohttp_without_its_c_parser_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "HttpRequestParser", application.HttpRequestParserPy)

    with pytest.raises(ConfigurationError, match="C extensions"):
        make_app()
