"""What comes back when something has been recorded, or will be."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Self

from sayso.client.choice import GRANTED, Choice
from sayso.client.decision import really_allowed
from sayso.model.decision import Reason


class Recorded(NamedTuple):
    """One choice that is on the server's disk, or, while it can't be reached, in the outbox.

    Attributes:
        choice_id: The choice's own id.
        consumer_id: Whose it is; the known id when an anonymous one was linked meanwhile.
        topic: What it answers.
        version: The consumer's version that it made; None while it is pending.
        recorded_at: When the server recorded it, by the server's clock; None while it is pending.
        effective_at: From when it counts, by the server's clock; None while it is pending.
        stands: Whether it decides its topic now; if not, `superseded_by` does. Of what is pending, a refusal does,
            and of a grant nobody knows: None.
        superseded_by: The id of the choice that stands instead, or None.
        allowed: Whether the topic was allowed right after.
        reason: Why, as in `Decision.reason`.
        replayed: It had been recorded before, and this is the first answer again.
        status: `confirmed`: the server has it. `pending`: it is kept here and sent as soon as the server answers; a
            refusal counts in this client at once, a grant only on top of fresh data.
    """

    choice_id: str
    consumer_id: str
    topic: str
    version: int | None
    recorded_at: datetime | None
    effective_at: datetime | None
    stands: bool | None
    superseded_by: str | None
    allowed: bool
    reason: str
    replayed: bool
    status: str = "confirmed"

    @classmethod
    def from_wire(cls, entry: Mapping[str, Any]) -> Self:
        """Read one member of `recorded`; members this release doesn't know are ignored."""
        reason = entry["reason"]
        return cls(
            entry["choice_id"],
            entry["consumer_id"],
            entry["topic"],
            entry["version"],
            datetime.fromisoformat(entry["recorded_at"]),
            datetime.fromisoformat(entry["effective_at"]),
            entry["stands"] is True,
            entry.get("superseded_by"),
            really_allowed(entry["allowed"], reason),
            reason,
            entry.get("replayed") is True,
        )


def pending(choice: Choice) -> Recorded:
    """Say that a choice is kept until the server can be reached."""
    refuses = choice.answer != GRANTED
    return Recorded(
        choice.id,
        choice.consumer_id,
        choice.topic,
        None,
        None,
        None,
        True if refuses else None,
        None,
        False,
        str(choice.answer) if refuses else Reason.UNAVAILABLE.value,
        False,
        "pending",
    )
