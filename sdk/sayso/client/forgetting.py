"""Forgetting somebody who was erased: nothing of them may stay here, and nothing from before may be sent again."""

from sayso.client.memory import Memory
from sayso.local.outbox.outbox import Outbox
from sayso.model.instant import Micros


class Forgetting:
    """Drops what a client still has of an erased consumer."""

    def __init__(self, memory: Memory, outbox: Outbox | None) -> None:
        """Take what remembers, and what keeps."""
        self._memory = memory
        self._outbox = outbox

    def erased(self, consumer_id: str, version: int, before: Micros | None = None) -> None:
        """Take in that a consumer was erased.

        Their answers go from the cache and what waits or is parked from the outbox, which `on_loss` tells. The version
        stays, so that no older answer counts.

        Args:
            consumer_id: Whose.
            version: The version that the erasure made.
            before: What was made later, by this machine's clock, stays: they may be back. None drops everything.
        """
        self._memory.erased(consumer_id, version)
        if self._outbox is not None:
            self._outbox.let_go(consumer_id, before)

    def is_news(self, consumer_id: str, version: int) -> bool:
        """Tell whether this version of an erased consumer was not heard of before."""
        return self._memory.version(consumer_id) != version
