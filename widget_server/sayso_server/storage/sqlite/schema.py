"""Bring a database's schema up to date, or refuse one that this version doesn't know."""

import re
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import apsw

from sayso.errors import ConfigurationError

APPLICATION_ID = 0x53617973
"""`Says`, in the header of the file: tells Sayso's databases from other programs'."""

_NAME = re.compile(r"([0-9]{3})_[a-z0-9_]+\.sql")


class Migration(NamedTuple):
    """One numbered step."""

    number: int
    sql: str


def known_migrations() -> list[Migration]:
    """Give the steps that this version knows, in order."""
    folder = resources.files("sayso_server.storage") / "migrations"
    named = ((_NAME.fullmatch(file.name), file) for file in folder.iterdir())
    return sorted(Migration(int(name[1]), file.read_text("utf-8")) for name, file in named if name is not None)


def migrate(connection: apsw.Connection, path: Path, migrations: list[Migration]) -> None:
    """Apply the steps that the database lacks, each in one transaction with its number.

    Raises:
        ConfigurationError: The database is another program's, or from a newer version of Sayso.
    """
    _version(connection, path, known=migrations[-1].number)  # before anything is locked or written
    for step in migrations:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Looked up again inside: another process may just have applied it.
            if _version(connection, path, known=migrations[-1].number) < step.number:
                connection.execute(step.sql)
                connection.pragma("application_id", APPLICATION_ID)
                connection.pragma("user_version", step.number)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _version(connection: apsw.Connection, path: Path, *, known: int) -> int:
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
    return version
