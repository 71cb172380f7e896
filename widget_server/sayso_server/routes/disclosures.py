"""Recording hand-overs to and from partners, and reading them back."""

from http import HTTPStatus

from aiohttp import web

from sayso.errors import Problem
from sayso.model.disclosure import DisclosureBatch
from sayso.model.ids import IdError, check_consumer_id
from sayso.wire import Code, TokenClass
from sayso_server.routes.asked import Asked
from sayso_server.services.refusals import refuse_member, refuse_members

_DIGITS_OF_A_MOMENT = 18


async def post_disclosures(asked: Asked) -> web.Response:
    """Record 1 to 500 hand-overs; the answer comes after they are on disk."""
    batch = await asked.parse(DisclosureBatch)
    recorded = await asked.services.disclosures.record(asked.caller, batch)
    return asked.answer({"recorded": recorded}, status=HTTPStatus.CREATED)


async def get_disclosures(asked: Asked) -> web.Response:
    """Give a consumer's hand-overs, newest first, 100 a page."""
    own = asked.caller.token_class is TokenClass.CONSUMER
    consumer_id = asked.consumer_id if own else _consumer_in_query(asked)
    before = asked.query_int("before", digits=_DIGITS_OF_A_MOMENT)
    page, rest = await asked.services.disclosures.page(asked.caller.brand_id, consumer_id, before=before)
    headers = None
    if rest is not None:
        whose = "" if own else f"consumer={consumer_id.replace('+', '%2B')}&"
        headers = {"Link": f'<{asked.request.rel_url.raw_path}?{whose}before={rest}>; rel="next"'}
    return asked.answer({"disclosures": page}, headers=headers)


def _consumer_in_query(asked: Asked) -> str:
    consumer_id = asked.request.query.get("consumer")
    if consumer_id is None:
        raise refuse_member("", Code.MISSING_MEMBER, "say whose with ?consumer=ID")
    try:
        return check_consumer_id(consumer_id)
    except IdError as error:
        raise refuse_members([Problem("", error.code, f"consumer id in the query: {error}")]) from None
