"""Who is dropped when the cache is full: the clock algorithm, an LRU whose touch costs one byte."""


class Face:
    """Slots in a circle. A touch marks a slot; the hand clears marks and stops at the first slot without one."""

    __slots__ = ("_free", "_hand", "_ids", "touched")

    def __init__(self) -> None:
        """Start without a slot."""
        self._ids: list[str | None] = []
        self._free: list[int] = []
        self._hand = 0
        self.touched = bytearray()
        """One byte per slot; a check writes 1 into its own."""

    def take(self, consumer_id: str) -> int:
        """Give a slot to a consumer."""
        if self._free:
            slot = self._free.pop()
            self._ids[slot] = consumer_id
            self.touched[slot] = 0
            return slot
        self._ids.append(consumer_id)
        self.touched.append(0)
        return len(self._ids) - 1

    def give_back(self, slot: int) -> None:
        """Let the slot go to another."""
        self._ids[slot] = None
        self._free.append(slot)

    def next(self) -> str | None:
        """Give whom to drop, not used for longest or nearly so; None if nobody has a slot."""
        for _ in range(2 * len(self._ids)):
            slot = self._hand
            self._hand = (slot + 1) % len(self._ids)
            found = self._ids[slot]
            if found is None:
                continue
            if not self.touched[slot]:
                return found
            self.touched[slot] = 0
        return None
