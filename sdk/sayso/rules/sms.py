"""What a text message says about texting: stop, start, help, or something else.

Sources: the CTIA opt-out set; Twilio's default keywords (REVOKE and OPTOUT since 2025); 47 CFR 64.1200
(a)(10), by which `stop, quit, end, revoke, opt out, cancel, unsubscribe` revoke as they stand, any other
reasonable wording revokes too, and no wording may be made the only one. So doubt falls on the side of stop,
and nothing but a keyword starts.

The words are literal (`rules.sms_words`): nothing is compiled from data, and a message costs time in proportion to its
length.
"""

import unicodedata
from enum import StrEnum

from sayso.rules.sms_words import (
    ALL,
    FILLERS,
    HARMLESS,
    HELP_KEYWORDS,
    LEADING_STOP_WORDS,
    POLITE,
    SIGNATURES,
    START_KEYWORDS,
    STOP_ANYWHERE,
    STOP_KEYWORDS,
    STOP_PHRASES,
    YES_KEYWORDS,
)

MAX_CHARACTERS = 1_600  # the longest message that carriers put together from parts

_STOP_SIGN = "\N{OCTAGONAL SIGN}"


class SmsAnswer(StrEnum):
    """What the sender wants."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    OTHER = "other"


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
    text = _without_signature(_plain(body))
    if text in STOP_KEYWORDS:
        return SmsAnswer.STOP
    if text in START_KEYWORDS or (pending and not opted_out and _is_yes(text)):
        return SmsAnswer.START
    if text in HELP_KEYWORDS:
        return SmsAnswer.HELP
    return SmsAnswer.STOP if _asks_to_stop(text) else SmsAnswer.OTHER


def _decided(opt_out_type: str | None) -> SmsAnswer | None:
    if opt_out_type is None:
        return None
    said = opt_out_type.strip().lower()
    return next((a for a in (SmsAnswer.STOP, SmsAnswer.START, SmsAnswer.HELP) if a == said), None)


def means_all(body: str) -> bool:
    """Tell whether a stop names everything that is sent, not only what comes from the number it went to."""
    text = f" {_plain(body)} "
    return any(f" {phrase} " in text for phrase in ALL)


def _is_yes(text: str) -> bool:
    first, *rest = text.split() or [""]
    return first in YES_KEYWORDS and all(word in POLITE or word in YES_KEYWORDS for word in rest)


def _without_signature(text: str) -> str:
    """Take off what a mail program adds to a text that is answered from there."""
    for signature in SIGNATURES:
        before, found, _ = text.partition(signature)
        if found and before:
            return before.rstrip()
    return text


def _asks_to_stop(text: str) -> bool:
    words = text.split()
    if words and words[0] in LEADING_STOP_WORDS:
        return True
    padded = f" {text} "
    for harmless in HARMLESS:
        padded = padded.replace(f" {harmless} ", "  ")
    words = padded.split()
    if any(_stops_anywhere(word) for word in words):
        return True
    meant = [word for word in words if word not in FILLERS]
    politely = [word for word in words if word not in POLITE]
    if " ".join(meant) in STOP_KEYWORDS or " ".join(politely) in STOP_KEYWORDS:
        return True
    stops = [word for word in meant if word in STOP_KEYWORDS]
    if stops and all(word in STOP_KEYWORDS or word in START_KEYWORDS for word in meant):
        return True  # "stop stop", and "start stop" too
    return any(f" {phrase}" in padded for phrase in STOP_PHRASES)


def _stops_anywhere(word: str) -> bool:
    if word.startswith(STOP_ANYWHERE):
        return True
    word = word.replace("0", "o")
    # "stop", however drawn out: sssstop, stoppp, STOOOP, st0p.
    once = "".join(letter for place, letter in enumerate(word) if letter != word[place - 1 : place])
    return once == "stop"


def _plain(body: str) -> str:
    """Lower case without accents, punctuation, emoji and invisible characters, one blank between words."""
    shown = "".join(c for c in body if unicodedata.category(c) != "Cf").strip()[:MAX_CHARACTERS]
    folded = unicodedata.normalize("NFKC", shown).casefold()
    letters: list[str] = []
    for character in unicodedata.normalize("NFKD", folded):
        if character == _STOP_SIGN:
            letters.append(" stop ")
        elif character.isalnum():
            letters.append(character)
        elif character not in "'’`" and not unicodedata.combining(character):
            letters.append(" ")
    words = "".join(letters).split()
    if len(words) > 1 and all(len(word) == 1 for word in words):
        return "".join(words)  # S.T.O.P.
    return " ".join(words)
