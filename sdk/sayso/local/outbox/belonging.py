"""Whose an outbox is: one brand's, for one server, and Sayso's at all."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from sayso.errors import ConfigurationError
from sayso.local.outbox import tables
from sayso.local.outbox.connect import FORMAT, DamagedError


def check(path: Path, connection: sqlite3.Connection, was_outbox: Callable[[], bool]) -> None:
    """Look over a file that was there before.

    Raises:
        DamagedError: It is damaged.
        ConfigurationError: It is some other program's.
    """
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise DamagedError("the check finds damage")
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if names and not names & tables.NAMES and not was_outbox():
        raise not_ours(path)
    if names and tables.has_strange_states(connection):
        raise DamagedError("entries stand in no way that there is")


def bind(path: Path, connection: sqlite3.Connection, brand: str, url: str, outbox_id: str | None = None) -> None:
    """Write down whose a new outbox is, and under which id, and refuse one that is another's.

    Raises:
        ConfigurationError: It is another brand's, another server's or another release's.
    """
    connection.execute(
        "INSERT OR IGNORE INTO outbox VALUES (1, ?, ?, ?, ?, 0, 0)", (FORMAT, outbox_id or uuid4().hex, brand, url)
    )
    form, its_brand, its_url = connection.execute("SELECT format, brand, url FROM outbox").fetchone()
    if form != FORMAT:
        raise ConfigurationError(
            f"the outbox {path} was written by another release of Sayso; empty it with that release",
            code="outbox_format",
        )
    if (its_brand, its_url) != (brand, url):
        raise ConfigurationError(
            f"the outbox {path} belongs to {its_brand} at {its_url}, but this client speaks for {brand} at {url}; what "
            "is in it is never sent to another server or for another brand. Name another file in SAYSO_OUTBOX, or let "
            "a client with the old settings empty this one: `sayso outbox list` shows what is in it",
            code="outbox_of_another",
        )


def not_ours(path: Path) -> ConfigurationError:
    """Make the error for a file that never was an outbox."""
    return ConfigurationError(
        f"{path} is no outbox but some other file; name one in SAYSO_OUTBOX that is Sayso's own", code="not_an_outbox"
    )
