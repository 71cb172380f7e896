"""The locks and the reserve that lie beside the outbox."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sayso.local.owner_only import ensure_private, open_private

RESERVE = 256 * 1024
"""Bytes kept for refusals: some four hundred of them, and the journal that writing them needs."""


class Locks:
    """The two locks of an outbox.

    `<outbox>.lock` is shared while the file is used and exclusive while it is replaced; `<outbox>.drain` is held by the
    one process that sends.
    """

    def __init__(self, outbox: Path) -> None:
        """Open or make them.

        Raises:
            ConfigurationError: One is unsafe.
        """
        self._use = open_private(outbox.with_name(outbox.name + ".lock"))
        self._drain = open_private(outbox.with_name(outbox.name + ".drain"))
        self.leading = False

    @contextmanager
    def using(self) -> Iterator[None]:
        """Keep others from replacing the file meanwhile."""
        fcntl.flock(self._use, fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(self._use, fcntl.LOCK_UN)

    @contextmanager
    def replacing(self) -> Iterator[None]:
        """Keep others from using the file meanwhile."""
        fcntl.flock(self._use, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._use, fcntl.LOCK_UN)

    def lead(self) -> bool:
        """Try to be the one that sends. Ends with the process, whatever ends it."""
        if not self.leading:
            try:
                fcntl.flock(self._drain, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise
                return False
            self.leading = True
        return True

    def follow(self) -> None:
        """Let another process send."""
        if self.leading:
            self.leading = False
            fcntl.flock(self._drain, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of both. In a forked child this leaves the parent's locks alone: they end with its last descriptor."""
        for descriptor in (self._use, self._drain):
            with suppress(OSError):
                os.close(descriptor)


def set_aside(outbox: Path) -> None:
    """Take up the room that is kept for refusals; go without where there is none left.

    Raises:
        ConfigurationError: The file is unsafe.
    """
    path = outbox.with_name(outbox.name + ".reserve")
    with suppress(OSError):
        if ensure_private(path) or path.lstat().st_size < RESERVE:
            descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.posix_fallocate(descriptor, 0, RESERVE)
            except OSError:
                os.ftruncate(descriptor, 0)
            finally:
                os.close(descriptor)


def use_up(outbox: Path) -> bool:
    """Give up the room that is kept for refusals; False if there was none."""
    path = outbox.with_name(outbox.name + ".reserve")
    try:
        if not path.lstat().st_size:
            return False
        os.truncate(path, 0)
    except OSError:
        return False
    return True
