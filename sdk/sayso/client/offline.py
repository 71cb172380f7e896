"""What becomes of a command that the server doesn't answer: it is kept, and what it refuses counts at once."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from sayso.client.choice import GRANTED, Choice
from sayso.client.entries import Attempt, Entry, Moments, choice_row, report_row
from sayso.client.recorded import Recorded, pending
from sayso.errors import Error, OutboxFullError, RateLimitedError, UnavailableError
from sayso.local.outbox.drain import Drainer
from sayso.local.outbox.hindrance import hindrance
from sayso.local.outbox.outbox import Outbox
from sayso.local.outbox.row import Kind, Row, is_own_word
from sayso.local.overlay import Overlay, PendingChoice
from sayso.model.instant import Micros

PATIENCE = timedelta(seconds=2)
"""For so long the server is waited for before a command is kept instead: a restart of the server takes as long."""

_KEPT_IF_REFUSAL = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    }
)
"""A wrong key or address keeps nobody from withdrawing; a grant can be asked for again."""
_log = logging.getLogger("sayso.outbox")


class Offline:
    """Counts refusals from the moment they are made, and keeps what the server doesn't answer to."""

    def __init__(
        self,
        overlay: Overlay,
        outbox: Outbox | None = None,
        drainer: Drainer | None = None,
        blocked: Callable[[str], None] = lambda why: None,
        time_box: timedelta = PATIENCE,
        *,
        trouble: Callable[[str], object] = lambda why: None,
    ) -> None:
        """Take what it works with; without an outbox nothing is kept, and refusals count while they are on their way.

        Args:
            overlay: What is pending.
            outbox: Keeps it.
            drainer: Sends it.
            blocked: Told, in a sentence, what keeps everything waiting.
            time_box: How long a command may take.
            trouble: Told, in a sentence, why a command went unanswered; an empty one when one was answered.
        """
        self.overlay = overlay
        self._outbox = outbox
        self._drainer = drainer
        self._blocked = blocked
        self._trouble = trouble
        self.patience = None if outbox is None else min(PATIENCE, time_box)
        """For how long the server is waited for; None for as long as the client was told to."""
        self.warned = False
        """Whether it was said that entries are kept in memory only."""

    def warn(self) -> None:
        """Say, once, that what can't be sent is kept in memory only, and what to do about it."""
        if not self.warned and self._outbox is not None and self._outbox.path is None:
            self.warned = True
            _log.warning(
                "outbox: what can't be sent is kept in memory only. A withdrawal recorded while the server is away is "
                "lost if this process ends before it is back. Name a file for it: set SAYSO_OUTBOX, or "
                "Client(outbox=...); outbox=False keeps nothing and raises instead"
            )

    @property
    def keeps(self) -> bool:
        """Whether there is an outbox."""
        return self._outbox is not None

    @property
    def is_down(self) -> bool:
        """Whether the server was away a moment ago, so that what is recorded now is kept at once."""
        return self._drainer is not None and self._drainer.is_down

    def begin(self, choices: Sequence[Choice], entries: Sequence[Entry], now: Micros, began: float) -> Attempt:
        """Count refusals from now on, whatever becomes of the request. The overlay must be loaded."""
        overlay = self.overlay
        seen_rows: dict[str, int] = {}
        for choice, entry in zip(choices, entries, strict=True):
            if choice.answer != GRANTED:
                self._count(choice, entry["answer"], now)
            elif choice.consumer_id in overlay.consumers and choice.made_at is None and choice.based_on is None:
                seen_rows[choice.id] = overlay.newest_refusal(choice.consumer_id, choice.topic)
        return Attempt(choices, entries, now, began, seen_rows)

    @contextmanager
    def counted(self, choices: Sequence[Choice]) -> Iterator[None]:
        """Count refusals that `begin` will count, even before: if what comes in between fails, no longer.

        If it is cancelled, they go on counting: the recorder keeps them.
        """
        for choice in choices:
            self._count(choice, str(choice.answer), 0)
        try:
            yield
        except asyncio.CancelledError:
            raise
        except BaseException:
            self.take_back(choices)
            raise

    def must_wait(self, choices: Sequence[Choice]) -> bool:
        """Tell whether something of their consumers waits already, or the server is known to be away."""
        if self._outbox is None:
            return False
        overlay = self.overlay
        if overlay.pending:
            for choice in choices:
                if choice.consumer_id in overlay.consumers and overlay.waits(choice.consumer_id):
                    return True
        return self.is_down

    def report_must_wait(self, consumer_id: str) -> bool:
        """Tell the same for a report."""
        return self._outbox is not None and (self.is_down or self.overlay.waits(consumer_id))

    def confirmed(self, attempt: Attempt) -> None:
        """Let refusals that the server has count through the cache, which knows their version by now."""
        self._trouble("")
        for choice in attempt.choices:
            if choice.consumer_id in self.overlay.consumers:
                self.overlay.drop(choice.consumer_id, choice.id)

    def take_back(self, choices: Sequence[Choice]) -> None:
        """Count no longer what is neither recorded nor kept. What the outbox holds goes on counting, be it parked."""
        for choice in choices:
            known = self.overlay.get(choice.consumer_id, choice.id)
            if known is not None and not known.row:
                self.overlay.drop(choice.consumer_id, choice.id)

    async def granted(self, consumer_id: str, topic: str, entry: Entry, attempt: Attempt) -> None:
        """Let parked refusals of a topic count no more: the server has the consumer's own grant, made in view of them.

        A grant that somebody else recorded for them, or that was made at another time, had none of them in view.
        """
        seen = attempt.seen_rows.get(entry["id"], 0)
        if self._outbox is not None and seen and is_own_word(entry) and consumer_id in self.overlay.consumers:
            await self._outbox.overrule(consumer_id, topic, seen)

    async def keep(self, attempt: Attempt) -> list[Recorded]:
        """Keep choices until they can be sent.

        Raises:
            OutboxFullError: There is no room for the grants; the refusals among them are kept all the same.
        """
        if self._outbox is None or self._drainer is None:
            raise UnavailableError("there is no outbox", code="no_outbox")
        self.warn()
        try:
            await self._outbox.append(self._rows(attempt))
        except OutboxFullError:
            self.take_back(attempt.choices)
            raise
        finally:
            self._drainer.start()  # also if the caller is cancelled: the entries are kept all the same
        return [pending(choice) for choice in attempt.choices]

    async def failed(self, attempt: Attempt, error: Error) -> list[Recorded]:
        """Keep choices that got no answer, or say why not.

        Raises:
            Error: The server refused them for what no waiting mends. Where that is no fault of the choices, the
                refusals among them are kept all the same.
        """
        if self._outbox is None or self._drainer is None:
            self.take_back(attempt.choices)
            raise error
        if isinstance(error, UnavailableError | RateLimitedError):
            self._trouble(str(error))
            self._drainer.went_down()
            return await self.keep(attempt)
        places = [place for place, choice in enumerate(attempt.choices) if choice.answer != GRANTED]
        if error.status not in _KEPT_IF_REFUSAL or not places:
            self.take_back(attempt.choices)
            raise error
        self._blocked(hindrance(error))
        kept = await self.keep(
            Attempt(
                [attempt.choices[place] for place in places],
                [attempt.entries[place] for place in places],
                attempt.now,
                attempt.began,
                {},
            )
        )
        if len(places) < len(attempt.choices):
            raise error
        return kept

    def abandoned(self, attempt: Attempt) -> None:
        """Keep the refusals of a call that was cancelled, without anybody waiting: they may have been made already."""
        if self._outbox is None or self._drainer is None:
            self.take_back(attempt.choices)
            return
        rows = [row for row in self._rows(attempt) if row.refuses]
        if rows:
            self._outbox.hand_over(rows)
            self._drainer.start()

    async def keep_report(
        self, kind: Kind, consumer_id: str, target: str, body: Mapping[str, Any], moments: Moments
    ) -> None:
        """Keep a report until it can be sent.

        Args:
            kind: What it is.
            consumer_id: Whose.
            target: The device, for a device report.
            body: What to send, without when it was observed.
            moments: When it was observed, the wall clock and the boot clock.
        """
        if self._outbox is None or self._drainer is None:
            raise UnavailableError("there is no outbox", code="no_outbox")
        self.warn()
        try:
            await self._outbox.append([report_row(kind, consumer_id, target, body, moments)])
        finally:
            self._drainer.start()  # also if the caller is cancelled: the entry is kept all the same

    def abandon_report(self, kind: Kind, consumer_id: str, body: Mapping[str, Any], moments: Moments) -> None:
        """Keep a report whose call was cancelled, without anybody waiting."""
        if self._outbox is not None and self._drainer is not None:
            self._outbox.hand_over([report_row(kind, consumer_id, "", body, moments)])
            self._drainer.start()

    def report_failed(self, error: Error) -> None:
        """Take note that a report got no answer; raises what keeping it wouldn't mend.

        Raises:
            Error: The server refused it.
        """
        if self._drainer is None or not isinstance(error, UnavailableError | RateLimitedError):
            raise error
        self._trouble(str(error))
        self._drainer.went_down()

    def _count(self, choice: Choice, answer: str, now: Micros) -> None:
        overlay = self.overlay
        if choice.consumer_id in overlay.consumers:
            known = overlay.get(choice.consumer_id, choice.id)
            if known is not None and known.row:
                return  # it waits already
        overlay.add(choice.consumer_id, PendingChoice(choice.id, choice.topic, answer, now))

    def _rows(self, attempt: Attempt) -> list[Row]:
        rows: list[Row] = []
        for choice, entry in zip(attempt.choices, attempt.entries, strict=True):
            known = self.overlay.get(choice.consumer_id, choice.id)
            if known is None or not known.row:  # else it waits already
                rows.append(choice_row(choice, entry, attempt))
        return rows
