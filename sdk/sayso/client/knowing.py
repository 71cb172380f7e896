"""What a client knows of its consumers, and what keeps it true: put together here, started and stopped as one."""

import os
from contextlib import suppress
from datetime import timedelta

from sayso.client.asker import Asker
from sayso.client.decisions import Decisions
from sayso.client.forgetting import Forgetting
from sayso.client.known_catalogue import KnownCatalogue
from sayso.client.memory import Memory
from sayso.client.probe import Probe
from sayso.client.snapshots import Snapshots
from sayso.errors import Error
from sayso.local.cache import Cache
from sayso.local.floor import Floor
from sayso.local.live import Live
from sayso.local.overlay import Overlay
from sayso.local.status import StatusBoard
from sayso.transport.clock import Clock
from sayso.transport.http import Transport

CACHE_CONSUMERS = 200_000
CACHE_BYTES = 64 * 1024 * 1024


class Knowing:
    """The cache, the stream that keeps it true, and who asks.

    Attributes:
        cache: What is known.
        asker: Who answers checks.
        catalogue: The published catalogue.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        memory: Memory,
        overlay: Overlay,
        forgetting: Forgetting,
        board: StatusBoard,
        clock: Clock,
        brand: str,
        outbox: str | os.PathLike[str] | None,
        live: bool,
        cache_consumers: int,
        cache_bytes: int,
        max_staleness: timedelta,
        language: str,
    ) -> None:
        """Put it together; nothing is started or sent.

        Args:
            transport: Sends.
            memory: What this process has seen.
            overlay: What is pending.
            forgetting: Told of consumers who were erased.
            board: Where to report how it goes.
            clock: Time.
            brand: Whose changes are followed.
            outbox: The outbox's file, beside which the newest state of the server is kept.
            live: Whether to follow the changes at all.
            cache_consumers: How many consumers to keep.
            cache_bytes: How much of them to keep.
            max_staleness: How long an answer may be relied on.
            language: What `Decision.explain` speaks.
        """
        self._follows = live
        self._floor = Floor(outbox, brand, board)
        self.cache = Cache(clock, overlay, consumers=cache_consumers, max_bytes=cache_bytes)
        self._live = Live(transport, self.cache, self._floor, board, clock, max_staleness=max_staleness)
        self._live.on_erased = forgetting.erased
        self._live.on_anew = self._look_after_parked
        self._overlay = overlay
        self._snapshots = snapshots = Snapshots(
            transport,
            memory,
            self.cache,
            self._floor,
            self._live,
            forgetting=forgetting,
            max_staleness=max_staleness,
        )
        self.catalogue = KnownCatalogue(transport)
        self.asker = Asker(
            cache=self.cache,
            live=self._live,
            overlay=overlay,
            board=board,
            memory=memory,
            snapshots=snapshots,
            decisions=Decisions(transport, self.cache, self._floor, snapshots, language),
            catalogue=self.catalogue,
            probe=Probe(transport, self._floor, clock, board.trouble),
            clock=clock,
            max_staleness=max_staleness,
            language=language,
        )

    async def start(self) -> None:
        """Follow the changes on the running loop, unless another that is still open does. Waits for nothing.

        Raises:
            ConfigurationError: The file that remembers the server can be opened by others.
        """
        await self._floor.load()
        if self._follows:
            self._live.start()

    async def _look_after_parked(self) -> None:
        """Ask about everybody of whom something is parked: it isn't sent, so the server can't say that it has to go."""
        with suppress(Error):
            await self._overlay.load(whole=True)
            await self._snapshots.fill(self._overlay.parked())

    async def leave(self) -> None:
        """Follow no more if it is the running loop that does; `start` begins anew on another."""
        if self._live.runs_here:
            await self.stop()

    async def stop(self) -> None:
        """Follow no more, and remember where the server was."""
        await self._live.stop()
        await self._floor.save()
