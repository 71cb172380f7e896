"""The page on which anybody asks for their rights: forms that work without a script, and change nothing until sent.

Nothing of what people write stands in an address: what is wanted does, how to reach them is posted.
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from aiohttp import hdrs, web
from pydantic import TypeAdapter, ValidationError

from sayso.model.deadline import RequestKind
from sayso.model.ids import new_choice_id
from sayso.model.instant import MICROS_PER_SECOND
from sayso.model.request import NewRequest, RequestChannel, RequestId
from sayso.model.signal import SignalName
from sayso.wire import Code
from sayso_server.clock import Clock
from sayso_server.jsonio import dumps
from sayso_server.pages.plain import accepted, spoken
from sayso_server.pages.rights import (
    RIGHTS_POLICY,
    Asking,
    Outlook,
    busy_page,
    done_page,
    first_page,
    message_page,
    second_page,
)
from sayso_server.pages.rights.texts import PLACES, TEXTS
from sayso_server.routes.answers import html_answer
from sayso_server.routes.asked import Asked
from sayso_server.routes.bodies import parse, read_form
from sayso_server.routes.pace import Network, Pace, network_of
from sayso_server.routes.same_origin import is_own_page
from sayso_server.routes.table import RateClass, Row
from sayso_server.services.refusals import RefusedError
from sayso_server.services.signals import signals_on

FORM_BODY: Final = 64 * 1024
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_BURST: Final = 10
_EVERY: Final = timedelta(minutes=2)
"""A household or an office can file ten at once; a program that goes on gets through thirty an hour."""
_TOGETHER: Final = (2000, timedelta(seconds=5))
"""Of everybody: what an attacker with many networks can put on the disk and into the officers' queues is bounded."""
_QUERY: Final = {
    "language": "the page's language: `en`, `es` or `fr`; the browser's without it",
    "brand": "whom to ask",
    "kind": "what for",
    "place": "where the person lives, such as `US-CA`",
    "change": "`1` goes back to the first step with what was chosen",
}
_CONTACT: Final = ("name", "email", "phone", "address")
_FIELDS: Final = (*_CONTACT, "text", "about", "fault", "urls")
_NEEDED: Final = {RequestKind.SMS_OPT_OUT: "phone", RequestKind.EMAIL_OPT_OUT: "email"}
"""What is to stop goes to an address: without it nobody knows whose messages to stop."""
_HEADERS: Final = {
    "Content-Security-Policy": RIGHTS_POLICY,
    # With `no-referrer` a browser would send this page's own form with `Origin: null`.
    "Referrer-Policy": "same-origin",
    hdrs.VARY: "Accept-Language, Sec-GPC",
}
_ID: Final = TypeAdapter[str](RequestId)


def rights_rows(
    public_origin: str, refresh: Callable[[], Awaitable[None]], clock: Clock, proxies: Sequence[Network]
) -> tuple[Row, ...]:
    """Give the rows.

    Args:
        public_origin: The origin of the page.
        refresh: Brings catalogues up to date.
        clock: The time.
        proxies: Those whose `X-Forwarded-For` is believed.
    """
    door = _Door(public_origin, refresh, clock, proxies)
    # fmt: off
    return (
        Row("GET", "/rights", door.get, "The page on which anybody asks for their rights",
            rate_class=RateClass.PUBLIC, query=_QUERY, answer="Page"),
        Row("POST", "/rights", door.post, "File a request without an account", body_limit=FORM_BODY,
            body_type=_FORM_TYPE, rate_class=RateClass.PUBLIC, status=201, answer="Page"),
    )
    # fmt: on


class _Door:
    """Shows the steps and takes the form."""

    def __init__(
        self, public_origin: str, refresh: Callable[[], Awaitable[None]], clock: Clock, proxies: Sequence[Network]
    ) -> None:
        self._public_origin = public_origin
        self._refresh = refresh
        self._clock = clock
        self._proxies = proxies
        self._pace = Pace(burst=_BURST, every=_EVERY, together=_TOGETHER)

    async def get(self, asked: Asked) -> web.Response:
        """Show the first step, or the second once it is known what is wanted. Nothing changes."""
        await self._refresh()
        query = asked.request.query
        values = {name: query[name] for name in ("brand", "kind", "place") if name in query}
        language = _language(asked, query.get("language"))
        brands = await asked.services.rights_page.brands()
        wrong = _unchosen(language, values, brands)
        if not values.keys() & {"brand", "kind"} or "change" in query:
            return _html(asked, first_page(language, Asking(brands, values, {})))
        if wrong:
            page = first_page(language, Asking(brands, values, wrong))
            return _html(asked, page, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        values["id"] = new_choice_id()
        outlook = _outlook(asked, language, values, brands)
        return _html(asked, second_page(language, outlook, Asking(brands, values, {})))

    async def post(self, asked: Asked) -> web.Response:
        """File what was sent and give a reference number; the same form sent twice files nothing twice."""
        await self._refresh()
        language = _language(asked, None)
        if not is_own_page(asked.request, self._public_origin) or asked.request.content_type != _FORM_TYPE:
            return _html(asked, message_page(language, "cross"), status=HTTPStatus.FORBIDDEN)
        now = self._clock.now()
        wait = self._pace.take(network_of(asked.request, self._proxies), now)
        if wait:
            return await self._busy(asked, language, math.ceil(wait / MICROS_PER_SECOND))
        values = await _posted(asked)
        language = _language(asked, values.get("language"))
        brands = await asked.services.rights_page.brands()
        wrong = _unchosen(language, values, brands)
        if wrong:
            page = first_page(language, Asking(brands, values, wrong))
            return _html(asked, page, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        values["id"] = _request_id(values.get("id"))
        outlook = _outlook(asked, language, values, brands)
        needed = _NEEDED.get(outlook.kind)
        if needed is not None and not values.get(needed):
            said = {needed: TEXTS[language]["missing"].format(name=TEXTS[language][needed])}
            page = second_page(language, outlook, Asking(brands, values, said))
            return _html(asked, page, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            filed = await _filed(asked, language, values)
        except RefusedError as refusal:
            if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            wrong = _wrong(language, refusal)
            page = second_page(language, outlook, Asking(brands, values, wrong))
            return _html(asked, page, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        # The day as the brand's calendar has it: its midnight may be the next day in UTC.
        due = datetime.fromisoformat(filed["deadlines"]["respond_by"]).astimezone(outlook.respond_by.tzinfo)
        return _html(asked, done_page(language, outlook, filed["id"], due), status=HTTPStatus.CREATED)

    async def _busy(self, asked: Asked, language: str, seconds: int) -> web.Response:
        offices = await asked.services.rights_page.offices()
        page = busy_page(language, offices, max(2, math.ceil(seconds / 60)))  # never "1 minutes"
        headers: dict[str, str] = {hdrs.RETRY_AFTER: str(seconds)}
        return _html(asked, page, status=HTTPStatus.TOO_MANY_REQUESTS, headers=headers)


def _outlook(asked: Asked, language: str, values: Mapping[str, str], brands: Sequence[tuple[str, str]]) -> Outlook:
    brand_id, kind, place = values["brand"], RequestKind(values["kind"]), values.get("place", "")
    prospect = asked.services.rights_page.prospect(brand_id, kind, place or None, language)
    return Outlook(
        brand_id=brand_id,
        brand=dict(brands)[brand_id],
        kind=kind,
        place=place,
        acknowledge_by=prospect.due.acknowledge_by,
        respond_by=prospect.due.respond_by,
        extended_until=prospect.due.extended_until,
        verification=prospect.verification,
        recourse=prospect.recourse["words"],
        offices=[(office["name"], office["url"]) for office in prospect.recourse["offices"]],
        contact=prospect.contact,
        gpc=SignalName.GPC in signals_on(asked.request.headers.items()),
    )


async def _filed(asked: Asked, language: str, values: dict[str, str]) -> dict[str, Any]:
    """File it. Who goes back, changes the form and sends it again asks for something else."""
    try:
        new = parse(NewRequest, dumps(_request(language, values)))
        return await asked.services.rights_page.file(values["brand"], new)
    except RefusedError as refusal:
        if all(problem.code != Code.ID_REUSED for problem in refusal.problems):
            raise
        new = new.model_copy(update={"id": new_choice_id()})
        return await asked.services.rights_page.file(values["brand"], new)


def _unchosen(language: str, values: Mapping[str, str], brands: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Say what of the first step is missing or made up."""
    wrong = {}
    if values.get("brand") not in dict(brands):
        wrong["brand"] = TEXTS[language]["no_brand"]
    if values.get("kind") not in set(RequestKind):
        wrong["kind"] = TEXTS[language]["no_kind"]
    if values.get("place", "") not in PLACES:
        wrong["place"] = TEXTS[language]["wrong"].format(name=TEXTS[language]["place"])
    return wrong


def _request(language: str, values: Mapping[str, str]) -> dict[str, Any]:
    detail: dict[str, Any] = {name: values[name] for name in ("text",) if values.get(name)}
    match values["kind"]:
        case RequestKind.CORRECT:
            detail |= {name: values[name] for name in ("about", "fault") if values.get(name)}
        case RequestKind.MINOR_CONTENT_REMOVAL:
            detail["urls"] = list(dict.fromkeys(values.get("urls", "").split()))
    return {
        "id": values["id"],
        "kind": values["kind"],
        "channel": RequestChannel.PAGE.value,
        "language": language,
        "contact": {name: values[name] for name in _CONTACT if values.get(name)},
        "detail": detail,
        **({"jurisdiction": values["place"]} if values.get("place") else {}),
    }


def _wrong(language: str, refusal: RefusedError) -> dict[str, str]:
    """Give what is wrong by the field of the form that it is about, in the page's language."""
    text = TEXTS[language]
    wrong: dict[str, str] = {}
    for problem in refusal.problems:
        parts = problem.pointer.split("/")[1:]
        if parts == ["contact"]:
            wrong["reach"] = text["no_reach"]
            continue
        name = next((part for part in parts if part in _FIELDS), "")
        said = "missing" if problem.code == Code.MISSING_MEMBER else "wrong"
        wrong[name] = text[said].format(name=text[name]) if name else text["unavailable"]
    return wrong


def _request_id(sent: str | None) -> str:
    try:
        return _ID.validate_python(sent or "")
    except ValidationError:
        return new_choice_id()


def _language(asked: Asked, chosen: str | None) -> str:
    wanted = accepted(asked.request.headers.get("Accept-Language", ""))
    return spoken([chosen, *wanted] if chosen else wanted, None)


async def _posted(asked: Asked) -> dict[str, str]:
    """Give the form's fields, each once and trimmed."""
    fields = await read_form(asked.request, limit=FORM_BODY)
    return {name: value.replace("\r\n", "\n").strip() for name, value in fields.items()}


def _html(
    asked: Asked, page: str, *, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> web.Response:
    return html_answer(page, request_id=asked.request_id, status=status, headers={**_HEADERS, **(headers or {})})
