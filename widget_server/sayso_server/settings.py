"""What an operator can set, all of it through `SAYSO_…` variables; `describe_settings()` lists them."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import unquote

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from sayso.errors import ConfigurationError
from sayso_server.origin import is_loopback, serialised_origin

PREFIX = "SAYSO_"
CLIENTS_OWN = frozenset({"SAYSO_URL", "SAYSO_KEY_ID", "SAYSO_SECRET", "SAYSO_OUTBOX", "SAYSO_FIXTURES"})
"""Variables of the SDK and of the examples, which may well be set where a server runs."""

_SQLITE = "sqlite:///"
_LAST_PORT = 65_535
# Near enough to be a slip (SAYSO_DATABSE, SAYSO_KEY), far enough from what orchestrators add
# (SAYSO_SERVICE_HOST).
_TYPO = 0.75

Network = IPv4Network | IPv6Network
LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """A server's set-up. Made by `load_settings`, which reads the environment and explains what is wrong."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    database: str = Field(
        "sqlite:///sayso.db",
        description="Where choices are kept: sqlite:///file.db in the working directory, "
        "sqlite:////folder/file.db anywhere.",
    )
    keys: Path | None = Field(
        None,
        description="The file that holds the secrets; never back it up together with the database. "
        "Default: <database>.keys",
    )
    host: str = Field(
        "127.0.0.1",
        description="The address to listen on. Any but a loopback one also needs an https SAYSO_PUBLIC_URL.",
    )
    port: int = Field(8787, description="The port to listen on; 0 takes a free one.")
    public_url: str | None = Field(
        None,
        description="The origin under which browsers reach the server, such as https://privacy.dealer.example. "
        "Every absolute URL comes from it. Default: http://<host>:<port>",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        (),
        description="Addresses or networks, separated by commas, whose X-Forwarded-For is believed: "
        "without it, everybody behind a proxy counts as one sender on the page /rights. Default: none",
    )
    log_level: LogLevel = Field("info", description="debug, info, warning or error.")

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return _database_path(self.database)

    @property
    def keys_path(self) -> Path:
        """The key file: `keys`, or beside the database."""
        if self.keys is not None:
            return self.keys
        path = self.database_path
        return path.with_name(path.name + ".keys")

    @property
    def public_origin(self) -> str:
        """The origin of the server's own pages, as browsers write it."""
        if self.public_url is not None:
            return self.public_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return serialised_origin(f"http://{host}:{self.port}")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load_settings` found and nothing else, such as a dotenv file that lies about."""
        return (init_settings,)

    @field_validator("database")
    @classmethod
    def _check_database(cls, value: str) -> str:
        if value.startswith(("postgresql:", "postgres:")):
            raise ValueError("PostgreSQL is not supported yet; set it to sqlite:///sayso.db or another SQLite file")
        if not value.startswith(_SQLITE) or not value[len(_SQLITE) :].strip("/"):
            raise ValueError("this is no database URL; set it to sqlite:///sayso.db or sqlite:////folder/sayso.db")
        if ":memory:" in value or "?" in value or "#" in value:
            raise ValueError("name a file and nothing more, such as sqlite:///sayso.db; what is only in memory is lost")
        path = _database_path(value)
        if path.is_dir():
            raise ValueError(f"{path} is a folder; name a file in it")
        if not path.parent.is_dir():
            hint = f"; for an absolute path write four slashes: {_SQLITE}/{path}" if not path.is_absolute() else ""
            raise ValueError(f"there is no folder {path.parent}; make it first{hint}")
        return value

    @field_validator("keys")
    @classmethod
    def _check_keys(cls, value: Path | None) -> Path | None:
        if value is not None and not value.parent.is_dir():
            raise ValueError(f"there is no folder {value.parent}; make it first")
        return value

    @field_validator("host")
    @classmethod
    def _check_host(cls, value: str) -> str:
        if not value or not value.isascii() or any(char in value for char in "/@[] \t,") or value.count(":") == 1:
            raise ValueError("this is no address or host name; set it to 127.0.0.1, or 0.0.0.0 for every interface")
        return value

    @field_validator("port", mode="before")
    @classmethod
    def _check_port(cls, value: object) -> int:
        text = str(value)
        if text.startswith("tcp://"):
            raise ValueError(
                "this is what Kubernetes sets for a service called sayso; "
                "set enableServiceLinks: false for the pod, or SAYSO_PORT to a number"
            )
        if not (text.isascii() and text.isdigit()) or int(text) > _LAST_PORT:
            raise ValueError(f"this is no port; set it to a number from 0 to {_LAST_PORT}, such as 8787")
        return int(text)

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        return value if value is None else serialised_origin(value)

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _check_proxies(cls, value: object) -> tuple[Network, ...]:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, (list, tuple)):
            raise TypeError("list addresses or networks, separated by commas")
        networks = []
        for part in (str(part).strip() for part in parts):
            try:
                networks.append(ip_network(part))
            except ValueError:
                raise ValueError(
                    f"{part!r} is no network; list such as 10.0.0.5 or 10.0.0.0/8, separated by commas"
                ) from None
        return tuple(networks)

    @field_validator("log_level", mode="before")
    @classmethod
    def _check_log_level(cls, value: object) -> object:
        level = str(value).lower()
        if level not in ("debug", "info", "warning", "error"):
            raise ValueError("this is no level; set it to debug, info, warning or error")
        return level

    @model_validator(mode="after")
    def _check_exposure(self) -> "Settings":
        if not is_loopback(self.host) and not (self.public_url or "").startswith("https://"):
            raise ValueError(
                f"SAYSO_HOST is {self.host!r}, which other machines reach, but SAYSO_PUBLIC_URL is "
                f"{self.public_url or 'not set'}: put TLS in front and set SAYSO_PUBLIC_URL to its https:// "
                "origin, or set SAYSO_HOST to 127.0.0.1"
            )
        return self


class SettingHelp(NamedTuple):
    """One line of help about a setting."""

    variable: str
    default: str
    description: str


def describe_settings() -> list[SettingHelp]:
    """Give every setting with its default and what it does, in the order to read them."""
    return [
        SettingHelp(_variable(name), str(field.default) if field.default else "", field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def load_settings(env: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Read and check the settings.

    Args:
        env: The environment; the process's own by default. A variable that is empty counts as not set.
        overrides: Settings by name, such as `port=0`, that win over the environment; None leaves it alone.

    Raises:
        ConfigurationError: A setting is wrong, or a `SAYSO_…` variable looks like a misspelt one. The message
            has a line for each: variable, value (passwords left out) and what to do.
    """
    environment = {name: value for name, value in (os.environ if env is None else env).items() if value}
    typos = _typos(environment)
    if typos:
        raise ConfigurationError("\n".join(typos))
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in environment.items()}
    given = source() | {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_line(found, given) for found in error.errors())) from None


def _database_path(url: str) -> Path:
    return Path(unquote(url.removeprefix(_SQLITE)))


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _typos(environment: Mapping[str, str]) -> list[str]:
    own = {_variable(name) for name in Settings.model_fields}
    known = {name.removeprefix(PREFIX): name for name in own | CLIENTS_OWN}
    lines = []
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in own | CLIENTS_OWN:
            continue
        nearest = get_close_matches(name.removeprefix(PREFIX), known, n=1, cutoff=_TYPO)
        if nearest and known[nearest[0]] in own:
            lines.append(f"{name} is no setting; did you mean {known[nearest[0]]}? Rename it or remove it")
    return lines


def _line(found: ErrorDetails, given: Mapping[str, object]) -> str:
    cause = found.get("ctx", {}).get("error")
    message = str(cause) if cause is not None else found["msg"]
    if not found["loc"]:
        return message
    name = str(found["loc"][0])
    return f"{_variable(name)} is {_shown(given.get(name))}: {message}"


def _shown(value: object) -> str:
    """Give a value as it may be printed: a URL can hold a password."""
    text = str(value)
    scheme, mark, rest = text.partition("://")
    rest = rest.partition("?")[0] if mark else rest
    if "@" in rest:
        rest = "…@" + rest.rpartition("@")[2]
    return repr(scheme + mark + rest)
