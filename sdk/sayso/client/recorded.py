"""What comes back when something has been recorded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Self

from sayso.client.decision import really_allowed


class Recorded(NamedTuple):
    """One choice that is on the server's disk.

    Attributes:
        choice_id: The choice's own id.
        consumer_id: Whose it is; the known id when an anonymous one was linked meanwhile.
        topic: What it answers.
        version: The consumer's version that it made.
        recorded_at: When the server recorded it, by the server's clock.
        effective_at: From when it counts, by the server's clock.
        stands: Whether it decides its topic now; if not, `superseded_by` does.
        superseded_by: The id of the choice that stands instead, or None.
        allowed: Whether the topic was allowed right after.
        reason: Why, as in `Decision.reason`.
        replayed: It had been recorded before, and this is the first answer again.
        status: `confirmed`: the server has it.
    """

    choice_id: str
    consumer_id: str
    topic: str
    version: int
    recorded_at: datetime
    effective_at: datetime
    stands: bool
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
