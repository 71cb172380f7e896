"""The SQL of the change feed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import apsw

from sayso.model.instant import Micros, span_micros
from sayso_server.storage import base
from sayso_server.storage.base import FeedEntry, FeedPage, StoredTombstone
from sayso_server.storage.sqlite.statements import rows

HEAD = "SELECT max(position) FROM feed WHERE brand_id = ?"

# The row of `after` itself comes along, to show that nothing is missing behind it. A publication names no change, nor
# does an erasure, which names no revision either; the 0 in its place is none's position. Changes of other brands in the
# same transaction have no name here.
PAGE = """
WITH page AS (
    SELECT position, first_change, last_change, revision,
           sum(CASE WHEN position > ?2 THEN last_change - first_change + 1 ELSE 0 END) OVER (ORDER BY position) AS read
    FROM feed WHERE brand_id = ?1 AND position >= ?2 ORDER BY position LIMIT ?3 + 1
)
SELECT page.position, page.revision, consumer.consumer_id, max(change.version), page.last_change
FROM page
LEFT JOIN change ON change.position BETWEEN page.first_change AND page.last_change AND page.position > ?2
LEFT JOIN consumer ON consumer.key = change.consumer_key AND consumer.brand_id = ?1
WHERE read - (last_change - first_change + 1) < ?3
GROUP BY page.position, consumer.key
ORDER BY page.position, max(change.position)
"""

# Reading the newest position by itself: one statement for both makes SQLite build a table each time, 25 µs against 5.
_APPEND = "INSERT INTO feed VALUES (?, ?, ?, ?, ?, ?)"
_PRUNE_EVERY = 256
# Looks at twice as many as came since the last time, so that it catches up; at all of them would take too long. What
# goes lies below the first that stays: times may fall where the clock was set back, and a gap would be passed over.
_PRUNE = """
WITH oldest AS (SELECT position, recorded_at FROM feed WHERE brand_id = ?1 ORDER BY position LIMIT 512)
DELETE FROM feed WHERE brand_id = ?1 AND position < (
    SELECT coalesce(
        min(position) FILTER (WHERE position >= ?2 OR (position > ?3 AND recorded_at >= ?4)), max(position) + 1
    ) FROM oldest
)
"""


def changed(cursor: apsw.Cursor, brand_id: str, first: int, last: int, now: Micros) -> None:
    """Append that the changes from one position in `change` to another were recorded, all of the brand's among them."""
    _append(cursor, (brand_id, first, last, None, now), now)


def published(cursor: apsw.Cursor, brand_id: str, revision: int, now: Micros) -> None:
    """Append that a catalogue was published."""
    _append(cursor, (brand_id, 0, 0, revision, now), now)


def erased(cursor: apsw.Cursor, brand_id: str, now: Micros) -> int:
    """Append that somebody was erased, but not who; give the position."""
    return _append(cursor, (brand_id, 0, 0, None, now), now)


def page(
    read: Sequence[tuple[Any, ...]],
    after: int,
    erased_at: Callable[[int], Mapping[str, StoredTombstone]] = lambda _: {},
) -> FeedPage | None:
    """Make a page of the rows of `PAGE`.

    Args:
        read: The rows.
        after: What they should follow on from.
        erased_at: Gives who was erased at a position, and what is left of them; nobody if that can't be told any more.

    Returns:
        None if a row is missing, or if nobody can tell who was erased.
    """
    if not read:
        return None if after else FeedPage(0, ())
    entries = []
    until = after
    for position, revision, consumer_id, version, last_change in read:
        if position > until + 1:
            return None
        until = position
        if position > after and revision is not None:
            entries.append(FeedEntry(position, None, revision))
        elif position > after and consumer_id is not None:
            entries.append(FeedEntry(position, consumer_id, version))
        elif position > after and not last_change:
            names = erased_at(position)
            if not names:
                return None
            entries += [FeedEntry(position, whose, left.version, left.erased_at) for whose, left in names.items()]
    return FeedPage(until, tuple(entries))


def _append(cursor: apsw.Cursor, row: tuple[str, int, int, int | None, Micros], now: Micros) -> int:
    ((newest,),) = rows(cursor, HEAD, row[:1])
    position = (newest or 0) + 1
    cursor.execute(_APPEND, (row[0], position, *row[1:]))
    if position % _PRUNE_EVERY == 0:
        oldest = now - span_micros(base.FEED_KEPT_FOR)
        cursor.execute(_PRUNE, (row[0], position, position - base.FEED_KEPT, oldest))
    return int(position)
