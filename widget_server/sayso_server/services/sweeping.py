"""The sweep: what has expired is deleted when its time has come, whether anybody asks for it or not.

Links, cases and the addresses in them, and what else services keep only for a while. It counts as expired from its time
on, whether or not the sweep has come by.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from sayso_server.clock import Clock
from sayso_server.storage.base import Storage, StorageUnavailableError

SWEEP_EVERY: Final = timedelta(minutes=1)
AT_ONCE: Final = 500
"""Documents to a transaction, so that nobody who records something waits long for the sweep."""

log = logging.getLogger(__name__)


async def sweep(storage: Storage, clock: Clock) -> int:
    """Delete every document whose time has come; give how many those were.

    Raises:
        StorageUnavailableError: Not all of them could be; the next sweep goes on.
    """
    gone = 0
    while True:
        deleted = await storage.delete_expired(clock.now(), AT_ONCE)
        gone += deleted
        if deleted < AT_ONCE:
            return gone


async def sweep_again_and_again(storage: Storage, clock: Clock, *others: Callable[[], Awaitable[int]]) -> None:
    """Sweep now, and once a minute from then on, until cancelled.

    Args:
        storage: What is swept.
        clock: The time.
        others: What else ends with time; each does so and gives how much it was. They come first.
    """
    while True:
        try:
            ended = sum([await other() for other in others])
            gone = await sweep(storage, clock)
        except StorageUnavailableError:
            log.warning("sweep: the storage can't write; what has expired stays until the next one")
        else:
            log.debug("sweep: %d ended and %d documents deleted", ended, gone)
        await asyncio.sleep(SWEEP_EVERY.total_seconds())
