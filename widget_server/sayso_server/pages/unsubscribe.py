"""The page of an unsubscribe link, before and after."""

from sayso_server.pages.plain import button, page, paragraph, status

ONE_CLICK = {"List-Unsubscribe": "One-Click"}

_TEXTS = {
    "en": {
        "title": "Unsubscribe",
        "about": "You are about to stop: {what}.",
        "from": "Only messages from {sender} stop.",
        "button": "Unsubscribe",
        "undo": "Nothing has changed yet.",
        "done_title": "You are unsubscribed",
        "done": "Stopped: {what}. There is nothing more to do.",
        "gone_title": "This link no longer works",
        "gone": "It may be incomplete. Copy the whole address from the message, or answer the message and say so.",
    },
    "es": {
        "title": "Cancelar la suscripción",
        "about": "Está a punto de detener: {what}.",
        "from": "Solo se detienen los mensajes de {sender}.",
        "button": "Cancelar la suscripción",
        "undo": "Todavía no ha cambiado nada.",
        "done_title": "Suscripción cancelada",
        "done": "Detenido: {what}. No tiene que hacer nada más.",
        "gone_title": "Este enlace ya no funciona",
        "gone": "Puede estar incompleto. Copie la dirección entera del mensaje, o responda al mensaje y dígalo.",
    },
    "fr": {
        "title": "Se désabonner",
        "about": "Vous allez arrêter : {what}.",
        "from": "Seuls les messages de {sender} s’arrêtent.",
        "button": "Se désabonner",
        "undo": "Rien n’a encore changé.",
        "done_title": "Vous êtes désabonné",
        "done": "Arrêté : {what}. Vous n’avez rien d’autre à faire.",
        "gone_title": "Ce lien ne fonctionne plus",
        "gone": "Il est peut-être incomplet. Copiez l’adresse entière du message, ou répondez au message.",
    },
}


def ask(language: str, what: str, sender: str | None) -> str:
    """Give the page that asks; opening it has changed nothing (RFC 8058 §3.1: mail scanners open links)."""
    text = _TEXTS[language]
    parts = [paragraph(text["about"].format(what=what))]
    if sender is not None:
        parts.append(paragraph(text["from"].format(sender=sender)))
    parts += [paragraph(text["undo"]), button(text["button"], ONE_CLICK)]
    return page(language, text["title"], *parts)


def done(language: str, what: str) -> str:
    """Give the page that says so, the first time and every other."""
    text = _TEXTS[language]
    return page(language, text["done_title"], status(text["done"].format(what=what)))


def gone(language: str) -> str:
    """Give the page of a link that opens nothing."""
    text = _TEXTS[language]
    return page(language, text["gone_title"], paragraph(text["gone"]))
