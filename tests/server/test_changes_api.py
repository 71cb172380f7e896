"""`GET /v1/changes` and its head: nothing missed, nothing twice, nothing of anybody else's, and an end to it."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import pytest

from sayso.wire import Role, TokenClass
from sayso_server.app import SERVICES
from sayso_server.routes import changes
from sayso_server.services import feed as feed_service
from sayso_server.services.feed import Feed
from sayso_server.services.feed_frames import Framing
from sayso_server.storage import base
from sayso_server.storage.base import Found, StorageUnavailableError, StoredChange, StoredConsumer, Wanted, Write
from sayso_server.storage.sqlite import SqliteStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.server.conftest import Brand, World

WIRE = Path(__file__).parents[1] / "wire"
HEARTBEAT = b":\n\n"
BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])


class Event(NamedTuple):
    name: str
    id: str | None
    data: Any


def parsed(text: str) -> Event:
    """Read one event as the project writes it: a name, perhaps an id, one line of data."""
    fields = dict(line.split(": ", 1) for line in text.strip("\n").split("\n"))
    assert list(fields) in (["event", "id", "data"], ["event", "data"])
    return Event(fields["event"], fields.get("id"), json.loads(fields["data"]))


class Stream:
    """An open stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.last_id: str | None = None
        self.stream_id = ""

    async def block(self) -> bytes:
        """Give the next event or heartbeat as it was sent; nothing at the end."""
        async with asyncio.timeout(5):
            try:
                return await self.response.content.readuntil(b"\n\n")
            except asyncio.IncompleteReadError as cut:
                return cut.partial

    async def event(self) -> Event:
        """Give the next event."""
        while (block := await self.block()) == HEARTBEAT:
            pass
        event = parsed(block.decode())
        self.last_id = event.id or self.last_id
        if event.name == "open":
            self.stream_id = event.data["stream"]
        return event

    async def events(self, count: int) -> list[tuple[str, Any]]:
        return [(event.name, event.data) for event in [await self.event() for _ in range(count)]]

    async def until(self, position: int) -> list[Event]:
        """Give everything up to the end of a position."""
        seen = [await self.event()]
        while not (seen[-1].name == "position" and seen[-1].data["position"] >= position):
            seen.append(await self.event())
        return seen

    async def end(self) -> str:
        """Wait for the reason of the end, and for the end."""
        while (event := await self.event()).name != "end":
            pass
        assert await self.block() == b""
        return str(event.data["reason"])


@asynccontextmanager
async def listening(
    brand: Brand, cursor: str | None = None, *, begun: bool = True, **token: Any
) -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {brand.backend(**token)}"}
    if cursor is not None:
        headers["Last-Event-ID"] = cursor
    async with brand.world.session.get(brand.world.base + "/v1/changes", headers=headers) as response:
        assert response.status == 200
        stream = Stream(response)
        if begun:
            assert (await stream.event()).name == "open"
        yield stream


async def head(brand: Brand, query: str = "", **token: Any) -> dict[str, Any]:
    answer = await brand.call("GET", f"/v1/changes/head{query}", token=brand.backend(**token))
    assert answer.status == 200, answer.body
    members: dict[str, Any] = answer.json
    return members


def feed_of(world: World) -> Feed:
    return world.app[SERVICES].feed


async def until_streams(world: World, count: int, within: float) -> float:
    """Wait until the server holds so many streams; give how long it took."""
    start = time.perf_counter()
    while len(feed_of(world)) != count:
        assert time.perf_counter() - start < within
        await asyncio.sleep(0.01)
    return time.perf_counter() - start


async def record_at_once(world: World, brand: str, consumers: list[str]) -> None:
    """Record one change of each consumer in one commit."""

    def plan(found: Mapping[str, Found], now: int) -> tuple[list[Write], None]:
        writes = []
        for name, seen in found.items():
            version = seen.consumer.version + 1 if seen.consumer else 1
            row = StoredChange(version, "device", now, now, now, None, b"", b"{}")
            writes.append(Write(name, StoredConsumer(version, now, now, b"{}"), (row,)))
        return writes, None

    await world.storage.record(brand, [Wanted(name) for name in consumers], plan)


# --- the wire -----------------------------------------------------------------------------------------------


def assert_as_promised(name: str, found: list[Event]) -> None:
    """Hold events to a file that was written by hand; an event may say more, never less or something else."""
    blocks = (WIRE / f"{name}.sse").read_text().split("\n\n")
    promised = [parsed(block) for block in blocks if block.strip()]
    assert [event.name for event in found] == [event.name for event in promised]
    for one, other in zip(promised, found, strict=True):
        assert (one.id is None) == (other.id is None)
        for member, value in one.data.items():
            said = other.data[member]
            assert isinstance(said, str) and said if value == "<text>" else (type(said), said) == (type(value), value)


@BOTH
async def test_events_that_programs_rely_on_are_as_they_always_were(
    world: World, dealer: Brand, catalogue: dict[str, Any]
) -> None:
    async with listening(dealer, begun=False) as stream:
        found = [await stream.event()]
        await dealer.say("channel:sms", "denied")
        found += await stream.until(2)
        del catalogue["topics"]["purpose:recall"]
        await dealer.publish(catalogue)
        found += await stream.until(3)
        world.clock.forward(timedelta(minutes=5))
        found.append(await stream.event())

    assert_as_promised("get_changes", found)


@BOTH
async def test_the_events_after_a_cursor_that_is_no_use_are_as_they_always_were(
    world: World, dealer: Brand, shop: Brand
) -> None:
    async with listening(shop) as stream:
        foreign = stream.last_id
    async with listening(dealer, foreign, begun=False) as stream:
        found = [await stream.event(), await stream.event()]
        await world.storage.revoke_key("dealer", dealer.keys["all"][0].key_id, world.clock.now())
        found.append(await stream.event())

    assert_as_promised("get_changes_foreign", found)


async def test_the_stream_is_neither_cached_nor_sniffed_nor_held_back(dealer: Brand) -> None:
    async with listening(dealer) as stream:
        headers = stream.response.headers

    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Server"] == "sayso"
    assert len(headers["X-Request-Id"]) == 16
    assert "Access-Control-Allow-Origin" not in headers


async def test_a_client_of_http_1_0_gets_the_events_without_chunks(world: World, dealer: Brand) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(f"GET /v1/changes HTTP/1.0\r\nAuthorization: Bearer {dealer.backend()}\r\n\r\n".encode())
    header = await reader.readuntil(b"\r\n\r\n")
    opened = await reader.readuntil(b"\n\n")
    await dealer.say("channel:sms", "denied")
    told = await reader.readuntil(b"\n\n")
    writer.close()

    assert header.startswith(b"HTTP/1.0 200")
    assert b"chunked" not in header.lower()
    assert opened.startswith(b"event: open\n")
    assert told == b'event: change\ndata: {"consumer_id":"cust-42","version":1}\n\n'


async def test_head_shows_the_header_and_opens_no_stream(world: World, dealer: Brand) -> None:
    answer = await dealer.call("HEAD", "/v1/changes")

    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "text/event-stream", b"")
    assert len(feed_of(world)) == 0


# --- what is told -------------------------------------------------------------------------------------------


@BOTH
async def test_a_stream_begins_at_the_head_and_tells_every_kind_of_change(world: World, dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")
    one = "/v1/consumers/cust-42"

    async with listening(dealer, begun=False) as stream:
        opened = await stream.event()
        await dealer.say("channel:sms", "denied")
        await dealer.report({"android.permission.CAMERA": "granted"})
        await dealer.call("POST", f"{one}/signals", json={"name": "gpc", "device_id": "laptop"})
        await dealer.call("PUT", f"{one}/age", json={"source": "brand", "lower": 21})
        told = [event for event in await stream.until(6) if event.name == "change"]

    assert opened.data == {"stream": stream.stream_id, "store_id": world.storage.store_id, "position": 2}
    assert [event.data for event in told] == [
        {"consumer_id": "cust-42", "version": version} for version in (2, 3, 4, 5)
    ]


@BOTH
async def test_several_choices_at_once_are_one_event_for_each_consumer(dealer: Brand, make_choice: Any) -> None:
    said = [make_choice("channel:sms", "denied", name) for name in ("cust-1", "cust-2", "cust-1")]

    async with listening(dealer) as stream:
        await dealer.recorded(*said)
        *told, complete = await stream.events(3)

    assert sorted(event["consumer_id"] for _, event in told) == ["cust-1", "cust-2"]
    assert {event["consumer_id"]: event["version"] for _, event in told} == {"cust-1": 2, "cust-2": 1}
    assert complete == ("position", {"position": 2})


@BOTH
async def test_a_link_is_told_of_both_ids(dealer: Brand, make_choice: Any) -> None:
    visitor = "anon_AAAAAAAAAAAAAAAAAAAAAA"
    await dealer.recorded(make_choice("channel:sms", "denied", visitor))

    async with listening(dealer) as stream:
        answer = await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})
        told = {event.data["consumer_id"]: event.data["version"] for event in await stream.until(3) if not event.id}

    assert told == {visitor: 2, "cust-42": answer.json["version"]}


@BOTH
async def test_what_changes_nothing_is_not_told(dealer: Brand, make_choice: Any) -> None:
    said = make_choice("channel:sms", "denied")
    await dealer.recorded(said)

    async with listening(dealer) as stream:
        assert (await dealer.recorded(said))[0]["replayed"] is True
        assert (await dealer.post(make_choice("channel:smss", "denied"))).status == 422
        assert (await head(dealer))["position"] == 2
        await dealer.say("channel:sms", "denied")
        assert (await stream.event()).data == {"consumer_id": "cust-42", "version": 2}


@pytest.mark.parametrize("storage_kind", ["sqlite"])
async def test_what_a_command_publishes_beside_the_server_is_told_within_a_second(
    dealer: Brand, tmp_path: Path
) -> None:
    command = SqliteStorage(tmp_path / "sayso.db", server=False)
    await command.start()

    async with listening(dealer) as stream:
        body = (await command.catalogues("dealer"))[0].body
        await command.publish("dealer", body, published_at=2, expected_revision=1)
        async with asyncio.timeout(1):
            assert await stream.events(2) == [("catalogue", {"revision": 2}), ("position", {"position": 2})]

    await command.close()


# --- nothing missed, nothing twice --------------------------------------------------------------------------


@BOTH
async def test_a_reader_that_is_cut_anywhere_and_resumes_misses_nothing_and_gets_nothing_twice(
    dealer: Brand, make_choice: Any
) -> None:
    chance = random.Random(7)
    consumers = [f"cust-{number}" for number in range(8)]
    rounds = 25

    async def write(consumer: str) -> None:
        for _ in range(rounds):
            await dealer.recorded(make_choice("channel:sms", "denied", consumer))
            await asyncio.sleep(chance.random() * 0.01)

    positions: list[int] = []
    told: dict[str, list[int]] = {consumer: [] for consumer in consumers}

    async def read() -> None:
        cursor = None
        while any(versions[-1:] != [rounds] for versions in told.values()):
            async with listening(dealer, cursor, begun=False) as stream:
                opened = await stream.event()
                assert opened.name == "open"
                assert positions[-1:] in ([], [opened.data["position"]])
                cursor = opened.id
                unfinished: list[Event] = []
                for _ in range(chance.randrange(1, 12)):
                    if all(versions[-1:] == [rounds] for versions in told.values()):
                        break
                    event = await stream.event()
                    if event.name == "change":
                        unfinished.append(event)
                        continue
                    assert event.name == "position"
                    positions.append(event.data["position"])
                    cursor = event.id
                    for change in unfinished:
                        told[change.data["consumer_id"]].append(change.data["version"])
                    unfinished = []

    async with listening(dealer) as first:
        reading = asyncio.create_task(read())
        await until_streams(dealer.world, 2, 1)
        await asyncio.gather(*(write(consumer) for consumer in consumers))
        async with asyncio.timeout(20):
            await reading
        whole = await first.until((await head(dealer))["position"])

    assert positions == list(range(2, positions[-1] + 1))
    for consumer in consumers:
        assert told[consumer] == sorted(set(told[consumer]))
        # A version that is left out was followed by a newer one in the same commit: the uncut reader says so.
        uncut = [event.data["version"] for event in whole if event.data.get("consumer_id") == consumer]
        assert told[consumer] == uncut


@BOTH
async def test_resuming_from_the_head_goes_on_without_a_reset(dealer: Brand) -> None:
    async with listening(dealer) as stream:
        await dealer.say("channel:sms", "denied")
        await stream.until(2)
        cursor = stream.last_id

    async with listening(dealer, cursor) as stream:
        assert stream.last_id == cursor
        await dealer.say("channel:sms", "denied")
        assert await stream.events(2) == [
            ("change", {"consumer_id": "cust-42", "version": 2}),
            ("position", {"position": 3}),
        ]


@BOTH
async def test_a_reader_far_behind_catches_up_page_by_page_in_order(world: World, dealer: Brand) -> None:
    async with listening(dealer) as stream:
        cursor = stream.last_id
    for _ in range(30):
        await record_at_once(world, "dealer", [f"cust-{number}" for number in range(100)])

    async with listening(dealer, cursor) as stream:
        await record_at_once(world, "dealer", ["cust-0"])
        seen = await stream.until(32)

    assert [event.data["position"] for event in seen if event.name == "position"] == list(range(2, 33))
    versions = [event.data["version"] for event in seen if event.data.get("consumer_id") == "cust-0"]
    assert versions == list(range(1, 32))
    assert sum(event.name == "change" for event in seen) == 3_001


@BOTH
@pytest.mark.parametrize("cursor", ["", "x", "7", "A" * 27, "é" * 27, "-" * 27, "a" * 4_000], ids=len)
async def test_a_cursor_that_is_none_of_ours_gives_a_reset_to_the_head(
    world: World, dealer: Brand, cursor: str
) -> None:
    await dealer.say("channel:sms", "denied")

    async with listening(dealer, cursor, begun=False) as stream:
        (opened, begun), (reset, again) = await stream.events(2)

        assert (opened, begun["position"]) == ("open", 2)
        assert (reset, again) == ("reset", {"store_id": world.storage.store_id, "position": 2})
        await dealer.say("channel:sms", "denied")
        assert await stream.events(2) == [
            ("change", {"consumer_id": "cust-42", "version": 2}),
            ("position", {"position": 3}),
        ]


@BOTH
async def test_a_cursor_that_is_too_old_gives_a_reset(
    world: World, dealer: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "FEED_KEPT", 100)
    async with listening(dealer) as stream:
        cursor = stream.last_id
    for _ in range(600):
        await record_at_once(world, "dealer", ["cust-42"])

    async with listening(dealer, cursor, begun=False) as stream:
        assert [(name, data["position"]) for name, data in await stream.events(2)] == [("open", 601), ("reset", 601)]


@BOTH
async def test_a_cursor_of_another_store_or_brand_or_from_ahead_of_the_head_gives_a_reset(
    world: World, dealer: Brand, shop: Brand
) -> None:
    store = world.storage.store_id
    async with listening(dealer) as stream:
        assert stream.last_id == Framing(store, "dealer").cursor(1)

    for cursor in (
        Framing(store, "dealer").cursor(2),
        Framing(store, "dealer").cursor(2**64 - 1),
        Framing(store, "shop").cursor(1),
        Framing("0" * 32, "dealer").cursor(1),
    ):
        async with listening(dealer, cursor, begun=False) as stream:
            assert [(name, data["position"]) for name, data in await stream.events(2)] == [("open", 1), ("reset", 1)]


# --- brands are walls ---------------------------------------------------------------------------------------


@BOTH
async def test_a_brand_hears_nothing_of_another_and_its_positions_stand_still(
    world: World, dealer: Brand, shop: Brand, catalogue: dict[str, Any]
) -> None:
    before = await head(dealer)

    async with listening(dealer) as stream, listening(shop) as other:
        await asyncio.gather(*(shop.say("channel:sms", "denied", consumer=f"cust-{number}") for number in range(20)))
        del catalogue["topics"]["purpose:recall"]
        await shop.publish(catalogue)
        await other.until((await head(shop))["position"])
        assert await head(dealer) == before == {"store_id": world.storage.store_id, "position": 1}
        await dealer.say("channel:sms", "denied")
        assert await stream.events(2) == [
            ("change", {"consumer_id": "cust-42", "version": 1}),
            ("position", {"position": 2}),
        ]


# --- it lives, and it ends ----------------------------------------------------------------------------------


async def test_a_silent_stream_beats_about_once_a_second(dealer: Brand) -> None:
    async with listening(dealer) as stream:
        start = time.perf_counter()
        assert [await stream.block(), await stream.block()] == [HEARTBEAT, HEARTBEAT]
        took = time.perf_counter() - start

    assert 1.5 < took < 3.2


async def test_a_stream_ends_with_its_token(world: World, dealer: Brand) -> None:
    async with listening(dealer) as stream:
        world.clock.forward(timedelta(seconds=299))
        assert await stream.block() == HEARTBEAT
        world.clock.forward(timedelta(seconds=1))

        assert await stream.end() == "token_expired"
    await until_streams(world, 0, 1)


async def test_a_stream_lasts_as_long_as_the_newest_token_it_was_renewed_with(world: World, dealer: Brand) -> None:
    async with listening(dealer) as stream:
        query = f"?stream={stream.stream_id}"
        world.clock.forward(timedelta(seconds=200))
        older = dealer.backend(exp=int(world.clock.moment.timestamp()) + 60)
        assert (await head(dealer, query))["renewed"] is True
        assert (await dealer.call("GET", f"/v1/changes/head{query}", token=older)).json["renewed"] is True
        world.clock.forward(timedelta(seconds=299))
        assert await stream.block() == HEARTBEAT
        world.clock.forward(timedelta(seconds=1))

        assert await stream.end() == "token_expired"
        assert (await head(dealer, query))["renewed"] is False


async def test_nobody_elses_token_renews_a_stream(world: World, dealer: Brand, shop: Brand) -> None:
    await dealer.add_key("second", [TokenClass.BACKEND], [Role.BACKEND])

    async with listening(dealer) as stream:
        query = f"?stream={stream.stream_id}"
        world.clock.forward(timedelta(seconds=200))
        answers = [
            await head(dealer, query, key="second"),
            await head(shop, query),
            await head(dealer, "?stream=" + "A" * 22),
            await head(dealer, "?stream="),
        ]
        assert [answer["renewed"] for answer in answers] == [False] * 4
        assert "renewed" not in await head(dealer)
        world.clock.forward(timedelta(seconds=100))

        assert await stream.end() == "token_expired"


@BOTH
async def test_a_stream_ends_within_two_seconds_when_its_key_is_revoked_and_others_go_on(
    world: World, dealer: Brand, shop: Brand
) -> None:
    key, _ = await dealer.add_key("second", [TokenClass.BACKEND], [Role.BACKEND])

    async with listening(dealer, key="second") as revoked, listening(dealer) as stream, listening(shop) as other:
        start = time.perf_counter()
        assert await world.storage.revoke_key("dealer", key.key_id, world.clock.now())
        assert await revoked.end() == "revoked"
        assert time.perf_counter() - start < 2
        await dealer.say("channel:sms", "denied")
        assert [event.name for event in await stream.until(2)] == ["change", "position"]
        await shop.say("channel:sms", "denied")
        assert [event.name for event in await other.until(2)] == ["change", "position"]


@BOTH
async def test_a_reader_that_goes_away_is_forgotten_within_a_heartbeat(world: World, dealer: Brand) -> None:
    async with listening(dealer), listening(dealer) as second:
        await until_streams(world, 2, 1)
        second.response.close()
        await until_streams(world, 1, 2)
    await until_streams(world, 0, 2)
    followers = [task for task in asyncio.all_tasks() if task.get_name() == "sayso-feed"]
    await asyncio.wait_for(asyncio.gather(*followers), 1)


# --- slow readers -------------------------------------------------------------------------------------------


async def deaf_reader(world: World, dealer: Brand) -> socket.socket:
    """Open a stream on a bare socket with little room, and read no more than its beginning."""
    loop = asyncio.get_running_loop()
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    opened.setblocking(False)
    await loop.sock_connect(opened, ("127.0.0.1", world.port))
    request = f"GET /v1/changes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {dealer.backend()}\r\n\r\n"
    await loop.sock_sendall(opened, request.encode())
    begun = b""
    while b"event: open" not in begun or not begun.endswith(b"\r\n"):
        begun += await loop.sock_recv(opened, 4_096)
    return opened


async def heard(opened: socket.socket) -> bytes:
    """Read what is left, up to the end or the cut."""
    read = b""
    try:
        while part := await asyncio.get_running_loop().sock_recv(opened, 65_536):
            read += part
    except ConnectionError:
        pass
    return read


async def test_a_reader_with_too_much_before_it_is_cut_off_and_another_goes_on(world: World, dealer: Brand) -> None:
    consumers = [f"cust-{number:0100}" for number in range(500)]

    async with listening(dealer) as stream:
        deaf = await deaf_reader(world, dealer)
        assert len(feed_of(world)) == 2
        for position in range(2, 12):
            await record_at_once(world, "dealer", consumers)
            await stream.until(position)
        took = await until_streams(world, 1, 2)
        await dealer.say("channel:sms", "denied")
        assert [event.name for event in await stream.until(12)] == ["change", "position"]

    assert took < 2
    assert b"event: end" not in await heard(deaf)
    deaf.close()


async def test_a_reader_that_takes_more_than_5_s_for_a_write_is_cut_off(
    world: World, dealer: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert changes.LONGEST_WRITE.total_seconds() == 5
    monkeypatch.setattr(changes, "LONGEST_WRITE", timedelta(seconds=0.3))
    deaf = await deaf_reader(world, dealer)

    # One commit: it never waits behind anything, and still no one may take forever to fetch it.
    await record_at_once(world, "dealer", [f"cust-{number:0100}" for number in range(6_000)])
    await until_streams(world, 0, 2)

    assert b"event: end" not in await heard(deaf)
    deaf.close()


async def test_who_was_cut_off_resumes_after_the_last_whole_position(world: World, dealer: Brand) -> None:
    deaf = await deaf_reader(world, dealer)
    consumers = [f"cust-{number:0100}" for number in range(500)]
    for _ in range(12):
        await record_at_once(world, "dealer", consumers)
    await until_streams(world, 0, 2)
    text = b"".join(line for line in (await heard(deaf)).split(b"\r\n") if len(line) > 6).decode()
    deaf.close()
    blocks = [parsed(block) for block in text.split("\n\n")[:-1] if block.startswith("event: ")]
    got = [event for event in blocks if event.name == "position"]
    assert got
    assert got[-1].data["position"] < 13

    async with listening(dealer, got[-1].id) as stream:
        seen = await stream.until(13)

    positions = [event.data["position"] for event in got + seen if event.name == "position"]
    assert positions == list(range(2, 14))
    assert sum(event.name == "change" for event in seen) == 500 * (13 - got[-1].data["position"])


@BOTH
async def test_a_commit_larger_than_what_may_wait_reaches_whoever_reads(world: World, dealer: Brand) -> None:
    consumers = [f"cust-{number:0100}" for number in range(4_000)]

    async with listening(dealer) as stream:
        await record_at_once(world, "dealer", consumers)
        seen = await stream.until(2)
        assert {event.data["consumer_id"] for event in seen[:-1]} == set(consumers)
        await dealer.say("channel:sms", "denied")
        assert [event.name for event in await stream.until(3)] == ["change", "position"]


# --- limits, trouble, the end -------------------------------------------------------------------------------


async def test_a_key_has_so_many_streams_and_no_more(
    world: World, dealer: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert feed_service.STREAMS_PER_KEY == 2_000
    monkeypatch.setattr(feed_service, "STREAMS_PER_KEY", 2)
    await dealer.add_key("second", [TokenClass.BACKEND], [Role.BACKEND])

    async with listening(dealer), listening(dealer) as last:
        answer = await dealer.call("GET", "/v1/changes")
        assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "rate_limited", "5")
        async with listening(dealer, key="second"):
            pass
        last.response.close()
        await until_streams(world, 1, 2)
        async with listening(dealer):
            pass


async def test_200_readers_hear_of_a_change_and_all_are_forgotten_when_they_go(world: World, dealer: Brand) -> None:
    async with asyncio.timeout(30):
        opened = [listening(dealer) for _ in range(200)]
        streams = await asyncio.gather(*(one.__aenter__() for one in opened))
        await dealer.say("channel:sms", "denied")
        told = await asyncio.gather(*(stream.events(2) for stream in streams))
        await asyncio.gather(*(one.__aexit__(None, None, None) for one in opened))
        await until_streams(world, 0, 3)

    expected = [("change", {"consumer_id": "cust-42", "version": 1}), ("position", {"position": 2})]
    assert told == [expected] * 200


async def test_200_readers_that_come_back_with_one_cursor_read_the_storage_once(
    world: World, dealer: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(dealer) as stream:
        cursor = stream.last_id
    for number in range(10):
        await record_at_once(world, "dealer", [f"cust-{number}"])
    reads = 0
    feed = world.storage.feed

    async def slow(brand_id: str, *, after: int, limit: int) -> Any:
        nonlocal reads
        reads += 1
        await asyncio.sleep(1)
        return await feed(brand_id, after=after, limit=limit)

    monkeypatch.setattr(world.storage, "feed", slow)
    opened = [listening(dealer, cursor) for _ in range(200)]
    streams = await asyncio.gather(*(one.__aenter__() for one in opened))
    told = await asyncio.gather(*(stream.until(11) for stream in streams))
    await asyncio.gather(*(one.__aexit__(None, None, None) for one in opened))

    assert {len(events) for events in told} == {20}
    assert reads < 10


async def test_while_the_storage_is_in_trouble_streams_live_and_afterwards_nothing_is_missing(
    world: World, dealer: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise StorageUnavailableError("no disk")

    async with listening(dealer) as stream:
        with monkeypatch.context() as trouble:
            trouble.setattr(world.storage, "feed", broken)
            await dealer.say("channel:sms", "denied")
            assert await stream.block() == HEARTBEAT
            trouble.setattr(world.storage, "head", broken)
            assert await stream.block() == HEARTBEAT
            answer = await dealer.call("GET", "/v1/changes")
            assert (answer.status, answer.code) == (503, "unavailable")
            assert (await dealer.call("GET", "/v1/changes/head")).status == 503
        assert await stream.events(2) == [
            ("change", {"consumer_id": "cust-42", "version": 1}),
            ("position", {"position": 2}),
        ]
        assert len(feed_of(world)) == 1


async def test_a_feeder_that_fails_cuts_its_readers_off_and_the_next_one_works(
    world: World, dealer: Brand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    about = "Ann"

    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError(about)

    async with listening(dealer) as stream:
        cursor = stream.last_id
        with monkeypatch.context() as trouble:
            trouble.setattr(world.storage, "feed", broken)
            await dealer.say("channel:sms", "denied")
            with pytest.raises((ConnectionError, aiohttp.ClientError)):
                await stream.end()
    await until_streams(world, 0, 1)
    async with listening(dealer, cursor) as stream:
        assert [event.name for event in await stream.until(2)] == ["change", "position"]

    assert "RuntimeError" in caplog.text
    assert "Ann" not in caplog.text


async def test_stopping_the_server_tells_readers_and_waits_little_for_those_that_do_not_listen(
    world: World, dealer: Brand
) -> None:
    async with listening(dealer) as stream, listening(dealer) as other:
        deaf = await deaf_reader(world, dealer)
        await record_at_once(world, "dealer", [f"cust-{number:0100}" for number in range(6_000)])
        await asyncio.gather(stream.until(2), other.until(2))
        start = time.perf_counter()
        world.stop.set()
        assert [await stream.end(), await other.end()] == ["shutting_down"] * 2
        assert time.perf_counter() - start < 0.5
        await world.serving
        assert time.perf_counter() - start < 3

    assert b"event: end" not in await heard(deaf)
    deaf.close()


async def test_a_server_that_is_stopping_opens_no_more_streams(world: World, dealer: Brand) -> None:
    await feed_of(world).stop()

    answer = await dealer.call("GET", "/v1/changes")

    assert (answer.status, answer.code) == (503, "unavailable")
