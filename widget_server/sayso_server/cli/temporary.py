"""A server to try things on: its own database in a folder that goes away, fresh keys, this machine only."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from sayso_server.app import create_app
from sayso_server.clock import SystemClock
from sayso_server.keys import KeyFile
from sayso_server.settings import Settings, load_settings
from sayso_server.storage.sqlite import SqliteStorage

LOOPBACK = "127.0.0.1"
NOT_OURS = frozenset({"SAYSO_DATABASE", "SAYSO_KEYS", "SAYSO_HOST", "SAYSO_PUBLIC_URL", "SAYSO_TRUSTED_PROXIES"})
"""Settings of a real server: a temporary one must not come near its files or its address."""


def temporary_folder(purpose: str) -> tempfile.TemporaryDirectory[str]:
    """Make a folder that only its owner can enter, and that goes away when the context ends."""
    return tempfile.TemporaryDirectory(prefix=f"sayso-{purpose}-", ignore_cleanup_errors=True)


def temporary_settings(folder: Path, *, port: str | int | None, env: Mapping[str, str] = os.environ) -> Settings:
    """Give the settings of a server in a temporary folder; of the environment only port and log level count.

    Raises:
        ConfigurationError: One of these two is wrong.
    """
    environment = {name: value for name, value in env.items() if name not in NOT_OURS}
    database = f"sqlite:///{quote(str(folder / 'sayso.db'))}"
    return load_settings(environment, database=database, host=LOOPBACK, port=port)


def make_temporary_app(settings: Settings, url: str) -> web.Application:
    """Make the application over a temporary database."""
    clock = SystemClock()
    storage = SqliteStorage(settings.database_path, clock=clock)
    return create_app(storage, KeyFile(settings.keys_path), public_origin=url, clock=clock)
