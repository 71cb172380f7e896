"""A private file that is read whole and replaced whole, by one process at a time."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sayso.errors import ConfigurationError
from sayso_server.storage.files import PRIVATE, check_private, open_private, private_path


def read_owned(path: Path) -> bytes | None:
    """Read a file that only its owner may touch; None if there is none.

    Raises:
        ConfigurationError: It, or the directory it is in, is open to others (see `storage/files.py`).
    """
    real = private_path(path)
    if not check_private(real):
        return None
    # Nobody else may write the directory, so what was checked is what is opened.
    with os.fdopen(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        return file.read()


def replace_owned(path: Path, content: bytes) -> None:
    """Put a whole new file in place at once: a crash leaves either the old content or the new.

    Raises:
        ConfigurationError: The directory is missing, unsafe or can't be written.
    """
    real = private_path(path)
    draft = real.with_name(f".{real.name}.{secrets.token_hex(8)}")
    with _writable(real):
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(real)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    directory = os.open(real.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)  # the rename itself has to outlive a power cut
    finally:
        os.close(directory)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time change a file. The lock is a file of its own beside it, and stays there.

    Raises:
        ConfigurationError: The directory is missing, unsafe or can't be written, or the lock file is unsafe.
    """
    real = private_path(path)
    with _writable(real):
        descriptor = open_private(real.with_name(real.name + ".lock"))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # lets the lock go


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror}") from None
