"""The client's cache: a check answered from it, and what 200,000 consumers cost in memory and garbage collection."""

import asyncio
import base64
import gc
import os
import threading
import time
import tracemalloc
from datetime import timedelta
from statistics import median
from typing import Any

from report import Figure, spread

from sayso.client.client import Client
from sayso.local.cache import Cache
from sayso.local.overlay import Overlay
from sayso.transport.clock import SYSTEM_CLOCK, boot_time

ROUNDS = 9
CHECKS = 100_000
CONSUMERS = 200_000
TOPICS = [f"purpose:t{place}" for place in range(24)]
TOPIC = "purpose:t11"
_ALIKE = 40
_HOUR = timedelta(hours=1).total_seconds()


async def measure() -> list[Figure]:
    """Give the figures."""
    figures = [await _check()]
    for alike in (True, False):
        figures += await asyncio.to_thread(_memory, alike=alike)
    return figures


async def _check() -> Figure:
    client = Client("http://127.0.0.1:9", "bench.k1", "0" * 32, live=True)
    cache = client._knowing.cache
    for number in range(1000):
        _store(cache, f"cust-{number}", 1 << 11)
    cache.verified_until = boot_time() + _HOUR
    cache.vouched.thread = threading.get_ident()
    await client._parts.recorder.offline.overlay.load()
    consumers = [client.consumer(f"cust-{number}") for number in range(1000)]
    answers = {topic: place == 11 for place, topic in enumerate(TOPICS)}

    def bare(topic: str) -> bool:
        return answers.get(topic, False)

    if not all([await consumer.allows(TOPIC) for consumer in consumers]):
        raise RuntimeError("the cache does not answer as it was filled")
    ratios, ours, theirs = [], [], []
    rounds = [consumers[number % 1000] for number in range(CHECKS)]
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _consumer in rounds:
            bare(TOPIC)
        middle = time.perf_counter()
        for consumer in rounds:
            await consumer.allows(TOPIC)
        ended = time.perf_counter()
        theirs.append((middle - began) / CHECKS * 1e9)
        ours.append((ended - middle) / CHECKS * 1e9)
        ratios.append(ours[-1] / theirs[-1])
    await client.aclose()
    return Figure(
        "await ann.allows, cached, 1,000 consumers: times one dict.get in a function",
        median(ratios),
        spread(ratios),
        16,
        "less",
        f"function {median(theirs):.0f} ns, check {median(ours):.0f} ns",
    )


def _memory(*, alike: bool) -> list[Figure]:
    ids = [f"cust-{number:08d}" for number in range(CONSUMERS)]
    cache = Cache(SYSTEM_CLOCK, Overlay(), consumers=CONSUMERS, max_bytes=1 << 40)
    cache.verified_until = boot_time() + _HOUR
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number, consumer_id in enumerate(ids):
        # Odd and large, so that no two of the masks are alike.
        _store(cache, consumer_id, number % _ALIKE if alike else number * 2_654_435_761 % (1 << 24))
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    pauses = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        gc.collect()
        pauses.append((time.perf_counter() - began) * 1000)
    if len(cache) != CONSUMERS:
        raise RuntimeError("the cache has not kept everybody")
    each = (after - before) / CONSUMERS
    rows = "choices repeat" if alike else "every row differs"
    return [
        Figure(
            f"bytes per cached consumer beyond its id, 24 topics, {rows}",
            each,
            (each, each),
            160 if alike else 400,
            "less",
        ),
        Figure(f"a full garbage collection over {CONSUMERS:,}, {rows}: ms", median(pauses), spread(pauses), 50, "less"),
    ]


def _store(cache: Cache, consumer_id: str, mask: int) -> None:
    flight = cache.begin(consumer_id)
    tag = base64.urlsafe_b64encode(os.urandom(18)).decode()
    if not cache.store(flight, _snapshot(consumer_id, mask), f'"{tag}"'):
        raise RuntimeError("the cache does not keep what it is given")
    cache.end(flight)


def _snapshot(consumer_id: str, mask: int) -> dict[str, Any]:
    return {
        "consumer_id": consumer_id,
        "version": 3,
        "catalogue_revision": 1,
        "valid_until": None,
        "topics": {
            topic: {"allowed": bool(mask >> place & 1), "reason": "granted" if mask >> place & 1 else "denied"}
            for place, topic in enumerate(TOPICS)
        },
    }
