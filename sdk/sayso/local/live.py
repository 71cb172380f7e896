"""Keeping the cache true: the change stream, the question for the head once a second, and what they prove.

All of it belongs to one event loop, the one that called `start`. Other loops, and a forked child, check over HTTP.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from threading import get_ident
from typing import Any

from sayso.errors import Error, ForbiddenError, NotAuthenticatedError, RateLimitedError, UnavailableError
from sayso.local.cache import Cache
from sayso.local.floor import Floor
from sayso.local.forks import watch
from sayso.local.freshness import Freshness, Head, Pace, ask_head
from sayso.local.own_loop import OwnLoop
from sayso.local.status import StatusBoard
from sayso.local.stream import ChangeStream
from sayso.model.instant import Micros
from sayso.transport.clock import Clock
from sayso.transport.http import Transport

STARTING = timedelta(seconds=3)
"""After that, a client that has proved nothing is called stale."""
_KEY = "key"


class Live:
    """Follows the changes of one brand for one client.

    Attributes:
        on_anew: Run whenever changes may have been missed.
        on_erased: Called with each consumer who was erased, the version that it made, and when that was.
    """

    def __init__(
        self,
        transport: Transport,
        cache: Cache,
        floor: Floor,
        board: StatusBoard,
        clock: Clock,
        *,
        max_staleness: timedelta,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Start nothing yet.

        Args:
            transport: Sends.
            cache: What is kept true.
            floor: What was seen of the server before.
            board: Where to report how it goes.
            clock: Time.
            max_staleness: How long an answer may be relied on after a change elsewhere was acknowledged.
            jitter: Gives a number from 0 to 1.
        """
        self._transport = transport
        self._cache = cache
        self._floor = floor
        self._board = board
        self._clock = clock
        self._freshness = Freshness(max_staleness)
        self._stream = ChangeStream(transport, self, clock, jitter=jitter)
        self._own = OwnLoop(self._forget)
        self._begun = asyncio.Event()
        self.on_erased: Callable[[str, int, Micros], None] = lambda *_: None
        self.on_anew: Callable[[], Coroutine[Any, Any, None]] | None = None
        watch(self, last=True)  # whatever waits for a moment between two writes may be writing into the cache

    def here(self) -> bool:
        """Tell whether it follows the changes on this thread, so that answers may be taken from the cache."""
        return self._cache.vouched.here()

    async def begun(self, patience: timedelta) -> bool:
        """Wait until the stream is there, so that what is fetched now is kept; tell whether it is."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience.total_seconds()):
                await self._begun.wait()
        return self._begun.is_set()

    def start(self) -> None:
        """Begin on the running loop, unless another that is still open has it. Does nothing the second time."""
        if self._own.is_taken:
            return
        self._forget()
        self._own.take()
        self._begun = asyncio.Event()
        self._cache.vouched.thread = get_ident()
        self._board.starting(STARTING)
        self._own.spawn("sayso-stream", self._stream.follow())
        self._own.spawn("sayso-freshness", self._ask_again_and_again())

    @property
    def runs_here(self) -> bool:
        """Whether it follows the changes on the running loop."""
        return self._own.is_here

    async def stop(self) -> None:
        """End both, on whichever loop they run. Does nothing the second time."""
        self._forget()
        await self._own.stop()

    def before_fork(self) -> None:
        """Let whoever writes into the cache come to the end."""
        self._cache.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._cache.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Let go of the parent's loop and cache; `start` begins anew in the child."""
        self._cache.after_fork_in_child()
        self._own.abandon()
        self._forget()

    # --- what the stream says ---

    def opened(self, head: Head) -> bool:
        """Go on where it broke off, or start anew if it doesn't begin there."""
        self._board.reached(True)
        self._board.unblocked(by=_KEY)
        if not self._floor.follows(head.store_id):
            self._doubt()
            return False
        if head.position != self._freshness.delivered:
            self._begin(head)
        return True

    def reset(self, head: Head) -> bool:
        """Start anew: changes were missed."""
        if not self._floor.follows(head.store_id):
            self._doubt()
            return False
        self._begin(head)
        return True

    def broken(self) -> None:
        """Ask for the head before anything else is answered: what comes back may be older."""
        if self._stream.error is not None:
            self._board.trouble(str(self._stream.error))
        self._floor.doubt()

    def changed(self, consumer_id: str, version: int) -> None:
        """Drop what is older."""
        self._cache.changed(consumer_id, version)

    def erased(self, consumer_id: str, version: int, erased_at: Micros) -> None:
        """Drop everything of theirs until then, save the version."""
        self._cache.changed(consumer_id, version)
        self.on_erased(consumer_id, version, erased_at)

    def catalogue(self, revision: int) -> None:
        """Drop what an older catalogue decided."""
        self._cache.catalogue(revision)

    def delivered_to(self, position: int) -> None:
        """Note that everything up to here is known."""
        self._floor.saw(position)
        self._freshness.delivered_to(position)
        self._proved()

    # --- once a second ---

    async def _ask_again_and_again(self) -> None:
        pace = Pace(self._clock)
        while True:
            await pace.wait()
            await self._ask()
            await self._floor.save()
            self._board.tell()

    async def _ask(self) -> None:
        seen = self._floor.position
        try:
            head = await ask_head(self._transport, self._stream.stream_id)
        except (UnavailableError, RateLimitedError) as error:
            self._board.reached(False, str(error))
            self._floor.doubt()
        except (NotAuthenticatedError, ForbiddenError) as error:
            self._board.reached(True)
            self._board.blocked(f"the server refuses this client's key: {error}", by=_KEY)
        except Error as error:
            self._board.reached(True, str(error))  # an older server has no head to tell; a wrong SAYSO_URL neither
        else:
            self._board.reached(True)
            self._board.unblocked(by=_KEY)
            self.answered(head, seen)

    def answered(self, head: Head, seen: int) -> None:
        """Take in the server's newest position.

        Args:
            head: What it answered.
            seen: The highest position seen when the request began.
        """
        if self._floor.compare(head, seen):
            self._freshness.asked(head)
            self._proved()
        else:
            self._doubt()

    # --- inside ---

    def _doubt(self) -> None:
        self._cache.new_epoch()
        self._freshness.doubt()
        self._proved()

    def _begin(self, head: Head) -> None:
        self._cache.new_epoch()
        self._freshness.begin(head.position)
        self._proved()
        self._begun.set()
        self._own.once("sayso-head", self._ask())  # proves it now instead of with the next second
        if self.on_anew is not None:
            self._own.once("sayso-anew", self.on_anew())

    def _forget(self) -> None:
        self._cache.vouched.thread = 0
        self._cache.new_epoch()
        self._freshness.end()
        self._proved()

    def _proved(self) -> None:
        self._cache.verified_until = self._freshness.until
        self._board.live(self._freshness.until)
        self._board.tell()
