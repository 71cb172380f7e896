"""The SQL for brands, keys, origins and catalogues. Every change moves `config_version` on."""

from collections.abc import Sequence
from typing import Any

import apsw

from sayso.model.instant import Micros
from sayso_server.storage.base import CatalogueChangedError, StoredBrand, StoredCatalogue, StoredKey
from sayso_server.storage.sqlite import feed
from sayso_server.storage.sqlite.statements import rows

VERSION = "SELECT config_version, erasures FROM meta"
BRANDS = "SELECT brand_id, name, created_at FROM brand ORDER BY brand_id"
KEYS = (
    "SELECT key_id, brand_id, algorithm, classes, roles, public_key, created_at, revoked_at FROM access_key "
    "ORDER BY created_at, key_id"
)
ORIGINS = "SELECT brand_id, origin FROM origin ORDER BY brand_id, origin"
REVISIONS = "SELECT brand_id, revision, published_at FROM catalogue ORDER BY brand_id, revision"
CATALOGUES = "SELECT revision, published_at, body FROM catalogue WHERE brand_id = ? ORDER BY revision"
CATALOGUE = "SELECT revision, published_at, body FROM catalogue WHERE brand_id = ? AND revision = ?"


def key_of(row: Sequence[Any]) -> StoredKey:
    """Read the columns of one key."""
    key_id, brand_id, algorithm, classes, roles, public_key, created_at, revoked_at = row
    return StoredKey(
        key_id,
        brand_id,
        algorithm,
        tuple(classes.split()),
        tuple(roles.split()),
        public_key,
        created_at,
        revoked_at,
    )


def add_brand(cursor: apsw.Cursor, brand: StoredBrand) -> bool:
    """Add a brand; False if there is one of that id."""
    return _changed(cursor, "INSERT INTO brand VALUES (?, ?, ?) ON CONFLICT DO NOTHING", brand)


def add_key(cursor: apsw.Cursor, key: StoredKey) -> None:
    """Register a key.

    Raises:
        ValueError: There is one of that id.
    """
    row = key._replace(classes=" ".join(key.classes), roles=" ".join(key.roles))  # type: ignore[arg-type] # as stored
    if not _changed(cursor, "INSERT INTO access_key VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row):
        raise ValueError("there is a key of this id already")


def revoke_key(cursor: apsw.Cursor, brand_id: str, key_id: str, at: Micros) -> bool:
    """Revoke a key; False if the brand has no such key or it is revoked already."""
    return _changed(
        cursor,
        "UPDATE access_key SET revoked_at = ? WHERE brand_id = ? AND key_id = ? AND revoked_at IS NULL",
        (at, brand_id, key_id),
    )


def add_origin(cursor: apsw.Cursor, brand_id: str, origin: str) -> bool:
    """Register an origin; False if it was there."""
    return _changed(cursor, "INSERT INTO origin VALUES (?, ?) ON CONFLICT DO NOTHING", (brand_id, origin))


def remove_origin(cursor: apsw.Cursor, brand_id: str, origin: str) -> bool:
    """Remove an origin; False if it was not there."""
    return _changed(cursor, "DELETE FROM origin WHERE brand_id = ? AND origin = ?", (brand_id, origin))


def publish(
    cursor: apsw.Cursor, brand_id: str, body: bytes, published_at: Micros, expected_revision: int
) -> StoredCatalogue:
    """Store the next revision.

    Raises:
        CatalogueChangedError: The newest revision is not `expected_revision`.
    """
    newest = "SELECT coalesce(max(revision), 0) FROM catalogue WHERE brand_id = ?"
    ((revision,),) = rows(cursor, newest, (brand_id,))
    if revision != expected_revision:
        raise CatalogueChangedError(f"the newest revision is {revision}, not {expected_revision}")
    stored = StoredCatalogue(revision + 1, published_at, body)
    _changed(cursor, "INSERT INTO catalogue VALUES (?, ?, ?, ?)", (brand_id, *stored))
    feed.published(cursor, brand_id, stored.revision, published_at)
    return stored


def _changed(cursor: apsw.Cursor, sql: str, values: Sequence[Any]) -> bool:
    cursor.execute(sql, tuple(values))
    if not cursor.connection.changes():
        return False
    cursor.execute("UPDATE meta SET config_version = config_version + 1")
    return True
