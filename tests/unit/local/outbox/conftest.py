"""Entries and stores to try out: a wall clock that stands still, a secret of this run."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sayso.local.outbox.age import BOOT_ID
from sayso.local.outbox.file import FileStore
from sayso.local.outbox.memory import MemoryStore
from sayso.local.outbox.outbox import Outbox
from sayso.local.outbox.row import Row, Seal

NOW = 1_795_460_400_000_000  # 2026-11-23T19:00:00Z
URL = "https://sayso.dealer.example"


@pytest.fixture(scope="session")
def secret() -> str:
    return secrets.token_urlsafe(32)


@pytest.fixture
def seal(secret: str) -> Seal:
    return Seal([secret], "dealer", URL)


@pytest.fixture
def row() -> Callable[..., Row]:
    """Makes entries: choices of `channel:sms` unless told otherwise."""
    made = 0

    def make(answer: str = "denied", consumer: str = "cust-42", **named: Any) -> Row:
        nonlocal made
        made += 1
        values = {"kind": "choice", "choice_id": f"id-{made}", "topic": "channel:sms", "body": b'{"n":%d}' % made}
        values |= {"made": NOW, "boot": 1000.0, "boot_id": BOOT_ID}
        return Row(**values | named, consumer_id=consumer, answer=answer)

    return make


@pytest.fixture
def open_store(tmp_path: Path, seal: Seal) -> Any:
    """Opens the outbox `outbox.db`, as often as a test wants to; they are closed after it."""
    tmp_path.chmod(0o700)
    opened: list[FileStore] = []

    def open_one(**named: Any) -> FileStore:
        values = {"path": tmp_path / "outbox.db", "brand": "dealer", "url": URL, "seal": seal, "now": lambda: NOW}
        store = FileStore(**values | named)
        opened.append(store)
        store.found = store.open()
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
async def open_outbox(tmp_path: Path, seal: Seal) -> Any:
    """Opens the outbox over `outbox.db`, or in memory; closed after the test."""
    opened: list[Outbox] = []

    async def open_one(*, memory: bool = False, limit: int = 100_000) -> Outbox:
        path = tmp_path / "outbox.db"
        if memory:
            outbox = Outbox(lambda _: MemoryStore(limit), None)
        else:
            outbox = Outbox(
                lambda mended: FileStore(path, "dealer", URL, seal, lambda: NOW, limit=limit, on_mended=mended), path
            )
        opened.append(outbox)
        await outbox.open()
        return outbox

    yield open_one
    for outbox in opened:
        await outbox.close()
