"""How a client is doing, and what it does for many consumers at once."""

from collections.abc import Callable, Iterable

from sayso.client.asker import Asker
from sayso.client.check import Check
from sayso.client.decision import Decision
from sayso.client.faults import checked_consumer_id
from sayso.client.knowing import Knowing
from sayso.local.status import Status, StatusBoard


class Watching:
    """The side of `Client` that asks and observes."""

    _board: StatusBoard
    _knowing: Knowing

    @property
    def status(self) -> Status:
        """How it is doing: `starting`, `live`, `stale`, `offline` or `blocked`; see `Status` for what each means."""
        return self._board.status

    @property
    def status_reason(self) -> str:
        """What stands in the way and what to do about it, in a sentence; empty while nothing does.

        While `blocked` what blocks it; while `starting`, `stale` or `offline` why the server could not be asked, such
        as a refused connection. It names the server's host and port, and never a consumer.
        """
        return self._board.reason

    def on_status(self, callback: Callable[[Status], object]) -> Callable[[], None]:
        """Have a function called with every new status, on the loop that called `start`.

        What it raises is logged and goes no further.

        Returns:
            What ends it when called.
        """
        return self._board.on_change(callback)

    async def prefetch(self, consumer_ids: Iterable[str]) -> int:
        """Fetch what is to be known of many consumers, 500 to a request, so that checks about them need none.

        Args:
            consumer_ids: Such as those of today's appointments.

        Returns:
            Of how many the answers are kept; 0 where changes aren't followed: with `live=False`, before `start`, and
            on another thread than the one that called it.

        Raises:
            InvalidError: An id won't do.
            Error: The class says why; what was fetched before is kept.
        """
        return await self._asker.fill([checked_consumer_id(consumer_id) for consumer_id in consumer_ids])

    async def decide_many(
        self, checks: Iterable[Check | tuple[str, str] | tuple[str, str, str | None]]
    ) -> list[Decision]:
        """Ask many questions, 500 to a request.

        Args:
            checks: Each a `Check`, or just `(consumer_id, topic)` or `(consumer_id, topic, device)`.

        Returns:
            Always a decision for each, in the order given; `unavailable` in an outage.

        Raises:
            InvalidError: A consumer's id or `as_of` won't do.
            NotAuthenticatedError, ForbiddenError: The key is not accepted.
        """
        asked = [Check(*check) for check in checks]
        for check in asked:
            checked_consumer_id(check.consumer_id)
        return await self._asker.decide(asked)

    @property
    def _asker(self) -> Asker:
        return self._knowing.asker
