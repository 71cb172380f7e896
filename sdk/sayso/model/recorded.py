"""A choice as it stands in a consumer's history: what the fold needs, and no more."""

from typing import NamedTuple

from sayso.model.instant import Micros

GRANTED = "granted"
"""`Answer.GRANTED` as stored. A plain constant: looking up an enum's value costs as much as a whole comparison."""

BY_PERSON = "p"
"""Made by the consumer: counts fully."""
BY_GUARDIAN = "g"
"""Made by the parent or guardian: counts fully, and lets a minor's topic pass."""
BY_BRAND = "b"
"""Set by the brand or an import: a grant counts only while nobody has refused."""
SPOKEN = "s"
"""Taken down by an agent or on the phone: a grant waits for the consumer's own; a refusal counts."""


class RecordedChoice(NamedTuple):
    """One recorded answer to one topic.

    Attributes:
        version: The consumer's version that this choice made.
        based_on: The last version it has seen, always below `version`.
        effective_at: When it counts from, in microseconds; fixed when it was recorded.
        answer: `granted`, `denied` or `withdrawn`.
        origin: `BY_PERSON`, `BY_GUARDIAN`, `BY_BRAND` or `SPOKEN`.
        choice_id: The choice's own id.
        made_at: When it was made by the sender's clock, in microseconds.
        expires_at: When a grant ends, in microseconds, or None.
        notice_version: The version of the notice that was shown, or None.
        overrides: Signals that a grant names as knowingly overridden (11 CCR 7025(c)(4)).
        scopes: For a channel, the senders that are meant (`rules.senders`); empty for the whole topic.
    """

    version: int
    based_on: int
    effective_at: Micros
    answer: str
    origin: str
    choice_id: str
    made_at: Micros
    expires_at: Micros | None = None
    notice_version: int | None = None
    overrides: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()

    @property
    def is_refusal(self) -> bool:
        """Tell whether the answer is `denied` or `withdrawn`."""
        return self.answer != GRANTED
