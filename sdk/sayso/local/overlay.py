"""What this process has said that the server hasn't confirmed yet: the refusals among it count at once."""

import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping

from sayso.local.said import CHOICE, DEVICE, GRANTED, REPORTS, PendingChoice, Said
from sayso.model.topic import EVERY_TOPIC

__all__ = ["CHOICE", "GRANTED", "Overlay", "PendingChoice"]


class _Everybody(dict[str, Said]):
    """Stands in before the outbox was read: nobody is known to have nothing pending."""

    def __contains__(self, _: object) -> bool:
        return True


class Overlay:
    """What is pending, by consumer.

    Reading takes no lock. When nothing is pending, the whole price of a check is `if consumer_id in overlay.consumers`.

    Attributes:
        consumers: What is pending of whom. Before `load` it claims to know everybody.
        pending: How many entries wait in the outbox to be sent.
    """

    def __init__(self, load: Callable[[], Awaitable[None]] | None = None) -> None:
        """Take what reads an outbox; without one, there is nothing to wait for."""
        self._load = load
        self._lock = threading.Lock()
        self.consumers: dict[str, Said] = {} if load is None else _Everybody()
        self.pending = 0

    @property
    def loaded(self) -> bool:
        """Whether what an earlier process left behind is known."""
        return not isinstance(self.consumers, _Everybody)

    async def load(self) -> None:
        """Read what an earlier process left behind. Does nothing the second time.

        Raises:
            ConfigurationError: The outbox can't be used; the message has the remedy.
        """
        if self._load is not None and not self.loaded:
            await self._load()

    def refusal(self, consumer_id: str, topic: str) -> PendingChoice | None:
        """Give the pending or parked refusal that answers a topic for now, or None.

        A refusal of `*` answers every topic. A pending grant made after it, in view of it, takes its place.
        """
        said = list(self.consumers.get(consumer_id, ()))
        for one in reversed(said):
            if one.refuses and one.topic in (topic, EVERY_TOPIC):
                if _outdone(one, topic, said):
                    return None
                return one
        return None

    def grant(self, consumer_id: str, topic: str) -> PendingChoice | None:
        """Give the newest pending grant of a topic, or None. It counts only on top of fresh data."""
        for one in reversed(list(self.consumers.get(consumer_id, ()))):
            if one.kind == CHOICE and not one.refuses and one.topic == topic and not one.parked:
                return one
        return None

    def doubts(self, consumer_id: str, device: str | None = None) -> bool:
        """Tell whether a pending report could turn a yes into a no: a signal, an age, or what this device says."""
        for one in self.consumers.get(consumer_id, ()):
            if one.kind in REPORTS and (one.kind != DEVICE or one.topic == device):
                return True
        return False

    def waits(self, consumer_id: str) -> bool:
        """Tell whether something of the consumer is in the outbox, so that what is said now must go behind it.

        A disclosure is no part of what the consumer said: it is sent in its own order.
        """
        said = self.consumers.get(consumer_id)
        return said is not None and said.waiting > 0

    def get(self, consumer_id: str, choice_id: str) -> PendingChoice | None:
        """Give what is known of a choice that is pending."""
        said = self.consumers.get(consumer_id)
        return None if said is None else said.get(choice_id)

    def newest_refusal(self, consumer_id: str, topic: str) -> int:
        """Give the number of the newest refusal of a topic in the outbox, 0 for none."""
        said = self.consumers.get(consumer_id)
        return 0 if said is None else said.newest(topic)

    def add(self, consumer_id: str, one: PendingChoice) -> None:
        """Count something from now on; again with a number, once it is in the outbox."""
        with self._lock:
            self._put(consumer_id, one)

    def drop(self, consumer_id: str, choice_id: str) -> None:
        """Count something no longer: the server has it and the cache was told, or it will never be sent."""
        with self._lock:
            said = self.consumers.get(consumer_id)
            if said is not None:
                self.pending -= said.drop(choice_id)
                if not said:
                    del self.consumers[consumer_id]

    def park(self, consumer_id: str, choice_id: str, parked: bool = True) -> None:
        """Note that something isn't sent by itself any more, or is again. A parked refusal goes on counting."""
        with self._lock:
            said = self.consumers.get(consumer_id)
            one = None if said is None else said.get(choice_id)
            if said is not None and one is not None:
                self.pending += said.put(one._replace(parked=parked))

    def fill(self, entries: Iterable[tuple[str, PendingChoice]]) -> None:
        """Take over what an outbox holds, beside what is on its way."""
        with self._lock:
            if not self.loaded:
                self.consumers = dict(self.consumers)
            for consumer_id, one in entries:
                self._put(consumer_id, one)

    def forget(self) -> None:
        """Know nothing, and wait for `load` again: this is another process now."""
        self._lock = threading.Lock()
        self.consumers = {} if self._load is None else _Everybody()
        self.pending = 0

    def by_row(self) -> Mapping[int, tuple[str, PendingChoice]]:
        """Give everything that is in the outbox, by number."""
        return {one.row: (consumer, one) for consumer, said in list(self.consumers.items()) for one in said if one.row}

    def _put(self, consumer_id: str, one: PendingChoice) -> None:
        said = self.consumers.get(consumer_id)
        if said is None:
            said = self.consumers[consumer_id] = Said()
        self.pending += said.put(one)


def _outdone(refusal: PendingChoice, topic: str, said: Iterable[PendingChoice]) -> bool:
    return any(
        one.topic == topic and not one.refuses and not one.parked and 0 < refusal.row <= one.seen_row
        for one in said
        if one.kind == CHOICE
    )
