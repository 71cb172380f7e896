"""Who may touch the client's files: nobody but the user it runs as.

Whoever can write the outbox has choices sent with the brand's key, whoever can read it sees what consumers chose. So
files are made 0600, and one that is a symlink, belongs to somebody else or is open to others is refused; the message
has the remedy.
"""

import os
import stat
from pathlib import Path

from sayso.errors import ConfigurationError

PRIVATE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def private_path(path: str | os.PathLike[str]) -> Path:
    """Give the path with its directory resolved, once that directory proves safe to keep private files in.

    A directory that others may write is refused even with the sticky bit: they could put a file of their own in the
    place of a side file that doesn't exist yet.

    Raises:
        ConfigurationError: There is no such directory, or others may write in it.
    """
    given = Path(path)
    directory = given.parent.resolve()
    try:
        found = directory.stat()
    except OSError:
        raise _refused(f"there is no directory {directory}; make one: mkdir -m 700 {directory}") from None
    if not stat.S_ISDIR(found.st_mode):
        raise _refused(f"{directory} is not a directory; choose another place for {given.name}")
    if found.st_uid not in (os.geteuid(), 0):
        raise _refused(
            f"the directory {directory} belongs to another user (uid {found.st_uid}), who could replace {given.name}; "
            "choose a directory of your own"
        )
    if found.st_mode & _OTHERS_WRITE:
        raise _refused(
            f"others may write in the directory {directory} (mode {stat.S_IMODE(found.st_mode):04o}) and could replace "
            f"{given.name}; {_remedy(directory, found)}"
        )
    return directory / given.name


def _remedy(directory: Path, found: os.stat_result) -> str:
    # Many programs need /tmp and its like as they are.
    shared = found.st_uid != os.geteuid() or found.st_mode & stat.S_ISVTX
    own = f"choose a directory of your own (mkdir -m 700 {directory}/sayso)" if shared else "choose another directory"
    return own if shared else f"run: chmod go-w {directory}, or {own}"


def check_private(path: Path) -> bool:
    """Tell whether the file exists; if so, it is a regular file of ours that nobody else can open.

    Looks without opening: closing a database file that SQLite has open elsewhere in the process would drop its locks.

    Raises:
        ConfigurationError: It is a symlink, not a regular file, another user's, or open to group or others.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(found.st_mode):
        raise _refused(f"{path} is a symbolic link; name the file that it points to")
    if not stat.S_ISREG(found.st_mode):
        raise _refused(f"{path} is not a regular file; move it away or choose another name")
    if found.st_uid != os.geteuid():
        raise _refused(
            f"{path} belongs to another user (uid {found.st_uid}); run as that user, or: chown {os.geteuid()} {path}"
        )
    if found.st_mode & _OTHERS:
        raise _refused(
            f"{path} can be opened by others (mode {stat.S_IMODE(found.st_mode):04o}); run: chmod 600 {path}"
        )
    return True


def create_private(path: Path) -> None:
    """Make an empty file that only its owner can open, and see to it that its name survives a power cut.

    Raises:
        FileExistsError: There is something of that name.
        ConfigurationError: The directory can't be written.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR | os.O_CLOEXEC, PRIVATE)
    except PermissionError:
        raise _refused(f"{path} can't be made: this user may not write in {path.parent}") from None
    try:
        os.fchmod(descriptor, PRIVATE)  # a umask can only take away, but an odd one may take the owner's own rights
    finally:
        os.close(descriptor)
    sync_directory(path.parent)


def ensure_private(path: Path) -> bool:
    """Make the file if there is none; tell whether it was made. Safe when two processes do it at once.

    Raises:
        ConfigurationError: What is there is not a private file of ours.
    """
    if check_private(path):
        return False
    try:
        create_private(path)
    except FileExistsError:
        check_private(path)
        return False
    return True


def open_private(path: Path) -> int:
    """Open a private side file for reading and writing, making it if need be; the caller closes the descriptor.

    Raises:
        ConfigurationError: What is there is not a private file of ours.
    """
    ensure_private(path)
    return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)


def sync_directory(directory: Path) -> None:
    """See to it that names made, changed or removed in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(message: str) -> ConfigurationError:
    return ConfigurationError(message, code="unsafe_file")
