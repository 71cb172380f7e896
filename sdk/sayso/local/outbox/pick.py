"""Which entries may be sent next. Plain: no file, no network."""

from collections.abc import Collection, Iterable

from sayso.local.outbox.row import Kind, Row

BATCHED = frozenset({Kind.CHOICE.value, Kind.DISCLOSURE.value})
_COMMA = 64
"""Bytes that sending adds to an entry's body."""


class Pick:
    """Goes once through the pending entries, in order, and makes batches of what may be sent.

    A consumer's entries are sent in their order. A grant that knows of a refusal waits until that one is confirmed:
    only then there is a version to say that it has seen it. What has to wait is left to another go.

    Attributes:
        last: The number of the last entry looked at; the next batch begins behind it.
    """

    def __init__(self, limit: int, most_bytes: int, skip: Collection[int] = ()) -> None:
        """Take how many entries and bytes fit into a request, and which entries are to wait for now."""
        self.last = 0
        self._beside: Pick | None = None
        self._limit = limit
        self._most_bytes = most_bytes
        self._skip = skip
        self._waiting: set[tuple[str, bool]] = set()
        self._refusals: dict[str, int] = {}
        self.begin()

    def begin(self) -> None:
        """Begin a batch."""
        self.rows: list[Row] = []
        self._room = self._most_bytes
        self._ids: set[tuple[str, str]] = set()

    def beside(self) -> "Pick":
        """Give the pick for a second store, whose entries came after those of the first."""
        if self._beside is None:
            self._beside = Pick(self._limit, self._most_bytes, self._skip)
            self._beside._waiting = self._waiting
        return self._beside

    def take(self, rows: Iterable[Row]) -> bool:
        """Take what may be sent into the batch; False once it is full."""
        for row in rows:
            line = row.consumer_id, row.kind == Kind.DISCLOSURE
            if line in self._waiting or row.id in self._skip or self._knows_better(row) or not self._goes_along(row):
                self._waiting.add(line)
            else:
                if self.rows and len(row.body) > self._room:
                    return False
                self.rows.append(row)
                self._room -= len(row.body) + _COMMA
                self._ids.add((row.consumer_id, row.choice_id))
            if row.refuses:
                self._refusals.setdefault(row.consumer_id, row.id)
            self.last = row.id
            if self.rows and (len(self.rows) >= self._limit or self.rows[0].kind not in BATCHED):
                return False
        return True

    def _knows_better(self, row: Row) -> bool:
        """Tell whether a grant must see a refusal confirmed that is here or on its way."""
        return 0 < self._refusals.get(row.consumer_id, 0) <= row.seen_row

    def _goes_along(self, row: Row) -> bool:
        """Tell whether an entry may be in one request with those of the batch."""
        # The same choice twice, handed in by two processes, is sent twice: a batch must not hold it twice.
        return not self.rows or (row.kind == self.rows[0].kind and (row.consumer_id, row.choice_id) not in self._ids)
