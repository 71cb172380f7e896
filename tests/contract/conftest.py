"""The storages that the contract holds for. A new database joins by a line in `STORAGES`."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sayso.model.instant import Micros
from sayso_server.storage.base import Storage
from sayso_server.storage.memory import MemoryStorage
from sayso_server.storage.sqlite import SqliteStorage


class SetClock:
    """Tells the time it was set to."""

    def __init__(self) -> None:
        self.micros: Micros = 1_000

    def now(self) -> Micros:
        return self.micros


STORAGES: dict[str, Callable[[Path, SetClock], Storage]] = {
    "memory": lambda path, clock: MemoryStorage(clock=clock),
    "sqlite": lambda path, clock: SqliteStorage(path / "sayso.db", clock=clock),
}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def set_time(clock: SetClock) -> Callable[[Micros], None]:
    """Set what the storage takes for the time, in microseconds; it starts at 1,000."""

    def set_to(micros: Micros) -> None:
        clock.micros = micros

    return set_to


@pytest.fixture(params=STORAGES)
async def storage(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> AsyncIterator[Storage]:
    opened = STORAGES[request.param](tmp_path, clock)
    await opened.start()
    yield opened
    await opened.close()
