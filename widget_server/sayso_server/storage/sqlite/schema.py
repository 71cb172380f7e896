"""Bring a database's schema up to date, or refuse one that this version doesn't know."""

import hashlib
import re
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import apsw

from sayso.errors import ConfigurationError
from sayso_server.storage.sqlite.statements import rows

APPLICATION_ID = 0x53617973
"""`Says`, in the header of the file: tells Sayso's databases from other programs'."""

_NAME = re.compile(r"([0-9]{3})_[a-z0-9_]+\.sql")
_COMMENT = re.compile(r"--[^\n]*")

# Which steps made this file, so that one whose SQL said something else is refused, not met by errors later on.
_APPLIED = "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT"
_HAS_APPLIED = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'"


class Migration(NamedTuple):
    """One numbered step."""

    number: int
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of what it does, in hex: its comments and spacing may change."""
        words = " ".join(_COMMENT.sub("", self.sql).split())
        return hashlib.sha256(words.encode()).hexdigest()


def known_migrations() -> list[Migration]:
    """Give the steps that this version knows, in order."""
    folder = resources.files("sayso_server.storage") / "migrations"
    named = ((_NAME.fullmatch(file.name), file) for file in folder.iterdir())
    return sorted(Migration(int(name[1]), file.read_text("utf-8")) for name, file in named if name is not None)


def migrate(connection: apsw.Connection, path: Path, migrations: list[Migration]) -> None:
    """Apply the steps that the database lacks, each in one transaction with its number.

    Raises:
        ConfigurationError: The database is another program's, from a newer version of Sayso, or made by steps that
            said something else than these.
    """
    _version(connection, path, migrations)  # before anything is locked or written
    for step in migrations:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Looked up again inside: another process may just have applied it.
            if _version(connection, path, migrations) < step.number:
                connection.execute(step.sql)
                connection.execute(_APPLIED)
                connection.execute("INSERT INTO migration VALUES (?, ?)", (step.number, step.checksum))
                connection.pragma("application_id", APPLICATION_ID)
                connection.pragma("user_version", step.number)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _version(connection: apsw.Connection, path: Path, migrations: list[Migration]) -> int:
    known = migrations[-1].number
    version: int = connection.pragma("user_version")
    application: int = connection.pragma("application_id")
    ours = application == APPLICATION_ID
    empty = version == 0 and application == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").fetchall()
    if not (ours or empty):
        raise ConfigurationError(f"{path} is another program's database; choose another file")
    if version > known:
        raise ConfigurationError(
            f"{path} has schema {version}, this version of Sayso knows up to {known}; install the newer version again"
        )
    applied: dict[int, str] = {}
    if rows(connection.cursor(), _HAS_APPLIED):
        applied.update(rows(connection.cursor(), "SELECT number, checksum FROM migration"))
    for step in migrations:
        if step.number <= version and applied.get(step.number) != step.checksum:
            raise ConfigurationError(
                f"{path} was made by another build of Sayso: its schema step {step.number} is not the one known here; "
                "run that build to use or export it, or choose another file"
            )
    return version
