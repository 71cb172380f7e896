"""What is pending of one consumer."""

from collections.abc import Iterator
from typing import NamedTuple

from sayso.model.choice import Answer
from sayso.model.instant import Micros
from sayso.model.topic import EVERY_TOPIC

GRANTED = Answer.GRANTED.value
CHOICE = "choice"
DEVICE = "device"
DISCLOSURE = "disclosure"
REPORTS = frozenset({DEVICE, "signal", "age"})


class PendingChoice(NamedTuple):
    """Something said, on its way.

    Attributes:
        choice_id: The choice's own id; of a report, one that tells it from others.
        topic: What it answers; `*` for everything, the device's id for a device report.
        answer: `granted`, `denied` or `withdrawn`; empty for a report.
        made: When, by the wall clock.
        notice_version: The notice's, if it was said.
        parked: The server refused it as written, or its row was tampered with; it is not sent again by itself.
        row: Its number in the outbox; 0 while it is only on its way to the server, below 0 while it is in memory.
        seen_row: For a grant, the newest refusal in the outbox that its writer knew of.
        kind: What it is: `choice`, `device`, `signal`, `age` or `disclosure`.
        based_on: The version of the consumer that it has seen, if any.
        until: When a grant ends, by the wall clock; 0 if nobody but a consumer's own word would make it count.
    """

    choice_id: str
    topic: str
    answer: str
    made: Micros
    notice_version: int | None = None
    parked: bool = False
    row: int = 0
    seen_row: int = 0
    kind: str = CHOICE
    based_on: int | None = None
    until: Micros | None = None

    @property
    def refuses(self) -> bool:
        """Whether it says no."""
        return self.kind == CHOICE and self.answer != GRANTED


class Said:
    """What is pending of one consumer, by the order in which it is sent."""

    __slots__ = ("_entries", "_newest", "waiting")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._entries: dict[str, PendingChoice] = {}
        self._newest: dict[str, int] | None = None
        self.waiting = 0
        """How many entries wait in the outbox for what was said before them."""

    def __iter__(self) -> Iterator[PendingChoice]:
        # Copied in one step, so that somebody else may write meanwhile.
        return iter(sorted(self._entries.values(), key=_order))

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, choice_id: str) -> PendingChoice | None:
        """Give the entry of an id."""
        return self._entries.get(choice_id)

    def newest(self, topic: str) -> int:
        """Give the number of the newest refusal of a topic that was ever in the outbox, 0 for none."""
        newest = self._newest
        return 0 if newest is None else max(newest.get(topic, 0), newest.get(EVERY_TOPIC, 0))

    def put(self, one: PendingChoice) -> int:
        """Add an entry, or put it in the place of the one with its id; give by how many more are pending."""
        before = self._entries.get(one.choice_id)
        self._entries[one.choice_id] = one
        if before is None and not one.row:  # on its way to the server, as nearly all that is ever put here
            return 0
        self.waiting += _waits(one) - (before is not None and _waits(before))
        if one.refuses and one.row > 0:
            if self._newest is None:
                self._newest = {}
            self._newest[one.topic] = max(one.row, self._newest.get(one.topic, 0))
        return _pends(one) - (before is not None and _pends(before))

    def drop(self, choice_id: str) -> int:
        """Take an entry out; give by how many fewer are pending."""
        one = self._entries.pop(choice_id, None)
        if one is None or not one.row:
            return 0
        self.waiting -= _waits(one)
        return _pends(one)


def _order(one: PendingChoice) -> float:
    return one.row if one.row > 0 else float("inf")


def _pends(one: PendingChoice) -> bool:
    return one.row != 0 and not one.parked


def _waits(one: PendingChoice) -> bool:
    return _pends(one) and one.kind != DISCLOSURE
