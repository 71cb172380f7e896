"""The brand of a fake: its keys, which live in memory, and its catalogue."""

import secrets
from collections.abc import Iterable, Mapping
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any, Final, NamedTuple

from sayso.catalogue import read_catalogue
from sayso.catalogue.read import catalogue_from_python
from sayso.model.catalogue import Catalogue
from sayso.model.instant import Micros
from sayso.transport.codec import loads
from sayso.wire import Role, TokenClass
from sayso_server.storage.base import Storage, StoredBrand, StoredKey

CATALOGUE_FILE: Final = Path(__file__).with_name("catalogue.toml")
"""The catalogue that a fake starts with: one topic of each kind and one partner. The contract suite expects it, too."""

ORIGIN: Final = "https://dealer.example"

Changes = Mapping[str, Any]
"""Tables of a catalogue to change: `{"topics": {"purpose:marketing": {"version": 2}}}`; None takes one out."""


class Credentials(NamedTuple):
    """What a brand finds in SAYSO_KEY_ID and SAYSO_SECRET."""

    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"Credentials({self.key_id!r})"


class Secrets:
    """The secrets of a fake's keys. Made anew for each fake, and never written down."""

    def __init__(self) -> None:
        """Start without a key."""
        self._secrets: dict[str, str] = {}
        self._mark_key = secrets.token_bytes(32)

    def stamp(self) -> object:
        """Give what compares unequal once there is another key."""
        return len(self._secrets)

    def read(self) -> Mapping[str, str]:
        """Give the secrets by key id."""
        return dict(self._secrets)

    def mark_key(self, *, make: bool = True) -> bytes:
        """Give the key that erased consumers are known again by."""
        return self._mark_key

    def erasure_journal(self) -> None:
        """Give none: a fake has no backup to restore."""

    def make(self, key_id: str) -> str:
        """Make a secret and keep it."""
        self._secrets[key_id] = secrets.token_urlsafe(32)
        return self._secrets[key_id]


async def add_brand(
    storage: Storage, made: Secrets, brand_id: str, origins: Iterable[str], now: Micros
) -> dict[Role, Credentials]:
    """Register a brand with a key for its backend, one that publishes and one that works rights requests."""
    await storage.add_brand(StoredBrand(brand_id, brand_id.title(), now))
    for origin in origins:
        await storage.add_origin(brand_id, origin)
    classes = {
        Role.BACKEND: (TokenClass.BACKEND.value, TokenClass.CONSUMER.value),
        Role.ADMIN: (TokenClass.BACKEND.value,),
        Role.PRIVACY_OFFICER: (TokenClass.BACKEND.value,),
    }
    keys: dict[Role, Credentials] = {}
    for role, may_sign in classes.items():
        key_id = f"{brand_id}.testing-{role}"
        await storage.add_key(StoredKey(key_id, brand_id, "HS256", may_sign, (role.value,), None, now, None))
        keys[role] = Credentials(key_id, made.make(key_id))
    return keys


def catalogue_of(source: "Catalogue | str | PathLike[str]") -> Catalogue:
    """Give a catalogue, or read one from TOML.

    Raises:
        CatalogueError: It can't be read; `found` names table and key.
    """
    if isinstance(source, Catalogue):
        return source
    if source is CATALOGUE_FILE:
        return _default()
    if isinstance(source, str) and "\n" in source:
        return read_catalogue(source)
    try:
        content = Path(source).read_bytes()
    except OSError:
        return read_catalogue(source)  # which says what is wrong
    return read_catalogue(content)


@cache
def _default() -> Catalogue:
    return read_catalogue(CATALOGUE_FILE.read_bytes())


def changed(catalogue: Catalogue, changes: Changes) -> Catalogue:
    """Give a catalogue with some of its tables changed.

    Raises:
        CatalogueError: What comes out is none; `found` names table and key.
    """
    tables = loads(catalogue.canonical_json())
    tables.pop("history", None)  # the server keeps that, and goes on from what it has
    return catalogue_from_python(_merged(tables, changes))


def _merged(tables: dict[str, Any], changes: Changes) -> dict[str, Any]:
    merged = dict(tables)
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            before = merged.get(name)
            merged[name] = _merged(before if isinstance(before, dict) else {}, value)
        else:
            merged[name] = value
    return merged
