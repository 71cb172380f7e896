"""Background tasks on one event loop: each has a name, a keeper and an end."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

_log = logging.getLogger("sayso.local")


class OwnLoop:
    """Keeps tasks of the loop on which they were started. When one ends by itself, all do.

    Attributes:
        loop: The loop; None while there is none.
    """

    def __init__(self, ended: Callable[[], None]) -> None:
        """Take what to call when the tasks have ended by themselves: their loop ends, or there is a fault of ours."""
        self._ended = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_taken(self) -> bool:
        """Whether it has a loop that isn't closed."""
        return self.loop is not None and not self.loop.is_closed()

    @property
    def is_here(self) -> bool:
        """Whether its loop is the running one."""
        return self.loop is not None and self.loop is asyncio.get_running_loop()

    def take(self) -> None:
        """Make the running loop the one."""
        self.loop = asyncio.get_running_loop()

    def spawn(self, name: str, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run something for as long as the loop is the one."""
        self._keep(name, coroutine).add_done_callback(self._one_ended)

    def once(self, name: str, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run something that comes to an end."""
        self._keep(name, coroutine).add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End all of them, on whichever loop they run. Does nothing the second time."""
        loop, self.loop = self.loop, None
        tasks, self._tasks = self._tasks, set()
        if loop is asyncio.get_running_loop():
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        elif loop is not None and not loop.is_closed():
            for task in tasks:
                loop.call_soon_threadsafe(task.cancel)

    def abandon(self) -> None:
        """Forget them: they are the parent's, and this is a forked child."""
        self.loop = None
        self._tasks = set()

    def _keep(self, name: str, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        return task

    def _one_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self.loop is task.get_loop():
            self.loop = None
            self._ended()
            for other in self._tasks:
                other.cancel()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s ended with %s; checks ask the server from now on", task.get_name(), type(error).__name__)
