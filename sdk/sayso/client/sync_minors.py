"""What there is to do about minors, for code without an event loop."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, TypeVar

from sayso.client.erasing import Erased
from sayso.client.guardians import AgeHold
from sayso.client.minors import GuardianRequest, Minors
from sayso.client.portal import Portal
from sayso.model.choice import Evidence

T = TypeVar("T")


class SyncMinors:
    """Every call waits for its answer. What each does is said at `Minors`."""

    def __init__(self, minors: Minors, portal: Portal) -> None:
        """Take what it waits for; made by `SyncClient.minors`."""
        self._minors = minors
        self._portal = portal

    def guardian_requests(self, state: str | None = None) -> Iterator[GuardianRequest]:
        """Go through what guardians are asked and have not answered: see `Minors.guardian_requests`."""
        return self._each(self._minors.guardian_requests(state))

    def held(self) -> Iterator[AgeHold]:
        """Go through those who are believed to be under age: see `Minors.held`."""
        return self._each(self._minors.held())

    def clear(self, hold_id: str, *, evidence: Evidence | Mapping[str, Any]) -> AgeHold:
        """End a hold: see `Minors.clear`."""
        return self._portal.run(self._minors.clear(hold_id, evidence=evidence))

    def confirm(self, hold_id: str) -> Erased:
        """Erase whoever is held: see `Minors.confirm`."""
        return self._portal.run(self._minors.confirm(hold_id))

    def _each(self, entries: AsyncIterator[T]) -> Iterator[T]:
        async def following() -> T | None:
            return await anext(entries, None)

        while (entry := self._portal.run(following())) is not None:
            yield entry

    def __repr__(self) -> str:
        return "<SyncMinors>"
