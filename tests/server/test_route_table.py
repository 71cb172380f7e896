"""The route table: a row leaves no question open, and nothing answers without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from sayso.model.choice import ChoiceBatch
from sayso.wire import MAX_BODY, Role, TokenClass
from sayso_server.app import ROWS, create_app
from sayso_server.keys import KeyFile
from sayso_server.routes.access import Access
from sayso_server.routes.table import RateClass, Row, check_router, check_rows
from sayso_server.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from tests.server.conftest import World


@pytest.fixture
def app(tmp_path: Path) -> web.Application:
    """The application, not yet started."""
    return create_app(MemoryStorage(), KeyFile(tmp_path / "keys"), public_origin="https://privacy.example")


async def nothing(_: Any) -> web.Response:
    raise AssertionError("never called")


BY_BACKENDS = Access(backend=frozenset({Role.BACKEND}))
BY_CONSUMERS = Access(consumer=True)
ROW = Row("POST", "/v1/things", nothing, "Things", BY_BACKENDS, body_limit=100, body=ChoiceBatch)


def test_the_servers_own_table_leaves_no_question_open(app: web.Application) -> None:
    check_rows(app[ROWS])
    check_router(app, app[ROWS])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (replace(ROW, access=Access(backend=frozenset({Role.AGENT}))), "agent is no role of a backend's token"),
        (replace(ROW, access=Access(staff=frozenset({Role.BACKEND}))), "backend is no role of a staff token"),
        (replace(ROW, own_sub=True), "act on the token's sub"),
        (replace(ROW, access=BY_CONSUMERS), "act on the token's sub"),
        (replace(ROW, access=Access(), single_use=True), "asks for no token that it could use up"),
        (replace(ROW, body_limit=0), "names no limit"),
        (replace(ROW, body_limit=-1), "names no limit"),
        (replace(ROW, body_limit=MAX_BODY + 1), "names no limit"),
    ],
)
def test_a_row_that_leaves_a_question_open_is_refused_by_name(row: Row, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        check_rows((row,))

    assert "POST /v1/things" in str(caught.value)


def test_a_route_stands_in_the_table_once() -> None:
    check_rows((ROW, replace(ROW, method="GET")))
    with pytest.raises(ValueError, match="POST /v1/things stands in the table twice"):
        check_rows((ROW, replace(ROW, summary="The same")))


@pytest.mark.parametrize("method", ["GET", "POST", "*", "OPTIONS"])
def test_a_route_without_a_row_is_refused_by_name(app: web.Application, method: str) -> None:
    app.router.add_route(method, "/v1/backdoor", nothing)

    with pytest.raises(ValueError, match="/v1/backdoor has no row in the route table"):
        check_router(app, app[ROWS])


def test_another_method_on_a_path_of_the_table_needs_a_row_of_its_own(app: web.Application) -> None:
    app.router.add_route("DELETE", "/v1/consumers/{id}/choices", nothing)

    with pytest.raises(ValueError, match=r"DELETE /v1/consumers/\{id\}/choices has no row"):
        check_router(app, app[ROWS])


async def test_a_route_without_a_row_stops_the_start(app: web.Application) -> None:
    app.router.add_route("GET", "/v1/backdoor", nothing)
    runner = web.AppRunner(app)

    with pytest.raises(ValueError, match="GET /v1/backdoor has no row in the route table"):
        await runner.setup()

    await runner.cleanup()


def test_a_folder_of_files_is_a_route_without_a_row(app: web.Application, tmp_path: Path) -> None:
    app.router.add_static("/files", tmp_path)

    with pytest.raises(ValueError, match="/files has no row"):
        check_router(app, app[ROWS])


async def test_the_router_answers_exactly_what_the_table_holds(world: World) -> None:
    rows = world.app[ROWS]
    routed = {
        (route.method, route.resource.canonical)
        for route in world.app.router.routes()
        if route.resource is not None and route.method != "OPTIONS"
    }

    assert routed == {(row.method, row.path) for row in rows} | {
        ("HEAD", row.path) for row in rows if row.method == "GET"
    }


def test_head_is_answered_by_the_get_row_and_has_none_of_its_own() -> None:
    with pytest.raises(ValueError, match="HEAD /v1/things has no row of its own; the GET row answers it"):
        check_rows((replace(ROW, method="HEAD"),))


def test_only_recording_draws_from_the_bucket_of_recording(app: web.Application) -> None:
    # So that nothing else can keep anyone from opting out.
    recording = {f"{row.method} {row.path}" for row in app[ROWS] if row.rate_class is RateClass.RECORD}

    assert recording == {
        "POST /v1/choices",
        "PUT /v1/consumers/{id}/devices/{device_id}",
        "POST /v1/consumers/{id}/signals",
        "PUT /v1/consumers/{id}/age",
        "POST /v1/consumers/{id}/links",
        "POST /u/{token}",
        "POST /p/{token}",
        "POST /v1/me/choices",
        "PUT /v1/me/devices/{device_id}",
        "POST /v1/me/signals",
        "PUT /v1/me/age",
        "POST /v1/consumers/{id}/age-doubts",
        "POST /g/{token}",
    }


def test_who_may_call_follows_from_the_roles_that_count_for_each_class() -> None:
    both = Access(backend=frozenset({Role.BACKEND}), staff=frozenset({Role.AGENT}))

    assert both.classes == {TokenClass.BACKEND, TokenClass.STAFF}
    assert both.roles(TokenClass.BACKEND) == {Role.BACKEND}
    assert both.roles(TokenClass.STAFF) == {Role.AGENT}
    assert both.roles(TokenClass.CONSUMER) == frozenset()
    assert (BY_CONSUMERS.classes, Access().classes) == ({TokenClass.CONSUMER}, frozenset())


def test_what_hands_over_everything_takes_a_token_once(app: web.Application) -> None:
    assert {f"{row.method} {row.path}" for row in app[ROWS] if row.single_use} == {
        "GET /v1/consumers/{id}/export",
        "DELETE /v1/consumers/{id}",
        "GET /v1/requests/{request_id}/result",
        "GET /v1/me/requests/{request_id}/result",
        "POST /v1/age-doubts/{doubt_id}/confirm",
    }
