"""One server per database file."""

import fcntl
import os
from pathlib import Path

from sayso.errors import ConfigurationError
from sayso_server.storage.files import check_private, open_private


class ServerLock:
    """An exclusive `flock` on `<database>.lock`, held as long as the server runs.

    The kernel lets go of it when the process ends, however it ends, so a crash leaves nothing to clean up. The file
    holds the server's process id, for the one that is refused, and the URL that `leave_url` adds.
    """

    def __init__(self, database: Path) -> None:
        """Take the lock.

        Raises:
            ConfigurationError: Another server has it.
        """
        self._descriptor = open_private(_lock_of(database))
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").partition("\n")[0]
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


def leave_url(database: Path, url: str) -> None:
    """Note under which URL this process, which has the lock, is reached; commands print links to it."""
    descriptor = open_private(_lock_of(database))
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n{url}\n".encode(), 0)
    finally:
        os.close(descriptor)  # the lock is another descriptor's, and stays


def server_url(database: Path) -> str | None:
    """Give the URL of the server that runs on a database, or that ran on it last; None if none has left one."""
    path = _lock_of(database)
    lines = path.read_text("utf-8", "replace").splitlines() if check_private(path) else []
    return lines[1] if len(lines) > 1 else None


def _lock_of(database: Path) -> Path:
    return database.with_name(database.name + ".lock")
