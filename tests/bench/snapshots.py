"""A snapshot as a server answers it, with a given number of topics, every second one granted until next year."""

from datetime import timedelta
from typing import Any

from sayso import Preferences
from sayso.transport.clock import boot_time

UNTIL = "2099-01-01T00:00:00.000000Z"


def snapshot(*, topics: int) -> Preferences:
    """Give a fresh snapshot that holds for an hour."""
    return Preferences.from_wire(_answer(topics), asked_at=boot_time(), max_staleness=timedelta(hours=1))


def _answer(topics: int) -> dict[str, Any]:
    return {
        "consumer_id": "cust-42",
        "version": topics,
        "store_id": "0" * 32,
        "catalogue_revision": 1,
        "valid_until": UNTIL,
        "topics": {f"purpose:t{place}": _entry(allowed=place % 2 == 1) for place in range(topics)},
        "devices": {},
        "signals": {},
        "age": {},
    }


def _entry(*, allowed: bool) -> dict[str, Any]:
    return {
        "allowed": allowed,
        "reason": "granted" if allowed else "denied",
        "answer": "granted" if allowed else "denied",
        "choice_id": "0193a1b2-0000-7000-8000-000000000000",
        "made_at": "2026-01-01T00:00:00.000000Z",
        "expires_at": UNTIL if allowed else None,
        "notice_version": 1,
        "valid_until": UNTIL if allowed else None,
    }
