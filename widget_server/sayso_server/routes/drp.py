"""The Data Rights Protocol's endpoints. It has its own tokens, its own errors and no body with a 403."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp import hdrs, web

from sayso.exports.drp import DrpError
from sayso.exports.drp_message import NotAcceptedError
from sayso_server.routes.answers import empty_answer
from sayso_server.routes.asked import Asked
from sayso_server.routes.bodies import read_body
from sayso_server.routes.table import NO_BODY, SMALL_BODY, RateClass, Row
from sayso_server.services.drp import DataRights, error_of
from sayso_server.services.refusals import RefusedError

log = logging.getLogger(__name__)

Json = Mapping[str, Any]

_REQUEST: Final = "/v1/data-rights-request"
_AGENT: Final = "/v1/agent/{agent_id}"
_TEXT: Final = "text/plain"
_BEARER: Final = "Bearer "


def drp_rows(public_origin: str) -> tuple[Row, ...]:
    """Give the rows of the protocol.

    Args:
        public_origin: The origin of the server's own pages, on one of which a consumer can show who they are.
    """
    page = f"{public_origin}/rights"

    async def exercise(asked: Asked) -> Json:
        message = await _message(asked)
        return await _rights(asked).exercise(_token(asked), message, verification_url=page)

    async def status(asked: Asked) -> Json:
        return await _rights(asked).status(_token(asked), _id(asked), verification_url=page)

    async def revoke(asked: Asked) -> Json:
        message = await _message(asked)
        return await _rights(asked).revoke(_token(asked), _id(asked), message, verification_url=page)

    return (
        _row("POST", _REQUEST, exercise, "Data Rights Protocol: exercise a right"),
        _row("GET", _REQUEST + "/{request_id}", status, "Data Rights Protocol: how far a request has come"),
        _row("DELETE", _REQUEST + "/{request_id}", revoke, "Data Rights Protocol: take a request back"),
        _row("POST", _AGENT, _set_up, "Data Rights Protocol: a token for a registered agent", "AgentToken"),
        _row("GET", _AGENT, _greet, "Data Rights Protocol: whether a token still counts", "Object"),
    )


async def _set_up(asked: Asked) -> Json:
    return await _rights(asked).set_up(asked.request.match_info["agent_id"], await _message(asked))


async def _greet(asked: Asked) -> Json:
    await _rights(asked).greet(_token(asked), asked.request.match_info["agent_id"])
    return {}


def _row(
    method: str, path: str, doing: Callable[[Asked], Awaitable[Json]], summary: str, answer: str = "ExerciseStatus"
) -> Row:
    async def handler(asked: Asked) -> web.Response:
        try:
            return asked.answer(await doing(asked))
        except NotAcceptedError as failed:
            # Whoever sent it learns nothing by it; the operators settle it between them (section 2.05.1).
            log.info("message of an agent refused for its %s, request %s", failed.step, asked.request_id)
            return empty_answer(HTTPStatus.FORBIDDEN, request_id=asked.request_id, headers={})
        except (DrpError, RefusedError) as error:
            status, said = error_of(error)
            return asked.answer(said, status=status)

    limit = NO_BODY if method == "GET" else SMALL_BODY
    return Row(
        method,
        path,
        handler,
        summary,
        body_limit=limit,
        body_type=_TEXT,
        rate_class=RateClass.PUBLIC,
        answer=answer,
        errors="AgentError",
    )


def _rights(asked: Asked) -> DataRights:
    return asked.services.data_rights


def _id(asked: Asked) -> str:
    return asked.request.match_info["request_id"]


def _token(asked: Asked) -> str:
    header = asked.request.headers.get(hdrs.AUTHORIZATION, "")
    return header.removeprefix(_BEARER) if header.startswith(_BEARER) else ""


async def _message(asked: Asked) -> bytes:
    return await read_body(asked.request, limit=asked.body_limit, content_type=_TEXT)
