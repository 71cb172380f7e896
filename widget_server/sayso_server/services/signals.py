"""Signals that a consumer's own requests carry: noted when first seen, whatever the request was for."""

from collections.abc import Iterable

from sayso.model.signal import SignalName, SignalReport, SignalSource
from sayso.rules.gpc import dnt, gpc
from sayso_server.services.caller import Caller
from sayso_server.services.identity import resolve
from sayso_server.services.reporting import Reporting
from sayso_server.services.state import read_state
from sayso_server.storage.base import Storage


def signals_on(headers: Iterable[tuple[str, str]]) -> tuple[SignalName, ...]:
    """Give the signals that a request's headers carry."""
    pairs = tuple(headers)
    return tuple(name for name, seen in ((SignalName.GPC, gpc(pairs)), (SignalName.DNT, dnt(pairs))) if seen)


class Signals:
    """Notes signals."""

    def __init__(self, storage: Storage, reporting: Reporting) -> None:
        """Take what it works with."""
        self._storage = storage
        self._reporting = reporting

    async def note(self, caller: Caller, consumer_id: str, names: Iterable[SignalName]) -> None:
        """Record signals that were never seen of a consumer.

        A request names no device, so one that follows the first sight on any device tells nothing new: were it noted,
        it would take back what the consumer has allowed in spite of the signal.

        Raises:
            RefusedError: The consumer is gone, such as 401 `linked` for a visitor's token.
        """
        target = await resolve(self._storage, caller.brand_id, consumer_id)
        known = {seen[0] for seen in read_state(await self._storage.consumer(caller.brand_id, target)).signals}
        for name in names:
            if name.value not in known:
                report = SignalReport(name=name, source=SignalSource.HEADER)
                await self._reporting.signal(caller, consumer_id, report)
