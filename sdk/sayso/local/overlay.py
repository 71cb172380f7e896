"""What this process has said that the server hasn't confirmed yet: the refusals among it count at once."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress

from sayso.errors import UnavailableError
from sayso.local.forks import Renewed, watch
from sayso.local.said import CHOICE, DEVICE, GRANTED, REPORTS, PendingChoice, Said
from sayso.model.topic import EVERY_TOPIC

__all__ = ["CHOICE", "GRANTED", "Overlay", "PendingChoice"]

_PATIENCE = 0.4
"""Seconds that a check waits for the outbox to be read; some look twice."""


class _Everybody(dict[str, Said]):
    """Stands in before the outbox was read: nobody is known to have nothing pending."""

    def __contains__(self, _: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True


class Overlay(Renewed):
    """What is pending, by consumer.

    Reading takes no lock. When nothing is pending, the whole price of a check is `if overlay.consumers`.

    Attributes:
        consumers: What is pending of whom. Before `load` it claims to know everybody.
        pending: How many entries wait in the outbox to be sent.
        on_refusal: Called with the consumer of each refusal that is new here.
    """

    def __init__(self, load: Callable[[], Awaitable[None]] | None = None) -> None:
        """Take what reads an outbox; without one, there is nothing to wait for."""
        self._load = load
        self._lock = threading.Lock()
        self.consumers: dict[str, Said] = {} if load is None else _Everybody()
        self.pending = 0
        self.on_refusal: Callable[[str], None] = lambda consumer_id: None
        watch(self)

    @property
    def loaded(self) -> bool:
        """Whether what an earlier process left behind is known."""
        return not isinstance(self.consumers, _Everybody)

    async def load(self, *, whole: bool = False) -> None:
        """Read what an earlier process left behind. Does nothing the second time.

        Args:
            whole: Whether nothing can go on without it. A check goes on after less than a second, and is answered
                `unavailable` while the outbox, which another process may hold, was not read.

        Raises:
            ConfigurationError: The outbox can't be used; the message has the remedy.
            UnavailableError: With `whole`: another process holds it.
        """
        if self._load is None or self.loaded:
            return
        if whole:
            await self._load()
            return
        with suppress(TimeoutError, UnavailableError):
            async with asyncio.timeout(_PATIENCE):
                await self._load()

    def parked(self) -> list[str]:
        """Give the consumers of whom something is parked."""
        with self._lock:
            return [whose for whose, said in self.consumers.items() if any(one.parked for one in said)]

    def refusal(
        self, consumer_id: str, topic: str, holds: Callable[[PendingChoice], bool] = lambda grant: True
    ) -> PendingChoice | None:
        """Give the pending or parked refusal that answers a topic for now, or None.

        A refusal of `*` answers every topic. A pending grant made after it, in view of it, takes its place.

        Args:
            consumer_id: Whose.
            topic: What was asked.
            holds: Tells whether a grant would allow if it stood. One that doesn't takes no refusal's place.
        """
        said = list(self.consumers.get(consumer_id, ()))
        for one in reversed(said):
            if one.refuses and one.topic in (topic, EVERY_TOPIC):
                if _outdone(one, topic, said, holds):
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
                if one.parked and not parked and not one.refuses:
                    # Somebody may have changed it, and it was parked for that: it counts once it is confirmed.
                    one = one._replace(until=0, seen_row=0)
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

    def after_fork_in_child(self) -> None:
        """Know nothing: what the parent was told is the parent's to send."""
        self.forget()

    def read_again(self) -> None:
        """Wait for `load` again, for others may change the file meanwhile; what isn't in it goes on counting."""
        if self._load is None:
            return
        with self._lock:
            on_file = [(of, one.choice_id) for of, said in self.consumers.items() for one in said if one.row > 0]
            self.consumers = _Everybody(self.consumers)
            for consumer_id, choice_id in on_file:
                said = self.consumers[consumer_id]
                self.pending -= said.drop(choice_id)
                if not said:
                    del self.consumers[consumer_id]

    def by_row(self) -> Mapping[int, tuple[str, PendingChoice]]:
        """Give everything that is in the outbox, by number."""
        return {one.row: (consumer, one) for consumer, said in list(self.consumers.items()) for one in said if one.row}

    def _put(self, consumer_id: str, one: PendingChoice) -> None:
        said = self.consumers.get(consumer_id)
        if said is None:
            said = self.consumers[consumer_id] = Said()
        new = one.refuses and said.get(one.choice_id) is None
        self.pending += said.put(one)
        if new:
            self.on_refusal(consumer_id)


def _outdone(
    refusal: PendingChoice, topic: str, said: Iterable[PendingChoice], holds: Callable[[PendingChoice], bool]
) -> bool:
    return any(
        one.topic == topic
        and not one.refuses
        and not one.parked
        and one.until != 0  # somebody else's word for the consumer waits for the server
        and 0 < refusal.row <= one.seen_row
        and holds(one)
        for one in said
        if one.kind == CHOICE
    )
