"""A thousand readers of the change stream on one server: what each costs it, and how soon all know of a change."""

import asyncio
import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import cast

from load import TOPICS
from report import Figure, spread
from servers import Served

from sayso.model.ids import new_choice_id
from sayso.transport.tokens import TokenMinter

READERS = 1_000
ROUNDS = 40
OPENING_AT_ONCE = 50
LIMIT_SECONDS = 60.0


class _Reader(asyncio.Protocol):
    """Asks for the stream and notes when each change arrived; parses no more than it has to."""

    def __init__(self, request: bytes) -> None:
        """Take what to send."""
        self._request = request
        self._rest = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.arrivals: list[float] = []
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own are of no class of asyncio's
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Look for events."""
        *whole, self._rest = (self._rest + data).split(b"\n\n")
        for event in whole:
            if b"event: change\n" in event:
                self.arrivals.append(time.perf_counter())
            elif b"event: open\n" in event:
                self.opened.set_result(None)


async def measure(*, readers: int = READERS) -> list[Figure]:
    """Give the figures; gives up after a minute."""
    async with asyncio.timeout(LIMIT_SECONDS):
        with tempfile.TemporaryDirectory() as folder:
            async with Served("real", Path(folder) / "streams.db") as served:
                return await _measure(served, readers)


async def _measure(served: Served, readers: int) -> list[Figure]:
    token = TokenMinter(served.key_id, served.secret).backend_token("backend")
    writing = await asyncio.open_connection("127.0.0.1", served.port)
    alone = [await _record(writing, token) for _ in range(ROUNDS)]
    before = served.resident_bytes()
    listening = await _open(served.port, token, readers)
    each = (served.resident_bytes() - before) / readers
    took: list[list[float]] = []
    for number in range(1, ROUNDS + 1):
        start = time.perf_counter()
        await _record(writing, token)
        while any(len(reader.arrivals) < number for reader in listening):  # noqa: ASYNC110 - nothing to wait for
            await asyncio.sleep(0.001)
        took.append(sorted(reader.arrivals[-1] - start for reader in listening))
        await asyncio.sleep(0.05)
    writing[1].close()
    for reader in listening:
        if reader.transport is not None:
            reader.transport.close()
    last = [times[-1] / median(alone) for times in took]
    reached = sorted(time for times in took for time in times)
    p50, p99 = (reached[len(reached) * share // 100] for share in (50, 99))
    return [
        Figure(f"{readers:,} streams: KiB of server memory each", each / 1024, (each / 1024,) * 2, None, "less"),
        Figure(
            f"one change to all of {readers:,} streams: times recording it without any",
            median(last),
            spread(last),
            None,
            "less",
            f"from sending the request: p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, the last of all "
            f"{max(times[-1] for times in took) * 1e3:.1f} ms; recording alone {median(alone) * 1e3:.2f} ms",
        ),
    ]


async def _open(port: int, token: str, readers: int) -> list[_Reader]:
    request = f"GET /v1/changes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    opened: list[_Reader] = []
    for start in range(0, readers, OPENING_AT_ONCE):
        count = min(OPENING_AT_ONCE, readers - start)
        made = await asyncio.gather(
            *(loop.create_connection(lambda: _Reader(request), "127.0.0.1", port) for _ in range(count))
        )
        opened += [reader for _, reader in made]
        await asyncio.gather(*(reader.opened for _, reader in made))
    return opened


async def _record(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], token: str) -> float:
    """Record one refusal; give how long that took, in seconds."""
    reader, writer = connection
    said = {"id": new_choice_id(), "consumer_id": "c1", "topic": TOPICS[0], "answer": "denied", "method": "chat"}
    body = json.dumps({"choices": [said]}).encode()
    head = f"POST /v1/choices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json"
    start = time.perf_counter()
    writer.write(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    answered = await reader.readuntil(b"\r\n\r\n")
    length = int(answered.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    answer = await reader.readexactly(length)
    took = time.perf_counter() - start
    if not answered.startswith(b"HTTP/1.1 201"):
        raise RuntimeError(f"recording failed: {answer[:300]!r}")
    return took
