"""What a client says and does about its outbox."""

from collections.abc import Callable
from datetime import timedelta

from sayso.local.outbox.drain import Drainer
from sayso.local.outbox.notices import Loss, Parked
from sayso.local.outbox.outbox import Outbox

FLUSH = timedelta(seconds=30)


class Keeping:
    """The part of a client that keeps what can't be sent."""

    _outbox: Outbox | None
    _drainer: Drainer | None

    async def flush(self, patience: timedelta = FLUSH) -> int:
        """Send what waits in the outbox, and wait for it.

        Args:
            patience: How long to wait at most.

        Returns:
            How many entries are left; 0 if the server has everything.

        Raises:
            ConfigurationError: The outbox can't be used; the message has the remedy.
            UnavailableError: It can't be read now, so that nobody knows whether anything is left.
        """
        if self._outbox is None or self._drainer is None:
            return 0
        await self._outbox.open()
        return await self._drainer.flush(patience.total_seconds())

    @property
    def pending(self) -> int:
        """How many entries wait in the outbox to be sent."""
        return 0 if self._outbox is None else self._outbox.pending

    def on_parked(self, callback: Callable[[Parked], object]) -> None:
        """Have a function called for each entry that the server refuses as written, or that was tampered with.

        It is not sent by itself any more, and a refusal goes on counting here. `sayso outbox list` shows it. Called
        at once for what was parked before.
        """
        if self._outbox is not None:
            self._outbox.back.on_parked.listen(callback)

    def on_loss(self, callback: Callable[[Loss], object]) -> None:
        """Have a function called when entries of the outbox are lost, or will be if the process ends now.

        Called at once for what was lost before.
        """
        if self._outbox is not None:
            self._outbox.back.on_loss.listen(callback)
