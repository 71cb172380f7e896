"""What the system would have said at a past moment: `as_of`.

That takes the whole history of a consumer, as long as it may be; so it is bounded, and a long one is read back beside
the event loop, on which everybody else is answered.
"""

import asyncio
from collections.abc import Iterable
from contextlib import nullcontext

from sayso.errors import Problem
from sayso.model.instant import Micros
from sayso.model.preferences import Preferences
from sayso.wire import MAX_MOMENTS, Code, TokenClass
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.checks import Check
from sayso_server.services.erased import Erased
from sayso_server.services.identity import resolve
from sayso_server.services.published import Published
from sayso_server.services.refusals import refuse_members
from sayso_server.services.replay import replay
from sayso_server.services.turns import Turns
from sayso_server.storage.base import Storage, StoredChange

LONG_HISTORY = 100
"""Changes that are read back within about a millisecond; a longer history is read back on another thread."""
_AT_ONCE = 4
"""Histories in memory at once, of as many brands. Threads share one lock, so more would hold up each other."""

NOT_YET = "lies in the future; leave it out to ask about now"


def check_moments(checks: Iterable[Check], now: Micros) -> None:
    """Refuse checks about a moment that has not come, or about too many past ones.

    Raises:
        RefusedError: 422, naming each `as_of` that has to go.
    """
    problems: list[Problem] = []
    pairs: set[tuple[str, Micros]] = set()
    for place, check in enumerate(checks):
        moment = check.moment
        if moment is None or (check.consumer_id, moment) in pairs:
            continue
        pointer = f"/checks/{place}/as_of"
        if moment > now:
            problems.append(Problem(pointer, Code.FROM_THE_FUTURE.value, f"this {NOT_YET}"))
        elif len(pairs) < MAX_MOMENTS:
            pairs.add((check.consumer_id, moment))
        else:
            message = f"at most {MAX_MOMENTS} past moments of consumers at once; send the rest in another request"
            problems.append(Problem(pointer, Code.BATCH_TOO_LARGE.value, message))
    if problems:
        raise refuse_members(problems)


class Past:
    """Gives preferences and catalogue as they were."""

    def __init__(self, storage: Storage, catalogues: Catalogues, erased: Erased) -> None:
        """Take what it works with."""
        self._erased = erased
        self._storage = storage
        self._catalogues = catalogues
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._consumers = Turns()
        self._brands = Turns()

    async def of(self, caller: Caller, consumer_id: str, moment: Micros) -> tuple[Preferences, Published]:
        """Give them for a moment that has come, from what had been recorded by then.

        A brand has one history read at a time, so that none holds up another; and a consumer asks for one at a time,
        so that none holds up the rest of the brand.

        Raises:
            RefusedError: 503; the catalogue of that moment can't be read.
        """
        brand_id = caller.brand_id
        published = await self._catalogues.at(brand_id, moment)
        own = caller.token_class is TokenClass.CONSUMER
        one_of_theirs = self._consumers.of((brand_id, caller.subject)) if own else nullcontext()
        async with one_of_theirs, self._brands.of(brand_id), self._at_once:
            return await self._read(brand_id, consumer_id, moment), published

    async def _read(self, brand_id: str, consumer_id: str, moment: Micros) -> Preferences:
        target = await resolve(self._storage, brand_id, consumer_id)
        changes = await self._storage.changes_until(brand_id, consumer_id, moment)
        # Until a visitor was linked, the id stood for the visitor alone.
        if target != consumer_id and any(change.kind == "link" for change in changes):
            consumer_id = target
            changes = await self._storage.changes_until(brand_id, consumer_id, moment)
        if not changes:
            # What would have been said before an erasure is gone, and silence would allow some of it.
            tombstone = await self._erased.tombstone(brand_id, consumer_id)
            if tombstone is not None:
                return Preferences(consumer_id, tombstone.version, erased=True, erased_at=tombstone.erased_at)
        return await _replayed(consumer_id, changes)


async def _replayed(consumer_id: str, changes: list[StoredChange]) -> Preferences:
    if len(changes) <= LONG_HISTORY:
        return replay(consumer_id, changes)
    return await asyncio.to_thread(replay, consumer_id, changes)
