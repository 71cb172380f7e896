"""What a text message says about texting: stop, start, help, or something else.

Sources: the CTIA opt-out set; Twilio's default keywords (REVOKE and OPTOUT since 2025); 47 CFR 64.1200
(a)(10), by which `stop, quit, end, revoke, opt out, cancel, unsubscribe` revoke as they stand, any other
reasonable wording revokes too, and no wording may be made the only one. So doubt falls on the side of stop,
and nothing but a keyword starts.

The words are literal: nothing is compiled from data, and a message costs time in proportion to its length.
"""

import unicodedata
from enum import StrEnum

MAX_CHARACTERS = 1_600  # the longest message that carriers put together from parts


class SmsAnswer(StrEnum):
    """What the sender wants."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    OTHER = "other"


# --- the words, as _plain() leaves them: lower case, no accents, one blank between words -------------------

# English words that revoke at the start of any message; the others only alone, because "fin de semana" is a
# weekend and "alto" a tall person.
LEADING_STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "quit", "end", "cancel", "revoke", "optout"})
STOP_KEYWORDS = LEADING_STOP_WORDS | frozenset(
    {
        "opt out",
        "stop all",
        # Spanish
        "alto",
        "baja",
        "cancela",
        "cancelar",
        "darme de baja",
        "detener",
        "detengan",
        "detenganse",
        "detengase",
        "fin",
        "no mas",
        "para",
        "parar",
        "pare",
        # French
        "annuler",
        "arret",
        "arrete",
        "arreter",
        "arretez",
        "desabonner",
        "desinscrire",
        "resilier",
        "stop pub",
        "stop sms",
    }
)
START_KEYWORDS = frozenset(
    {
        "start",
        "unstop",
        # Spanish
        "alta",
        "comenzar",
        "iniciar",
        # French
        "commencer",
        "reprendre",
    }
)
YES_KEYWORDS = frozenset({"yes", "si", "oui"})
HELP_KEYWORDS = frozenset({"help", "info", "ayuda", "informacion", "aide"})

# Politeness around a stop word changes nothing.
FILLERS = frozenset(
    {
        "all", "hello", "hey", "hi", "it", "just", "me", "now", "ok", "okay", "please", "pls", "thank",
        "thanks", "that", "this", "yes", "you",
        "ahora", "favor", "gracias", "hola", "por", "ya",
        "bonjour", "maintenant", "merci", "plait", "s", "sil", "svp", "vous",
    }
)  # fmt: skip

# Found at the start of a word anywhere in the message.
STOP_PHRASES: tuple[str, ...] = (
    "opt out",
    "opt me out",
    "opted out",
    "opting out",
    "optout",
    "unsubscribe",
    *(
        f"{verb} {what}"
        for verb in ("stop", "quit", "cease")
        for what in (
            "texting",
            "messaging",
            "sending",
            "contacting",
            "bothering",
            "spamming",
            "texts",
            "messages",
            "sms",
            "the texts",
            "the messages",
            "these texts",
            "these messages",
            "this texting",
            "all texts",
            "all messages",
        )
    ),
    *(f"{no} {what}" for no in ("dont", "do not", "never") for what in ("text me", "message me", "contact me")),
    "please stop",
    "no stop",
    "stop it",
    "stop this",
    "no more texts",
    "no more messages",
    "no more sms",
    "leave me alone",
    "remove me",
    "remove my number",
    "take me off",
    "lose my number",
    # Spanish
    "darme de baja",
    "darse de baja",
    "dame de baja",
    "denme de baja",
    "deme de baja",
    "deja de enviar",
    "dejar de enviar",
    "deje de enviar",
    "dejen de enviar",
    "no me escriba",
    "no me envie",
    "no me mande",
    "no enviar mas",
    "no mas mensajes",
    "no quiero mas mensajes",
    "no quiero recibir",
    # French
    "arrete de m",
    "arretez de m",
    "arretez d envoyer",
    "arretez denvoyer",
    "arretez les messages",
    "cessez de m",
    "me desabonner",
    "desabonnez moi",
    "desinscrivez moi",
    "me desinscrire",
    "ne menvoyez plus",
    "ne m envoyez plus",
    "ne plus recevoir",
    "ne veux plus recevoir",
    "plus de messages",
    "plus de sms",
)


def classify(
    body: str, *, opt_out_type: str | None = None, pending: bool = False, opted_out: bool = False
) -> SmsAnswer:
    """Say what a received text asks for.

    Args:
        body: The message as received. Only its first 1,600 characters are read.
        opt_out_type: Twilio's `OptOutType` (STOP, START or HELP) where Advanced Opt-Out already decided. It
            wins; any other value is as if absent.
        pending: The sender was asked by us, within the last 24 hours, to confirm with YES. Without that
            question a YES answers something else.
        opted_out: Texting stands refused. A YES, even one that was asked for, then starts nothing, since the
            refusal may have come after the question: only START and UNSTOP resume.

    Returns:
        STOP and START are to be recorded as choices about the channel. HELP asks for the sender's contacts.
    """
    decided = _decided(opt_out_type)
    if decided is not None:
        return decided
    text = _plain(body)
    if text in STOP_KEYWORDS:
        return SmsAnswer.STOP
    if text in START_KEYWORDS or (text in YES_KEYWORDS and pending and not opted_out):
        return SmsAnswer.START
    if text in HELP_KEYWORDS:
        return SmsAnswer.HELP
    return SmsAnswer.STOP if _asks_to_stop(text) else SmsAnswer.OTHER


def _decided(opt_out_type: str | None) -> SmsAnswer | None:
    if opt_out_type is None:
        return None
    said = opt_out_type.strip().lower()
    return next((a for a in (SmsAnswer.STOP, SmsAnswer.START, SmsAnswer.HELP) if a == said), None)


def _asks_to_stop(text: str) -> bool:
    words = text.split()
    if words and words[0] in LEADING_STOP_WORDS:
        return True
    words = [word for word in words if word not in FILLERS]
    if " ".join(words) in STOP_KEYWORDS:
        return True
    stops = [word for word in words if word in STOP_KEYWORDS]
    if stops and all(word in STOP_KEYWORDS or word in START_KEYWORDS for word in words):
        return True  # "stop stop", and "start stop" too
    padded = f" {text}"
    return any(f" {phrase}" in padded for phrase in STOP_PHRASES)


def _plain(body: str) -> str:
    """Lower case without accents, punctuation, emoji and invisible characters, one blank between words."""
    shown = "".join(c for c in body if unicodedata.category(c) != "Cf").strip()[:MAX_CHARACTERS]
    folded = unicodedata.normalize("NFKC", shown).casefold()
    letters: list[str] = []
    for character in unicodedata.normalize("NFKD", folded):
        if character.isalnum():
            letters.append(character)
        elif character not in "'’`" and not unicodedata.combining(character):
            letters.append(" ")
    words = "".join(letters).split()
    if len(words) > 1 and all(len(word) == 1 for word in words):
        return "".join(words)  # S.T.O.P.
    return " ".join(words)
