"""How the client is doing, for dashboards and readiness probes."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

from sayso.transport.clock import Clock

_log = logging.getLogger("sayso.local")


class Status(StrEnum):
    """How the client is doing."""

    STARTING = "starting"
    """Nothing was proved yet, and it is too early to worry."""
    LIVE = "live"
    """Cached answers are proved to be fresh; checks need no request."""
    STALE = "stale"
    """The server answers, but cached answers can't be vouched for: every check asks."""
    OFFLINE = "offline"
    """The server doesn't answer: checks answer no."""
    BLOCKED = "blocked"
    """Something that waiting may not mend; `privacy.status_reason` says what, and what to do."""


class StatusBoard:
    """Puts together what the parts of a client report. Safe to report to from several threads."""

    def __init__(self, clock: Clock) -> None:
        """Begin with `starting`."""
        self._clock = clock
        self._reached: bool | None = None
        self._live_until = 0.0
        self._starting_until = 0.0
        self._blocks: dict[str, str] = {}
        self._trouble = ""
        self._callbacks: list[Callable[[Status], object]] = []
        self._told = Status.STARTING

    @property
    def status(self) -> Status:
        """The status now."""
        if self._blocks:
            return Status.BLOCKED
        if self._clock.boot() < self._live_until:
            return Status.LIVE
        if self._reached is None or (self._reached and self._clock.boot() < self._starting_until):
            return Status.STARTING
        return Status.STALE if self._reached else Status.OFFLINE

    @property
    def reason(self) -> str:
        """What stands in the way and what to do about it; empty while nothing does."""
        return self.blocks or ("" if self.status is Status.LIVE else self._trouble)

    @property
    def blocks(self) -> str:
        """What stands in the way while `blocked`, else empty. It names no address, and explains decisions."""
        return " ".join(dict.fromkeys(self._blocks.values()))

    def on_change(self, callback: Callable[[Status], object]) -> Callable[[], None]:
        """Have a function called with every new status; give what ends that."""
        self._callbacks.append(callback)

        def stop() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return stop

    def live(self, until: float) -> None:
        """Report until when cached answers hold, by the boot clock."""
        self._live_until = until
        if until:
            self._starting_until = 0.0

    def starting(self, patience: timedelta) -> None:
        """Report that it has begun to prove that answers are fresh, which takes a moment."""
        self._starting_until = self._clock.boot() + patience.total_seconds()

    def reached(self, answered: bool, why: str = "") -> None:
        """Report whether the server answered.

        Args:
            answered: Whether it did.
            why: If not, what was in the way: a sentence with the cause and the remedy.
        """
        self._reached = answered
        self._trouble = why

    def trouble(self, why: str) -> None:
        """Report what was in the way of one question, or with an empty text that it was answered."""
        self._trouble = why

    def blocked(self, why: str, *, by: str = "outbox") -> None:
        """Report something that needs somebody's attention.

        Args:
            why: A sentence that names it and the remedy.
            by: Which part reports; each has one word in this.
        """
        self._blocks[by] = why
        self._tell_here()

    def unblocked(self, *, by: str = "outbox") -> None:
        """Report that it is over."""
        if self._blocks.pop(by, None) is not None:
            self._tell_here()

    def tell(self) -> None:
        """Call the callbacks if the status is another than they were last told."""
        status = self.status
        if status is self._told:
            return
        self._told = status
        for callback in list(self._callbacks):
            try:
                callback(status)
            except Exception as error:  # noqa: BLE001 - somebody else's code must not end the client
                _log.error("a callback for the status raised %s", type(error).__name__)

    def _tell_here(self) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # in a thread: the callbacks are called on the loop, with its next look
            return
        self.tell()
