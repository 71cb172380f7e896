"""What an outbox does on its own thread: opening, keeping what was handed in, and learning what other processes did."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from sayso.errors import ConfigurationError, UnavailableError
from sayso.local.outbox import notices
from sayso.local.outbox.keeper import Keeper, Outcome
from sayso.local.outbox.notices import Bell, Loss, Parked, Why
from sayso.local.outbox.row import Row
from sayso.local.outbox.store import OVERRULED, PENDING, BusyError, Changes, Done, Kept, Opened, Store, StoreError
from sayso.local.overlay import Overlay, PendingChoice
from sayso.model.instant import Micros

_log = logging.getLogger("sayso.outbox")


class Backroom:
    """The store, the overlay that shows what is in it, and whoever is told of it.

    Attributes:
        keeper: The store.
        on_parked: Rings for each entry that isn't sent by itself any more.
        on_loss: Rings when entries are lost, or will be if the process ends now.
        on_kept: Called when there is something to send.
        on_seen: Called with a consumer and a version that another process had confirmed.
    """

    def __init__(self, make: Callable[[Callable[[Opened], None]], Store], overlay: Overlay, path: Path | None) -> None:
        """Take what makes the store, given what to call when it mends its file."""
        self.keeper = Keeper(make(self._mended), path)
        self.on_parked: Bell[Parked] = Bell()
        self.on_loss: Bell[Loss] = Bell()
        self.on_kept: Callable[[], None] = lambda: None
        self.on_seen: Callable[[str, int], None] = lambda consumer_id, version: None
        self._overlay = overlay
        self._path = path
        self._incoming: list[tuple[Sequence[Row], Future[list[int]]]] = []
        self._lock = threading.Lock()

    def open(self) -> None:
        """Open the store and show what is in it.

        Raises:
            ConfigurationError: It can't be used; the message has the remedy.
            UnavailableError: Another process holds the file now.
        """
        try:
            opened = self.keeper.open()
        except BusyError:
            raise UnavailableError(
                f"another process holds the outbox {self._path}, and it may hold withdrawals: end what keeps it locked",
                code="outbox_locked",
            ) from None
        except StoreError as error:
            if self._path is not None and self._path.exists() and self._path.stat().st_size:
                raise ConfigurationError(
                    f"the outbox {self._path} can't be read, and it may hold withdrawals: {error}",
                    code="outbox_unusable",
                ) from None
            _log.error("outbox: can't be made on disk: %s", error)
            opened = Opened([])
        self._take_over(opened)

    def take_in(self, rows: Sequence[Row], future: Future[list[int]]) -> bool:
        """Note entries to be kept; True if nobody has asked for `write` since the last. Safe from any thread."""
        with self._lock:
            self._incoming.append((rows, future))
            return len(self._incoming) == 1

    def write(self) -> None:
        """Keep what was handed in, all of it in one transaction."""
        with self._lock:
            incoming, self._incoming = self._incoming, []
        rows = [row for some, _ in incoming for row in some]
        try:
            outcome = self.keeper.append(rows)
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            for _, future in incoming:
                future.set_exception(error)
            return
        self._renumber(retry=not outcome.trouble)
        self._count(rows, outcome)
        ids = iter(outcome.ids)
        for some, future in incoming:
            future.set_result([next(ids) for _ in some])
        self.on_kept()

    def refresh(self) -> None:
        """Learn what other processes did, and move to the disk what didn't fit before."""
        self._renumber()
        by_row = self._overlay.by_row
        try:
            changes = self.keeper.changes(lambda: {row: consumer for row, (consumer, _) in by_row().items() if row > 0})
        except StoreError:
            if not self.keeper.held:
                raise
            changes = None  # what is in memory is sent all the same
        if changes is not None:
            self._learn(changes, by_row())
            self.on_kept()

    def settle(self, done: Sequence[Done]) -> None:
        """Take out entries that the server has, and count them no longer: both, whether or not anybody still waits."""
        self.keeper.settle(done)
        for row, _ in done:
            self._overlay.drop(row.consumer_id, row.choice_id)

    def let_go(self, consumer_id: str, before: Micros | None) -> None:
        """Take out what is of a consumer who was erased, and report it."""
        rows = self.keeper.let_go(consumer_id, before)
        for row in rows:
            self._overlay.drop(row.consumer_id, row.choice_id)
        for one in self._overlay.consumers.get(consumer_id, ()):  # what another process took out of the file
            if one.parked and (before is None or one.made <= before):
                self._overlay.drop(consumer_id, one.choice_id)
        if rows:
            self.report_erased(rows)

    def report_erased(self, rows: Sequence[Row]) -> None:
        """Report entries about somebody who was erased after they were made."""
        message = "the consumer was erased after this was recorded here; nothing brings it back"
        _log.warning("outbox: dropped %d entries of erased consumers", len(rows))
        self.on_loss.ring(Loss(Why.ERASED, len(rows), message, notices.named(list(rows))))

    def park(self, rows: Sequence[Row]) -> None:
        """Show that entries are sent no more by themselves; refusals among them go on counting."""
        for row in rows:
            self._overlay.park(row.consumer_id, row.choice_id)

    def overrule(self, consumer_id: str, over: Sequence[PendingChoice]) -> None:
        """Let parked refusals of a consumer count no more."""
        self.keeper.mark([one.row for one in over], OVERRULED, OVERRULED)
        for one in over:
            self._overlay.drop(consumer_id, one.choice_id)

    def report_left(self, left: Sequence[Kept]) -> None:
        """Report entries that end with the process."""
        if left:
            rows = [kept.row for kept in left]
            message = "they are in memory only; name a file in SAYSO_OUTBOX to keep such entries"
            _log.error("outbox: %d entries were not sent and are in memory only: they end with this process", len(rows))
            self.on_loss.ring(Loss(Why.NOT_SENT, len(rows), message, notices.named(rows)))

    def report_not_kept(self, rows: Sequence[Row], trouble: str) -> None:
        """Report entries of calls that were cancelled, and that could not be kept."""
        message = f"{trouble}: a call was cancelled, and what it said could not be kept; make room, and say it again"
        _log.error("outbox: %d entries of cancelled calls were not kept: %s", len(rows), trouble)
        self.on_loss.ring(Loss(Why.NOT_SENT, len(rows), message, notices.named(list(rows))))

    def after_fork_in_child(self) -> None:
        """Start afresh: what the parent had handed in is the parent's to write and to send."""
        self._lock = threading.Lock()
        self._incoming = []
        self.keeper.abandon()
        self.on_parked.forget()
        self.on_loss.forget()

    def _take_over(self, opened: Opened) -> None:
        if opened.missing or opened.broken:
            self._report_missing(opened)
        counting = [kept for kept in opened.kept if kept.state != OVERRULED]
        self._overlay.fill((kept.row.consumer_id, kept.row.pending(parked=kept.parked)) for kept in counting)
        if any(not kept.parked for kept in counting):
            self.on_kept()

    def _mended(self, opened: Opened) -> None:
        """Take note that the file proved damaged while it was in use."""
        there = {kept.row.id for kept in opened.kept}
        for number, (consumer_id, one) in self._overlay.by_row().items():
            if number > 0 and number not in there:
                self._lost(consumer_id, one)
        self._take_over(opened)

    def _count(self, rows: Sequence[Row], outcome: Outcome) -> None:
        held: list[Row] = []
        for row, number in zip(rows, outcome.ids, strict=True):
            if number:
                self._overlay.add(row.consumer_id, row._replace(id=number).pending())
            if number < 0:
                held.append(row)
        if held:
            message = (
                f"{outcome.trouble}: these refusals count here and are sent as soon as the server answers, but they "
                "won't outlive this process; make room on the disk"
            )
            _log.error("outbox: %d refusals are in memory only: %s", len(held), outcome.trouble)
            self.on_loss.ring(Loss(Why.IN_MEMORY, len(held), message, notices.named(held)))

    def _renumber(self, *, retry: bool = True) -> None:
        for row, number in self.keeper.unload(retry=retry):
            self._overlay.add(row.consumer_id, row._replace(id=number).pending())

    def _learn(self, changes: Changes, before: Mapping[int, tuple[str, PendingChoice]]) -> None:
        for number, version in changes.gone:
            if number in before:
                consumer_id, one = before[number]
                if version is not None:
                    self.on_seen(consumer_id, version)  # the cache first
                    self._overlay.drop(consumer_id, one.choice_id)
                else:  # the file may have been mended and have lost it
                    self._lost(consumer_id, one)
        for kept in changes.new:
            if kept.state != OVERRULED:
                self._overlay.add(kept.row.consumer_id, kept.row.pending(parked=kept.parked))
        for number, state in changes.states.items():
            if number not in before:
                continue
            consumer_id, one = before[number]
            if state == OVERRULED:
                self._overlay.drop(consumer_id, one.choice_id)
            elif (state != PENDING) != one.parked:
                self._overlay.park(consumer_id, one.choice_id, state != PENDING)

    def _lost(self, consumer_id: str, one: PendingChoice) -> None:
        """Wait no more for what the disk has lost. A refusal goes on counting: nothing says that the server has it."""
        if one.refuses:
            self._overlay.park(consumer_id, one.choice_id)
        else:
            self._overlay.drop(consumer_id, one.choice_id)

    def _report_missing(self, opened: Opened) -> None:
        aside = f"; the damaged file is kept as {opened.broken}" if opened.broken else ""
        message = (
            f"the outbox was damaged or replaced: {opened.missing} entries are missing, {len(opened.kept)} are "
            f"there{aside}. Ask the consumers again, or put back a copy of the file"
        )
        _log.error("outbox: %d entries are missing, %d are there%s", opened.missing, len(opened.kept), aside)
        self.on_loss.ring(Loss(Why.DAMAGED, opened.missing, message))
