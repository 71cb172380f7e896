"""How soon a change is known to every client: 100 of them, 200 consumers changing per second."""

import asyncio
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import aiohttp
from load import TOPICS
from report import Figure
from servers import Served

from sayso.client.choice import Choice
from sayso.client.client import Client
from sayso.local.live import Live

CLIENTS = 100
CHANGES_A_SECOND = 200
SECONDS = 8.0
LIMIT_SECONDS = 60.0
_WARM_UP = 1.0


async def measure() -> list[Figure]:
    """Give the figures; gives up after a minute."""
    async with asyncio.timeout(LIMIT_SECONDS):
        with tempfile.TemporaryDirectory() as folder:
            async with Served("real", Path(folder) / "propagation.db") as served:
                return await _measure(served)


async def _measure(served: Served) -> list[Figure]:
    url = f"http://127.0.0.1:{served.port}"
    clients = [Client(url, served.key_id, served.secret, outbox=False) for _ in range(CLIENTS)]
    writer = Client(url, served.key_id, served.secret, outbox=False, live=False)
    acknowledged: dict[tuple[str, int], float] = {}
    arrived: list[tuple[str, int, float]] = []
    for client in clients:
        live = client._knowing._live
        live.changed = partial(_noting, live, arrived)  # type: ignore[method-assign]
        await client.start()
    while any(client.status != "live" for client in clients):  # noqa: ASYNC110 - nothing to wait for
        await asyncio.sleep(0.05)
    requests: list[float] = []
    asking = asyncio.create_task(_ask_bare(url, requests))
    began = time.perf_counter()
    sending: set[asyncio.Task[None]] = set()
    for number in range(round(CHANGES_A_SECOND * SECONDS)):
        await asyncio.sleep(max(0.0, began + number / CHANGES_A_SECOND - time.perf_counter()))
        task = asyncio.create_task(_change(writer, f"cust-{number % 500}", acknowledged))
        sending.add(task)
        task.add_done_callback(sending.discard)
    await asyncio.gather(*sending)
    while len(arrived) < len(acknowledged) * CLIENTS:  # noqa: ASYNC110 - nothing to wait for
        await asyncio.sleep(0.05)
    asking.cancel()
    for client in (*clients, writer):
        await client.aclose()
    # Some have heard of a change before its writer had: that took no time at all.
    took = [
        max(0.0, at - acknowledged[consumer_id, version])
        for consumer_id, version, at in arrived
        if acknowledged[consumer_id, version] > began + _WARM_UP
    ]
    return _figures(took, requests)


def _figures(took: list[float], requests: list[float]) -> list[Figure]:
    one = median(requests)
    p50, p99 = median(took), quantiles(took, n=100)[98]
    notes = f"p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms; a request {one * 1e3:.2f} ms; {len(took):,} arrivals"
    return [
        Figure(
            f"a change known to {CLIENTS} clients, p50: requests' time", p50 / one, (p50 / one,) * 2, 10, "less", notes
        ),
        Figure(f"a change known to {CLIENTS} clients, p99: requests' time", p99 / one, (p99 / one,) * 2, 60, "less"),
    ]


def _noting(live: Live, arrived: list[tuple[str, int, float]], consumer_id: str, version: int) -> None:
    Live.changed(live, consumer_id, version)
    arrived.append((consumer_id, version, time.perf_counter()))


async def _change(writer: Client, consumer_id: str, acknowledged: dict[tuple[str, int], float]) -> None:
    (recorded,) = await writer.record_many([Choice(consumer_id, TOPICS[0], "denied")])
    version: Any = recorded.version
    acknowledged[consumer_id, version] = time.perf_counter()


async def _ask_bare(url: str, requests: list[float]) -> None:
    """Ask the same server for nothing at all, meanwhile."""
    async with aiohttp.ClientSession() as session:
        while True:
            began = time.perf_counter()
            async with session.get(f"{url}/healthz") as answer:
                await answer.read()
            requests.append(time.perf_counter() - began)
            await asyncio.sleep(0.02)
