"""What is texted back: one confirmation of a STOP, of a START, and the answer to HELP, in English, Spanish and French.

One text may confirm a STOP (47 CFR 64.1200(a)(12)): it names the sender that stopped and how to reach the others, and
sells nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

SPOKEN = ("en", "es", "fr")


class Named(NamedTuple):
    """A sender as a reader knows it.

    Attributes:
        title: Its name in the reader's language; empty if it has none.
        number: Where a text to it goes.
    """

    title: str
    number: str

    def __str__(self) -> str:
        return f"{self.title} ({self.number})" if self.title else self.number


_TEXTS = {
    "en": {
        "us": "us",
        "stopped": "You will get no more texts from {sender}. Reply START to resume.",
        "stopped_all": "You will get no more texts from {brand}. To resume, text START to the number.",
        "others": " To stop texts from {other}, text STOP to {number}.",
        "silent": "You still get no texts from {sender}: START ends a STOP and allows nothing more.",
        "started": "You will get texts from {sender} again. Reply STOP to stop.",
        "help": "{brand}: help at {contact}. Reply STOP to stop texts from {sender}.",
        "help_plain": "{brand}: reply STOP to stop texts from {sender}.",
    },
    "es": {
        "us": "nuestra parte",
        "stopped": "No recibirá más mensajes de {sender}. Responda START para reanudar.",
        "stopped_all": "No recibirá más mensajes de {brand}. Para reanudar, envíe START al número.",
        "others": " Para no recibir los de {other}, envíe STOP al {number}.",
        "silent": "Sigue sin recibir mensajes de {sender}: START anula un STOP y no autoriza nada más.",
        "started": "Volverá a recibir mensajes de {sender}. Responda STOP para cancelar.",
        "help": "{brand}: ayuda en {contact}. Responda STOP para no recibir más mensajes de {sender}.",
        "help_plain": "{brand}: responda STOP para no recibir más mensajes de {sender}.",
    },
    "fr": {
        "us": "notre part",
        "stopped": "Vous ne recevrez plus de SMS de {sender}. Répondez START pour reprendre.",
        "stopped_all": "Vous ne recevrez plus de SMS de {brand}. Pour reprendre, envoyez START au numéro.",
        "others": " Pour arrêter ceux de {other}, envoyez STOP au {number}.",
        "silent": "Vous ne recevez toujours pas de SMS de {sender} : START annule un STOP et n'autorise rien de plus.",
        "started": "Vous recevrez à nouveau des SMS de {sender}. Répondez STOP pour arrêter.",
        "help": "{brand} : aide sur {contact}. Répondez STOP pour ne plus recevoir de SMS de {sender}.",
        "help_plain": "{brand} : répondez STOP pour ne plus recevoir de SMS de {sender}.",
    },
}


def stopped(language: str, brand: str, sender: Named | str | None, others: Sequence[Named]) -> str:
    """Say that a STOP holds.

    Args:
        language: A language tag; English if it is none that is spoken here.
        brand: Whose texts; empty where nobody could tell in time.
        sender: What stopped; the brand's name where a START to the same number brings all of it back; None for all that
            the controller sends.
        others: Senders of the other controller, which go on.
    """
    text = _in(language)
    everything = text["stopped_all"].format(brand=brand or text["us"])
    return (everything if sender is None else text["stopped"].format(sender=sender)) + "".join(
        text["others"].format(other=other.title or other.number, number=other.number) for other in others
    )


def started(language: str, sender: Named) -> str:
    """Say that a sender's texts come again."""
    return _in(language)["started"].format(sender=sender)


def silent(language: str, sender: Named) -> str:
    """Say that a START has not made texts come: more than a STOP stands in the way."""
    return _in(language)["silent"].format(sender=sender)


def helped(language: str, brand: str, sender: Named, contact: str | None) -> str:
    """Say who writes, where help is and how to stop."""
    text = _in(language)
    if contact is None:
        return text["help_plain"].format(brand=brand, sender=sender)
    return text["help"].format(brand=brand, sender=sender, contact=contact)


def _in(language: str) -> dict[str, str]:
    return _TEXTS.get(language.partition("-")[0].lower(), _TEXTS[SPOKEN[0]])
