"""A file that a command makes for its user alone."""

import os
from pathlib import Path

from sayso_server.cli.output import CommandError
from sayso_server.storage.files import PRIVATE


def write_new(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read; it is whole, or it isn't there.

    Raises:
        CommandError: There is something of that name already, or it can't be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
    except FileExistsError:
        raise CommandError(f"there is a {path} already, and it stays as it is; choose another name") from None
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror}; choose another place") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise CommandError(f"{path} can't be written: {error.strerror}; choose another place") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
