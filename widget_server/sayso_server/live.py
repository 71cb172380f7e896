"""Following what other processes change: keys, origins and catalogues take effect with the next request."""

import asyncio

from sayso_server.auth import LiveKeys
from sayso_server.routes.origins import Origins
from sayso_server.services.catalogues import Catalogues
from sayso_server.storage.base import Storage


class Live:
    """Refreshes everything that is kept in memory; awaited before every guarded request."""

    def __init__(self, storage: Storage, keys: LiveKeys, origins: Origins, catalogues: Catalogues) -> None:
        """Nothing is read before the first `refresh`."""
        self._storage = storage
        self._keys = keys
        self._origins = origins
        self._catalogues = catalogues
        self._reading = asyncio.Lock()
        self._version: int | None = None

    def usable(self, key_id: str) -> object | None:
        """Give a key that is accepted: another object once it has changed, None once it is revoked."""
        return self._keys.usable(key_id)

    async def refresh(self) -> None:
        """Bring everything up to date; one comparison while nothing has changed."""
        await self._keys.refresh()
        if await self._storage.config_version() == self._version:
            return
        async with self._reading:
            version = await self._storage.config_version()
            if version != self._version:
                await self._origins.refresh()
                await self._catalogues.refresh()
                # Taken before reading: what changed meanwhile is seen the next time.
                self._version = version
