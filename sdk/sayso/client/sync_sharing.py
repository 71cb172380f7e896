"""The guard for code without an event loop."""

from types import TracebackType

from sayso.client.guard import Outgoing, Sharing
from sayso.client.portal import Portal


class SyncSharing:
    """One hand-over to a partner: `with ann.sharing("vinsolutions") as out:`. What it does is said at `Sharing`."""

    __slots__ = ("_portal", "_sharing")

    def __init__(self, sharing: Sharing, portal: Portal) -> None:
        """Take what it waits for; made by `SyncConsumer.sharing`."""
        self._sharing = sharing
        self._portal = portal

    def __enter__(self) -> Outgoing:
        return self._portal.run(self._sharing.__aenter__())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._portal.run(self._sharing.__aexit__(kind, error, trace))
