"""What stands for a consumer, with a button to refuse each: the page of a preferences link."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from sayso.model.topic import EVERY_TOPIC
from sayso_server.pages.plain import button, page, paragraph, status

TOPIC = "topic"
"""The field that a button posts."""

_TEXTS = {
    "en": {
        "title": "Your privacy choices",
        "intro": "This is what {brand} may and may not do. You can refuse here; to allow something, use {brand}’s own "
        "website or app, where you see what you agree to.",
        "on": "On",
        "off": "Off",
        "required": "Always on: needed for a contract or by law",
        "refuse": "Turn off",
        "all": "Turn off everything that can be turned off",
        "done": "Turned off: {what}.",
        "gpc": "Your browser’s Global Privacy Control is honoured.",
        "everything": "everything",
    },
    "es": {
        "title": "Sus opciones de privacidad",
        "intro": "Esto es lo que {brand} puede y no puede hacer. Aquí puede rechazar; para permitir algo, use el sitio "
        "o la aplicación de {brand}, donde ve lo que acepta.",
        "on": "Activado",
        "off": "Desactivado",
        "required": "Siempre activado: lo exige un contrato o la ley",
        "refuse": "Desactivar",
        "all": "Desactivar todo lo que se puede desactivar",
        "done": "Desactivado: {what}.",
        "gpc": "Se respeta el Control Global de Privacidad de su navegador.",
        "everything": "todo",
    },
    "fr": {
        "title": "Vos choix de confidentialité",
        "intro": "Voici ce que {brand} peut et ne peut pas faire. Vous pouvez refuser ici ; pour permettre quelque "
        "chose, passez par le site ou l’application de {brand}, où vous voyez ce que vous acceptez.",
        "on": "Activé",
        "off": "Désactivé",
        "required": "Toujours activé : nécessaire à un contrat ou exigé par la loi",
        "refuse": "Désactiver",
        "all": "Désactiver tout ce qui peut l’être",
        "done": "Désactivé : {what}.",
        "gpc": "Le signal Global Privacy Control de votre navigateur est respecté.",
        "everything": "tout",
    },
}


class ShownTopic(NamedTuple):
    """One topic as the page shows it.

    Attributes:
        key: The topic.
        title: Its name in the page's language.
        notice: What it means, in that language.
        language: That of title and notice, where it is not the page's.
        allowed: Whether it may happen now.
        refusable: Whether the consumer can say no.
    """

    key: str
    title: str
    notice: str
    language: str
    allowed: bool
    refusable: bool


def show(language: str, brand: str, topics: Sequence[ShownTopic], *, refused: str | None, gpc: bool) -> str:
    """Give the page.

    Args:
        language: One of `plain.SPOKEN`.
        brand: Whose choices, by name.
        topics: In the order shown.
        refused: What was just turned off: a topic's title, `*` for everything, None for nothing.
        gpc: Whether Global Privacy Control was seen, and so is honoured (11 CCR 7025(c)(6)).
    """
    text = _TEXTS[language]
    parts: list[str] = []
    if refused is not None:
        what = text["everything"] if refused == EVERY_TOPIC else refused
        parts.append(status(text["done"].format(what=what)))
    parts.append(paragraph(text["intro"].format(brand=brand)))
    if gpc:
        parts.append(paragraph(text["gpc"]))
    parts += [_section(text, language, topic) for topic in topics]
    parts.append(button(text["all"], {TOPIC: EVERY_TOPIC}))
    return page(language, text["title"], *parts)


def _section(text: dict[str, str], language: str, topic: ShownTopic) -> str:
    state = text["on"] if topic.allowed else text["off"]
    offered = ""
    if not topic.refusable:
        state = text["required"]
    elif topic.allowed:
        offered = button(text["refuse"], {TOPIC: topic.key}, describes=topic.title)
    tongue = "" if topic.language == language else f' lang="{escape(topic.language)}"'
    return (
        f"<section{tongue}><h2>{escape(topic.title)}</h2><p>{escape(topic.notice)}</p>"
        f'<p lang="{language}">{escape(state)}</p>{offered}</section>'
    )
