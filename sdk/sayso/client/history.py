"""A consumer's history: every choice ever recorded, page by page, newest first."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlsplit

from sayso.client.faults import reading
from sayso.transport.http import Transport

_NEXT = re.compile(r'<([^<>]*)>\s*;[^,]*?\brel="?next"?')
_QUERY = re.compile(r"[A-Za-z0-9._~=&%+:@-]{1,512}")


@dataclass(frozen=True, slots=True)
class PastChoice:
    """One recorded choice.

    Attributes:
        id: The choice's own id.
        consumer_id: Whose it is.
        topic: What it answers.
        answer: `granted`, `denied` or `withdrawn`.
        version: The consumer's version that it made.
        made_at: When it was made, by the sender's clock.
        recorded_at: When it was recorded, by the server's clock.
        effective_at: From when it counts.
        method: How it reached the brand.
        actor: Who made it.
        based_on: The version it had seen.
        notice_version: The version of the notice that was shown, or None.
        notice_language: Its language, or None.
        notice_minor: Which text of that version, or None if the first, or if nobody knows.
        expires_at: When a grant ends, or None.
        device_id: The device it was made on, or None.
        jurisdiction: Such as `US-CA`, or None.
        recorded_by: The key that recorded it, and its class.
        raw: Everything the server sent, evidence and detail included.
    """

    id: str
    consumer_id: str
    topic: str
    answer: str
    version: int
    made_at: datetime
    recorded_at: datetime
    effective_at: datetime
    method: str
    actor: str | None = None
    based_on: int | None = None
    notice_version: int | None = None
    notice_language: str | None = None
    notice_minor: int | None = None
    expires_at: datetime | None = None
    device_id: str | None = None
    jurisdiction: str | None = None
    recorded_by: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_wire(cls, entry: Mapping[str, Any]) -> Self:
        """Read one member of `choices`."""
        notice = entry.get("notice") or {}
        expires = entry.get("expires_at")
        return cls(
            id=entry["id"],
            consumer_id=entry["consumer_id"],
            topic=entry["topic"],
            answer=entry["answer"],
            version=entry["version"],
            made_at=datetime.fromisoformat(entry["made_at"]),
            recorded_at=datetime.fromisoformat(entry["recorded_at"]),
            effective_at=datetime.fromisoformat(entry["effective_at"]),
            method=entry["method"],
            actor=entry.get("actor"),
            based_on=entry.get("based_on"),
            notice_version=notice.get("version"),
            notice_language=notice.get("language"),
            notice_minor=notice.get("minor"),
            expires_at=None if expires is None else datetime.fromisoformat(expires),
            device_id=entry.get("device_id"),
            jurisdiction=entry.get("jurisdiction"),
            recorded_by=entry.get("recorded_by") or {},
            raw=entry,
        )


async def read_history(transport: Transport, consumer_id: str, limit: int | None) -> AsyncIterator[PastChoice]:
    """Go through the history, fetching the next page when it is needed.

    Args:
        transport: Asks.
        consumer_id: Whose.
        limit: At most so many; None for all.
    """
    path = f"/v1/consumers/{consumer_id}/choices"
    query: str | None = ""
    given = 0
    while query is not None and (limit is None or given < limit):
        answer = await transport.call("GET", f"{path}?{query}" if query else path)
        with reading():
            page = [PastChoice.from_wire(entry) for entry in answer.data["choices"]]
            following = next_query(answer.headers.get("Link", ""))
            if following is not None and (following == query or not page):
                raise ValueError("pages that never end")
        query = following
        for choice in page[: None if limit is None else limit - given]:
            yield choice
        given += len(page)


def next_query(link: str) -> str | None:
    """Give the query of `rel="next"` in a Link header (RFC 8288), or None at the end.

    Only the query is taken: the token goes to the server that was configured, whatever address an answer names.

    Raises:
        ValueError: There is a next page, but no query that leads to it.
    """
    found = _NEXT.search(link)
    if found is None:
        return None
    query = urlsplit(found[1]).query
    if not _QUERY.fullmatch(query):
        raise ValueError("a link without a usable query")
    return query
