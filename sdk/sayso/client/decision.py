"""The answer to "may I?", with everything needed to explain it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from sayso.model.decision import Reason
from sayso.model.instant import MICROS_PER_SECOND, Micros, to_micros
from sayso.rules.explain import REQUIRES, Facts, explain
from sayso.transport.clock import Clock

ALLOWING = frozenset({Reason.GRANTED.value, Reason.DEFAULT.value, Reason.REQUIRED.value})
_KNOWN = frozenset(reason.value for reason in Reason)


def really_allowed(allowed: object, reason: object) -> bool:
    """Tell whether an answer allows, for reasons that this release understands. A new reason reads as no."""
    return allowed is True and reason in ALLOWING


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something may be done now, and why.

    As a truth value it is `allowed`, so `if await ann.decide(...)` does what it says.

    Attributes:
        topic: What was asked about.
        allowed: Whether it may be done.
        reason: A word for programs: `granted`, `default` or `required` allow; every other says why not.
        consumer_id: Whom it is about.
        choice_id: The recorded choice that decided, if one did.
        answer: That choice's answer: `granted`, `denied` or `withdrawn`.
        made_at: When it was made.
        expires_at: When it ends or ended.
        notice_version: The version of the notice it answered.
        valid_until: The first instant at which time alone changes this decision.
        device_id: The device asked about.
        signal: The signal that decided, such as `gpc`.
        title: The topic's title by language.
    """

    topic: str
    allowed: bool
    reason: str
    consumer_id: str | None = None
    choice_id: str | None = None
    answer: str | None = None
    made_at: datetime | None = None
    expires_at: datetime | None = None
    notice_version: int | None = None
    valid_until: datetime | None = None
    device_id: str | None = None
    signal: str | None = None
    title: Mapping[str, str] = field(default_factory=dict, repr=False)
    _sentence: str = field(default="", repr=False)
    _language: str = field(default="en", repr=False)

    def __bool__(self) -> bool:
        return self.allowed

    def explain(self, *, language: str | None = None) -> str:
        """Say in one sentence which choice, date, notice and rule decided.

        Args:
            language: A language tag such as `es` or `fr-CA`; the client's own by default. English if Sayso
                doesn't speak it.
        """
        if self._sentence and self.reason not in _KNOWN and not self.reason.startswith(REQUIRES):
            return self._sentence  # a newer server's reason, in its own words
        if self._sentence and self.reason == Reason.UNAVAILABLE:
            return f"“{self.topic}” is not allowed: {self._sentence}"
        facts = Facts(
            allowed=self.allowed,
            reason=self.reason,
            topic=self.topic,
            titles=self.title,
            answer=self.answer,
            made_at=_micros(self.made_at),
            expires_at=_micros(self.expires_at),
            notice_version=self.notice_version,
            device_id=self.device_id,
            signal=self.signal,
            valid_until=_micros(self.valid_until),
        )
        return explain(facts, language or self._language)

    @classmethod
    def from_wire(cls, entry: Mapping[str, Any], *, topic: str, language: str, device: str | None = None) -> Self:
        """Read a decision or a snapshot's entry; members this release doesn't know are ignored."""
        reason = str(entry["reason"])
        allowed = really_allowed(entry["allowed"], reason)
        return cls(
            topic=topic,
            allowed=allowed,
            reason=reason,
            consumer_id=entry.get("consumer_id"),
            choice_id=entry.get("choice_id"),
            answer=entry.get("answer"),
            made_at=_datetime(entry.get("made_at")),
            expires_at=_datetime(entry.get("expires_at")),
            notice_version=entry.get("notice_version"),
            valid_until=_datetime(entry.get("valid_until")),
            device_id=entry.get("device_id", device),
            signal=entry.get("signal"),
            title=entry.get("title") or {},
            _sentence=entry.get("explanation", "") if allowed is entry["allowed"] else "",
            _language=language,
        )


def unavailable(
    topic: str, *, consumer_id: str | None = None, device: str | None = None, language: str = "en", why: str = ""
) -> Decision:
    """Make the answer of a client that can't vouch for any: no.

    Args:
        topic: What was asked.
        consumer_id: Whose.
        device: On which device.
        language: What `explain` speaks.
        why: What stands in the way and how to mend it, when somebody has to.
    """
    return Decision(
        topic,
        False,
        Reason.UNAVAILABLE.value,
        consumer_id=consumer_id,
        device_id=device,
        _sentence=why,
        _language=language,
    )


def ends_at(decisions: Iterable[Decision], clock: Clock) -> float:
    """Give the boot clock, in seconds, at which time alone changes one that allows; infinity for never."""
    ends = [to_micros(one.valid_until) for one in decisions if one.allowed and one.valid_until is not None]
    return clock.boot() + (min(ends) - clock.now()) / MICROS_PER_SECOND if ends else float("inf")


def _datetime(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _micros(moment: datetime | None) -> Micros | None:
    return None if moment is None else to_micros(moment)
