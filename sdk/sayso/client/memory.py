"""What this process has seen of each consumer: the newest version, and whether a grant stands.

It lets a choice say what it has seen (`based_on`), lets the client turn down a snapshot older than that, and tells a
withdrawal from a first refusal. Nothing is ever allowed because of it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sayso.local.forks import Renewed, watch
from sayso.model.instant import Micros

CONSUMERS = 10_000
_PINNED = 20_000
EVERY_TOPIC = "*"


class Pinned(NamedTuple):
    """What held when a choice was first sent.

    Attributes:
        based_on: The newest version seen.
        made: The wall clock.
        boot: The boot clock.
    """

    based_on: int | None
    made: Micros
    boot: float


class _Known:
    __slots__ = ("granted", "version")

    def __init__(self) -> None:
        self.version = 0
        self.granted: dict[str, bool] = {}


class Memory(Renewed):
    """Bounded: the consumers unseen for longest are forgotten first. Safe to use from several threads.

    Attributes:
        heard: Called with a consumer and each version that was recorded, before anything else learns of it: the cache
            drops what is older.
    """

    def __init__(self, limit: int = CONSUMERS) -> None:
        """Take how many consumers to remember."""
        self._limit = limit
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._pinned: OrderedDict[str, Pinned] = OrderedDict()
        self._lock = threading.Lock()
        self.heard: Callable[[str, int], None] = _nothing
        watch(self)

    def version(self, consumer_id: str) -> int | None:
        """Give the newest version seen, or None."""
        known = self._known.get(consumer_id)
        return None if known is None else known.version

    def grant_stands(self, consumer_id: str, topic: str) -> bool | None:
        """Tell whether a grant stood when last seen, or None if that was never seen."""
        known = self._known.get(consumer_id)
        return None if known is None else known.granted.get(topic)

    def saw_version(self, consumer_id: str, version: int) -> None:
        """Note a version that an answer named."""
        self.heard(consumer_id, version)
        with self._lock:
            self._newer(consumer_id, version)

    def saw_choice(self, consumer_id: str, version: int, topic: str, granted: bool, stands: bool) -> None:
        """Note a choice that was recorded."""
        self.heard(consumer_id, version)
        with self._lock:
            known = self._known.get(consumer_id)
            if known is None or version > known.version + 1:
                known = self._newer(consumer_id, version)
            else:
                self._known.move_to_end(consumer_id)
                if version < known.version:  # a replay tells what stood then
                    return
                known.version = version
            if topic == EVERY_TOPIC:
                known.granted.clear()
            elif stands:
                known.granted[topic] = granted
            else:
                known.granted.pop(topic, None)

    def saw_answers(self, consumer_id: str, version: int, granted: Mapping[str, bool]) -> None:
        """Note all that a snapshot says."""
        with self._lock:
            known = self._newer(consumer_id, version)
            if known.version == version:
                known.granted = dict(granted)

    def erased(self, consumer_id: str, version: int) -> None:
        """Forget all but the version, which is that of an erasure."""
        self.heard(consumer_id, version)
        with self._lock:
            self._newer(consumer_id, version).granted.clear()

    def forget(self, consumer_id: str) -> None:
        """Drop a consumer, whose versions are about to be another's."""
        with self._lock:
            self._known.pop(consumer_id, None)

    def pin(self, choice_id: str, now: Pinned) -> Pinned:
        """Give what a choice was first said with: sent again, its content must be the same."""
        with self._lock:
            first = self._pinned.setdefault(choice_id, now)
            if len(self._pinned) > _PINNED:
                self._pinned.popitem(last=False)
            return first

    def after_fork_in_child(self) -> None:
        """Leave the lock to the parent: whoever holds it there doesn't exist here."""
        self._lock = threading.Lock()

    def _newer(self, consumer_id: str, version: int) -> _Known:
        known = self._known.get(consumer_id)
        if known is None:
            known = self._known[consumer_id] = _Known()
            if len(self._known) > self._limit:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(consumer_id)
        if version > known.version + 1:
            known.granted.clear()  # somebody else recorded in between; what stood before may not any more
        known.version = max(known.version, version)
        return known


def _nothing(consumer_id: str, version: int) -> None:
    """There is no cache to tell."""
