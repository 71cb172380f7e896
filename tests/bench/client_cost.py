"""What the SDK adds to a bare aiohttp call: processor time of recording, against a server that answers at once."""

import asyncio
import json
import re
import time
from datetime import UTC, datetime
from statistics import median

from aiohttp import ClientSession, web
from report import Figure, spread

import sayso

ROUNDS = 7
CALLS = 600
_ID = "0193a1b2-0000-7000-8000-000000000000"
_SENT_ID = re.compile(rb'"id": ?"([0-9a-f-]{36})"')
_HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer x.y.z"}


async def measure() -> list[Figure]:
    """Give the figure. Server and client share this process; the server's part is measured alone and taken off both."""
    async with _Answering() as url, ClientSession() as session:
        key_id, secret = "bench.0", "s" * 43
        async with sayso.Client(url, key_id, secret, session=session, live=False) as privacy:
            ann = privacy.consumer("cust-42")
            made = datetime.now(UTC)
            body = json.dumps(
                {
                    "sent_at": made.isoformat(),
                    "choices": [
                        {
                            "id": sayso.new_choice_id(),
                            "consumer_id": "cust-42",
                            "topic": "channel:sms",
                            "answer": "denied",
                            "method": "chat",
                            "made_at": made.isoformat(),
                        }
                    ],
                }
            ).encode()

            async def ours() -> None:
                await ann.deny("channel:sms", method="chat", made_at=made)

            async def bare() -> None:
                async with session.post(f"{url}/v1/choices", data=body, headers=_HEADERS) as answer:
                    json.loads(await answer.read())

            measured: dict[str, list[float]] = {"ours": [], "bare": []}
            for place in range(ROUNDS + 1):
                for name, call in (("ours", ours), ("bare", bare)):
                    start = time.process_time()
                    for _ in range(CALLS):
                        await call()
                    if place:
                        measured[name].append((time.process_time() - start) / CALLS * 1e6)
    server = await _server_alone(body)
    ratios = [(one - server) / (other - server) for one, other in zip(measured["ours"], measured["bare"], strict=True)]
    notes = (
        f"ours {median(measured['ours']):.0f} µs, bare {median(measured['bare']):.0f} µs, "
        f"of which the answering server {server:.0f} µs"
    )
    name = "client call recording a choice: times the processor time of a bare session.post"
    return [Figure(name, median(ratios), spread(ratios), 1.3, "less", notes)]


class _Answering:
    """A server in this process that gives every request the same answer, but for the choice's id."""

    async def __aenter__(self) -> str:
        """Start it; gives its URL."""
        answer = json.dumps(
            {
                "recorded": [
                    {
                        "choice_id": _ID,
                        "consumer_id": "cust-42",
                        "topic": "channel:sms",
                        "version": 7,
                        "recorded_at": "2026-01-01T00:00:00.000000Z",
                        "effective_at": "2026-01-01T00:00:00.000000Z",
                        "stands": True,
                        "allowed": False,
                        "reason": "denied",
                        "replayed": False,
                    }
                ]
            }
        ).encode()

        async def handle(request: web.BaseRequest) -> web.Response:
            sent = _SENT_ID.search(await request.read())
            # The SDK refuses an answer about another choice than the one it sent.
            body = answer.replace(_ID.encode(), sent[1]) if sent else answer
            return web.Response(status=201, body=body, headers={"Content-Type": "application/json"})

        self._runner = web.ServerRunner(web.Server(handle, access_log=None))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        """Stop it."""
        await self._runner.cleanup()


async def _server_alone(body: bytes) -> float:
    """Give the processor time of one answer in µs, asked for over a raw connection that costs next to nothing."""
    request = (
        b"POST /v1/choices HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (
            len(body),
            body,
        )
    )
    async with _Answering() as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        start = time.process_time()
        for _ in range(CALLS):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        took = (time.process_time() - start) / CALLS * 1e6
        writer.close()
    return took
