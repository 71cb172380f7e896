"""Which entries may be sent next. Plain: no file, no network."""

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from heapq import heapify, heappop, heappush, heapreplace

from sayso.local.outbox.row import Kind, Row, having_seen

BATCHED = frozenset({Kind.CHOICE.value, Kind.DISCLOSURE.value})
ENOUGH = 1_000
"""While so many entries are held, no more are read to fill a batch that is not empty."""
MOST = 10_000
"""No more entries than about these are held at once."""
MOST_OF_ONE = 250
"""Nor more than these of one line, so that the others are come to; what is behind them is left to another go."""
_COMMA = 64
"""Bytes that sending adds to an entry's body."""
_Line = tuple[str, bool]
"""What is sent one after the other: a consumer's entries, and apart from them the disclosures to that consumer."""


class Pick:
    """Goes once through the pending entries, in order, and makes batches of what may be sent.

    A consumer's entries are sent in their order; a batch is sent once the one before it is answered. A grant that knows
    of a refusal waits until that one is confirmed and taken out: only then there is a version to say that it has seen
    it, and the version is on disk. What has to wait is held here and goes along with a later batch.

    Attributes:
        last: The number of the last entry looked at, without its sign; reading goes on behind it.
        rows: The batch that is being made.
    """

    def __init__(self, limit: int, most_bytes: int, skip: Collection[int] = ()) -> None:
        """Take how many entries and bytes fit into a request, and which entries are to wait for another go."""
        self.last = 0
        self.rows: list[Row] = []
        self._beside: Pick | None = None
        self._limit = limit
        self._most_bytes = most_bytes
        self._skip = skip
        self._lines: dict[_Line, deque[Row]] = {}
        self._held = 0
        self._left: set[_Line] = set()
        self._sent_refusals: dict[str, list[int]] = {}
        self._versions: dict[str, tuple[list[int], list[int]]] = {}
        self.begin()

    @property
    def wants(self) -> bool:
        """Whether more entries are to be read for this batch."""
        return not self._full and self._held < (ENOUGH if self.rows else MOST)

    @property
    def holds(self) -> bool:
        """Whether entries are held until others are confirmed."""
        return self._held > 0

    def begin(self) -> None:
        """Begin a batch with what is held; one that was not ended is taken back."""
        for row in reversed(self.rows):
            self._lines.setdefault(_line(row), deque()).appendleft(row)
        self._held += len(self.rows)
        self.rows = []
        self._full = False
        self._room = self._most_bytes
        self._ids: set[tuple[str, str]] = set()
        self._refusals: dict[str, int] = {}
        self._heads = [(abs(queue[0].id), line) for line, queue in self._lines.items()]
        heapify(self._heads)
        self._fill()

    def beside(self) -> "Pick":
        """Give the pick for a second store, whose entries came after those of the first."""
        if self._beside is None:
            self._beside = Pick(self._limit, self._most_bytes, self._skip)
            self._beside._left = self._left
        return self._beside

    def take(self, rows: Iterable[Row]) -> None:
        """Take entries into the batch, or hold them."""
        for row in rows:
            self.last = abs(row.id)
            line = _line(row)
            queue = self._lines.get(line)
            if row.id in self._skip or (queue is not None and len(queue) >= MOST_OF_ONE):
                self._left.add(line)
            if line in self._left:
                continue
            if queue is not None:
                queue.append(row)
            elif self._heads or not self._goes_along(row):
                self._lines[line] = deque((row,))
                heappush(self._heads, (self.last, line))
            else:  # as nearly always: nothing older may go, and nothing of this line is held
                continue
            self._held += 1
        self._fill()

    def end(self) -> list[Row]:
        """Give the batch."""
        rows, self.rows = self.rows, []
        for row in rows:
            if row.refuses and row.id > 0:  # no grant waits for what is in memory for want of room
                self._sent_refusals.setdefault(row.consumer_id, []).append(row.id)
        return rows

    def taken_out(self, row: Row, version: int | None) -> None:
        """Take note that an entry is out of the outbox, so that the grants which waited for it may go.

        Args:
            row: The entry.
            version: The version that the server gave it, if it did; the grants have seen it.
        """
        waited_for = self._sent_refusals.get(row.consumer_id)
        if waited_for is None or not row.refuses or row.id not in waited_for:
            return
        waited_for.remove(row.id)
        if not waited_for:
            del self._sent_refusals[row.consumer_id]
        if version is not None and (row.consumer_id, False) in self._lines:
            numbers, versions = self._versions.setdefault(row.consumer_id, ([], []))
            numbers.append(row.id)
            versions.append(max(version, versions[-1]) if versions else version)

    def _fill(self) -> None:
        """Move entries into the batch, the oldest first, until it is full or nothing that is held may go along."""
        heads = self._heads
        while heads and not self._full:
            line = heads[0][1]
            queue = self._lines[line]
            if not self._goes_along(queue[0]):
                heappop(heads)
                continue
            self._held -= 1
            queue.popleft()
            if queue:
                heapreplace(heads, (abs(queue[0].id), line))
            else:
                heappop(heads)
                del self._lines[line]
                self._versions.pop(line[0], None)

    def _goes_along(self, row: Row) -> bool:
        """Put an entry into the batch if it can be in it; False if not."""
        rows, who = self.rows, (row.consumer_id, row.choice_id)
        # The same choice twice, handed in by two processes, is sent twice: a batch must not hold it twice.
        if self._full or who in self._ids or (rows and row.kind != rows[0].kind):
            return False
        size = len(row.body)
        if rows and size > self._room:
            self._full = True
            return False
        if row.seen_row > 0:
            if self._knows_better(row):
                return False
            row = self._in_view(row)
        rows.append(row)
        self._room -= size + _COMMA
        self._ids.add(who)
        if row.refuses:
            self._refusals.setdefault(row.consumer_id, row.id)
        self._full = len(rows) >= self._limit or row.kind not in BATCHED
        return True

    def _knows_better(self, grant: Row) -> bool:
        """Tell whether a grant must see a refusal taken out that is in the batch or was sent."""
        first = self._refusals.get(grant.consumer_id, 0)
        sent: Sequence[int] = self._sent_refusals.get(grant.consumer_id, ())
        return 0 < first <= grant.seen_row or any(number <= grant.seen_row for number in sent)

    def _in_view(self, grant: Row) -> Row:
        """Give a grant with the version of the newest refusal that it waited for, if that was taken out since it came.

        What was taken out before, the store knows.
        """
        known = self._versions.get(grant.consumer_id)
        place = 0 if known is None else bisect_right(known[0], grant.seen_row)
        return having_seen(grant, known[1][place - 1]) if known is not None and place else grant


def _line(row: Row) -> _Line:
    return row.consumer_id, row.kind == Kind.DISCLOSURE
