"""The whole snapshots of the consumers used most, as the server sent them."""

from collections import OrderedDict

_BESIDES = 250  # the id, two objects and a place in the table


class Bodies:
    """Bounded by bytes; the snapshots not used for longest go first. Whoever uses it holds the cache's lock."""

    def __init__(self, limit: int) -> None:
        """Take how many bytes to keep."""
        self._limit = limit
        self._kept: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._size = 0

    def put(self, consumer_id: str, etag: str | None, body: bytes) -> None:
        """Keep a snapshot, in place of an older one; without an entity tag it could not be told from another."""
        self.drop(consumer_id)
        if etag is None or len(body) + _BESIDES > self._limit:
            return
        self._kept[consumer_id] = etag, body
        self._size += len(body) + _BESIDES
        while self._size > self._limit:
            self.drop(next(iter(self._kept)))

    def get(self, consumer_id: str, etag: str | None) -> bytes | None:
        """Give the snapshot with that entity tag, if it is here."""
        kept = self._kept.get(consumer_id)
        if kept is None or kept[0] != etag:
            return None
        self._kept.move_to_end(consumer_id)
        return kept[1]

    def drop(self, consumer_id: str) -> None:
        """Let a snapshot go."""
        kept = self._kept.pop(consumer_id, None)
        if kept is not None:
            self._size -= len(kept[1]) + _BESIDES

    def clear(self) -> None:
        """Let all of them go."""
        self._kept.clear()
        self._size = 0
