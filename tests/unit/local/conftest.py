"""Snapshots as a server sends them, and a cache over a clock that is set."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from sayso.local.cache import Cache
from sayso.local.overlay import Overlay

TOPICS = ("purpose:marketing", "channel:sms", "permission:camera")


def etag_of(data: dict[str, Any]) -> str:
    digest = hashlib.sha256(repr(data).encode()).digest()[:18]
    return f'"{base64.urlsafe_b64encode(digest).decode()}"'


def make_snapshot(consumer_id: str = "cust-42", version: int = 1, **changes: Any) -> dict[str, Any]:
    granted = changes.pop("granted", ())
    by_device = changes.pop("by_device", None)
    topics: dict[str, Any] = {
        topic: {"allowed": topic in granted, "reason": "granted" if topic in granted else "not_asked"}
        for topic in changes.pop("topics", TOPICS)
    }
    if by_device:
        topics["permission:camera"]["by_device"] = {
            device: {"allowed": reason == "granted", "reason": reason} for device, reason in by_device.items()
        }
    return {
        "consumer_id": consumer_id,
        "version": version,
        "store_id": "store-1",
        "catalogue_revision": 7,
        "valid_until": None,
        "topics": topics,
        **changes,
    }


@pytest.fixture
def cache(clock) -> Cache:
    """A cache that is proved to be fresh for the next 1,000 seconds."""
    made = Cache(clock, Overlay(), consumers=100, max_bytes=1_000_000)
    made.verified_until = clock.boot() + 1000
    return made


@pytest.fixture
def keep(cache: Cache) -> Callable[..., bool]:
    """Stores what a request brought that nothing came in between."""

    def store(data: dict[str, Any] | None = None, body: bytes | None = None, **members: Any) -> bool:
        snapshot = data or make_snapshot(**members)
        flight = cache.begin(snapshot["consumer_id"])
        try:
            return cache.store(flight, snapshot, etag_of(snapshot), body)
        finally:
            cache.end(flight)

    return store
