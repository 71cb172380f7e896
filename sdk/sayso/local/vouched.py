"""The answers of the consumers checked just now, in the form that a check needs: one look-up, one comparison.

Nothing is decided here. An entry holds until what it was made from would have to be looked at again, and is taken out
as soon as anything becomes known of its consumer.
"""

from collections.abc import Callable
from threading import get_ident

from sayso.local.aliases import Aliases
from sayso.local.overlay import Overlay
from sayso.local.rows import ALLOWING

MOST = 2_048

Key = str | tuple[str, str]
"""A consumer's id, or that and a device's."""


class Vouched:
    """Read without a lock by the one thread that follows the changes; written under the cache's lock.

    Attributes:
        answers: For each key, the boot clock until which it holds and the topics that are allowed.
        boot: The boot clock.
        thread: The thread that may read; 0 for none.
        overlay: Who has something pending, and must be looked at more closely.
        aliases: Who has other ids, under which something may be pending.
    """

    __slots__ = ("_devices", "_sets", "aliases", "answers", "boot", "overlay", "thread")

    def __init__(self, boot: Callable[[], float], overlay: Overlay) -> None:
        """Start empty, for no thread."""
        self.answers: dict[Key, tuple[float, frozenset[str]]] = {}
        self.boot = boot
        self.overlay = overlay
        self.aliases = Aliases()
        self.thread = 0
        self._sets: dict[bytes, frozenset[str]] = {}
        self._devices: dict[str, set[str]] = {}

    def here(self) -> bool:
        """Tell whether this thread may read."""
        return self.thread == get_ident()

    def put(self, consumer_id: str, device: str | None, until: float, row: bytes, places: dict[str, int]) -> None:
        """Keep what a row of answers allows."""
        if len(self.answers) >= MOST:
            self.clear()
        allowed = self._sets.get(row)
        if allowed is None:
            allowed = self._sets[row] = frozenset(topic for topic, place in places.items() if row[place] < ALLOWING)
        if device is None:
            self.answers[consumer_id] = until, allowed
        else:
            self.answers[consumer_id, device] = until, allowed
            self._devices.setdefault(consumer_id, set()).add(device)

    def drop(self, consumer_id: str) -> None:
        """Let go of a consumer."""
        self.answers.pop(consumer_id, None)
        for device in self._devices.pop(consumer_id, ()):
            self.answers.pop((consumer_id, device), None)

    def clear(self) -> None:
        """Let go of all."""
        self.answers.clear()
        self._sets.clear()
        self._devices.clear()
