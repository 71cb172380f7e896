"""What the client programs share: their settings, and a log whose lines survive `kill -9`.

A line is written in one call to the system before the program goes on, so what is in the log was known to the program.
Each is stamped with the boot clock, which all processes of a machine share.
"""

import json
import os
import sys
import time
from typing import Any

import sayso


def boot() -> float:
    """Give the seconds that lines are stamped with."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Log:
    """Appends lines to the file that the first argument names."""

    def __init__(self) -> None:
        self._file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def say(self, what: str, **facts: Any) -> None:
        """Write a line."""
        line = json.dumps({"what": what, "at": boot(), **facts}) + "\n"
        os.write(self._file, line.encode())

    def receipt(self, recorded: sayso.Recorded) -> None:
        """Write down what a command returned: from now on the client has promised it."""
        self.say(
            "receipt",
            choice=recorded.choice_id,
            consumer=recorded.consumer_id,
            status=recorded.status,
            version=recorded.version if recorded.status == "confirmed" else None,
        )


def told(name: str, default: str = "") -> str:
    """Give a setting of this program, from the environment."""
    return os.environ.get(f"FAULT_{name}", default)


def make_client(**more: Any) -> sayso.Client:
    """Make the client that the environment describes."""
    return sayso.Client(os.environ["SAYSO_URL"], os.environ["SAYSO_KEY_ID"], os.environ["SAYSO_SECRET"], **more)
