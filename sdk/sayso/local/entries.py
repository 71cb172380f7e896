"""The cache's records with their rows: put in, taken out, counted and bounded."""

from collections.abc import Callable

from sayso.local.face import Face
from sayso.local.record import MOST, NO_ROW, Record, pack, quick, unpack
from sayso.local.rows import Rows

_PER_CONSUMER = 62  # its place in the table at usual fill, and its slot


class Entries:
    """Bounded by consumers and bytes. Whoever writes holds the cache's lock.

    Attributes:
        packed: Each consumer's record.
        rows: The rows of answers that records of the current catalogue name.
        rows_since: The epoch with which these rows began; the row numbers of older records mean nothing any more.
    """

    __slots__ = ("_dropped", "_face", "_limit", "_limit_bytes", "_size", "packed", "rows", "rows_since")

    def __init__(self, consumers: int, max_bytes: int, dropped: Callable[[str], None]) -> None:
        """Start empty.

        Args:
            consumers: How many to keep at most.
            max_bytes: How much to keep at most.
            dropped: Called with each consumer whose record is changed or goes.
        """
        self._limit = consumers
        self._limit_bytes = max_bytes
        self._dropped = dropped
        self.empty(0)

    @property
    def size(self) -> int:
        """How many bytes all of it takes, about."""
        return self._size + self.rows.size

    def empty(self, epoch: int) -> None:
        """Let go of everything."""
        self.packed: dict[str, bytes] = {}
        self._face = Face()
        self._size = 0
        self.new_rows(Rows(-1, ()), epoch)

    def new_rows(self, rows: Rows, epoch: int) -> None:
        """Begin with new rows. Of the records, only the versions keep their meaning.

        None is rewritten: with 200,000 of them that would hold everything up.
        """
        self.rows = rows
        self.rows_since = epoch

    def record(self, consumer_id: str) -> Record | None:
        """Give a consumer's record, if it has answers."""
        packed = self.packed.get(consumer_id)
        record = None if packed is None else unpack(packed)
        return None if record is None or record.row == NO_ROW or record.epoch < self.rows_since else record

    def version(self, consumer_id: str) -> int:
        """Give the newest version known of a consumer, 0 for none."""
        packed = self.packed.get(consumer_id)
        return 0 if packed is None else quick(packed)[4]

    def touch(self, slot: int) -> None:
        """Note that a record was used."""
        self._face.touched[slot] = 1

    def put(self, consumer_id: str, record: Record) -> None:
        """Keep a record in place of an older one; its rows were counted already, its slot is found here."""
        self._dropped(consumer_id)
        before = self.packed.get(consumer_id)
        if before is None:
            slot = self._face.take(consumer_id)
            self._size += len(consumer_id) + _PER_CONSUMER
        else:
            slot = quick(before)[3]
            self._let_go(before)
        packed = pack(record._replace(slot=slot))
        self._size += packed.__sizeof__()
        self.packed[consumer_id] = packed

    def bury(self, consumer_id: str, version: int, epoch: int) -> None:
        """Leave only the version."""
        self.put(consumer_id, Record(0.0, NO_ROW, epoch, 0, min(version, MOST)))

    def restamp(self, consumer_id: str, record: Record, epoch: int) -> None:
        """Carry a record over to another epoch."""
        self.packed[consumer_id] = pack(record._replace(epoch=epoch))

    def shrink(self) -> None:
        """Drop whoever was not used for longest until everything fits."""
        while len(self.packed) > self._limit or self.size > self._limit_bytes:
            oldest = self._face.next()
            if oldest is None:
                return
            packed = self.packed.pop(oldest)
            self._let_go(packed)
            self._size -= len(oldest) + _PER_CONSUMER
            self._face.give_back(quick(packed)[3])
            self._dropped(oldest)

    def _let_go(self, packed: bytes) -> None:
        self._size -= packed.__sizeof__()
        if quick(packed)[2] >= self.rows_since:
            for row in unpack(packed).rows():
                self.rows.drop(row)
