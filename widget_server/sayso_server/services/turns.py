"""Turns: of whatever is done in somebody's name, one at a time, first come first served."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Turns:
    """One lock per name, kept only while somebody holds it or waits for it."""

    def __init__(self) -> None:
        """Nobody is there yet."""
        self._held: dict[Hashable, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, name: Hashable) -> AsyncIterator[None]:
        """Wait until it is one's turn under a name, and hold it."""
        lock, users = self._held.get(name, (None, 0))
        if lock is None:
            lock = asyncio.Lock()
        self._held[name] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            users = self._held[name][1] - 1
            if users:
                self._held[name] = lock, users
            else:
                del self._held[name]

    def __len__(self) -> int:
        """Count the names under which somebody is there."""
        return len(self._held)
