"""Schedules of trouble: a thread that sets a proxy's mode at random moments, until it is told to stop."""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tests.e2e.faults.connection import Mode
from tests.e2e.faults.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Trouble(NamedTuple):
    """One thing that may happen to connections.

    Attributes:
        mode: What the proxy does then.
        longest: Seconds it lasts at most.
        seconds: How late, for modes that are late.
        cut: Whether what is open is closed when it begins.
    """

    mode: Mode
    longest: float
    seconds: float = 0.0
    cut: bool = False


@contextmanager
def troubled(proxy: Proxy, troubles: Sequence[Trouble], *, calm: float) -> Iterator[None]:
    """Let trouble come and go at random moments; calm in between lasts `calm` seconds at most."""
    stopped = threading.Event()
    chance = random.Random()

    def run() -> None:
        while not stopped.is_set():
            trouble = chance.choice(troubles)
            proxy.seconds = trouble.seconds
            proxy.mode = trouble.mode
            if trouble.cut:
                proxy.cut()
            stopped.wait(chance.uniform(trouble.longest / 5, trouble.longest))
            proxy.mode = Mode.PASS
            stopped.wait(chance.uniform(0.05, calm))

    thread = threading.Thread(target=run, name="trouble", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(30)
        proxy.mode = Mode.PASS
