"""What waits for one reader: in order whichever way it is sent, bounded, and gone with a revoked key."""

from __future__ import annotations

import asyncio

from sayso.wire import StreamEnd, TokenClass
from sayso_server.services.caller import Caller
from sayso_server.services.feed_reader import MOST_WAITING, Reader


class Connection:
    """Takes what is sent at once, unless it is busy."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.busy = False
        self.cuts = 0

    def send(self, events: bytes) -> bool:
        if not self.busy:
            self.got.append(events)
        return not self.busy

    def cut(self) -> None:
        self.cuts += 1


def connected() -> tuple[Reader, Connection]:
    reader, connection = Reader(Caller("dealer", "dealer.k1", TokenClass.BACKEND), object()), Connection()
    reader.send, reader.cut = connection.send, connection.cut
    return reader, connection


async def parked(reader: Reader) -> asyncio.Task[bytes]:
    """Let the connection's task wait for something."""
    taking = asyncio.create_task(reader.take())
    await asyncio.sleep(0)
    return taking


async def test_what_an_idle_connection_takes_at_once_never_waits() -> None:
    reader, connection = connected()
    taking = await parked(reader)

    reader.put(b"one", 1.0)
    reader.put(b"two", 2.0)

    assert (connection.got, reader.waiting, reader.said_at) == ([b"one", b"two"], 0, 2.0)
    reader.end(StreamEnd.SHUTTING_DOWN)
    assert await taking == b'event: end\ndata: {"reason":"shutting_down"}\n\n'


async def test_nothing_overtakes_what_a_busy_connection_left_waiting() -> None:
    reader, connection = connected()
    taking = await parked(reader)

    connection.busy = True
    reader.put(b"one", 1.0)
    connection.busy = False
    reader.put(b"two", 2.0)

    assert (connection.got, reader.waiting) == ([], 6)
    assert await taking == b"onetwo"
    reader.put(b"three", 3.0)  # nobody is parked: it is still writing what it took
    assert connection.got == []
    assert await reader.take() == b"three"


async def test_who_has_too_much_waiting_is_cut_and_gets_nothing_more() -> None:
    reader, connection = connected()

    reader.put(b"x" * (3 * MOST_WAITING), 1.0)
    assert connection.cuts == 0
    reader.put(b"y", 2.0)
    reader.put(b"z", 3.0)

    assert (connection.cuts, reader.has_ended, await reader.take()) == (1, True, b"")


async def test_a_revoked_key_gets_the_reason_and_nothing_that_was_waiting() -> None:
    reader, _ = connected()

    reader.put(b"one", 1.0)
    reader.end(StreamEnd.REVOKED)
    reader.end(StreamEnd.TOKEN_EXPIRED)
    reader.put(b"two", 2.0)

    assert await reader.take() == b'event: end\ndata: {"reason":"revoked"}\n\n'
    assert await reader.take() == b""


async def test_an_expired_token_gets_what_was_waiting_first() -> None:
    reader, _ = connected()

    reader.put(b"one", 1.0)
    reader.end(StreamEnd.TOKEN_EXPIRED)

    assert await reader.take() == b'oneevent: end\ndata: {"reason":"token_expired"}\n\n'
    assert await reader.take() == b""
