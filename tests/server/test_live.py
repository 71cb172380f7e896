"""What is kept in memory, while several change it at once."""

import asyncio

import pytest

from sayso.model.catalogue import Catalogue
from sayso_server.live import Live
from sayso_server.routes.origins import Origins
from sayso_server.services.catalogues import Catalogues
from sayso_server.storage.base import StoredCatalogue
from sayso_server.storage.memory import MemoryStorage

PAGE = "https://dealer.example"


class NoKeys:
    """Keys that never change."""

    async def refresh(self) -> None:
        """There is nothing to read."""


class Slow(MemoryStorage):
    """A database of which single reads can be held up after they have read."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[asyncio.Event] = []
        self.reads = 0

    def hold(self) -> asyncio.Event:
        """Hold up the next read until the event that this gives is set."""
        self.held.append(asyncio.Event())
        return self.held[-1]

    async def origins(self) -> list[tuple[str, str]]:
        self.reads += 1
        found = await super().origins()
        if self.held:
            await self.held.pop(0).wait()
        return found

    async def catalogues(self, brand_id: str, *, revision: int | None = None) -> list[StoredCatalogue]:
        found = await super().catalogues(brand_id, revision=revision)
        if self.held:
            await self.held.pop(0).wait()
        return found

    async def next_revision(self, revision: int) -> None:
        body = Catalogue(majority=18 + revision).canonical_json()
        await self.publish("dealer", body, published_at=revision, expected_revision=revision - 1)


@pytest.fixture
async def storage() -> Slow:
    opened = Slow()
    await opened.start()
    return opened


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0.002)


async def test_nobody_goes_on_with_the_old_catalogue_while_another_reads_the_new_one(storage: Slow) -> None:
    catalogues, origins = Catalogues(storage), Origins(storage)
    live = Live(storage, NoKeys(), origins, catalogues)  # type: ignore[arg-type]
    await storage.next_revision(1)
    await storage.add_origin("dealer", PAGE)
    reading = storage.hold()
    first = asyncio.create_task(live.refresh())
    await turns()

    second = asyncio.create_task(live.refresh())
    await turns()
    waiting = not second.done()
    reading.set()
    await asyncio.gather(first, second)

    assert waiting
    assert (catalogues.of("dealer").revision, origins.of("dealer")) == (1, frozenset({PAGE}))
    assert storage.reads == 1


async def test_what_is_published_while_another_is_read_is_there_for_the_next_request(storage: Slow) -> None:
    catalogues, origins = Catalogues(storage), Origins(storage)
    live = Live(storage, NoKeys(), origins, catalogues)  # type: ignore[arg-type]
    await storage.next_revision(1)
    reading = storage.hold()
    first = asyncio.create_task(live.refresh())
    await turns()
    await storage.add_origin("dealer", PAGE)  # the origins have been read without it
    await storage.next_revision(2)
    reading.set()
    await first

    await live.refresh()

    assert (catalogues.of("dealer").revision, origins.of("dealer")) == (2, frozenset({PAGE}))


async def test_of_two_publishers_who_read_back_at_once_the_slower_never_brings_the_older_revision_back(
    storage: Slow,
) -> None:
    catalogues = Catalogues(storage)
    await storage.next_revision(1)
    reading = storage.hold()
    slower = asyncio.create_task(catalogues.refresh())
    await turns()
    await storage.next_revision(2)
    await catalogues.refresh()
    assert catalogues.of("dealer").revision == 2

    reading.set()
    await slower

    assert (catalogues.of("dealer").revision, catalogues.of("dealer").catalogue.majority) == (2, 20)
    assert [(await catalogues.at("dealer", moment)).revision for moment in (0, 1, 2)] == [0, 1, 2]


async def test_a_refresh_that_failed_is_done_again_with_the_next_request(
    storage: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogues, origins = Catalogues(storage), Origins(storage)
    live = Live(storage, NoKeys(), origins, catalogues)  # type: ignore[arg-type]
    await storage.next_revision(1)

    async def fail(brand_id: str, *, revision: int | None = None) -> list[StoredCatalogue]:
        raise OSError("the disk")

    with monkeypatch.context() as patched:
        patched.setattr(storage, "catalogues", fail)
        with pytest.raises(OSError, match="the disk"):
            await live.refresh()

    await live.refresh()

    assert catalogues.of("dealer").revision == 1
