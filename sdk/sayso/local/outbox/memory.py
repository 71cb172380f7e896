"""Entries in memory: gone with the process. Used when no file was named, and while the disk is full."""

from collections.abc import Callable, Mapping, Sequence

from sayso.local.outbox.pick import Pick
from sayso.local.outbox.row import Row, having_seen
from sayso.local.outbox.store import PENDING, Batch, Changes, Done, Kept, Opened
from sayso.model.instant import Micros

LIMIT = 1_000
_CHUNK = 500
_RESERVED = 10
"""The last tenth is kept for refusals."""


class MemoryStore:
    """Holds entries in a dict."""

    def __init__(self, limit: int = LIMIT, *, step: int = 1) -> None:
        """Take how many there is room for, and -1 as `step` to number them downwards, apart from those of a file."""
        self._limit = limit
        self._step = step
        self._kept: dict[int, Kept] = {}
        self._last = 0

    def open(self) -> Opened:
        """Say what there is."""
        return Opened(list(self._kept.values()))

    def append(self, rows: Sequence[Row]) -> list[int]:
        """Keep entries; give each its number, 0 where there is no room."""
        return [self._keep(row) for row in rows]

    def batch(self, pick: Pick) -> Batch:
        """Give what may be sent next."""
        pick.begin()
        while pick.wants and pick.last < abs(self._last):
            numbers = range(pick.last + 1, min(pick.last + _CHUNK, abs(self._last)) + 1)
            there = (self._kept.get(number * self._step) for number in numbers)
            pick.take(kept.row for kept in there if kept is not None and not kept.parked)
            pick.last = numbers[-1]
        return Batch(pick.end(), [])

    def settle(self, done: Sequence[Done]) -> None:
        """Take entries out."""
        refusals: dict[str, list[Done]] = {}
        for one in done:
            self._kept.pop(one.row.id, None)
            if one.version is not None and one.row.refuses:
                refusals.setdefault(one.row.consumer_id, []).append(one)
        for number, kept in self._kept.items() if refusals else ():
            if kept.row.seen_row > 0 and kept.row.consumer_id in refusals:
                seen = [one.version or 0 for one in refusals[kept.row.consumer_id] if one.row.id <= kept.row.seen_row]
                if seen:
                    self._kept[number] = kept._replace(row=having_seen(kept.row, max(seen)))

    def let_go(self, consumer_id: str, before: Micros | None) -> list[Row]:
        """Take out and give what is a consumer's."""
        rows = [kept.row for kept in self._kept.values() if kept.row.consumer_id == consumer_id and kept.goes(before)]
        self.settle([Done(row) for row in rows])
        return rows

    def mark(self, ids: Sequence[int], state: str, why: str = "") -> None:
        """Change how entries stand."""
        for number in ids:
            if number in self._kept:
                self._kept[number] = self._kept[number]._replace(state=state, why=why)

    def changes(self, known: Callable[[], Mapping[int, str]]) -> Changes | None:
        """Tell that nobody else can have done anything."""
        return None

    def lead(self) -> bool:
        """Tell that there is nobody else to send."""
        return True

    def follow(self) -> None:
        """Do nothing: nobody else could send."""

    def close(self) -> None:
        """Keep what there is: the client may be opened again."""

    def abandon(self) -> None:
        """Start empty: the parent keeps and sends what it has."""
        self._kept.clear()

    def _keep(self, row: Row) -> int:
        if len(self._kept) >= room_for(row, self._limit):
            return 0
        self._last += self._step
        self._kept[self._last] = Kept(row._replace(id=self._last), PENDING)
        return self._last


def room_for(row: Row, limit: int) -> int:
    """Give how many entries there may be before this one, of so many in all."""
    return limit if row.refuses else limit - limit // _RESERVED
