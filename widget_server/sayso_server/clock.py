"""The server's time, handed in so that tests can set it."""

import time
from typing import Protocol

from sayso.model.instant import Micros


class Clock(Protocol):
    """Something that tells the time."""

    def now(self) -> Micros:
        """Give microseconds since 1970, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Micros:
        """Give microseconds since 1970, UTC."""
        return time.time_ns() // 1000
