"""A database opened for one command, beside a server that may be running on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sayso.errors import ConfigurationError
from sayso_server.cli.output import CommandError
from sayso_server.clock import Clock, SystemClock
from sayso_server.keys import KeyFile
from sayso_server.services import Services, make_services
from sayso_server.services.mark_check import check_mark_key
from sayso_server.settings import Settings, load_settings
from sayso_server.storage.base import Storage, StoredBrand
from sayso_server.storage.sqlite import SqliteStorage


@dataclass(frozen=True, slots=True)
class Workbench:
    """What a command works with."""

    storage: Storage
    services: Services
    key_file: KeyFile
    clock: Clock

    async def brand(self, brand_id: str) -> StoredBrand:
        """Give a brand.

        Raises:
            CommandError: There is none of that id.
        """
        brands = {brand.brand_id: brand for brand in await self.storage.brands()}
        if brand_id not in brands:
            there_are = f"there are {', '.join(brands)}" if brands else "there is none yet"
            raise CommandError(
                f"there is no brand {brand_id!r}; {there_are}. Make one: sayso-server brand create ID --name NAME"
            )
        return brands[brand_id]


@asynccontextmanager
async def opened(database: str | None, *, create: bool = False) -> AsyncIterator[Workbench]:
    """Open the database that the environment or an argument names.

    Args:
        database: The argument, which wins over the environment.
        create: Make a database that isn't there yet.

    Raises:
        ConfigurationError: A setting is wrong, or the database is missing or unsafe.
    """
    settings = load_settings(database=database)
    if not create and not settings.database_path.exists():
        raise ConfigurationError(
            f"there is no database {settings.database_path}; name it with SAYSO_DATABASE or --database, "
            "or start one: sayso-server brand create ID --name NAME. "
            "That of `sayso-server dev` is in the line export SAYSO_DATABASE=… that it prints"
        )
    async with workbench_on(settings) as workbench:
        yield workbench


@asynccontextmanager
async def workbench_on(settings: Settings) -> AsyncIterator[Workbench]:
    """Open the database of known settings; it is made if it isn't there yet."""
    clock = SystemClock()
    storage = SqliteStorage(settings.database_path, clock=clock, server=False)
    await storage.start()
    try:
        key_file = KeyFile(settings.keys_path)
        services = make_services(storage, clock, key_file)
        await check_mark_key(storage, services.marks, serving=False)
        await services.catalogues.refresh()
        yield Workbench(storage, services, key_file, clock)
    finally:
        await storage.close()
