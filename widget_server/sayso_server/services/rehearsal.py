"""What a new catalogue would have done to the hand-overs of the last days: newly withheld, or newly allowed.

Each logged hand-over is decided twice with what was known of the consumer when it happened: by the catalogue that is
published now and by the new one. So what differs is the catalogue's doing alone, not an outage's or the consumer's.
"""

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from sayso.catalogue import Change, ChangeKind
from sayso.model.catalogue import Catalogue
from sayso.model.instant import Micros, format_micros, parse_instant, span_micros
from sayso.model.preferences import Preferences
from sayso.model.topic import Flow
from sayso_server.clock import Clock
from sayso_server.jsonio import loads, loads_exactly
from sayso_server.services.hand_over_way import Way, Ways
from sayso_server.services.past import LONG_HISTORY
from sayso_server.services.replay import replay
from sayso_server.storage.base import Storage, StoredChange, StoredDisclosure

DAYS: Final = timedelta(days=30)
MOST_DAYS: Final = 366
_PAGE: Final = 500
_NEVER_OPENS: Final = frozenset(
    {ChangeKind.TEXT_CHANGED, ChangeKind.VERSION_RAISED, ChangeKind.RETIRED, ChangeKind.REMOVED}
)
Progress = Callable[[int], None]
"""Told how many consumers have been gone through."""


class HandOver(NamedTuple):
    """One logged hand-over. `fields` are those that went and those that were held back, as far as anybody knows."""

    partner: str
    flow: Flow
    fields: tuple[str, ...]
    at: Micros


class Difference(NamedTuple):
    """What is newly withheld or allowed: a whole hand-over, or one field of it."""

    allows: bool
    topic: str
    field: str | None
    was: str
    now: str
    reason: str


class Found:
    """What differs, counted."""

    def __init__(self) -> None:
        """Count from nothing."""
        self.hand_overs = 0
        self.consumers = 0
        self._times: Counter[Difference] = Counter()
        self._people: Counter[Difference] = Counter()

    def add(self, differences: Sequence[Sequence[Difference]]) -> None:
        """Count what differs in one consumer's hand-overs."""
        self.consumers += 1
        self.hand_overs += len(differences)
        for each in differences:
            self._times.update(each)
        self._people.update({one for each in differences for one in each})

    def listed(self, *, allows: bool) -> list[dict[str, Any]]:
        """List what is newly allowed, or newly withheld, what happened most often first."""
        return [
            {
                "topic": one.topic,
                "field": one.field,
                "was": one.was,
                "now": one.now,
                "reason": one.reason,
                "hand_overs": times,
                "consumers": self._people[one],
            }
            for one, times in self._times.most_common()
            if one.allows is allows
        ]


def may_open(changes: Iterable[Change]) -> bool:
    """Tell whether any change could let out what stayed before; raising a version or taking a topic away never does."""
    return any(change.kind not in _NEVER_OPENS for change in changes)


class Rehearsal:
    """Decides logged hand-overs again."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        """Take what it works with."""
        self._storage = storage
        self._clock = clock

    async def run(
        self, brand_id: str, old: Catalogue, new: Catalogue, span: timedelta = DAYS, progress: Progress | None = None
    ) -> Found:
        """Go through every hand-over of the brand in the last days, a page of consumers at a time."""
        since = self._clock.now() - span_micros(span)
        ways = Ways(old), Ways(new)
        found = Found()
        after = ""
        while page := await self._storage.disclosed_ids(brand_id, after=after, limit=_PAGE):
            after = page[-1]
            for consumer_id, logged in (await self._logged(brand_id, page, since)).items():
                found.add(await self._compare(brand_id, consumer_id, logged, ways))
                if progress is not None:
                    progress(found.consumers)
                await asyncio.sleep(0)  # others' requests between two consumers
        return found

    async def _logged(self, brand_id: str, ids: Sequence[str], since: Micros) -> dict[str, list[HandOver]]:
        logged: dict[str, list[HandOver]] = {}
        before: Micros | None = None
        while True:
            page = await self._storage.disclosures(brand_id, ids, before=before, limit=_PAGE)
            for stored in page:
                if stored.recorded_at < since:
                    return logged
                logged.setdefault(stored.consumer_id, []).append(_hand_over(stored))
            if len(page) < _PAGE:
                return logged
            before = page[-1].recorded_at

    async def _compare(
        self, brand_id: str, consumer_id: str, logged: Sequence[HandOver], ways: tuple[Ways, Ways]
    ) -> list[list[Difference]]:
        now = self._clock.now()
        changes = await self._storage.changes_until(brand_id, consumer_id, now)
        linked = next((change for change in changes if _known_since(change)), None)
        pasts = [_Past(consumer_id, changes)]
        if linked is not None:
            known_id = _known_since(linked)
            pasts.append(_Past(known_id, await self._storage.changes_until(brand_id, known_id, now)))

        def compared() -> list[list[Difference]]:
            return [
                list(_differences(each, pasts[linked is not None and linked.recorded_at <= each.at], ways))
                for each in logged
            ]

        long = sum(len(past.changes) for past in pasts) > LONG_HISTORY
        return await asyncio.to_thread(compared) if long else compared()


class _Past:
    """What was known of a consumer at any moment; each stretch between two changes is read back once."""

    def __init__(self, consumer_id: str, changes: Sequence[StoredChange]) -> None:
        self.changes = changes
        self._consumer_id = consumer_id
        self._times = [change.recorded_at for change in changes]
        self._known: dict[int, Preferences] = {}

    def at(self, moment: Micros) -> Preferences:
        count = bisect_right(self._times, moment)
        known = self._known.get(count)
        if known is None:
            known = self._known[count] = replay(self._consumer_id, self.changes[:count])
        return known


def _known_since(change: StoredChange) -> str:
    """Give the consumer that a visitor became by this change; empty if it is no such change."""
    if change.kind != "link":
        return ""
    linked_to: str = loads_exactly(change.body)["outcome"].get("linked_to", "")
    return linked_to


def _hand_over(stored: StoredDisclosure) -> HandOver:
    said = loads(stored.body)["said"]
    fields = (*(said.get("fields_sent") or ()), *(said.get("fields_held_back") or ()))
    return HandOver(said["partner"], Flow(said["flow"]), fields, min(parse_instant(said["at"]), stored.recorded_at))


def _differences(hand_over: HandOver, past: _Past, ways: tuple[Ways, Ways]) -> Iterator[Difference]:
    preferences = past.at(hand_over.at)
    (topic, old), (_, new) = (
        each.of(preferences, hand_over.partner, hand_over.flow, hand_over.fields, hand_over.at) for each in ways
    )
    if old.how_far != new.how_far:
        yield _difference(topic, None, old, new, allows=new.how_far > old.how_far)
    for field in old.goes.keys() & new.goes.keys():
        if old.goes[field] != new.goes[field]:
            yield _difference(topic, field, old, new, allows=new.goes[field])


def _difference(topic: str, field: str | None, old: Way, new: Way, *, allows: bool) -> Difference:
    return Difference(allows, topic, field, old.answer.value, new.answer.value, new.reason)


def shown(found: Found, *, days: int, since: Micros) -> dict[str, Any]:
    """Give what was found as `POST /v1/catalogue/replay` answers it."""
    return {
        "days": days,
        "since": format_micros(since),
        "hand_overs": found.hand_overs,
        "consumers": found.consumers,
        "newly_allowed": found.listed(allows=True),
        "newly_withheld": found.listed(allows=False),
    }
