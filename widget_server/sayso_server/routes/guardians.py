"""Asking guardians: minors name them, the brand's backend makes the links. No link goes to a consumer or to staff."""

from http import HTTPStatus

from aiohttp import web

from sayso.model.guardian import AgeDoubt, DoubtCleared, GuardianRequest, OwnGuardianRequest
from sayso.model.instant import Micros
from sayso.wire import Code, Role
from sayso_server.routes.access import BACKEND, CONSUMER, Access
from sayso_server.routes.asked import Asked
from sayso_server.routes.guardian_links import guardian_link_rows
from sayso_server.routes.table import SMALL_BODY, Handler, RateClass, Row
from sayso_server.services.guardian_case import STATES
from sayso_server.services.refusals import refuse_member

HOLD = Access(
    backend=frozenset({Role.BACKEND, Role.PRIVACY_OFFICER}),
    staff=frozenset({Role.AGENT, Role.PRIVACY_OFFICER}),
)
OFFICER = Access(backend=frozenset({Role.PRIVACY_OFFICER}), staff=frozenset({Role.PRIVACY_OFFICER}))
_LIST = {
    "state": "one of `asked`, `open`, `waiting` and `confirming`; all of them without it",
    "after": "where to go on; take it from the Link header",
}
_LONGEST_CURSOR = 200


def guardian_rows(public_origin: str) -> tuple[Row, ...]:
    """Give the rows; links begin with the server's public origin, never with what a request says of its host."""
    one = "/v1/consumers/{id}"
    # fmt: off
    return (
        Row("POST", one + "/guardian-requests", make_post_request(public_origin, confirming=False),
            "Make the link by which a minor's guardian is asked", BACKEND, body_limit=SMALL_BODY,
            body=GuardianRequest, status=201, answer="GuardianLink"),
        Row("POST", one + "/guardian-requests/confirmation", make_post_request(public_origin, confirming=True),
            "Make the second link, by which a guardian confirms", BACKEND, status=201,
            answer="GuardianLink"),
        Row("GET", "/v1/guardian-requests", get_requests, "What guardians are asked and have not answered yet", BACKEND,
            query=_LIST, answer="GuardianRequests"),
        Row("POST", "/v1/me/guardian-requests", post_own_request, "Name one's guardian; no link comes back", CONSUMER,
            own_sub=True, body_limit=SMALL_BODY, body=OwnGuardianRequest, status=202, answer="GuardianNamed"),
        Row("POST", one + "/age-doubts", post_doubt, "Somebody is believed to be under age: hold at once", HOLD,
            body_limit=SMALL_BODY, rate_class=RateClass.RECORD, body=AgeDoubt, status=201, answer="AgeHold"),
        Row("GET", "/v1/age-doubts", get_doubts, "Who is held, the oldest first", OFFICER,
            query={"after": _LIST["after"]}, answer="AgeHolds"),
        Row("POST", "/v1/age-doubts/{doubt_id}/clear", post_clear, "They are old enough after all", OFFICER,
            body_limit=SMALL_BODY, rate_class=RateClass.ADMIN, body=DoubtCleared, answer="AgeHold"),
        Row("POST", "/v1/age-doubts/{doubt_id}/confirm", post_confirm, "The doubt was right: erase them", OFFICER,
            single_use=True, rate_class=RateClass.ADMIN, answer="AgeHoldConfirmed"),
        *guardian_link_rows(public_origin),
    )
    # fmt: on


def make_post_request(public_origin: str, *, confirming: bool) -> Handler:
    """Give the handler that makes the first link, or the second."""

    async def post_request(asked: Asked) -> web.Response:
        asking = asked.services.guardian_asking
        if confirming:
            shown, token = await asking.confirm(asked.caller, asked.consumer_id)
        else:
            shown, token = await asking.ask(asked.caller, asked.consumer_id, await asked.parse(GuardianRequest))
        return asked.answer({**shown, "url": f"{public_origin}/g/{token}"}, status=HTTPStatus.CREATED)

    return post_request


async def post_own_request(asked: Asked) -> web.Response:
    """Keep whom a minor has named."""
    own = await asked.parse(OwnGuardianRequest)
    named = await asked.services.guardian_asking.note(asked.caller, asked.consumer_id, own)
    return asked.answer(named, status=HTTPStatus.ACCEPTED)


async def get_requests(asked: Asked) -> web.Response:
    """List what is asked and not answered yet, 100 a page."""
    state = asked.request.query.get("state")
    if state is not None and state not in STATES:
        raise refuse_member("", Code.INVALID_VALUE, f"the query parameter state is one of {', '.join(STATES)}")
    states = STATES if state is None else (state,)
    page, rest = await asked.services.guardian_asking.page(asked.caller, states, after=_cursor(asked))
    named = "" if state is None else f"state={state}&"
    return asked.answer({"requests": page}, headers=_link(asked, named, rest))


async def post_doubt(asked: Asked) -> web.Response:
    """Hold somebody who is believed to be under age."""
    held = await asked.services.age_doubts.hold(asked.caller, asked.consumer_id, await asked.parse(AgeDoubt))
    return asked.answer(held, status=HTTPStatus.OK if held["replayed"] else HTTPStatus.CREATED)


async def get_doubts(asked: Asked) -> web.Response:
    """List those who are held, 100 a page."""
    page, rest = await asked.services.age_doubts.page(asked.caller, after=_cursor(asked))
    return asked.answer({"doubts": page}, headers=_link(asked, "", rest))


async def post_clear(asked: Asked) -> web.Response:
    """End a hold."""
    body = await asked.parse(DoubtCleared)
    return asked.answer(await asked.services.age_doubts.clear(asked.caller, _doubt_id(asked), body))


async def post_confirm(asked: Asked) -> web.Response:
    """Erase whoever is held."""
    return asked.answer(await asked.services.age_doubts.confirm(asked.caller, _doubt_id(asked)))


def _doubt_id(asked: Asked) -> str:
    return asked.request.match_info["doubt_id"]


def _cursor(asked: Asked) -> tuple[Micros, str] | None:
    text = asked.request.query.get("after")
    if text is None:
        return None
    due, dot, document_id = text[:_LONGEST_CURSOR].partition(".")
    if not (due.isascii() and due.isdigit() and dot and document_id):
        raise refuse_member("", Code.INVALID_VALUE, "the query parameter after comes from the Link header")
    return int(due), document_id


def _link(asked: Asked, named: str, rest: tuple[Micros, str] | None) -> dict[str, str] | None:
    if rest is None:
        return None
    return {"Link": f'<{asked.request.rel_url.raw_path}?{named}after={rest[0]}.{rest[1]}>; rel="next"'}
