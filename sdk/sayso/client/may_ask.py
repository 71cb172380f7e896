"""Whether a consumer may be asked, as the brand's code gets it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sayso.client.faults import time_or_none
from sayso.model.instant import Micros, from_micros
from sayso.rules.asking import NEVER, by_reason


@dataclass(frozen=True, slots=True)
class MayAsk:
    """Whether a consumer may be asked about a topic now; as a truth value it is `allowed`.

    Attributes:
        topic: What was asked about.
        allowed: Whether they may be asked.
        reason: The decision's reason: what there is to ask about (`not_asked`, `expired`, `outdated`, a refusal of more
            than 12 months ago), or what stands in the way (a refusal of the last 12 months, `granted`, `required`,
            `minor`, `signal`, …). `ends_soon` if they granted and that still holds, but not for long: it is about to
            expire, or the notice has changed and its grace runs.
        not_before: When time alone lets them be asked, such as 12 months after a refusal; None if it does not, or they
            may be asked now.
    """

    topic: str
    allowed: bool
    reason: str
    not_before: datetime | None = None

    def __bool__(self) -> bool:
        """Give `allowed`."""
        return self.allowed

    @classmethod
    def from_wire(cls, topic: str, entry: Mapping[str, Any], now: Micros) -> Self:
        """Read a topic of a snapshot. An answer that can't be understood asks nobody."""
        moment = _moment(entry["ask_from"]) if "ask_from" in entry else None
        found = by_reason(topic, str(entry["reason"]), moment, now)
        until = None if found.not_before is None else from_micros(found.not_before)
        return cls(topic, found.allowed, found.reason, until)


def _moment(said: Any) -> Micros:
    try:
        moment = time_or_none(said)
    except (TypeError, ValueError, OverflowError):
        return NEVER
    return NEVER if moment is None else moment
