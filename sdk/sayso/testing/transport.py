"""How a client of the fake waits: a slow server costs the time of the test's clock, not of the test."""

from datetime import timedelta
from typing import Any

import aiohttp
from multidict import CIMultiDict

from sayso.errors import UnavailableError
from sayso.testing.faults import Faults
from sayso.transport.answer import Answer
from sayso.transport.http import Transport
from sayso.transport.retry import FailedError

HAS_WAITED = "Sayso-Testing-Waited"
"""A request header: the sender has waited already, by its own clock."""


class PatientTransport(Transport):
    """Waits for a slow fake by the clock, and gives up when a real one would have."""

    def __init__(self, *arguments: Any, faults: Faults, **named: Any) -> None:
        """Take what a transport takes, and the faults of the fake that it talks to."""
        # Without jitter: the same test waits for the same time in every run.
        super().__init__(*arguments, **{"jitter": lambda: 0.0, **named})
        self._faults = faults

    async def _attempt(
        self,
        call: Any,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - as the method that this one stands before
        asked_at: float,
        *,
        renewed: bool = False,
    ) -> Answer:
        delay = self._faults.delay
        if delay and not self._faults.down:
            limit = timeout.total
            if limit is not None and delay.total_seconds() >= limit:
                await self._clock.sleep(limit)
                raise FailedError(UnavailableError("the Sayso server did not answer in time", code="timeout"))
            await self._clock.sleep(delay / timedelta(seconds=1))
        return await super()._attempt(call, timeout, asked_at, renewed=renewed)

    def _headers(self, scope: str, etag: str | None = None) -> CIMultiDict[str]:
        return CIMultiDict({**super()._headers(scope, etag), HAS_WAITED: "1"})
