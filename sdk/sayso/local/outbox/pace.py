"""How long to wait after a failure, and what to say meanwhile."""

import logging
from collections.abc import Callable
from typing import Protocol

from sayso.errors import Error, RateLimitedError, UnavailableError
from sayso.local.outbox.hindrance import hindrance
from sayso.transport.clock import Clock

TICK = 1.0
"""Seconds after which other processes' entries, and their sending, are noticed."""
FIRST_WAIT = 0.2
LONGEST_WAIT = 5.0
LONGEST_ASKED = 60.0
"""A server, or whatever stands before it, that asks for more is asked again after so many seconds all the same."""
_SPREAD = 0.1
_log = logging.getLogger("sayso.outbox")


class Blockable(Protocol):
    """Who is told that entries wait for something that no waiting mends."""

    def blocked(self, why: str) -> None:
        """Note that the server refuses what is sent, and why."""

    def unblocked(self) -> None:
        """Note that it takes it again."""


class Pace:
    """Counts failures.

    Attributes:
        failures: How many there were since something went well.
    """

    def __init__(self, clock: Clock, status: Blockable, jitter: Callable[[], float]) -> None:
        """Take what tells the time, who is told what is in the way, and what gives a number from 0 to 1."""
        self.failures = 0
        self._clock = clock
        self._status = status
        self._jitter = jitter
        self._blocked = False
        self._down_until = 0.0

    @property
    def is_down(self) -> bool:
        """Whether the server was away a moment ago, by the boot clock."""
        return self._down_until > 0 and self._clock.boot() < self._down_until

    def went_down(self) -> None:
        """Take note that the server did not answer somebody else."""
        self._down_until = max(self._down_until, self._clock.boot() + TICK)

    def went_well(self) -> None:
        """Take note that the server took something."""
        self.failures = 0
        self._down_until = 0.0

    def failed(self, error: Error, retry_after: float | None) -> float:
        """Give how long to wait, with jitter so that processes that failed together don't come back together."""
        if error.status:
            self.block(error)
        backed_off = self.stumbled()
        if retry_after is not None:
            wait = min(LONGEST_ASKED, retry_after) * (1 + _SPREAD * self._jitter())
        else:
            wait = backed_off
        if isinstance(error, UnavailableError | RateLimitedError):
            self._down_until = self._clock.boot() + wait + TICK
        return wait

    def stumbled(self) -> float:
        """Count a failure and give how long to wait after it, longer each time."""
        self.failures += 1
        doubled = FIRST_WAIT * 2.0 ** min(self.failures - 1, 10)
        return min(LONGEST_WAIT, doubled) * (1 - self._jitter() / 2)

    def block(self, error: Error) -> None:
        """Say what is in the way."""
        why = hindrance(error)
        if not self._blocked:
            _log.warning("outbox: %s", why)
        self._blocked = True
        self._status.blocked(why)

    def unblock(self) -> None:
        """Say that it is out of the way."""
        if self._blocked:
            self._blocked = False
            self._status.unblocked()
