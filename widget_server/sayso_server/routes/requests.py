"""Rights requests: filing, looking, working, and fetching the answer."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from sayso.model.choice import Language
from sayso.model.ids import IdError, check_consumer_id
from sayso.model.instant import Micros
from sayso.model.request import (
    TRANSITION_BODIES,
    FindBody,
    Jurisdiction,
    NewRequest,
    OwnRequest,
    RequestId,
    Transition,
)
from sayso.wire import ZIP_TYPE, Code
from sayso_server.routes.answers import file_answer
from sayso_server.routes.asked import Asked
from sayso_server.services.refusals import RefusedError, refuse_member
from sayso_server.services.requests import OPEN, STATES

_ID = TypeAdapter[str](RequestId)
_PLACE = TypeAdapter[str](Jurisdiction)
_TONGUE = TypeAdapter[str](Language)
_LONGEST_CURSOR = 60
_LONGEST_TIME = 18  # digits: the year 33658, and still within 64 bits


async def post_request(asked: Asked) -> web.Response:
    """File a request for a consumer, or one of nobody who is known yet."""
    return await _filed(asked, await asked.parse(NewRequest))


async def post_own_request(asked: Asked) -> web.Response:
    """File one's own request."""
    own = await asked.parse(OwnRequest)
    return await _filed(
        asked, NewRequest.model_construct(**{name: getattr(own, name) for name in OwnRequest.model_fields})
    )


async def get_requests(asked: Asked) -> web.Response:
    """List the brand's requests by when they are due, 100 a page; or one consumer's whole, newest first."""
    query = asked.request.query
    state = query.get("state", OPEN)
    if state not in STATES:
        raise refuse_member("", Code.INVALID_VALUE, f"the query parameter state is one of {', '.join(STATES)}")
    consumer_id = _consumer(query.get("consumer"))
    if consumer_id is not None and "state" not in query:
        return asked.answer({"requests": await asked.services.requests.own(asked.caller, consumer_id)})
    page, rest = await asked.services.requests.page(
        asked.caller, state=state, consumer_id=consumer_id, after=_cursor(query.get("after"))
    )
    headers = None
    if rest is not None:
        whose = "" if consumer_id is None else f"consumer={consumer_id.replace('+', '%2B')}&"
        here = f"{asked.request.rel_url.raw_path}?state={state}&{whose}after={rest[0]}.{rest[1]}"
        headers = {"Link": f'<{here}>; rel="next"'}
    return asked.answer({"requests": page}, headers=headers)


async def get_own_requests(asked: Asked) -> web.Response:
    """List one's own requests, newest first."""
    return asked.answer({"requests": await asked.services.requests.own(asked.caller)})


async def get_request(asked: Asked) -> web.Response:
    """Give one request; a consumer's token finds only their own."""
    return asked.answer(await asked.services.requests.show(asked.caller, _request_id(asked)))


async def find_requests(asked: Asked) -> web.Response:
    """Give the requests of whoever has an e-mail address or a phone number. It changes nothing."""
    return asked.answer({"requests": await asked.services.requests.find(asked.caller, await asked.parse(FindBody))})


async def get_result(asked: Asked) -> web.Response:
    """Give everything held as a zip, once the request is fulfilled."""
    packed = await asked.services.requests.result(asked.caller, _request_id(asked))
    return file_answer(packed, media_type=ZIP_TYPE, name="your-data.zip", request_id=asked.request_id)


async def get_recourse(asked: Asked) -> web.Response:
    """Say whom a consumer can turn to, before anything is filed or denied."""
    query = asked.request.query
    place, language = query.get("jurisdiction"), query.get("language", "en")
    try:
        place = None if place is None else _PLACE.validate_python(place)
        language = _TONGUE.validate_python(language)
    except ValidationError:
        message = "jurisdiction is written as US-CA, CA or EEA, and language as en or fr-CA"
        raise refuse_member("", Code.INVALID_VALUE, message) from None
    return asked.answer(asked.services.requests.recourse(asked.caller.brand_id, place, language))


def make_act(transition: Transition) -> Callable[[Asked], Awaitable[web.StreamResponse]]:
    """Give the handler of one transition."""
    model = TRANSITION_BODIES[transition]

    async def act(asked: Asked) -> web.StreamResponse:
        body = await asked.parse(model)
        return asked.answer(await asked.services.requests.act(asked.caller, _request_id(asked), transition, body))

    return act


async def _filed(asked: Asked, new: NewRequest) -> web.Response:
    filed = await asked.services.requests.file(asked.caller, new)
    return asked.answer(filed, status=HTTPStatus.OK if filed["replayed"] else HTTPStatus.CREATED)


def _request_id(asked: Asked) -> str:
    try:
        return _ID.validate_python(asked.request.match_info["request_id"])
    except ValidationError:
        message = "a request's id is a UUID, and this is none"
        raise RefusedError(HTTPStatus.NOT_FOUND, Code.NO_REQUEST, message) from None


def _consumer(text: str | None) -> str | None:
    try:
        return None if text is None else check_consumer_id(text)
    except IdError as error:
        raise refuse_member("", Code(error.code), f"consumer id in the query: {error}") from None


def _cursor(text: str | None) -> tuple[Micros, str] | None:
    if text is None:
        return None
    due, dot, request_id = text[:_LONGEST_CURSOR].partition(".")
    if not (due.isascii() and due.isdigit() and len(due) <= _LONGEST_TIME and dot and request_id):
        raise refuse_member("", Code.INVALID_VALUE, "the query parameter after comes from the Link header")
    return int(due), request_id
