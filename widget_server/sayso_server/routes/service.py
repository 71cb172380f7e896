"""The server about itself: health, readiness, its description and the first page."""

from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web

from sayso.wire import Code
from sayso_server.pages.home import HOME
from sayso_server.pages.plain import STYLE_SHEETS
from sayso_server.routes.answers import asset_answer, html_answer, json_answer, problem_answer
from sayso_server.routes.asked import Asked
from sayso_server.routes.table import Handler
from sayso_server.storage.base import StorageUnavailableError

_GPC_SINCE = "2026-11-24"
"""The last change of what is said about it."""


async def healthz(asked: Asked) -> web.Response:
    """Say that the process answers."""
    return asked.answer({"status": "ok"})


async def readyz(asked: Asked) -> web.Response:
    """Say whether the server can take choices."""
    try:
        await asked.services.storage.config_version()
        ready = await asked.services.storage.can_write()
    except StorageUnavailableError:
        ready = False
    if not ready:
        return problem_answer(
            HTTPStatus.SERVICE_UNAVAILABLE,
            Code.UNAVAILABLE,
            "not ready",
            request_id=asked.request_id,
            headers={"Retry-After": "1"},
        )
    return asked.answer({"status": "ready"})


async def gpc(asked: Asked) -> web.Response:
    """Say that Global Privacy Control is honoured (W3C GPC, the well-known resource)."""
    return asked.answer({"gpc": True, "lastUpdate": _GPC_SINCE})


async def style(asked: Asked) -> web.Response:
    """Give a part of the style of the pages."""
    return asset_answer(STYLE_SHEETS[asked.request.path], media_type="text/css", request_id=asked.request_id)


async def home(asked: Asked) -> web.Response:
    """Show what this is and where to go."""
    return html_answer(HOME, request_id=asked.request_id)


def make_openapi(document: Callable[[], bytes]) -> Handler:
    """Give the handler that serves the description; it is made once every row is known, its own among them."""

    async def openapi(asked: Asked) -> web.Response:
        return json_answer(document(), request_id=asked.request_id)

    return openapi
