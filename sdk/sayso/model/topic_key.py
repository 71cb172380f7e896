"""The keys of what a consumer can decide about, and the words they are made of."""

import difflib
import re
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, StrictStr

EVERY_TOPIC: Final = "*"
"""A refusal of this is a withdraw-all. It can never be granted and never stands in a catalogue."""


class TopicKind(StrEnum):
    """What sort of thing a topic is, the part of its key before the first colon."""

    PURPOSE = "purpose"
    COOKIE = "cookie"
    CHANNEL = "channel"
    PERMISSION = "permission"
    PARTNER = "partner"


class Flow(StrEnum):
    """Which way data goes between us and a partner."""

    SHARE = "share"
    RECEIVE = "receive"
    COMBINE = "combine"


class LegalBasis(StrEnum):
    """Why a topic may happen at all (GDPR Art. 6(1)(a), (f), (b), (c))."""

    CONSENT = "consent"
    LEGITIMATE_INTEREST = "legitimate_interest"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"


_NAME: Final = r"[a-z0-9][a-z0-9._-]{0,95}"
_TOPIC: Final = re.compile(
    rf"(?:(purpose|cookie|channel|permission):{_NAME}|(partner):{_NAME}:(?:share|receive|combine))"
)
_PARTNER_NAME: Final = re.compile(_NAME)
LONGEST_TOPIC_KEY: Final = len("partner:") + 96 + len(":receive")


def parse_topic_key(key: str) -> TopicKind:
    """Check a topic key and tell its kind.

    Args:
        key: Such as `purpose:marketing` or `partner:vinsolutions:share`.

    Returns:
        The kind of topic.

    Raises:
        ValueError: The key is not well formed; the text says what one looks like.
    """
    if match := _TOPIC.fullmatch(key):
        return TopicKind(match[1] or match[2])
    raise ValueError(_what_is_wrong(key))


def _what_is_wrong(key: str) -> str:
    if key == EVERY_TOPIC:
        return "`*` stands for every topic in a refusal; it is no topic of its own"
    shown = repr(key if len(key) <= LONGEST_TOPIC_KEY else key[:LONGEST_TOPIC_KEY] + "…")
    kind, _, name = key.partition(":")
    if kind == TopicKind.PARTNER:
        return f"{shown} names no flow; write partner:<name>: and share, receive or combine"
    if kind not in list(TopicKind):
        near = difflib.get_close_matches(kind[:32], list(TopicKind), n=1)
        if near:
            return f"{shown} is not a topic key; did you mean `{near[0]}:…`?"
        kinds = ", ".join(f"{kind}:" for kind in TopicKind)
        return f"{shown} is not a topic key; one starts with {kinds}"
    if not name:
        return f"{shown} names no {kind}; write {kind}:<name>"
    return f"{shown}: after `{kind}:` come 1 to 96 of a-z, 0-9, `.`, `_` and `-`, a letter or digit first"


def _topic_key(key: str) -> str:
    parse_topic_key(key)
    return key


TopicKey = Annotated[StrictStr, AfterValidator(_topic_key)]
"""A well-formed topic key; that the catalogue has the topic is for the lint to say."""


def parse_partner_key(key: str) -> str:
    """Check a partner's name and give it back.

    Raises:
        ValueError: It does not fit between the colons of `partner:<name>:share`.
    """
    if not _PARTNER_NAME.fullmatch(key):
        raise ValueError(
            f"{key[:97]!r} is no partner name: 1 to 96 of a-z, 0-9, `.`, `_` and `-`, a letter or digit first"
        )
    return key
