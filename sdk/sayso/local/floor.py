"""The newest state of the server that this client has ever seen, kept beside the outbox across restarts.

A server restored from an older backup, or another database under the same address, would undo withdrawals. Its
answers are turned down until it has caught up, and everything that refuses says why and what to do.
"""

import asyncio
import logging
import os
from pathlib import Path

from sayso.errors import Error, UnavailableError
from sayso.local.freshness import Head
from sayso.local.owner_only import private_path
from sayso.local.seen import Seen, read_seen, write_seen
from sayso.local.status import StatusBoard

_log = logging.getLogger("sayso.local")
SUFFIX = ".seen"
_BY = "floor"


class Floor:
    """Compares what the server says of itself with what was seen before."""

    def __init__(self, outbox: str | os.PathLike[str] | None, brand: str, board: StatusBoard) -> None:
        """Read nothing yet.

        Args:
            outbox: The outbox's file; without one, only this process remembers.
            brand: Whose changes are counted.
            board: Where a block is reported.
        """
        self._outbox = outbox
        self._path: Path | None = None
        self._brand = brand
        self._board = board
        self._store_id: str | None = None
        self._position = 0
        self._written = 0
        self._blocked: UnavailableError | None = None
        self._loaded = outbox is None
        self._doubted = False

    @property
    def needs_head(self) -> bool:
        """Whether the server's position has to be asked for before it may answer."""
        return self._blocked is not None or not self._loaded or (self._doubted and self._position > 0)

    @property
    def position(self) -> int:
        """The highest position seen."""
        return self._position

    @property
    def needs_saving(self) -> bool:
        """Whether something newer was seen than is in the file."""
        return self._path is not None and self._store_id is not None and self._position > self._written

    async def load(self) -> None:
        """Read the file. Does nothing the second time.

        Raises:
            ConfigurationError: The file can be opened by others, or its directory written by them.
        """
        if not self._loaded:
            await asyncio.to_thread(self._load)

    async def save(self) -> None:
        """Write the file if something newer was seen; what goes wrong is logged."""
        if not self.needs_saving:
            return
        try:
            try:
                await asyncio.to_thread(self._save)
            except RuntimeError:  # the interpreter ends, and lends nobody a thread any more
                self._save()
        except (Error, OSError) as error:
            _log.warning("what was seen of the server can't be kept for the next start (%s)", type(error).__name__)

    def check_store(self, store_id: str | None) -> None:
        """Turn down an answer from another database than the one seen first.

        Raises:
            UnavailableError: It is another; code `store_changed`.
        """
        if self._store_id is None:
            self._store_id = store_id
        if store_id != self._store_id:
            raise UnavailableError(self._another_store(), code="store_changed")

    def doubt(self) -> None:
        """Take in that the connection was lost: what answers next may be another server, or an older one."""
        self._doubted = True

    def compare(self, head: Head, at_least: int) -> bool:
        """Take in where the server is; tell whether it may answer.

        Where it may not, `check` says why from now on, until a later head is at least what was seen.

        Args:
            head: What it answered.
            at_least: What had been seen when the request began; what was seen since may be newer than the answer.
        """
        if self._store_id is None:
            self._store_id = head.store_id
        if head.store_id != self._store_id:
            self._block(UnavailableError(self._another_store(), code="store_changed"))
        elif head.position < at_least:
            self._block(UnavailableError(self._behind(head.position), code="behind"))
        else:
            self._doubted = False
            self._blocked = None
            self._board.unblocked(by=_BY)
            self._position = max(self._position, head.position)
        return self._blocked is None

    def follows(self, store_id: str) -> bool:
        """Tell whether a stream of that database may be followed."""
        if self._store_id is None:
            self._store_id = store_id
        if store_id != self._store_id:
            self._block(UnavailableError(self._another_store(), code="store_changed"))
        return store_id == self._store_id

    def saw(self, position: int) -> None:
        """Take in that the stream has delivered a position."""
        if self._blocked is None:
            self._position = max(self._position, position)

    def check(self) -> None:
        """Refuse to answer while the server is not at what was seen.

        Raises:
            UnavailableError: It is not; code `behind` or `store_changed`.
        """
        if self._blocked is not None:
            raise UnavailableError(str(self._blocked), code=self._blocked.code)

    def _load(self) -> None:
        if self._outbox is None or self._loaded:
            return
        path = private_path(self._outbox)
        self._path = path.with_name(path.name + SUFFIX)
        seen = read_seen(self._path, self._brand)
        if seen is not None:
            self._store_id, self._position = seen.store_id, max(self._position, seen.position)
            self._written = seen.position
            self._doubted = True
        self._loaded = True

    def _save(self) -> None:
        if self._path is not None and self._store_id is not None:
            position = self._position
            write_seen(self._path, Seen(self._brand, self._store_id, position))
            self._written = position

    def _block(self, error: UnavailableError) -> None:
        self._blocked = error
        self._board.blocked(str(error), by=_BY)

    def _another_store(self) -> str:
        return (
            "the server answers from another database than before, where versions count differently; "
            f"{self._remedy('that')} is meant to be so"
        )

    def _behind(self, position: int) -> str:
        return (
            f"the server is at change {position}, and this client has seen change {self._position}: it was restored "
            "from an older backup or has lost something, and withdrawals may be missing. Nothing is answered until it "
            f"has caught up. Restore the newer state; or {self._remedy('the older one')} is meant to stay"
        )

    def _remedy(self, what: str) -> str:
        return (
            f"delete {self._path} and restart this process once {what}"
            if self._path is not None
            else (f"restart this process once {what}")
        )
