"""Following a brand's feed: a large page stops nobody else's requests."""

from __future__ import annotations

import asyncio

from sayso.wire import TokenClass
from sayso_server.services.caller import Caller
from sayso_server.services.feed_brand import BrandFeed
from sayso_server.services.feed_frames import Framing
from sayso_server.services.feed_reader import Reader
from sayso_server.storage.base import FeedEntry, FeedPage
from sayso_server.storage.memory import MemoryStorage

ENTRIES = tuple(FeedEntry(7, f"cust-{number}", number) for number in range(20_000))


class StandingClock:
    def now(self) -> int:
        return 0


class OneLargePosition(MemoryStorage):
    """A storage whose position 7 changed 20,000 consumers."""

    async def head(self, brand_id: str) -> int:
        return 7

    async def feed(self, brand_id: str, *, after: int, limit: int) -> FeedPage | None:
        return FeedPage(7, ENTRIES)


async def test_others_have_their_turn_while_a_large_page_is_framed() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    storage = OneLargePosition()
    feed, framing = BrandFeed(storage, "dealer", StandingClock()), Framing(storage.store_id, "dealer")
    busy = asyncio.create_task(others())

    await feed.begin(Reader(Caller("dealer", "dealer.k1", TokenClass.BACKEND), object()), framing.cursor(6))

    busy.cancel()
    assert turns >= 20


async def test_a_large_page_has_every_change_once_and_says_last_that_it_is_complete() -> None:
    framing = Framing("0" * 32, "dealer")

    (frames,) = await framing.page(FeedPage(7, ENTRIES))

    lines = frames.events.decode().split("\n\n")
    assert lines[1] == 'event: change\ndata: {"consumer_id":"cust-1","version":1}'
    assert [line.partition("\n")[0] for line in lines] == ["event: change"] * 20_000 + ["event: position", ""]
