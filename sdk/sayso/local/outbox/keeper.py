"""Keeping entries whatever the disk says: on it, or, for refusals that don't fit any more, in memory and loudly."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sayso.local.outbox.memory import MemoryStore
from sayso.local.outbox.pick import Pick
from sayso.local.outbox.row import Row
from sayso.local.outbox.side import use_up
from sayso.local.outbox.store import Batch, Changes, Done, FullError, Kept, Opened, Store, StoreError
from sayso.model.instant import Micros

HELD = 100_000
"""Refusals that wait in memory for room on the disk."""


class Outcome(NamedTuple):
    """What became of entries that were handed in.

    Attributes:
        ids: The number of each: above 0 it is kept as the outbox keeps things, below it is in memory for want of
            anything better, 0 it is not kept at all.
        trouble: What the disk said, if it said anything.
    """

    ids: list[int]
    trouble: str = ""


class Keeper:
    """A store, and memory beside it for refusals that the disk doesn't take. Runs on the outbox's thread alone."""

    def __init__(self, store: Store, path: Path | None) -> None:
        """Take the store, and where its file is, if it has one."""
        self._store = store
        self._path = path
        self._held = MemoryStore(HELD, step=-1)
        self._open = False
        self._moved: list[tuple[Row, int]] = []

    @property
    def held(self) -> int:
        """How many refusals are in memory for want of room."""
        return len(self._held.open().kept)

    def open(self) -> Opened:
        """Open the store and read everything in it.

        Raises:
            ConfigurationError: It can't be used; the message has the remedy.
            StoreError: It can't be read now.
        """
        opened = self._store.open()
        self._open = True
        return opened._replace(kept=[*opened.kept, *self._held.open().kept])

    def append(self, rows: Sequence[Row]) -> Outcome:
        """Keep entries. Those that wait in memory go first, so that a consumer's entries stay in order."""
        try:
            self._make_ready()
            return self._with_held(rows, self._store.append(rows), "")
        except StoreError as error:
            trouble = str(error)
            no_room = isinstance(error, FullError)
        refusals = [row for row in rows if row.refuses]
        ids = [0] * len(refusals)
        if refusals and no_room and self._path is not None and use_up(self._path):
            try:
                self._make_ready()
                ids = self._store.append(refusals)
            except StoreError:
                ids = [0] * len(refusals)
        placed = iter(ids)
        return self._with_held(rows, [next(placed) if row.refuses else 0 for row in rows], trouble)

    def unload(self, *, retry: bool = True) -> list[tuple[Row, int]]:
        """Move what waits in memory to the disk, if it takes it by now; give each entry and its number there.

        Without `retry` only what was moved before is given: a file that is held would be waited for once more.
        """
        if retry and self.held:
            with suppress(StoreError):
                self._make_ready()
        moved, self._moved = self._moved, []
        return moved

    def batch(self, pick: Pick) -> Batch:
        """Give what may be sent next; what is in memory comes last, as the newest, once the rest is sent."""
        nothing = Batch([], [])
        try:
            found = self._store.batch(pick) if self._open else nothing
        except StoreError:
            if not self.held:
                raise
            found = nothing
        if found != nothing or pick.holds or not self.held:
            return found
        return self._held.batch(pick.beside())

    def settle(self, done: Sequence[Done]) -> None:
        """Take entries out."""
        self._held.settle([one for one in done if one.row.id < 0])
        kept = [one for one in done if one.row.id > 0]
        if kept:
            self._store.settle(kept)

    def let_go(self, consumer_id: str, before: Micros | None) -> list[Row]:
        """Take out and give what is a consumer's, on the disk and beside it."""
        held = self._held.let_go(consumer_id, before)
        if not self._open and self._path is not None and not self._path.exists():
            return held  # nothing was ever kept
        self._make_ready()
        return [*held, *self._store.let_go(consumer_id, before)]

    def mark(self, ids: Sequence[int], state: str, why: str) -> None:
        """Change how entries stand."""
        self._held.mark([number for number in ids if number < 0], state, why)
        kept = [number for number in ids if number > 0]
        if kept:
            self._store.mark(kept, state, why)

    def changes(self, known: Callable[[], Mapping[int, str]]) -> Changes | None:
        """Tell what other processes did."""
        return self._store.changes(known) if self._open else None

    def lead(self) -> bool:
        """Try to be the one process that sends."""
        return not self._open or self._store.lead()

    def follow(self) -> None:
        """Let another process send."""
        self._store.follow()

    def close(self) -> list[Kept]:
        """Close the store; give what was in memory only and is not on any disk."""
        self.unload()
        left = self._held.open().kept
        if self._path is None:
            left += self._store.open().kept
        self._store.close()
        self._open = False
        return left

    def abandon(self) -> None:
        """Start afresh in a forked child: the parent keeps and sends what it has in memory."""
        self._store.abandon()
        self._held.abandon()
        self._moved.clear()
        self._open = False

    def _make_ready(self) -> None:
        if not self._open:
            self.open()
        waiting = [kept.row for kept in self._held.open().kept if not kept.parked]
        if waiting:
            ids = self._store.append(waiting)
            moved = [(row, number) for row, number in zip(waiting, ids, strict=True) if number]
            self._held.settle([Done(row) for row, _ in moved])
            self._moved += moved
            if len(moved) < len(waiting):
                raise StoreError("the outbox is full")

    def _with_held(self, rows: Sequence[Row], ids: list[int], trouble: str) -> Outcome:
        """Keep in memory the refusals for which there was no room. What never had a disk has no second memory."""
        if self._path is not None:
            for place, row in enumerate(rows):
                if not ids[place] and row.refuses:
                    ids[place] = self._held.append([row])[0]
                    trouble = trouble or "the outbox is full"
        return Outcome(ids, trouble)
