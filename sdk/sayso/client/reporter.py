"""Sending what is no choice: device reports, signals, evidence of age. What gets no answer is kept like a choice."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sayso.client.faults import reading
from sayso.client.memory import Memory
from sayso.client.offline import Offline
from sayso.errors import Error
from sayso.local.outbox.row import Kind
from sayso.model.instant import Micros, format_micros
from sayso.transport.clock import Clock
from sayso.transport.codec import dumps
from sayso.transport.http import Transport

T = TypeVar("T")
_WAYS = {Kind.DEVICE: "PUT", Kind.SIGNAL: "POST", Kind.AGE: "PUT"}


class Reporter:
    """Sends reports."""

    def __init__(self, transport: Transport, memory: Memory, clock: Clock, offline: Offline) -> None:
        """Take what it works with."""
        self._transport = transport
        self._memory = memory
        self._clock = clock
        self._offline = offline

    async def send(
        self,
        kind: Kind,
        consumer_id: str,
        path: str,
        body: Mapping[str, Any],
        read: Callable[[Mapping[str, Any]], T],
        *,
        observed: Micros | None,
        target: str = "",
    ) -> T | None:
        """Send one report, or keep it.

        Args:
            kind: What it is.
            consumer_id: Whose.
            path: What follows the consumer's id in the address.
            body: What to send, save when it was observed.
            read: Reads the answer.
            observed: When; None leaves it to the server, unless the report has to wait.
            target: The device, for a device report.

        Returns:
            What the server answered; None if the report is kept until it answers.

        Raises:
            Error: It was neither recorded nor kept; the class says why.
        """
        now, began = self._clock.now(), self._clock.boot()
        await self._offline.overlay.load(whole=True)
        if not self._offline.report_must_wait(consumer_id):
            said = dict(body) if observed is None else {**body, "observed_at": format_micros(observed)}
            try:
                answer = await self._transport.call(
                    _WAYS[kind],
                    f"/v1/consumers/{consumer_id}/{path}",
                    dumps(said),
                    time_box=self._offline.patience,
                )
                with reading():
                    result = read(answer.data)
                    version = int(answer.data["version"])
            except Error as error:
                self._offline.report_failed(error)
            else:
                self._memory.saw_version(consumer_id, version)
                return result
        seen_at = now if observed is None else observed
        await self._offline.keep_report(kind, consumer_id, target, body, (seen_at, now, began))
        return None
