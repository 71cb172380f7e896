"""Who may touch the database's files: nobody but the server's own user.

Whoever can write the database can forge consent, whoever can read it sees everybody's choices. So files are made 0600,
and one that is a symlink, belongs to somebody else or is open to others stops the start; the message has the remedy.
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
    except OSError as error:
        raise ConfigurationError(f"there is no directory {directory}; make one: mkdir -m 700 {directory}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise ConfigurationError(f"{directory} is not a directory; choose another place for {given.name}")
    if found.st_uid not in (os.geteuid(), 0):
        raise ConfigurationError(
            f"the directory {directory} belongs to another user (uid {found.st_uid}), who could replace {given.name}; "
            "choose a directory of your own"
        )
    if found.st_mode & _OTHERS_WRITE:
        raise ConfigurationError(
            f"others may write in the directory {directory} (mode {stat.S_IMODE(found.st_mode):04o}) "
            f"and could replace {given.name}; {_remedy(directory, found)}"
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
        raise ConfigurationError(f"{path} is a symbolic link; name the file that it points to")
    if not stat.S_ISREG(found.st_mode):
        raise ConfigurationError(f"{path} is not a regular file; move it away or choose another name")
    if found.st_uid != os.geteuid():
        raise ConfigurationError(
            f"{path} belongs to another user (uid {found.st_uid}); run as that user, or: chown {os.geteuid()} {path}"
        )
    if found.st_mode & _OTHERS:
        raise ConfigurationError(
            f"{path} can be opened by others (mode {stat.S_IMODE(found.st_mode):04o}); run: chmod 600 {path}"
        )
    return True


def create_private(path: Path) -> None:
    """Make an empty file that only its owner can open, and see to it that its name survives a power cut.

    SQLite gives `-wal` and `-shm` the mode of the database, so making the database 0600 covers all three, whatever
    the umask.

    Raises:
        FileExistsError: There is something of that name.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR | os.O_CLOEXEC, PRIVATE)
    try:
        os.fchmod(descriptor, PRIVATE)  # a umask can only take away, but an odd one may take the owner's own rights
    finally:
        os.close(descriptor)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def open_private(path: Path) -> int:
    """Open a private side file for reading and writing, making it if need be; the caller closes the descriptor.

    Raises:
        ConfigurationError: What is there is not a private file of ours.
    """
    if not check_private(path):
        try:
            create_private(path)
        except FileExistsError:
            check_private(path)
    return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
