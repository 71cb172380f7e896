"""Guardians' links: a page that asks, and later one to look and withdraw. No token, no cookie, no script.

A GET changes nothing, for mail scanners open every link. A refusal is told as a page, or as problem+json to whoever
asks for JSON.
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import parse_qs

from aiohttp import hdrs, web

from sayso.model.table import text_in
from sayso.model.topic import EVERY_TOPIC
from sayso.rules.guardians import needs_confirming
from sayso.wire import JSON_TYPE, Code
from sayso_server.pages import guardian as pages
from sayso_server.pages.plain import accepted, spoken
from sayso_server.routes.answers import html_answer
from sayso_server.routes.asked import Asked
from sayso_server.routes.bodies import BODY_TIMEOUT
from sayso_server.routes.table import Handler, RateClass, Row
from sayso_server.services.guardian_answering import Answered, OpenedLink
from sayso_server.services.guardian_case import TO_ASK, TO_CONFIRM, TO_MANAGE
from sayso_server.services.refusals import RefusedError

FORM_BODY = 32 * 1024
FORM_TYPE = "application/x-www-form-urlencoded"
_LANGUAGE = {"language": "the page's language: `en`, `es` or `fr`; the browser's without it"}
_GONE = {Code.LINK_USED: "used", Code.NOT_A_MINOR: "grown_up"}
_AGAIN = {Code.REFUSED_BY_MINOR: "by_minor", Code.NOTICE_STALE: "stale"}
_MOST_FIELDS = 100


def guardian_link_rows(public_origin: str) -> tuple[Row, ...]:
    """Give the rows of the page behind a guardian's link."""
    # fmt: off
    return (
        Row("GET", "/g/{token}", get_link, "What a guardian is asked, or has allowed; opening it changes nothing",
            rate_class=RateClass.PUBLIC, query=_LANGUAGE, answer="Page"),
        Row("POST", "/g/{token}", make_post_link(public_origin), "A guardian's answer; it uses the link up",
            body_limit=FORM_BODY, body_type=FORM_TYPE, rate_class=RateClass.RECORD, query=_LANGUAGE, answer="Page"),
    )
    # fmt: on


async def get_link(asked: Asked) -> web.Response:
    """Show what a link is about."""
    try:
        link = await asked.services.guardian_answering.open(asked.request.match_info["token"])
    except RefusedError as refused:
        return _refused(asked, refused)
    return await _show(asked, link)


def make_post_link(public_origin: str) -> Handler:
    """Give the handler of a guardian's answer; the link to keep begins with the public origin."""

    async def post_link(asked: Asked) -> web.Response:
        answering = asked.services.guardian_answering
        link: OpenedLink | None = None
        try:
            link = await answering.open(asked.request.match_info["token"])
            form = await _form(asked)
            said = form.get(pages.ANSWER, [""])[0]
            if link.purpose == TO_MANAGE:
                return await _managed(asked, link, said, form.get(pages.TOPIC, []))
            chosen = dict(_ticked(value) for value in form.get(pages.TOPIC, []))
            if said not in (pages.ALLOW, pages.REFUSE) or (said == pages.ALLOW and not chosen):
                return await _show(asked, link, problem="none", status=HTTPStatus.UNPROCESSABLE_ENTITY)
            language = _language(asked, link)
            answered = await answering.answer(link, chosen if said == pages.ALLOW else {}, language)
        except RefusedError as refused:
            return await _refused_answer(asked, link, refused)
        return _answered(asked, link, answered, public_origin)

    return post_link


async def _managed(asked: Asked, link: OpenedLink, said: str, topics: Sequence[str]) -> web.Response:
    answering = asked.services.guardian_answering
    if said == pages.DELETE:
        filed = await answering.delete(link)
        return await _show(asked, link, answered_by=filed["deadlines"]["respond_by"][:10])
    if said != pages.WITHDRAW:
        return await _show(asked, link)
    named = link.topics if EVERY_TOPIC in topics else tuple(topic for topic in topics if topic in link.topics)
    await answering.withdraw(link, named)
    left = tuple(topic for topic in link.topics if topic not in named)
    return await _show(asked, link._replace(topics=left), withdrawn=_titles(asked, link, named))


async def _show(
    asked: Asked,
    link: OpenedLink,
    *,
    problem: str | None = None,
    what: Sequence[str] = (),
    withdrawn: Sequence[str] = (),
    answered_by: str | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> web.Response:
    language = _language(asked, link)
    brand = next((one.name for one in await asked.services.storage.brands() if one.brand_id == link.brand_id), "")
    topics = [topic for key in link.topics if (topic := _topic(asked, link, key, language)) is not None]
    if link.case is None:
        page = pages.manage(language, brand, topics, withdrawn=withdrawn, answered_by=answered_by)
    else:
        later = link.purpose == TO_ASK and needs_confirming(link.case.contact_from)
        confirming = link.purpose == TO_CONFIRM
        page = pages.ask(
            language,
            brand,
            topics,
            confirming=confirming,
            later=later,
            problem=problem,
            what=_titles(asked, link, what),
        )
    return html_answer(page, request_id=asked.request_id, status=status)


def _answered(asked: Asked, link: OpenedLink, answered: Answered, public_origin: str) -> web.Response:
    language = _language(asked, link)
    if answered.waiting:
        page = pages.waiting(language, _titles(asked, link, answered.waiting))
    elif answered.token is not None:
        page = pages.granted(language, _titles(asked, link, answered.granted), f"{public_origin}/g/{answered.token}")
    else:
        page = pages.refused(language)
    return html_answer(page, request_id=asked.request_id)


async def _refused_answer(asked: Asked, link: OpenedLink | None, refused: RefusedError) -> web.Response:
    problem = _AGAIN.get(refused.code)
    if link is None or link.case is None or problem is None or _wants_json(asked):
        return _refused(asked, refused)
    named = refused.members.get("topics")
    what = [str(topic) for topic in named] if isinstance(named, list) else []
    return await _show(asked, link, problem=problem, what=what, status=refused.status)


def _refused(asked: Asked, refused: RefusedError) -> web.Response:
    if _wants_json(asked):
        raise refused
    page = pages.gone(_language(asked, None), _GONE.get(refused.code, "gone"))
    return html_answer(page, request_id=asked.request_id, status=refused.status)


def _topic(asked: Asked, link: OpenedLink, key: str, language: str) -> pages.AskedTopic | None:
    catalogue = asked.services.catalogues.of(link.brand_id).catalogue
    topic = catalogue.topic(key)
    if topic is None or topic.retired:
        return None
    tongue, notice = text_in(topic.notice, language, catalogue.default_language) or (language, "")
    _, title = text_in(topic.title, tongue, catalogue.default_language) or (tongue, key)
    return pages.AskedTopic(key, topic.version, title, notice, tongue)


def _titles(asked: Asked, link: OpenedLink, keys: Sequence[str]) -> list[str]:
    language = _language(asked, link)
    shown = [_topic(asked, link, key, language) for key in keys]
    return [topic.title for topic in shown if topic is not None]


def _ticked(value: str) -> tuple[str, int | None]:
    """Read a ticked box: the topic, and the version of the notice beside it."""
    key, _, version = value[:200].partition(" ")
    return key, int(version) if version.isascii() and version.isdigit() else None


def _language(asked: Asked, link: OpenedLink | None) -> str:
    chosen = asked.request.query.get("language")
    wanted = accepted(asked.request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
    return spoken([chosen, *wanted] if chosen else wanted, None if link is None else link.language)


def _wants_json(asked: Asked) -> bool:
    return JSON_TYPE in asked.request.headers.get(hdrs.ACCEPT, "")


async def _form(asked: Asked) -> dict[str, list[str]]:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT.total_seconds()):
            # Whole or not at all: of half a form, half the ticks would be missing.
            async for part in asked.request.content.iter_any():
                body += part
                if len(body) > FORM_BODY:
                    return {}
    except TimeoutError:
        return {}
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
