"""Who was erased: in this process's memory alone, and for a while, so that the feed can tell readers whom to drop."""

import threading
from collections import OrderedDict
from collections.abc import Mapping

from sayso.model.instant import Micros, span_micros
from sayso_server.clock import Clock
from sayso_server.storage import base
from sayso_server.storage.base import StoredTombstone

Erased = Mapping[str, StoredTombstone]
"""By id, what was left of them."""


class ErasedNames:
    """The names by brand and position in its feed. Noted on the writer's thread, asked for on the event loop's."""

    def __init__(self, clock: Clock) -> None:
        """Know nobody."""
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, int], tuple[Micros, Erased]] = OrderedDict()

    def note(self, brand_id: str, position: int, erased: Erased) -> None:
        """Note who is being erased."""
        with self._lock:
            self._known[brand_id, position] = self._clock.now(), erased
            self._prune()

    def take_back(self, brand_id: str, position: int) -> None:
        """Forget who was not erased after all: another erasure may get the position."""
        with self._lock:
            self._known.pop((brand_id, position), None)

    def at(self, brand_id: str, position: int) -> Erased:
        """Give who was erased at a position of the brand's feed; nobody if it was elsewhere or too long ago."""
        with self._lock:
            self._prune()
            return self._known.get((brand_id, position), (0, {}))[1]

    def forget(self) -> None:
        """Forget whose time is over."""
        with self._lock:
            self._prune()

    def __len__(self) -> int:
        return len(self._known)

    def _prune(self) -> None:
        oldest = self._clock.now() - span_micros(base.ERASED_NAMED_FOR)
        while self._known:
            at, _ = next(iter(self._known.values()))
            if at > oldest and len(self._known) <= base.ERASED_NAMED:
                break
            self._known.popitem(last=False)
