"""While the server is away, one question at a time finds out whether it is back; the others are answered at once."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from sayso.errors import RateLimitedError, UnavailableError
from sayso.local.floor import Floor
from sayso.local.forks import Renewed, watch
from sayso.local.freshness import ask_head
from sayso.transport.clock import Clock
from sayso.transport.http import Transport

CHECK_TIME_BOX = timedelta(milliseconds=900)
"""A check answers within a second, whatever the server does."""
_SHORTEST = timedelta(milliseconds=1)
_OURS = frozenset({"behind", "down", "store_changed"})
"""Codes of errors that this client raises although the server answered, or without asking it."""


class Probe(Renewed):
    """Lets questions through to the server.

    Attributes:
        down: Whether the last question went unanswered.
    """

    def __init__(
        self, transport: Transport, floor: Floor, clock: Clock, trouble: Callable[[str], object] = lambda why: None
    ) -> None:
        """Begin with a server that is taken to be there; `trouble` is told why a question went unanswered."""
        self._transport = transport
        self._floor = floor
        self._clock = clock
        self._trouble = trouble
        self.down = False
        self._probing = False
        watch(self)

    def after_fork_in_child(self) -> None:
        """Find out anew: whoever was finding out is the parent's."""
        self._probing = False

    def deadline(self) -> float:
        """Give the boot clock at which a check that begins now must have its answer."""
        return self._clock.boot() + CHECK_TIME_BOX.total_seconds()

    def left(self, deadline: float) -> timedelta:
        """Give what is left until then."""
        return max(timedelta(seconds=deadline - self._clock.boot()), _SHORTEST)

    @asynccontextmanager
    async def question(self) -> AsyncIterator[None]:
        """Ask the server within this block.

        Raises:
            UnavailableError: It is away, and somebody is finding out already.
        """
        probe = self.down
        if probe and self._probing:
            raise UnavailableError("the Sayso server does not answer", code="down")
        self._probing = probe
        try:
            yield
        except (UnavailableError, RateLimitedError) as error:
            self.down = True
            if error.code not in _OURS:
                self._trouble(str(error))
            raise
        finally:
            if probe:
                self._probing = False
        self._trouble("")
        self.down = False

    async def admit(self, time_box: timedelta | None = None) -> None:
        """Make sure that the server may answer: it is neither older than it was nor another one.

        Args:
            time_box: How long asking it may take; None for as long as any call.

        Raises:
            UnavailableError: It may not, code `behind` or `store_changed`; or it doesn't answer.
        """
        floor = self._floor
        if not floor.needs_head:
            return
        await floor.load()
        if floor.needs_head:
            seen = floor.position
            floor.compare(await ask_head(self._transport, time_box=time_box), seen)
        floor.check()
