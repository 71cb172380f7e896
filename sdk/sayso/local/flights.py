"""Requests on their way: what the stream says meanwhile about their consumers, so that no older answer is kept."""

from collections.abc import Iterable
from typing import NamedTuple


class Flight(NamedTuple):
    """A request that has begun.

    Attributes:
        consumer_ids: Whom it asks about.
        gaps: How often the stream had had to start anew when it began; what it brings is kept only if that is still so.
    """

    consumer_ids: tuple[str, ...]
    gaps: int


class Flights:
    """Remembers, for the consumers asked about just now alone, the newest version that became known.

    Whoever uses it holds the cache's lock.
    """

    def __init__(self) -> None:
        """Start with nothing on its way."""
        self._flying: dict[str, list[int]] = {}

    def begin(self, consumer_ids: Iterable[str], gaps: int) -> Flight:
        """Note that a request begins; `end` must follow."""
        flight = Flight(tuple(consumer_ids), gaps)
        for consumer_id in flight.consumer_ids:
            count_and_floor = self._flying.setdefault(consumer_id, [0, 0])
            count_and_floor[0] += 1
        return flight

    def end(self, flight: Flight) -> None:
        """Note that it is over."""
        for consumer_id in flight.consumer_ids:
            count_and_floor = self._flying.get(consumer_id)
            if count_and_floor is not None:  # a forked child starts without
                count_and_floor[0] -= 1
                if not count_and_floor[0]:
                    del self._flying[consumer_id]

    def changed(self, consumer_id: str, version: int) -> None:
        """Note that a consumer is at a version now."""
        flying = self._flying.get(consumer_id)
        if flying is not None:
            flying[1] = max(flying[1], version)

    def floor(self, consumer_id: str) -> int:
        """Give the version that an answer must not fall behind; 0 if nothing is known."""
        flying = self._flying.get(consumer_id)
        return 0 if flying is None else flying[1]
