"""Writing disclosures: to the server, or to the outbox until it answers. What has left is never left unsaid."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sayso.client.offline import Offline
from sayso.client.probe import CHECK_TIME_BOX
from sayso.errors import Error, InvalidError, RateLimitedError, UnavailableError
from sayso.local.outbox.row import Kind
from sayso.transport.clock import Clock
from sayso.transport.codec import dumps
from sayso.transport.http import Transport

PATH = "/v1/disclosures"
_log = logging.getLogger("sayso.disclosures")


class Disclosing:
    """Writes disclosures."""

    def __init__(self, transport: Transport, clock: Clock, offline: Offline) -> None:
        """Take what it works with."""
        self._transport = transport
        self._clock = clock
        self._offline = offline

    async def write(self, entry: Mapping[str, Any], *, server_is_away: bool = False) -> None:
        """Write one disclosure.

        Nothing is raised for one that can't be written: the hand-over is over, and whoever got an error would hand over
        again. It waits in the outbox for the server or for a key that is accepted; what can't wait either is logged.

        Args:
            entry: As `POST /v1/disclosures` takes it.
            server_is_away: It is known not to answer, so that nobody waits for it.
        """
        offline = self._offline
        moment = self._clock.now(), self._clock.now(), self._clock.boot()
        consumer_id = entry["consumer_id"]
        try:
            if not (offline.keeps and (server_is_away or offline.is_down)):
                await self._send(entry, CHECK_TIME_BOX if server_is_away else offline.patience)
                return
        except InvalidError as error:
            _log.error("a disclosure was refused (%s %s), request %s", error.code, error.pointer, error.request_id)
            return
        except Error as error:
            if not offline.keeps:
                _log.error("a disclosure was lost (%s): the server did not take it and there is no outbox", error.code)
                return
            if isinstance(error, UnavailableError | RateLimitedError):
                offline.report_failed(error)
        except BaseException:  # cancelled: it may have got through, or not; sent again it is recorded once
            if offline.keeps:
                offline.abandon_report(Kind.DISCLOSURE, consumer_id, entry, moment)
            raise
        try:
            await offline.keep_report(Kind.DISCLOSURE, consumer_id, "", entry, moment)
        except Error as error:
            _log.error("a disclosure was lost (%s): the outbox did not take it", error.code)

    async def _send(self, entry: Mapping[str, Any], time_box: timedelta | None) -> None:
        await self._transport.call("POST", PATH, dumps({"disclosures": [entry]}), time_box=time_box)
