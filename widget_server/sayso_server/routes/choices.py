"""Recording choices and reading them back."""

from http import HTTPStatus

from aiohttp import web

from sayso.errors import Problem
from sayso.model.choice import ChoiceBatch
from sayso.wire import Code, TokenClass
from sayso_server.routes.asked import Asked
from sayso_server.services.own import OwnChoiceBatch, shown_to_consumer
from sayso_server.services.refusals import RefusedError


async def post_choices(asked: Asked) -> web.Response:
    """Record 1 to 500 choices; the answer comes after they are on disk."""
    caller = asked.caller
    if caller.token_class is TokenClass.CONSUMER:
        batch = (await asked.parse(OwnChoiceBatch)).of(asked.consumer_id)
        foreign = [place for place, choice in enumerate(batch.choices) if choice.consumer_id != caller.subject]
        if foreign:
            message = "a consumer's token records for its own sub only; the whole batch was refused"
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                Code.SCOPE,
                message,
                problems=[Problem(f"/choices/{place}/consumer_id", Code.SCOPE.value, message) for place in foreign],
            )
    else:
        batch = await asked.parse(ChoiceBatch)
    recorded = await asked.services.recording.record(caller, batch)
    return asked.answer({"recorded": recorded}, status=HTTPStatus.CREATED)


async def get_choices(asked: Asked) -> web.Response:
    """Give a consumer's history, newest first, 100 a page."""
    before = asked.query_int("before")
    page, rest = await asked.services.reading.history(asked.caller.brand_id, asked.consumer_id, before=before)
    if asked.caller.token_class is TokenClass.CONSUMER:
        page = [shown_to_consumer(choice) for choice in page]
    headers = (
        None if rest is None else {"Link": f'<{asked.request.path_qs.partition("?")[0]}?before={rest}>; rel="next"'}
    )
    return asked.answer({"choices": page}, headers=headers)
