"""The client's settings from the environment."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from sayso.errors import ConfigurationError

_WHERE = {
    "SAYSO_URL": "It is the server's address, such as http://127.0.0.1:8787; `sayso-server dev` prints it.",
    "SAYSO_KEY_ID": "It names the brand's key; `sayso-server brand create ID --name NAME` prints it, and so does "
    "`sayso-server dev`.",
    "SAYSO_SECRET": "It is the key's secret, printed once by `sayso-server brand create` and `key create`; if it is "
    "lost, make a new key.",
}


class Settings(NamedTuple):
    """What a client needs to know."""

    url: str
    key_id: str
    secret: str
    outbox: str | None = None


def read_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Read `SAYSO_URL`, `SAYSO_KEY_ID` and `SAYSO_SECRET`, and `SAYSO_OUTBOX` if it is set.

    Raises:
        ConfigurationError: One is missing; the message names every missing one and how to get it.
    """
    found = os.environ if environ is None else environ
    values = {name: found.get(name, "").strip() for name in _WHERE}
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise ConfigurationError(
            "\n".join(f"{name} is not set. {_WHERE[name]}" for name in missing), code="setting_missing"
        )
    return Settings(values["SAYSO_URL"], values["SAYSO_KEY_ID"], values["SAYSO_SECRET"], read_outbox(found))


def read_outbox(environ: Mapping[str, str] | None = None) -> str | None:
    """Give the outbox's file that `SAYSO_OUTBOX` names, or None."""
    found = os.environ if environ is None else environ
    return found.get("SAYSO_OUTBOX", "").strip() or None
