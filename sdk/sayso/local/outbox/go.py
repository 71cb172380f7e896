"""One go through the outbox: while a batch is on its way, the next is made ready and the last one taken out."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sayso.errors import Error
from sayso.local.outbox.outbox import Outbox
from sayso.local.outbox.pick import Pick
from sayso.local.outbox.row import Row
from sayso.local.outbox.sending import Confirmed, Request, read_answer, request_for
from sayso.local.outbox.store import Done
from sayso.transport.answer import Answer
from sayso.transport.clock import Clock
from sayso.transport.http import Transport

_REQUEST = timedelta(seconds=10)
_STEPS = 3
"""Turns of the loop in which a request that was begun gets onto its way, before anything else is done."""


class RefusedError(Exception):
    """The server refused a batch; never leaves the outbox.

    Attributes:
        error: What it said.
        rows: What was sent.
    """

    def __init__(self, error: Error, rows: Sequence[Row]) -> None:
        """Keep both."""
        super().__init__()
        self.error = error
        self.rows = rows


class Go:
    """Sends what may be sent now. What has to wait for it is left to the next go."""

    def __init__(
        self,
        outbox: Outbox,
        transport: Transport,
        clock: Clock,
        pick: Pick,
        took: Callable[[Sequence[Confirmed]], None],
    ) -> None:
        """Take what it works with; `took` hears of entries before they leave the outbox."""
        self._outbox = outbox
        self._transport = transport
        self._clock = clock
        self._pick = pick
        self._took = took
        self._settling: asyncio.Task[None] | None = None

    async def run(self) -> int:
        """Send until nothing more may be sent; give how many entries were.

        A batch is sent once the one before it is answered, for a consumer's entries may be in both; its answer is
        looked at while the next is on its way.

        Raises:
            FailedError: The server doesn't answer, or can't now.
            RefusedError: It refuses a batch.
        """
        sent = 0
        rows = await self._outbox.batch(self._pick)
        flight = self._send(rows) if rows else None
        try:
            while flight is not None:
                await self._settled()
                following = await self._outbox.batch(self._pick)
                request = request_for(following, self._clock) if following else None
                answer = await self._answer(flight, rows)
                flight = self._send(following, request) if request is not None else None
                for _ in range(_STEPS):
                    await asyncio.sleep(0)
                self._confirm(rows, answer.data)
                sent += len(rows)
                if flight is None:  # all that is left waits for what was just confirmed
                    await self._settled()
                    following = await self._outbox.batch(self._pick)
                    flight = self._send(following) if following else None
                rows = following
        finally:
            if flight is not None:
                flight.cancel()
            await self._settled()
        return sent

    def _send(self, rows: Sequence[Row], request: Request | None = None) -> asyncio.Task[Answer]:
        method, path, body = request or request_for(rows, self._clock)
        call = self._transport.once(method, path, body, time_box=_REQUEST)
        return asyncio.create_task(call, name="sayso-outbox-send")

    async def _answer(self, flight: asyncio.Task[Answer], rows: Sequence[Row]) -> Answer:
        try:
            return await flight
        except Error as error:
            raise RefusedError(error, rows) from None

    def _confirm(self, rows: Sequence[Row], data: Any) -> None:
        try:
            confirmed = read_answer(rows, data)
        except Error as error:
            raise RefusedError(error, rows) from None
        self._took(confirmed)
        self._settling = asyncio.create_task(self._take_out(confirmed), name="sayso-outbox-settle")

    async def _settled(self) -> None:
        settling, self._settling = self._settling, None
        if settling is not None:
            await settling

    async def _take_out(self, confirmed: Sequence[Confirmed]) -> None:
        await self._outbox.settle([Done(one.row, one.version or None) for one in confirmed])
        for row, _, version, _ in confirmed:
            self._pick.taken_out(row, version or None)
        consumers = self._outbox.overlay.consumers
        for row, _, _, stands in confirmed:
            if stands and row.seen_row > 0 and row.consumer_id in consumers and not row.refuses and row.is_own_word:
                await self._outbox.overrule(row.consumer_id, row.topic, row.seen_row)
