"""What a guardian sees: what is asked, what came of it, and what they have allowed. It never names the child."""

from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

from sayso_server.pages.plain import button, page, paragraph, status

TOPIC: Final = "topic"
ANSWER: Final = "answer"
ALLOW: Final = "allow"
REFUSE: Final = "refuse"
WITHDRAW: Final = "withdraw"
DELETE: Final = "delete"

_TEXTS = {
    "en": {
        "title": "A child needs your permission",
        "asked": "{brand} asks you as the parent or legal guardian of a child who uses its service. Nothing below "
        "happens unless you allow it. Opening this page has changed nothing.",
        "confirm": "You allowed this a day ago or more. Please confirm it; until you do, nothing of it happens.",
        "later": "You will be asked to confirm this by a second message in a day or so. Nothing happens before that.",
        "tick": "Tick what you allow:",
        "allow": "I am the parent or legal guardian, and I allow what is ticked",
        "refuse": "I allow nothing of this",
        "until": "What you allow ends when the child comes of age. You can take it back at any time.",
        "none": "Tick what you allow, or say that you allow nothing. Nothing has changed.",
        "by_minor": "The child has refused this themselves, and that stands: {what}. Nothing has changed.",
        "stale": "The text has changed meanwhile. Please read it again. Nothing has changed.",
        "granted_title": "Allowed",
        "granted": "Allowed: {what}.",
        "keep": "Keep this address. With it you can look at what you have allowed, take it back, and have everything "
        "about the child deleted:",
        "waiting_title": "One more step",
        "waiting": "You have allowed: {what}. In a day or so you will get a second message to confirm it. Nothing "
        "happens before that.",
        "refused_title": "Nothing is allowed",
        "refused": "You have allowed nothing. There is nothing more to do.",
        "manage_title": "What you have allowed",
        "manage": "This is what you have allowed {brand} for the child. It ends when the child comes of age.",
        "nothing": "You have allowed nothing, or have taken it back.",
        "withdraw": "Take back",
        "withdraw_all": "Take back everything",
        "withdrawn": "Taken back: {what}.",
        "delete": "Have everything about the child deleted",
        "deleted": "Your request is filed. It will be answered by {by}.",
        "gone_title": "This link no longer works",
        "gone": "It may be incomplete, too old, or replaced by a newer one. Ask the brand for another.",
        "used": "It was used before; each works once. Nothing has changed.",
        "grown_up": "The person has come of age and decides alone now.",
        "everything": "everything",
    },
    "es": {
        "title": "Un menor necesita su permiso",
        "asked": "{brand} le pregunta como madre, padre o tutor legal de un menor que usa su servicio. Nada de lo "
        "siguiente ocurre si usted no lo permite. Abrir esta página no ha cambiado nada.",
        "confirm": "Usted permitió esto hace un día o más. Confírmelo, por favor; hasta entonces no ocurre nada.",
        "later": "Dentro de un día, más o menos, se le pedirá que lo confirme con un segundo mensaje. Antes no ocurre "
        "nada.",
        "tick": "Marque lo que permite:",
        "allow": "Soy la madre, el padre o el tutor legal, y permito lo marcado",
        "refuse": "No permito nada de esto",
        "until": "Lo que permita termina cuando el menor sea mayor de edad. Puede retirarlo en cualquier momento.",
        "none": "Marque lo que permite, o diga que no permite nada. No ha cambiado nada.",
        "by_minor": "El propio menor lo ha rechazado, y eso vale: {what}. No ha cambiado nada.",
        "stale": "El texto ha cambiado entretanto. Léalo de nuevo, por favor. No ha cambiado nada.",
        "granted_title": "Permitido",
        "granted": "Permitido: {what}.",
        "keep": "Guarde esta dirección. Con ella puede ver lo que ha permitido, retirarlo y hacer que se borre todo "
        "sobre el menor:",
        "waiting_title": "Falta un paso",
        "waiting": "Usted ha permitido: {what}. Dentro de un día, más o menos, recibirá un segundo mensaje para "
        "confirmarlo. Antes no ocurre nada.",
        "refused_title": "No se permite nada",
        "refused": "No ha permitido nada. No tiene que hacer nada más.",
        "manage_title": "Lo que ha permitido",
        "manage": "Esto es lo que ha permitido a {brand} para el menor. Termina cuando sea mayor de edad.",
        "nothing": "No ha permitido nada, o lo ha retirado.",
        "withdraw": "Retirar",
        "withdraw_all": "Retirar todo",
        "withdrawn": "Retirado: {what}.",
        "delete": "Hacer que se borre todo sobre el menor",
        "deleted": "Su solicitud está presentada. Se responderá a más tardar el {by}.",
        "gone_title": "Este enlace ya no funciona",
        "gone": "Puede estar incompleto, ser demasiado antiguo o haber sido sustituido. Pida otro a la marca.",
        "used": "Ya se usó; cada uno sirve una vez. No ha cambiado nada.",
        "grown_up": "La persona ya es mayor de edad y decide por sí misma.",
        "everything": "todo",
    },
    "fr": {
        "title": "Un enfant a besoin de votre permission",
        "asked": "{brand} vous le demande en tant que parent ou tuteur légal d’un enfant qui utilise son service. Rien "
        "de ce qui suit n’a lieu sans votre accord. Ouvrir cette page n’a rien changé.",
        "confirm": "Vous avez permis ceci il y a un jour ou plus. Merci de le confirmer ; d’ici là, rien n’a lieu.",
        "later": "D’ici un jour environ, un second message vous demandera de confirmer. Rien n’a lieu avant.",
        "tick": "Cochez ce que vous permettez :",
        "allow": "Je suis le parent ou le tuteur légal, et je permets ce qui est coché",
        "refuse": "Je ne permets rien de tout cela",
        "until": "Ce que vous permettez prend fin à la majorité de l’enfant. Vous pouvez le retirer à tout moment.",
        "none": "Cochez ce que vous permettez, ou dites que vous ne permettez rien. Rien n’a changé.",
        "by_minor": "L’enfant l’a lui-même refusé, et cela reste : {what}. Rien n’a changé.",
        "stale": "Le texte a changé entre-temps. Merci de le relire. Rien n’a changé.",
        "granted_title": "Permis",
        "granted": "Permis : {what}.",
        "keep": "Conservez cette adresse. Elle permet de voir ce que vous avez permis, de le retirer, et de faire "
        "effacer tout ce qui concerne l’enfant :",
        "waiting_title": "Encore une étape",
        "waiting": "Vous avez permis : {what}. D’ici un jour environ, un second message vous demandera de confirmer. "
        "Rien n’a lieu avant.",
        "refused_title": "Rien n’est permis",
        "refused": "Vous n’avez rien permis. Vous n’avez rien d’autre à faire.",
        "manage_title": "Ce que vous avez permis",
        "manage": "Voici ce que vous avez permis à {brand} pour l’enfant. Cela prend fin à sa majorité.",
        "nothing": "Vous n’avez rien permis, ou vous l’avez retiré.",
        "withdraw": "Retirer",
        "withdraw_all": "Tout retirer",
        "withdrawn": "Retiré : {what}.",
        "delete": "Faire effacer tout ce qui concerne l’enfant",
        "deleted": "Votre demande est enregistrée. La réponse viendra au plus tard le {by}.",
        "gone_title": "Ce lien ne fonctionne plus",
        "gone": "Il est peut-être incomplet, trop ancien ou remplacé. Demandez-en un autre à la marque.",
        "used": "Il a déjà servi ; chacun sert une fois. Rien n’a changé.",
        "grown_up": "La personne est majeure et décide seule désormais.",
        "everything": "tout",
    },
}


class AskedTopic(NamedTuple):
    """One topic as a guardian reads it.

    Attributes:
        key: The topic.
        version: Of its notice.
        title: Its name.
        notice: What it means.
        language: That of title and notice.
    """

    key: str
    version: int
    title: str
    notice: str
    language: str


def ask(
    language: str,
    brand: str,
    topics: Sequence[AskedTopic],
    *,
    confirming: bool,
    later: bool,
    problem: str | None = None,
    what: Sequence[str] = (),
) -> str:
    """Give the page that asks.

    Args:
        language: One of `plain.SPOKEN`.
        brand: Who asks, by name.
        topics: What for. None is ticked beforehand: a tick that nobody made is no consent.
        confirming: Whether it is the second link.
        later: Whether there is to be one.
        problem: What was wrong with the last answer: `none`, `by_minor` or `stale`.
        what: The titles that this is about.
    """
    text = _TEXTS[language]
    parts = [] if problem is None else [status(text[problem].format(what=", ".join(what)))]
    parts.append(paragraph(text["asked"].format(brand=brand)))
    if confirming:
        parts.append(paragraph(text["confirm"]))
    if later:
        parts.append(paragraph(text["later"]))
    boxes = "".join(_box(topic, language) for topic in topics)
    buttons = "".join(
        f'<p><button type="submit" name="{ANSWER}" value="{value}">{escape(text[value])}</button></p>'
        for value in (ALLOW, REFUSE)
    )
    legend = f"<legend>{escape(text['tick'])}</legend>"
    parts.append(f'<form method="post"><fieldset>{legend}{boxes}</fieldset>{buttons}</form>')
    parts.append(paragraph(text["until"]))
    return page(language, text["title"], *parts)


def granted(language: str, what: Sequence[str], address: str) -> str:
    """Give the page that says what is allowed, with the address to keep."""
    text = _TEXTS[language]
    link = f'<p><a href="{escape(address)}">{escape(address)}</a></p>'
    said = status(text["granted"].format(what=", ".join(what)))
    return page(language, text["granted_title"], said, paragraph(text["keep"]), link, paragraph(text["until"]))


def waiting(language: str, what: Sequence[str]) -> str:
    """Give the page that says that a second message comes."""
    text = _TEXTS[language]
    return page(language, text["waiting_title"], status(text["waiting"].format(what=", ".join(what))))


def refused(language: str) -> str:
    """Give the page that says that nothing is allowed."""
    text = _TEXTS[language]
    return page(language, text["refused_title"], status(text["refused"]))


def manage(
    language: str,
    brand: str,
    topics: Sequence[AskedTopic],
    *,
    withdrawn: Sequence[str] = (),
    answered_by: str | None = None,
) -> str:
    """Give the page on which a guardian looks, takes back and has everything deleted.

    Args:
        language: One of `plain.SPOKEN`.
        brand: Whose.
        topics: What a guardian has allowed and stands.
        withdrawn: The titles of what was just taken back.
        answered_by: By which day the request to delete that was just filed is answered.
    """
    text = _TEXTS[language]
    parts: list[str] = []
    if withdrawn:
        parts.append(status(text["withdrawn"].format(what=", ".join(withdrawn))))
    if answered_by is not None:
        parts.append(status(text["deleted"].format(by=answered_by)))
    parts.append(paragraph(text["manage"].format(brand=brand)))
    if not topics:
        parts.append(paragraph(text["nothing"]))
    for topic in topics:
        fields = {ANSWER: WITHDRAW, TOPIC: topic.key}
        offered = button(text["withdraw"], fields, describes=topic.title)
        parts.append(
            f"<section{_tongue(topic, language)}><h2>{escape(topic.title)}</h2><p>{escape(topic.notice)}</p>"
            f"{offered}</section>"
        )
    if len(topics) > 1:
        parts.append(button(text["withdraw_all"], {ANSWER: WITHDRAW, TOPIC: "*"}))
    parts.append(button(text["delete"], {ANSWER: DELETE}))
    return page(language, text["manage_title"], *parts)


def gone(language: str, why: str = "gone") -> str:
    """Give the page of a link that opens nothing: `gone`, `used`, or `grown_up`."""
    text = _TEXTS[language]
    return page(language, text["gone_title"], paragraph(text[why]))


def _box(topic: AskedTopic, language: str) -> str:
    name, shown = escape(topic.key), escape(f"{topic.key} {topic.version}")
    return (
        f'<div{_tongue(topic, language)}><p><input type="checkbox" name="{TOPIC}" id="{name}" value="{shown}" '
        f'aria-describedby="{name}-notice"> <label for="{name}">{escape(topic.title)}</label></p>'
        f'<p id="{name}-notice">{escape(topic.notice)}</p></div>'
    )


def _tongue(topic: AskedTopic, language: str) -> str:
    return "" if topic.language == language else f' lang="{escape(topic.language)}"'
