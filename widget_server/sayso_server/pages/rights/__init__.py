"""The page `/rights`: anybody asks any of the server's brands for their rights, without an account or a script."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Final, NamedTuple

from sayso.model.contacts import Contact
from sayso.model.deadline import RequestKind
from sayso_server.pages.plain import page, paragraph, status
from sayso_server.pages.rights.fields import area, bad, hidden, line, radio, said_wrong, select
from sayso_server.pages.rights.texts import DATES, FAULTS, KINDS, MONTHS, NAMES, PLACES, TEXTS

RIGHTS_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


class Asking(NamedTuple):
    """What somebody has put in.

    Attributes:
        brands: Every brand that can be asked: id and name.
        values: The fields by name.
        wrong: What is wrong, by the name of the field; the empty name is about no field.
    """

    brands: Sequence[tuple[str, str]]
    values: Mapping[str, str]
    wrong: Mapping[str, str]


class Outlook(NamedTuple):
    """What comes of a request, known before it is sent.

    Attributes:
        brand_id: Whom it goes to.
        brand: Their name.
        kind: What is wanted.
        place: Where the person lives; empty for unknown.
        acknowledge_by: Until when receipt is confirmed, if any law demands it.
        respond_by: Until when it is answered.
        extended_until: Until when at most, if it can be extended.
        verification: Whether the answer may wait for proof of who asks.
        recourse: Whom the person can turn to, in words.
        offices: Their names and addresses.
        contact: The brand's own office, if it is known.
        gpc: Whether the browser sends Global Privacy Control.
    """

    brand_id: str
    brand: str
    kind: RequestKind
    place: str
    acknowledge_by: datetime | None
    respond_by: datetime
    extended_until: datetime | None
    verification: bool
    recourse: str
    offices: Sequence[tuple[str, str]]
    contact: Contact | None
    gpc: bool


def first_page(language: str, asking: Asking) -> str:
    """Give the page that asks what is wanted; sending it changes nothing."""
    text = TEXTS[language]
    brands = [("", text["choose"]), *asking.brands]
    only = asking.brands[0][0] if len(asking.brands) == 1 else ""
    chosen = asking.values.get("brand") or only
    kind = asking.values.get("kind", "")
    radios = "".join(radio("kind", one.value, *KINDS[one][language], checked=one.value == kind) for one in KINDS)
    # The language goes along, so that the next page speaks it too.
    return _framed(
        language,
        text["title"],
        _languages(language, asking.values),
        _summary(text, asking.wrong),
        paragraph(text["intro"]),
        f'<form method="get" action="/rights" novalidate><input type="hidden" name="language" value="{language}">',
        select(text, "brand", brands, chosen, asking.wrong, required=True),
        f'<fieldset id="kind"{bad("kind", asking.wrong)}><legend>{escape(text["kind"])}</legend>'
        f"{said_wrong('kind', asking.wrong)}{radios}</fieldset>",
        select(
            text,
            "place",
            [(place, names[language]) for place, names in PLACES.items()],
            asking.values.get("place", ""),
            asking.wrong,
            hint=text["place_hint"],
        ),
        f'<p><button type="submit">{escape(text["next"])}</button></p></form>',
    )


def second_page(language: str, outlook: Outlook, asking: Asking) -> str:
    """Give the page that says what comes of it and asks how the person can be reached; nothing was sent yet."""
    text = TEXTS[language]
    values, wrong = asking.values, asking.wrong
    sent = {
        "language": language,
        "brand": outlook.brand_id,
        "kind": outlook.kind.value,
        "place": outlook.place,
        "id": values["id"],
    }
    again = {name: sent[name] for name in ("language", "brand", "kind", "place")} | {"change": "1"}
    return _framed(
        language,
        KINDS[outlook.kind][language][0],
        _summary(text, wrong),
        paragraph(text["nothing_yet"]),
        _chosen(text, language, outlook),
        f'<form method="get" action="/rights">{hidden(again)}'
        f'<p><button type="submit" class="plain">{escape(text["back"])}</button></p></form>',
        *_prospect(text, language, outlook),
        f'<form method="post" action="/rights" novalidate>{hidden(sent)}',
        *_extra(text, language, outlook.kind, values, wrong),
        f'<fieldset id="reach"{bad("reach", wrong)}><legend>{escape(text["you"])}</legend>'
        f"{said_wrong('reach', wrong)}{paragraph(text['reach'])}",
        line(text, "name", values, wrong, autocomplete="name", longest=200),
        line(text, "email", values, wrong, kind="email", autocomplete="email", longest=254),
        line(text, "phone", values, wrong, kind="tel", autocomplete="tel", longest=40),
        area(text, "address", values, wrong, autocomplete="street-address", longest=500),
        "</fieldset>",
        area(text, "text", values, wrong, hint=text["text_hint"], longest=4000),
        f'<p><button type="submit">{escape(text["send"])}</button></p></form>',
    )


def done_page(language: str, outlook: Outlook, reference: str, due: datetime) -> str:
    """Give the page that confirms it, with reference number and date."""
    text = TEXTS[language]
    then = text["waits"] if outlook.verification else text["stops"]
    return _framed(
        language,
        text["done_title"],
        status(text["done"].format(brand=outlook.brand)),
        f'<p>{escape(text["reference"])}: <strong class="reference">{escape(reference)}</strong></p>',
        paragraph(text["keep"]),
        paragraph(text["respond"].format(date=_date(language, due))),
        paragraph(then.format(brand=outlook.brand)),
        _chosen(text, language, outlook),
        _turn(text, outlook),
        f'<p><a href="/rights?language={language}">{escape(text["another"])}</a></p>',
    )


def busy_page(language: str, offices: Sequence[tuple[str, Contact]], minutes: int) -> str:
    """Give the page that says that nothing was sent, and which other ways there are."""
    text = TEXTS[language]
    return _framed(
        language,
        text["busy_title"],
        f'<p role="alert">{escape(text["busy"].format(minutes=minutes))}</p>',
        *(f"<h2>{escape(brand)}</h2>{_address(contact)}" for brand, contact in offices),
    )


def message_page(language: str, message: str) -> str:
    """Give a page that only says why nothing was done, and where to start. `message` names a text."""
    text = TEXTS[language]
    start = f'<p><a href="/rights?language={language}">{escape(text["title"])}</a></p>'
    return _framed(language, text["title"], f'<p role="alert">{escape(text[message])}</p>', start)


def _framed(language: str, title: str, *parts: str) -> str:
    return page(language, title, *parts)


def _chosen(text: Mapping[str, str], language: str, outlook: Outlook) -> str:
    pairs = (
        (text["to"], outlook.brand),
        (text["want"], KINDS[outlook.kind][language][0]),
        (text["live"], PLACES.get(outlook.place, PLACES[""])[language]),
    )
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(value)}</dd>' for name, value in pairs)}</dl>"


def _prospect(text: Mapping[str, str], language: str, outlook: Outlook) -> list[str]:
    parts = [f"<h2>{escape(text['when'])}</h2>", paragraph(KINDS[outlook.kind][language][1])]
    dates = (
        ("acknowledge", outlook.acknowledge_by),
        ("respond", outlook.respond_by),
        ("extend", outlook.extended_until),
    )
    parts += [paragraph(text[name].format(date=_date(language, by))) for name, by in dates if by is not None]
    parts.append(paragraph(text["check" if outlook.verification else "no_check"].format(brand=outlook.brand)))
    if outlook.gpc:
        parts.append(paragraph(text["gpc"].format(brand=outlook.brand)))
    parts.append(_turn(text, outlook))
    if outlook.contact is not None:
        parts.append(f"<h2>{escape(text['office'].format(brand=outlook.brand))}</h2>{_address(outlook.contact)}")
    return parts


def _turn(text: Mapping[str, str], outlook: Outlook) -> str:
    offices = "".join(f'<li><a href="{escape(url)}">{escape(name)}</a></li>' for name, url in outlook.offices)
    return f"<h2>{escape(text['turn'])}</h2>{paragraph(outlook.recourse)}<ul>{offices}</ul>"


def _address(contact: Contact) -> str:
    lines = [escape(contact.name), *map(escape, contact.address)]
    lines.append(f'<a href="mailto:{escape(contact.email)}">{escape(contact.email)}</a>')
    if contact.phone is not None:
        lines.append(escape(contact.phone))
    return f"<address>{'<br>'.join(lines)}</address>"


def _extra(
    text: Mapping[str, str],
    language: str,
    kind: RequestKind,
    values: Mapping[str, str],
    wrong: Mapping[str, str],
) -> list[str]:
    match kind:
        case RequestKind.CORRECT:
            faults = [("", text["choose"]), *((name, said[language]) for name, said in FAULTS.items())]
            return [
                line(text, "about", values, wrong, hint=text["about_hint"], required=True, longest=160),
                select(text, "fault", faults, values.get("fault", ""), wrong, required=True),
            ]
        case RequestKind.MINOR_CONTENT_REMOVAL:
            return [area(text, "urls", values, wrong, hint=text["urls_hint"], required=True, longest=8000)]
    return []


def _languages(language: str, values: Mapping[str, str]) -> str:
    def button(tag: str, name: str) -> str:
        here = ' aria-current="true"' if tag == language else ""
        return f'<button type="submit" name="language" value="{tag}" lang="{tag}" class="plain"{here}>{name}</button>'

    items = "".join(f"<li>{button(tag, name)}</li>" for tag, name in NAMES.items())
    kept = {name: values[name] for name in ("brand", "kind", "place") if values.get(name)} | {"change": "1"}
    label = escape(TEXTS[language]["languages"])
    return (
        f'<form method="get" action="/rights"><nav aria-label="{label}">{hidden(kept)}'
        f'<ul class="languages">{items}</ul></nav></form>'
    )


def _summary(text: Mapping[str, str], wrong: Mapping[str, str]) -> str:
    if not wrong:
        return ""
    items = "".join(
        f'<li><a href="#{escape(name)}">{escape(said)}</a></li>' if name else f"<li>{escape(said)}</li>"
        for name, said in wrong.items()
    )
    return f'<div role="alert" class="wrong"><p>{escape(text["problems"])}</p><ul>{items}</ul></div>'


def _date(language: str, moment: datetime) -> str:
    month = MONTHS[language].split()[moment.month - 1]
    return DATES[language].format(day=moment.day, month=month, year=moment.year)
