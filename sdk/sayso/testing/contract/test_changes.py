"""The change stream: what happened, in order, from where one was."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import NamedTuple

from sayso.local.sse import Parser
from sayso.testing.contract.wire import Wire, choice, over_the_wire


class Told(NamedTuple):
    """One event."""

    name: str
    data: dict[str, object]
    id: str


async def listen(wire: Wire, cursor: str | None = None) -> AsyncIterator[Told]:
    """Follow the stream."""
    headers = {"Authorization": f"Bearer {wire.minter.backend_token()}", "Accept": "text/event-stream"}
    if cursor is not None:
        headers["Last-Event-ID"] = cursor
    async with wire.session.get(f"{wire.server.url}/v1/changes", headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        parser = Parser()
        async for chunk in response.content.iter_any():
            for event in parser.feed(chunk):
                yield Told(event.name, json.loads(event.data), event.id)


async def until_told(events: AsyncIterator[Told], consumer_id: str) -> tuple[Told, Told]:
    """Give the change of a consumer, and the position that follows; others may share the brand."""
    found: Told | None = None
    async for event in events:
        if event.name == "change" and event.data["consumer_id"] == consumer_id:
            found = event
        if event.name == "position" and found is not None:
            return found, event
    raise AssertionError("the stream ended early")


@over_the_wire
async def test_a_change_is_told_to_who_listens(wire: Wire) -> None:
    ann = wire.consumer()
    async with asyncio.timeout(10):
        events = listen(wire)
        opened = await anext(events)
        assert opened.name == "open"
        await wire.record(choice(ann, "channel:sms", "denied"))
        change, position = await until_told(events, ann)
        await events.aclose()  # type: ignore[attr-defined]
    assert change.data == {"consumer_id": ann, "version": 1}
    assert int(str(position.data["position"])) > int(str(opened.data["position"]))


@over_the_wire
async def test_who_comes_back_misses_nothing(wire: Wire) -> None:
    ann = wire.consumer()
    async with asyncio.timeout(10):
        events = listen(wire)
        cursor = (await anext(events)).id
        await events.aclose()  # type: ignore[attr-defined]
        await wire.record(choice(ann, "channel:sms", "denied"))
        events = listen(wire, cursor)
        assert (await anext(events)).name == "open"
        change, _ = await until_told(events, ann)
        await events.aclose()  # type: ignore[attr-defined]
    assert change.data["version"] == 1


@over_the_wire
async def test_who_comes_back_from_elsewhere_is_told_to_forget_everything(wire: Wire) -> None:
    async with asyncio.timeout(10):
        events = listen(wire, "not-a-cursor")
        names = [(await anext(events)).name, (await anext(events)).name]
        await events.aclose()  # type: ignore[attr-defined]
    assert names == ["open", "reset"]


@over_the_wire
async def test_the_head_moves_with_every_change(wire: Wire) -> None:
    before = (await wire.call("GET", "/v1/changes/head")).json
    await wire.record(choice(wire.consumer(), "channel:sms", "denied"))
    after = (await wire.call("GET", "/v1/changes/head")).json
    assert after["position"] > before["position"]
    assert after["store_id"] == before["store_id"]
