"""Erasing a consumer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sayso.client.faults import reading
from sayso.client.handle import Handle
from sayso.wire import Role


@dataclass(frozen=True, slots=True)
class Erased:
    """A consumer was erased.

    Attributes:
        consumer_id: Whom; for a visitor who had signed in, the account.
        version: The version that it made; what they say when they come back goes on from it.
        erased_at: When, by the server's clock. Nothing said until then can be recorded any more.
    """

    consumer_id: str
    version: int
    erased_at: datetime

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read the answer."""
        return cls(data["consumer_id"], int(data["version"]), datetime.fromisoformat(data["erased_at"]))


class ErasingConsumers(Handle):
    """Erases the consumer."""

    __slots__ = ()

    async def erase(self) -> Erased:
        """Erase everything about the consumer, at once and for good (GDPR Art. 17, CCPA §1798.105).

        Their choices, devices, signals, age and links go, here and on the server; hand-overs to partners stay without
        their name. Every other client of the brand drops what it has of them, entries in its outbox included. What
        they refused of what rests on a legitimate interest still reads as refused should they come back. Doing it again
        only moves the time.

        Raises:
            ForbiddenError: The key has neither the role `backend` nor `privacy_officer`.
            UnavailableError: Nobody knows whether it was done; do it again.
            Error: It was not done; the class says why.
        """
        answer = await self._transport.call(
            "DELETE", f"/v1/consumers/{self.id}", scope=Role.BACKEND.value, single_use=True
        )
        with reading():
            erased = Erased.from_wire(answer.data)
        for consumer_id in {self.id, erased.consumer_id}:
            self._asker.erased(consumer_id, erased.version)
        return erased
