"""A consumer's hand-overs: to and from whom their data went, when, and on which choice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from urllib.parse import quote

from sayso.client.disclosing import PATH
from sayso.client.faults import reading
from sayso.client.history import next_query
from sayso.transport.http import Transport


@dataclass(frozen=True, slots=True)
class PastDisclosure:
    """One recorded hand-over: names of fields, never what was in them.

    Attributes:
        id: The disclosure's own id.
        consumer_id: Whose data.
        partner: To or from whom.
        flow: `share`, `receive` or `combine`.
        answer: What was decided: `send`, `send_redacted`, `send_restricted` or `withhold`; `accept`, `quarantine` or
            `drop`; `join` or `refuse`.
        at: When it was over, by the sender's clock.
        recorded_at: When it was recorded, by the server's clock.
        fields_sent: Names of the fields that went; None if nobody can tell.
        fields_held_back: Names of those that stayed; None likewise.
        outcome: `handed_over`, or `failed` where an error ended it and something may have arrived; None if nothing
            was let through.
        choice_id: The choice that decided, or None.
        reason: The decision's reason, or None.
        recorded_by: The key that recorded it, and its class.
        raw: Everything the server sent.
    """

    id: str
    consumer_id: str
    partner: str
    flow: str
    answer: str
    at: datetime
    recorded_at: datetime
    fields_sent: tuple[str, ...] | None = None
    fields_held_back: tuple[str, ...] | None = None
    outcome: str | None = None
    choice_id: str | None = None
    reason: str | None = None
    recorded_by: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_wire(cls, entry: Mapping[str, Any]) -> Self:
        """Read one member of `disclosures`."""
        return cls(
            id=entry["id"],
            consumer_id=entry["consumer_id"],
            partner=entry["partner"],
            flow=entry["flow"],
            answer=entry["answer"],
            at=datetime.fromisoformat(entry["at"]),
            recorded_at=datetime.fromisoformat(entry["recorded_at"]),
            fields_sent=_names(entry.get("fields_sent")),
            fields_held_back=_names(entry.get("fields_held_back")),
            outcome=entry.get("outcome"),
            choice_id=entry.get("choice_id"),
            reason=entry.get("reason"),
            recorded_by=entry.get("recorded_by") or {},
            raw=entry,
        )


async def read_disclosures(transport: Transport, consumer_id: str, limit: int | None) -> list[PastDisclosure]:
    """Fetch hand-overs, newest first, page by page.

    Args:
        transport: Asks.
        consumer_id: Whose.
        limit: At most so many; None for all.
    """
    query: str | None = f"consumer={quote(consumer_id, safe='')}"
    found: list[PastDisclosure] = []
    while query is not None and (limit is None or len(found) < limit):
        answer = await transport.call("GET", f"{PATH}?{query}")
        with reading():
            page = [PastDisclosure.from_wire(entry) for entry in answer.data["disclosures"]]
            following = next_query(answer.headers.get("Link", ""))
            if following is not None and (following == query or not page):
                raise ValueError("pages that never end")
        query = following
        found += page
    return found[:limit]


def _names(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)
