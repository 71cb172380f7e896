"""Snapshots kept for whoever asks again, bounded in number and in bytes."""

from collections import OrderedDict

from sayso_server.services.snapshot import Snapshot

MOST = 20_000
MOST_BYTES = 64 * 1024 * 1024
"""Bodies alone; a snapshot of a few topics has 2 KiB, one of 500 topics 100."""

Key = tuple[str, str]
"""Brand and consumer."""


class SnapshotCache:
    """Forgets what was put in first."""

    def __init__(self, *, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        """Start empty.

        Args:
            most: Snapshots kept.
            most_bytes: Bytes of their bodies together.
        """
        self._most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Key, Snapshot] = OrderedDict()
        self.held = 0

    def get(self, key: Key) -> Snapshot | None:
        """Give what is kept under a key. Whether it still says the truth is for the caller to find out."""
        return self._kept.get(key)

    def drop(self, key: Key) -> None:
        """Forget what is kept under a key, if anything is."""
        before = self._kept.pop(key, None)
        self.held -= len(before.body) if before is not None else 0

    def put(self, key: Key, snapshot: Snapshot) -> None:
        """Keep a snapshot in place of the one before."""
        before = self._kept.pop(key, None)
        self.held += len(snapshot.body) - (len(before.body) if before is not None else 0)
        self._kept[key] = snapshot
        while self._kept and (len(self._kept) > self._most or self.held > self._most_bytes):
            _, forgotten = self._kept.popitem(last=False)
            self.held -= len(forgotten.body)
