"""Links sent to consumers: made by the backend, opened by whoever has the message. No token, no cookie, no redirect.

A GET changes nothing, for mail scanners open every link (RFC 8058 §3.1). A POST refuses whatever its body says: mail
programs send `List-Unsubscribe=One-Click` in either encoding of a form, and no refusal is turned away for its form.
"""

from http import HTTPStatus

from aiohttp import web

from sayso.model.catalogue import Catalogue
from sayso.model.signal import SignalName
from sayso.model.table import text_in
from sayso.model.topic import EVERY_TOPIC, Topic
from sayso_server.jsonio import loads
from sayso_server.pages import preferences as preferences_page
from sayso_server.pages import unsubscribe as unsubscribe_page
from sayso_server.pages.plain import accepted, spoken
from sayso_server.routes.access import BACKEND
from sayso_server.routes.answers import html_answer
from sayso_server.routes.asked import Asked
from sayso_server.routes.bodies import read_form
from sayso_server.routes.table import Handler, RateClass, Row
from sayso_server.services.caller import Caller
from sayso_server.services.consumer_links import LinkBatch, LinkKind, OpenLink
from sayso_server.services.refusals import RefusedError
from sayso_server.services.signals import signals_on

LINKS_BODY = 256 * 1024
FORM_BODY = 16 * 1024
FORM_TYPE = "application/x-www-form-urlencoded"
_PATHS = {LinkKind.UNSUBSCRIBE: "/u/", LinkKind.PREFERENCES: "/p/"}
_LANGUAGE = {"language": "the page's language: `en`, `es` or `fr`; the browser's without it"}


def consumer_link_rows(public_origin: str) -> tuple[Row, ...]:
    """Give the rows; links begin with the server's public origin, never with what a request says of its host."""
    # fmt: off
    return (
        Row("POST", "/v1/unsubscribe-links", make_post_links(public_origin),
            "Make 1 to 500 links by which consumers refuse without signing in", BACKEND, body_limit=LINKS_BODY,
            body=LinkBatch, status=201, answer="ConsumerLinks"),
        Row("GET", "/u/{token}", get_unsubscribe, "A page to unsubscribe on; opening it changes nothing",
            rate_class=RateClass.PUBLIC, query=_LANGUAGE, answer="Page"),
        Row("POST", "/u/{token}", post_unsubscribe, "Unsubscribe with one click (RFC 8058)",
            rate_class=RateClass.RECORD, query=_LANGUAGE, answer="Page"),
        Row("GET", "/p/{token}", get_preferences, "A consumer's choices as plain HTML; opening it changes nothing",
            rate_class=RateClass.PUBLIC, query=_LANGUAGE, answer="Page"),
        Row("POST", "/p/{token}", post_preferences, "Refuse a topic, or everything", body_limit=FORM_BODY,
            body_type=FORM_TYPE, rate_class=RateClass.RECORD, query=_LANGUAGE, answer="Page"),
    )
    # fmt: on


def make_post_links(public_origin: str) -> Handler:
    """Give the handler that makes links."""

    async def post_links(asked: Asked) -> web.Response:
        made = await asked.services.consumer_links.make(asked.caller, await asked.parse(LinkBatch))
        links = []
        for wanted, token in made:
            link = {"consumer_id": wanted.consumer_id, "kind": wanted.kind.value}
            if wanted.kind is LinkKind.UNSUBSCRIBE:
                link["topic"] = wanted.topic
            links.append({**link, "url": f"{public_origin}{_PATHS[wanted.kind]}{token}"})
        return asked.answer({"links": links}, status=HTTPStatus.CREATED)

    return post_links


async def get_unsubscribe(asked: Asked) -> web.Response:
    """Ask whether to unsubscribe; nothing has changed yet."""
    link = await _open(asked, LinkKind.UNSUBSCRIBE)
    if link is None:
        return _gone(asked)
    language = _language(asked, link.language)
    what, sender = _title(asked, link, link.topic, language), _sender(asked, link, language)
    return html_answer(unsubscribe_page.ask(language, what, sender), request_id=asked.request_id)


async def post_unsubscribe(asked: Asked) -> web.Response:
    """Unsubscribe, however often it is asked."""
    link = await _open(asked, LinkKind.UNSUBSCRIBE)
    if link is None:
        return _gone(asked)
    await asked.services.consumer_links.refuse(link)
    await _note_signals(asked, link)
    language = _language(asked, link.language)
    page = unsubscribe_page.done(language, _title(asked, link, link.topic, language))
    return html_answer(page, request_id=asked.request_id)


async def get_preferences(asked: Asked) -> web.Response:
    """Show what stands."""
    link = await _open(asked, LinkKind.PREFERENCES)
    return _gone(asked) if link is None else await _show(asked, link, refused=None)


async def post_preferences(asked: Asked) -> web.Response:
    """Refuse what a button names, and show what stands then."""
    link = await _open(asked, LinkKind.PREFERENCES)
    if link is None:
        return _gone(asked)
    topic = await _posted(asked, preferences_page.TOPIC)
    catalogue = asked.services.catalogues.of(link.brand_id).catalogue
    known = catalogue.topic(topic)
    refused = None
    if topic == EVERY_TOPIC or (known is not None and known.refusable):
        await asked.services.consumer_links.refuse(link, topic)
        refused = topic
    await _note_signals(asked, link)
    return await _show(asked, link, refused=refused)


async def _open(asked: Asked, kind: LinkKind) -> OpenLink | None:
    try:
        return await asked.services.consumer_links.open(kind, asked.request.match_info["token"])
    except RefusedError:
        return None


def _gone(asked: Asked) -> web.Response:
    page = unsubscribe_page.gone(_language(asked, None))
    return html_answer(page, request_id=asked.request_id, status=HTTPStatus.NOT_FOUND)


async def _show(asked: Asked, link: OpenLink, *, refused: str | None) -> web.Response:
    language = _language(asked, link.language)
    catalogue = asked.services.catalogues.of(link.brand_id).catalogue
    snapshot = loads((await asked.services.reading.snapshot(link.brand_id, link.consumer_id)).body)
    topics = [
        _shown(topic, snapshot["topics"][topic.key], catalogue, language)
        for topic in catalogue.topics.values()
        if not topic.retired and topic.key in snapshot["topics"]
    ]
    brand = next((one.name for one in await asked.services.storage.brands() if one.brand_id == link.brand_id), "")
    said = refused if refused in (None, EVERY_TOPIC) else _title(asked, link, refused, language)
    gpc = SignalName.GPC.value in snapshot["signals"]
    page = preferences_page.show(language, brand, topics, refused=said, gpc=gpc)
    return html_answer(page, request_id=asked.request_id)


def _shown(topic: Topic, entry: dict[str, object], catalogue: Catalogue, language: str) -> preferences_page.ShownTopic:
    tongue, title = text_in(topic.title, language, catalogue.default_language) or (language, topic.key)
    _, notice = text_in(topic.notice, tongue, catalogue.default_language) or (tongue, "")
    # What a device or another topic keeps from happening is still granted, and can be taken back.
    on = entry["allowed"] is True or entry["answer"] == "granted"
    return preferences_page.ShownTopic(topic.key, title, notice, tongue, on, topic.refusable)


def _title(asked: Asked, link: OpenLink, key: str, language: str) -> str:
    catalogue = asked.services.catalogues.of(link.brand_id).catalogue
    topic = catalogue.topic(key)
    found = None if topic is None else text_in(topic.title, language, catalogue.default_language)
    return key if found is None else found[1]


def _sender(asked: Asked, link: OpenLink, language: str) -> str | None:
    if link.sender is None:
        return None
    catalogue = asked.services.catalogues.of(link.brand_id).catalogue
    topic = catalogue.topic(link.topic)
    sender = None if topic is None else topic.senders.get(link.sender)
    found = None if sender is None else text_in(sender.title, language, catalogue.default_language)
    return link.sender if found is None else f"{found[1]} ({link.sender})"


def _language(asked: Asked, otherwise: str | None) -> str:
    chosen = asked.request.query.get("language")
    wanted = accepted(asked.request.headers.get("Accept-Language", ""))
    return spoken([chosen, *wanted] if chosen else wanted, otherwise)


async def _note_signals(asked: Asked, link: OpenLink) -> None:
    names = signals_on(asked.request.headers.items())
    if names:
        caller = Caller.by_link(link.brand_id, link.kind.value, since=link.opened_at)
        await asked.services.signals.note(caller, link.consumer_id, names)


async def _posted(asked: Asked, name: str) -> str:
    """Give the field that a button posted; empty if there is none."""
    return (await read_form(asked.request, limit=FORM_BODY)).get(name, "")
