"""Following `GET /v1/changes`: what happened to whom, in order, and never a gap that goes unnoticed."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

from sayso.errors import Error, ForbiddenError, NotAuthenticatedError, NotFoundError, UnavailableError
from sayso.local.freshness import Head, read_head
from sayso.local.sse import Event, Parser
from sayso.model.instant import Micros, parse_instant
from sayso.transport.clock import Clock
from sayso.transport.codec import loads
from sayso.transport.http import Transport
from sayso.wire import Code

PATH = "/v1/changes"
FIRST_WAIT = timedelta(milliseconds=250)
LONGEST_WAIT = timedelta(seconds=10)
_REFUSED_WAIT = timedelta(seconds=30)  # no waiting mends it, but somebody may
_STEADY = timedelta(seconds=10)
SILENCE = timedelta(seconds=4)
"""Four missed heartbeats: the connection is dead, though nobody has closed it."""

_log = logging.getLogger("sayso.local")


class Follower(Protocol):
    """Who takes in what the stream says."""

    def opened(self, head: Head) -> bool:
        """The stream goes on after a position; tell whether it may be followed."""
        ...

    def reset(self, head: Head) -> bool:
        """Changes were missed, and it goes on after a position; tell whether it may be followed."""
        ...

    def broken(self) -> None:
        """The stream is no more; another is tried soon."""
        ...

    def changed(self, consumer_id: str, version: int) -> None:
        """A consumer is at a version now."""
        ...

    def erased(self, consumer_id: str, version: int, erased_at: Micros) -> None:
        """A consumer was erased at a moment of the server's clock, which is a version."""
        ...

    def catalogue(self, revision: int) -> None:
        """A catalogue was published."""
        ...

    def delivered_to(self, position: int) -> None:
        """Everything up to a position has been told."""
        ...


class ChangeStream:
    """Keeps one stream open for as long as `follow` runs.

    Attributes:
        stream_id: Under which the server knows the open stream, to renew it; None while there is none.
        error: Why there is no stream, or None.
    """

    def __init__(self, transport: Transport, follower: Follower, clock: Clock, *, jitter: Callable[[], float]) -> None:
        """Open nothing yet.

        Args:
            transport: Sends.
            follower: Who takes in what is said.
            clock: Waits.
            jitter: Gives a number from 0 to 1.
        """
        self._transport = transport
        self._follower = follower
        self._clock = clock
        self._jitter = jitter
        self._cursor: str | None = None
        self._tries = 0
        self.stream_id: str | None = None
        self.error: Error | None = None

    async def follow(self) -> None:
        """Listen, and come back after every end; returns never."""
        while True:
            began = self._clock.boot()
            wait: float | None = None
            try:
                await self._listen()
            except (NotAuthenticatedError, ForbiddenError, NotFoundError) as error:
                self.error = error
                if error.code != Code.TOKEN_EXPIRED:  # the next question for the head signs a new one
                    wait = _REFUSED_WAIT.total_seconds()
            except Error as error:
                self.error = error
            self.stream_id = None
            self._follower.broken()
            if self._clock.boot() - began >= _STEADY.total_seconds():
                self._tries = 0
            await self._clock.sleep(self._backoff() if wait is None else wait * (1 - self._jitter() / 2))

    def _backoff(self) -> float:
        # Full jitter: a thousand clients whose server restarts must not all come back at once.
        longest = min(FIRST_WAIT.total_seconds() * 2.0**self._tries, LONGEST_WAIT.total_seconds())
        self._tries = min(self._tries + 1, 10)
        return longest * self._jitter()

    async def _listen(self) -> None:
        parser = Parser()
        async with self._transport.stream(PATH, cursor=self._cursor, silence=SILENCE) as chunks:
            try:
                async for chunk in chunks:
                    for event in parser.feed(chunk):
                        if not self._take(event):
                            return
                    await asyncio.sleep(0)  # a flood of changes must not keep checks waiting
            except (ValueError, KeyError, TypeError):
                raise UnavailableError("the change stream is broken", code="not_sayso") from None

    def _take(self, event: Event) -> bool:
        """Handle an event; tell whether to listen on. Unknown ones are a later release's."""
        match event.name:
            case "change":
                data = loads(event.data.encode())
                if data.get("erased") is True:
                    erased_at = parse_instant(data["erased_at"])
                    self._follower.erased(data["consumer_id"], int(data["version"]), erased_at)
                else:
                    self._follower.changed(data["consumer_id"], int(data["version"]))
            case "position":
                self._follower.delivered_to(int(loads(event.data.encode())["position"]))
                self._cursor = event.id or self._cursor
            case "catalogue":
                self._follower.catalogue(int(loads(event.data.encode())["revision"]))
            case "open":
                return self._opened(loads(event.data.encode()), event.id)
            case "reset":
                self._cursor = event.id or None
                return self._follower.reset(read_head(loads(event.data.encode()), self._clock.boot()))
            case "end":
                _log.debug("the change stream has ended: %s", loads(event.data.encode()).get("reason"))
                return False
        return True

    def _opened(self, data: Any, cursor: str) -> bool:
        self.stream_id = str(data["stream"])
        self.error = None
        self._cursor = cursor or None
        return self._follower.opened(read_head(data, self._clock.boot()))
