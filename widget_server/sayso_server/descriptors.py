"""Room for many connections: each takes a file descriptor, and processes are usually started with 1,024 at most."""

import sys
from contextlib import suppress

MOST = 65_536


def allow_many_connections() -> None:
    """Raise the process's own limit on open files as far as it may, up to `MOST`."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not to be had on every platform

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # the system may allow less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
