"""Checks on the server."""

from http import HTTPStatus

from aiohttp import web

from sayso.errors import Problem
from sayso.wire import Code, TokenClass
from sayso_server.routes.asked import Asked
from sayso_server.services.checks import CheckBatch
from sayso_server.services.own import OwnCheckBatch
from sayso_server.services.refusals import RefusedError


async def post_decisions(asked: Asked) -> web.Response:
    """Answer 1 to 500 checks, each with a reason and a sentence."""
    caller = asked.caller
    if caller.token_class is TokenClass.CONSUMER:
        checks = (await asked.parse(OwnCheckBatch)).of(asked.consumer_id)
        foreign = [place for place, check in enumerate(checks) if check.consumer_id != caller.subject]
        if foreign:
            message = "a consumer's token asks about its own sub only; nothing was answered"
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                Code.SCOPE,
                message,
                problems=[Problem(f"/checks/{place}/consumer_id", Code.SCOPE.value, message) for place in foreign],
            )
    else:
        checks = list((await asked.parse(CheckBatch)).checks)
    return asked.answer(await asked.services.reading.decisions(caller, checks))
