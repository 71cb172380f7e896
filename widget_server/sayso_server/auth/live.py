"""Keeping the verifier's keys as the commands leave them, without a restart."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from sayso.errors import ConfigurationError
from sayso.model.instant import Micros, span_micros
from sayso_server.auth.cache import Verifier
from sayso_server.auth.ring import Key, KeyRing
from sayso_server.clock import Clock
from sayso_server.storage.base import StoredKey

log = logging.getLogger(__name__)

_LOOK_EVERY = span_micros(timedelta(seconds=1))


class RegisteredKeys(Protocol):
    """The part of the storage that this needs."""

    async def config_version(self) -> int:
        """Give a number that changes whenever keys do."""
        ...

    async def keys(self) -> list[StoredKey]:
        """Give every key of every brand, revoked ones included."""
        ...


class SecretFile(Protocol):
    """The part of the key file that this needs. Both methods block on the disk."""

    def stamp(self) -> object:
        """Give what compares unequal once the file has changed."""
        ...

    def read(self) -> Mapping[str, str]:
        """Give the HS256 secrets by `kid`."""
        ...


class LiveKeys:
    """Reads keys again when the database's configuration or the key file has changed.

    A key that a command revokes stops counting with the next request: the configuration's number is compared
    on each one. The file is looked at once a second, which notices what an operator put back by hand.
    """

    def __init__(self, storage: RegisteredKeys, key_file: SecretFile, verifier: Verifier, clock: Clock) -> None:
        """Nothing is read before the first `refresh`."""
        self._storage = storage
        self._key_file = key_file
        self._verifier = verifier
        self._clock = clock
        self._reading = asyncio.Lock()
        self._version: int | None = None
        self._stamp: object = None
        self._secrets: Mapping[str, str] | None = None
        self._look_at: Micros = 0

    async def refresh(self) -> None:
        """Bring the verifier up to date. Await it before verifying; it is cheap while nothing has changed.

        Raises:
            ConfigurationError: The key file is unsafe or damaged at the first reading. Later ones go on with
                the secrets they have, so that revoking still works, and say so in the log.
            StorageUnavailableError: The keys can't be read.
        """
        now = self._clock.now()
        if await self._storage.config_version() == self._version and now < self._look_at:
            return
        async with self._reading:
            version = await self._storage.config_version()
            stamp = await asyncio.to_thread(self._key_file.stamp)
            if version != self._version or stamp != self._stamp:
                await self._read(version, stamp)
            self._look_at = now + _LOOK_EVERY

    def usable(self, key_id: str) -> Key | None:
        """Give a key that is accepted: another object once it has changed, None once it is revoked."""
        key = self._verifier.ring.get(key_id)
        return None if key is None or key.revoked else key

    async def _read(self, version: int, stamp: object) -> None:
        try:
            secrets = await asyncio.to_thread(self._key_file.read)
        except ConfigurationError as error:
            if self._secrets is None:
                raise
            log.error("keys: %s; going on with the secrets read before", error)
            secrets = self._secrets
        ring = KeyRing.from_stored(await self._storage.keys(), secrets, previous=self._verifier.ring)
        self._verifier.replace(ring)
        # Taken before reading: what changed meanwhile is seen the next time.
        self._version, self._stamp, self._secrets = version, stamp, secrets
        if ring.unusable:
            log.warning("keys: %d can't be used, `sayso-server key list --brand ID` says which", len(ring.unusable))
