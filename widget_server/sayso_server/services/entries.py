"""One decided topic as the wire has it, and what a consumer who has said nothing gets for every topic.

Most consumers answer a few of a catalogue's topics. What they left unanswered depends on the catalogue alone, so it is
decided and encoded once, and a snapshot decides only what was said and what requires it.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sayso.model.catalogue import Catalogue
from sayso.model.decision import Decision
from sayso.model.instant import Micros, format_micros
from sayso.model.preferences import Preferences
from sayso.model.topic import EVERY_TOPIC, LegalBasis
from sayso.rules.asking import NEVER
from sayso.rules.decide import decide
from sayso_server.jsonio import dumps


class Silence:
    """What a catalogue says to silence."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Decide every topic for a consumer of whom nothing is known; no time changes that."""
        nobody = Preferences("nobody")
        self._members = {key: member(key, entry(decide(nobody, catalogue, key, 0))) for key in catalogue.topics}
        self._dependents: dict[str, list[str]] = {}
        for key, topic in catalogue.topics.items():
            # Without an answer of its own, a topic that rests on consent is `not_asked` whatever it requires.
            for needed in catalogue.closure(key) if topic.basis is not LegalBasis.CONSENT else ():
                self._dependents.setdefault(needed, []).append(key)

    def members(self) -> dict[str, bytes]:
        """Give every topic's encoded member, in the order of the catalogue; the caller's to change."""
        return self._members.copy()

    def differing(self, preferences: Preferences) -> Iterable[str] | None:
        """Give the topics that silence does not answer for a consumer; None if it answers none of them.

        Signals, age, devices, a restriction and a withdraw-all can change any topic.
        """
        about_all = preferences.signals or preferences.age or preferences.devices
        if about_all or preferences.erased or preferences.restricted or EVERY_TOPIC in preferences.topics:
            return None
        topics = set(preferences.topics)
        if not self._dependents.keys().isdisjoint(topics):
            for said in preferences.topics:
                topics.update(self._dependents.get(said, ()))
        return topics & self._members.keys()


def entry(decision: Decision) -> dict[str, Any]:
    """Give a decision's members."""
    choice = decision.choice
    return {
        "allowed": decision.allowed,
        "reason": decision.reason,
        "answer": choice.answer if choice else None,
        "choice_id": choice.choice_id if choice else None,
        "made_at": time_or_none(choice.made_at) if choice else None,
        "expires_at": time_or_none(choice.expires_at) if choice else None,
        "notice_version": choice.notice_version if choice else None,
        "valid_until": time_or_none(decision.valid_until),
    }


def member_of(decision: Decision, asks: Micros | None = None) -> bytes:
    """Encode a decision as `member` does its `entry`, for a fifth of the cost where a choice decided.

    A consumer who is read for the first time in a while waits for this, once for each topic they answered.

    Args:
        decision: What was decided.
        asks: What `rules.asking.ask_from` gives; most have none, and then nothing is said of it.
    """
    choice = decision.choice
    if choice is None:
        return member(decision.topic, {**entry(decision), **asking(asks)})
    opening = _opening(decision.topic, decision.allowed, decision.reason, choice.answer)
    version = "null" if choice.notice_version is None else choice.notice_version
    return (
        f'{opening}"{choice.choice_id}","made_at":{_time(choice.made_at)},"expires_at":{_time(choice.expires_at)},'
        f'"notice_version":{version},"valid_until":{_time(decision.valid_until)}{_asks(asks)}}}'
    ).encode()


def asking(asks: Micros | None) -> dict[str, Any]:
    """Give the member that says from when the consumer may be asked; none where the reason tells."""
    return {} if asks is None else {"ask_from": None if asks == NEVER else format_micros(asks)}


def _asks(asks: Micros | None) -> str:
    return "" if asks is None else f',"ask_from":{"null" if asks == NEVER else _time(asks)}'


@lru_cache(maxsize=4096)
def _opening(topic: str, allowed: bool, reason: str, answer: str) -> str:
    """Give what stands before the choice's id: the same for everybody who said the same."""
    value = {"allowed": allowed, "reason": reason, "answer": answer, "choice_id": None}
    return member(topic, value).decode().removesuffix("null}")


@lru_cache(maxsize=256)
def _time(moment: Micros | None) -> str:
    """Encode an instant. Choices made together share theirs, and a decision mostly ends when its choice does."""
    return "null" if moment is None else f'"{format_micros(moment)}"'


def member(key: str, value: dict[str, Any]) -> bytes:
    """Encode a topic and what was decided, as they stand in an object."""
    return dumps(key) + b":" + dumps(value)


def time_or_none(moment: Micros | None) -> str | None:
    """Give an instant as the wire has it, or None."""
    return None if moment is None else format_micros(moment)
