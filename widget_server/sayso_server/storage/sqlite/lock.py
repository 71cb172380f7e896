"""One server per database file."""

import fcntl
import os
from pathlib import Path

from sayso.errors import ConfigurationError
from sayso_server.storage.files import open_private


class ServerLock:
    """An exclusive `flock` on `<database>.lock`, held as long as the server runs.

    The kernel lets go of it when the process ends, however it ends, so a crash leaves nothing to clean up. The file
    holds the server's process id, for the one that is refused.
    """

    def __init__(self, database: Path) -> None:
        """Take the lock.

        Raises:
            ConfigurationError: Another server has it.
        """
        self._descriptor = open_private(database.with_name(database.name + ".lock"))
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            who = f"the process {holder}" if holder.isdecimal() else "another process"
            raise ConfigurationError(
                f"{who} is a server on {database} already; stop it first, or give this one its own SAYSO_DATABASE"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let go. The file stays: removing it would let two servers hold locks on two files of one name."""
        os.close(self._descriptor)
