"""The change feeds of `MemoryStorage`."""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sayso.model.instant import Micros, span_micros
from sayso_server.storage import base
from sayso_server.storage.base import FeedEntry, FeedPage, StoredTombstone, Write


@dataclass(slots=True)
class _Position:
    recorded_at: Micros
    changes: int
    entries: tuple[FeedEntry, ...]
    erased: bool = False


@dataclass(slots=True)
class _Feed:
    """The newest position, and the positions up to it that are kept."""

    head: int = 0
    kept: deque[_Position] = field(default_factory=deque)


class MemoryFeeds:
    """A feed for each brand, and whoever wants to hear the bell."""

    def __init__(self) -> None:
        self._feeds: dict[str, _Feed] = {}
        self.listeners: list[Callable[[Collection[str]], None]] = []

    def head(self, brand_id: str) -> int:
        """Give the newest position, 0 for none."""
        feed = self._feeds.get(brand_id)
        return feed.head if feed else 0

    def wrote(self, brand_id: str, writes: Sequence[Write], now: Micros) -> None:
        """Append what one record wrote."""
        newest = {write.consumer_id: (write.changes[-1].version, None) for write in writes if write.changes}
        if newest:
            self._append(brand_id, newest, sum(len(write.changes) for write in writes), now)

    def published(self, brand_id: str, revision: int, now: Micros) -> None:
        """Append a catalogue's publication."""
        self._append(brand_id, {None: (revision, None)}, 1, now)

    def erased(self, brand_id: str, left: Mapping[str, StoredTombstone], now: Micros) -> None:
        """Append that somebody was erased: under these ids, or nobody knows who."""
        newest = {whose: (each.version, each.erased_at) for whose, each in left.items()}
        self._append(brand_id, newest, 1, now, erased=True)

    def page(self, brand_id: str, after: int, limit: int) -> FeedPage | None:
        """Give whole positions after one; None if it can't go on from there."""
        feed = self._feeds.get(brand_id) or _Feed()
        before_kept = feed.head - len(feed.kept)
        if not before_kept <= after <= feed.head:
            return None
        until, changes, entries = after, 0, list[FeedEntry]()
        for place in range(after - before_kept, len(feed.kept)):
            if changes >= limit:
                break
            position = feed.kept[place]
            if position.erased and not position.entries:
                return None  # who was erased can't be told any more
            until += 1
            changes += position.changes
            entries += position.entries
        return FeedPage(until, tuple(entries))

    def _append(
        self,
        brand_id: str,
        newest: Mapping[Any, tuple[int, Micros | None]],
        changes: int,
        now: Micros,
        *,
        erased: bool = False,
    ) -> None:
        feed = self._feeds.setdefault(brand_id, _Feed())
        feed.head += 1
        if erased:
            _forget(feed, set(newest), now - span_micros(base.ERASED_NAMED_FOR))
        entries = tuple(FeedEntry(feed.head, whose, *what) for whose, what in newest.items())
        feed.kept.append(_Position(now, changes, entries, erased))
        oldest = now - span_micros(base.FEED_KEPT_FOR)
        while len(feed.kept) > base.FEED_KEPT or (len(feed.kept) > 1 and feed.kept[0].recorded_at < oldest):
            feed.kept.popleft()
        for listener in self.listeners:
            listener((brand_id,))


def _forget(feed: _Feed, ids: Collection[str | None], named_since: Micros) -> None:
    """Take some consumers out of all positions, and out of old erasures whoever they name."""
    for position in feed.kept:
        if position.erased and position.recorded_at < named_since:
            position.entries = ()
        elif any(entry.consumer_id in ids for entry in position.entries):
            position.entries = tuple(entry for entry in position.entries if entry.consumer_id not in ids)
