"""The published catalogue, fetched when something pending has to be judged, and kept while its revision is in force."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from sayso.client.faults import reading
from sayso.client.reported import Published
from sayso.errors import Error
from sayso.transport.http import Transport

PATH = "/v1/catalogue"


class KnownCatalogue:
    """Remembers the newest catalogue that was fetched."""

    def __init__(self, transport: Transport) -> None:
        """Fetch nothing yet."""
        self._transport = transport
        self._known: Published | None = None
        self._etag: str | None = None
        self._asked_at = float("-inf")

    def at(self, revision: int | None) -> Published | None:
        """Give the catalogue of a revision if it is here."""
        known = self._known
        return known if known is not None and known.revision == revision else None

    async def fetch(self, time_box: timedelta | None = None) -> Published:
        """Fetch the one in force.

        Raises:
            Error: The class says why.
        """
        known, etag = self._known, self._etag
        answer = await self._transport.call("GET", PATH, time_box=time_box, etag=etag if known is not None else None)
        with reading():
            if known is None or not answer.unchanged:
                known = Published.from_wire(answer.data)
                if answer.asked_at >= self._asked_at:  # else somebody who asked later has had an answer already
                    self._known, self._etag = known, answer.headers.get("ETag")
        self._asked_at = max(self._asked_at, answer.asked_at)
        return known

    async def current(self, since: float, time_box: timedelta) -> Published:
        """Give the one that was in force at some moment since then.

        Args:
            since: On the boot clock.
            time_box: How long asking for it may take.

        Raises:
            Error: The class says why.
        """
        known = self._known
        return known if known is not None and self._asked_at >= since else await self.fetch(time_box)

    async def find(self, revision: int | None, time_box: timedelta) -> Published | None:
        """Give the catalogue of a revision, or the one in force if none is named; None if it can't be had."""
        known = self.at(revision)
        if known is not None:
            return known
        try:
            fetched = await self.fetch(time_box)
        except Error:
            return None
        return fetched if revision is None or fetched.revision >= revision else None


def required(catalogue: Published, topic: str) -> Iterator[tuple[str, str]]:
    """Give every topic that a topic requires, directly or not, each with the direct one that leads to it."""
    topics: Mapping[str, Mapping[str, Any]] = catalogue.topics
    seen = {topic}
    for direct in topics.get(topic, {}).get("requires") or ():
        waiting = [direct]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                yield name, direct
                waiting += topics.get(name, {}).get("requires") or ()
