"""Asking for decisions with everything that explains them."""

from collections.abc import Sequence
from datetime import timedelta

from sayso.client.check import Check, to_wire
from sayso.client.decision import Decision
from sayso.client.faults import reading
from sayso.client.snapshots import Snapshots
from sayso.local.cache import Cache
from sayso.local.floor import Floor
from sayso.model.ids import is_anonymous
from sayso.transport.codec import dumps
from sayso.transport.http import Transport

PATH = "/v1/decisions"


class Decisions:
    """Asks the server to decide."""

    def __init__(self, transport: Transport, cache: Cache, floor: Floor, snapshots: Snapshots, language: str) -> None:
        """Take what it works with."""
        self._transport = transport
        self._cache = cache
        self._floor = floor
        self._snapshots = snapshots
        self._language = language

    async def ask(self, checks: Sequence[Check], time_box: timedelta) -> list[tuple[Decision, int] | None]:
        """Give each decision and the version that it rests on; None for one that rests on an older one than was seen.

        Raises:
            Error: There are none; the class says why.
        """
        flight = self._cache.begin(*{check.consumer_id for check in checks})
        try:
            body = dumps({"checks": [to_wire(check) for check in checks]})
            answer = await self._transport.call("POST", PATH, body, time_box=time_box)
            with reading():
                store_id = answer.data.get("store_id")
                if store_id is not None:
                    self._floor.check_store(store_id)
                found = answer.data["decisions"]
                if [entry["topic"] for entry in found] != [check.topic for check in checks]:
                    raise ValueError("answers to other questions")
                decided: list[tuple[Decision, int] | None] = []
                for entry, check in zip(found, checks, strict=True):
                    needed = self.needed(check)
                    version = int(entry.get("version", needed))
                    decision = Decision.from_wire(
                        entry, topic=check.topic, language=self._language, device=check.device
                    )
                    decided.append(None if version < needed else (decision, version))
                return decided
        finally:
            self._cache.end(flight)

    def needed(self, check: Check) -> int:
        """Give the version that an answer must not fall behind."""
        # A visitor may have been linked elsewhere, and the answer then counts the known consumer's versions.
        if check.as_of is not None or is_anonymous(check.consumer_id):
            return 0
        return max(self._snapshots.newest(check.consumer_id), check.at_least or 0)
