"""Sayso on one SQLite file: the embedded default."""

from sayso_server.storage.sqlite.storage import SqliteStorage

__all__ = ["SqliteStorage"]
