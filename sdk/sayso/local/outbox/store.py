"""What holds the entries: a file, or memory. Its calls block, and run on the outbox's own thread."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from sayso.local.outbox.pick import Pick
from sayso.local.outbox.row import NEW, Kind, Row
from sayso.model.instant import Micros

PENDING = NEW
PARKED = "parked"
TAMPERED = "tampered"
OVERRULED = "overruled"
"""A parked refusal after which the consumer granted the topic again: kept, but it counts no more."""


class StoreError(Exception):
    """The entries can't be written now: the disk is full, broken or read-only."""


class FullError(StoreError):
    """There is no room on the disk."""


class BusyError(StoreError):
    """Another process holds the file."""


class Kept(NamedTuple):
    """An entry and how it stands.

    Attributes:
        row: The entry.
        state: `pending`, `parked`, `tampered` or `overruled`.
        why: Why it is parked: the server's code.
    """

    row: Row
    state: str = PENDING
    why: str = ""

    @property
    def parked(self) -> bool:
        """Whether it isn't sent by itself."""
        return self.state != PENDING

    def goes(self, before: Micros | None) -> bool:
        """Tell whether it goes when its consumer was erased at a moment, by this machine's clock."""
        tells = self.row.kind == Kind.DISCLOSURE and not self.parked
        return not tells and (before is None or self.row.made - self.row.age <= before)


class Opened(NamedTuple):
    """What was found on opening.

    Attributes:
        kept: Every entry.
        missing: How many entries there should be beyond these.
        broken: Where a damaged file was put aside, if there was one.
    """

    kept: list[Kept]
    missing: int = 0
    broken: str = ""


class Gone(NamedTuple):
    """An entry that another process has dealt with.

    Attributes:
        id: Its number.
        version: The newest version confirmed of its consumer, if one was.
    """

    id: int
    version: int | None


class Changes(NamedTuple):
    """What other processes did to the file.

    Attributes:
        new: Entries that were not known.
        gone: Known entries that are there no more.
        states: How each entry stands now, by its number.
    """

    new: list[Kept]
    gone: list[Gone]
    states: dict[int, str]


class Batch(NamedTuple):
    """What to send next: one kind, in order; and entries that turned out not to be what was sealed."""

    rows: list[Row]
    tampered: list[Row]


class Done(NamedTuple):
    """An entry that needs no sending any more.

    Attributes:
        row: The entry.
        version: The version that the server gave it; None if it was dropped.
    """

    row: Row
    version: int | None = None


class Store(Protocol):
    """Holds entries in the order they came."""

    def open(self) -> Opened:
        """Make ready, and say what there is."""
        ...

    def append(self, rows: Sequence[Row]) -> list[int]:
        """Keep entries, all in one transaction; give each its number, 0 where there is no room.

        Raises:
            StoreError: None of them could be written.
        """
        ...

    def batch(self, pick: Pick) -> Batch:
        """Give what may be sent next, behind what was given for this pick before."""
        ...

    def settle(self, done: Sequence[Done]) -> None:
        """Take entries out, and let the grants that waited for them know the version."""
        ...

    def let_go(self, consumer_id: str, before: Micros | None) -> list[Row]:
        """Take out and give everything of a consumer that was made before a moment, or at any time.

        Hand-overs that wait to be sent stay: what happened is told, and the server leaves the name out.
        """
        ...

    def mark(self, ids: Sequence[int], state: str, why: str = "") -> None:
        """Change how entries stand."""
        ...

    def changes(self, known: Callable[[], Mapping[int, str]]) -> Changes | None:
        """Tell what others did since the last time; None for nothing.

        Args:
            known: Gives the consumer of each entry known so far, by its number. Not asked when nothing changed.
        """
        ...

    def lead(self) -> bool:
        """Try to be the one process that sends; True if this one is."""
        ...

    def follow(self) -> None:
        """Let another process send."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...

    def abandon(self) -> None:
        """Forget everything without closing it: it is the parent's, and this is a forked child."""
        ...


def as_json(kept: Kept) -> dict[str, object]:
    """Give an entry for people and programs to read."""
    row = kept.row
    return {
        "id": row.id,
        "state": kept.state,
        "why": kept.why,
        "kind": row.kind,
        "consumer_id": row.consumer_id,
        "choice_id": row.choice_id,
        "topic": row.topic,
        "answer": row.answer,
        "based_on": row.based_on,
        "body": _body(row.body),
    }


def _body(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:  # tampered with
        return None
