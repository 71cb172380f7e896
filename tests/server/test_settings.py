"""What an operator can set, and what a wrong setting is told."""

import os
from ipaddress import ip_network
from pathlib import Path

import pytest

from sayso.errors import ConfigurationError
from sayso_server.origin import serialised_origin
from sayso_server.settings import describe_settings, load_settings


def refusal(env: dict[str, str], **overrides: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(env, **overrides)
    return str(caught.value)


def test_without_any_setting_the_server_is_local_and_keeps_its_file_in_the_working_directory() -> None:
    settings = load_settings({})

    assert settings.database == "sqlite:///sayso.db"
    assert settings.database_path == Path("sayso.db")
    assert settings.keys_path == Path("sayso.db.keys")
    assert (settings.host, settings.port, settings.log_level) == ("127.0.0.1", 8787, "info")
    assert settings.public_origin == "http://127.0.0.1:8787"
    assert settings.trusted_proxies == ()


def test_every_setting_is_read_from_its_variable(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "SAYSO_DATABASE": f"sqlite:///{tmp_path}/choices.db",
            "SAYSO_KEYS": str(tmp_path / "private.keys"),
            "SAYSO_HOST": "0.0.0.0",  # noqa: S104 - that it listens everywhere is the point
            "SAYSO_PORT": "9000",
            "SAYSO_PUBLIC_URL": "https://privacy.dealer.example",
            "SAYSO_TRUSTED_PROXIES": "10.0.0.5, fd00::/8",
            "SAYSO_LOG_LEVEL": "WARNING",
        }
    )

    assert settings.database_path == tmp_path / "choices.db"
    assert settings.keys_path == tmp_path / "private.keys"
    assert (settings.host, settings.port) == ("0.0.0.0", 9000)  # noqa: S104 - as above
    assert settings.public_origin == "https://privacy.dealer.example"
    assert settings.trusted_proxies == (ip_network("10.0.0.5/32"), ip_network("fd00::/8"))
    assert settings.log_level == "warning"


def test_the_key_file_lies_beside_the_database(tmp_path: Path) -> None:
    settings = load_settings({"SAYSO_DATABASE": f"sqlite:///{tmp_path}/choices.db"})

    assert settings.keys_path == tmp_path / "choices.db.keys"


def test_the_process_s_own_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SAYSO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SAYSO_PORT", "9001")

    assert load_settings().port == 9001
    assert load_settings({}).port == 8787


def test_an_option_wins_over_the_environment_and_an_option_not_given_does_not() -> None:
    settings = load_settings({"SAYSO_PORT": "9000", "SAYSO_LOG_LEVEL": "debug"}, port=0, log_level=None)

    assert (settings.port, settings.log_level) == (0, "debug")


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings({"SAYSO_PORT": "", "SAYSO_PUBLIC_URL": ""}).public_origin == "http://127.0.0.1:8787"


@pytest.mark.parametrize(
    ("host", "port", "origin"),
    [("::1", 8787, "http://[::1]:8787"), ("localhost", 80, "http://localhost")],
)
def test_the_default_public_origin_is_written_as_browsers_do(host: str, port: int, origin: str) -> None:
    assert load_settings({}, host=host, port=port).public_origin == origin


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("SAYSO_DATABASE", "postgresql://db.example/sayso", "PostgreSQL is not supported yet; set it to sqlite"),
        ("SAYSO_DATABASE", "postgres://db.example/sayso", "PostgreSQL is not supported yet; set it to sqlite"),
        ("SAYSO_DATABASE", "mysql://db.example/sayso", "this is no database URL; set it to sqlite:///sayso.db"),
        ("SAYSO_DATABASE", "sayso.db", "this is no database URL; set it to sqlite:///sayso.db"),
        ("SAYSO_DATABASE", "sqlite://sayso.db", "this is no database URL; set it to sqlite:///sayso.db"),
        ("SAYSO_DATABASE", "sqlite:///", "this is no database URL; set it to sqlite:///sayso.db"),
        ("SAYSO_DATABASE", "sqlite:////", "this is no database URL; set it to sqlite:///sayso.db"),
        ("SAYSO_DATABASE", "sqlite:///:memory:", "name a file and nothing more"),
        ("SAYSO_DATABASE", "sqlite:///sayso.db?mode=ro", "name a file and nothing more"),
        ("SAYSO_DATABASE", "sqlite:////nowhere/at/all.db", "there is no folder /nowhere/at; make it first"),
        ("SAYSO_DATABASE", "sqlite:///nowhere/all.db", "four slashes: sqlite:////nowhere/all.db"),
        ("SAYSO_KEYS", "/nowhere/at/all.keys", "there is no folder /nowhere/at; make it first"),
        ("SAYSO_HOST", "http://127.0.0.1", "this is no address or host name; set it to 127.0.0.1"),
        ("SAYSO_HOST", "127.0.0.1:8787", "this is no address or host name; set it to 127.0.0.1"),
        ("SAYSO_HOST", " 127.0.0.1", "this is no address or host name; set it to 127.0.0.1"),
        ("SAYSO_PORT", "http", "this is no port; set it to a number from 0 to 65535"),
        ("SAYSO_PORT", "65536", "this is no port; set it to a number from 0 to 65535"),
        ("SAYSO_PORT", "-1", "this is no port; set it to a number from 0 to 65535"),
        ("SAYSO_PORT", "8787.0", "this is no port; set it to a number from 0 to 65535"),
        ("SAYSO_PORT", "٣", "this is no port; set it to a number from 0 to 65535"),
        ("SAYSO_PORT", "tcp://10.0.0.1:8787", "set enableServiceLinks: false for the pod"),
        ("SAYSO_PUBLIC_URL", "privacy.example", "this is no http(s) URL; write an origin"),
        ("SAYSO_PUBLIC_URL", "ftp://privacy.example", "this is no http(s) URL; write an origin"),
        ("SAYSO_PUBLIC_URL", "https://", "this is no http(s) URL; write an origin"),
        ("SAYSO_PUBLIC_URL", "https://privacy.example:port", "this is no URL; write an origin"),
        ("SAYSO_PUBLIC_URL", "https://[::1", "this is no URL; write an origin"),
        ("SAYSO_PUBLIC_URL", "https://privacy.example/sayso", "scheme, host and port and nothing more"),
        ("SAYSO_PUBLIC_URL", "https://privacy.example?x=1", "scheme, host and port and nothing more"),
        ("SAYSO_PUBLIC_URL", "https://privacy.example#x", "scheme, host and port and nothing more"),
        ("SAYSO_PUBLIC_URL", "https://*.example", "scheme, host and port and nothing more"),
        ("SAYSO_PUBLIC_URL", "http://privacy.example", "plain http is for this machine alone"),
        ("SAYSO_TRUSTED_PROXIES", "10.0.0.5,proxy", "'proxy' is no network; list such as 10.0.0.5"),
        ("SAYSO_TRUSTED_PROXIES", "10.0.0.5/8", "'10.0.0.5/8' is no network; list such as 10.0.0.5"),
        ("SAYSO_TRUSTED_PROXIES", "10.0.0.5,", "'' is no network; list such as 10.0.0.5"),
        ("SAYSO_LOG_LEVEL", "loud", "this is no level; set it to debug, info, warning or error"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_the_remedy(variable: str, value: str, message: str) -> None:
    text = refusal({variable: value})

    assert text.startswith(f"{variable} is {value.partition('?')[0]!r}: ")
    assert message in text
    assert "\n" not in text


def test_the_database_is_not_a_folder(tmp_path: Path) -> None:
    assert f"{tmp_path} is a folder; name a file in it" in refusal({"SAYSO_DATABASE": f"sqlite:///{tmp_path}"})


def test_every_wrong_setting_is_named_at_once() -> None:
    lines = refusal({"SAYSO_PORT": "http", "SAYSO_LOG_LEVEL": "loud"}).splitlines()

    assert [line.split()[0] for line in lines] == ["SAYSO_PORT", "SAYSO_LOG_LEVEL"]


def test_a_wrong_option_is_named_by_its_variable() -> None:
    assert refusal({}, port=70_000).startswith("SAYSO_PORT is '70000': ")


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("SAYSO_DATABASE", "postgresql://sayso:hunter2@db.example/sayso", "'postgresql://…@db.example/sayso'"),
        ("SAYSO_DATABASE", "mysql://db.example/x?password=hunter2", "'mysql://db.example/x'"),
        ("SAYSO_PUBLIC_URL", "https://ann:hunter2@privacy.example", "'https://…@privacy.example'"),
    ],
)
def test_a_password_in_a_url_is_not_repeated(variable: str, value: str, shown: str) -> None:
    text = refusal({variable: value})

    assert text.startswith(f"{variable} is {shown}: ")
    assert "hunter2" not in text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "sayso"])  # noqa: S104 - the point
@pytest.mark.parametrize("public_url", [None, "http://localhost:8787"])
def test_a_server_that_others_reach_needs_an_https_address(host: str, public_url: str | None) -> None:
    text = refusal({"SAYSO_HOST": host} | ({"SAYSO_PUBLIC_URL": public_url} if public_url else {}))

    assert text.startswith(f"SAYSO_HOST is {host!r}, which other machines reach, but SAYSO_PUBLIC_URL is ")
    assert (public_url or "not set") in text


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_a_server_that_only_this_machine_reaches_needs_none(host: str) -> None:
    assert load_settings({"SAYSO_HOST": host}).host == host


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("SAYSO_DATABSE", "SAYSO_DATABASE"),
        ("SAYSO_KEY", "SAYSO_KEYS"),
        ("SAYSO_PORTS", "SAYSO_PORT"),
        ("SAYSO_HOSTS", "SAYSO_HOST"),
        ("SAYSO_PUBLICURL", "SAYSO_PUBLIC_URL"),
        ("SAYSO_TRUSTED_PROXY", "SAYSO_TRUSTED_PROXIES"),
        ("SAYSO_LOGLEVEL", "SAYSO_LOG_LEVEL"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_one_that_was_meant(typo: str, meant: str) -> None:
    assert refusal({typo: "x"}) == f"{typo} is no setting; did you mean {meant}? Rename it or remove it"


@pytest.mark.parametrize(
    "name",
    [
        "SAYSO_URL",
        "SAYSO_KEY_ID",
        "SAYSO_SECRET",
        "SAYSO_OUTBOX",
        "SAYSO_FIXTURES",
        "SAYSO_SERVICE_HOST",
        "SAYSO_SERVICE_PORT",
        "SAYSO_PORT_8787_TCP",
        "SAYSO_PORT_8787_TCP_ADDR",
        "DATABSE",
    ],
)
def test_the_clients_variables_and_those_of_orchestrators_are_left_alone(name: str) -> None:
    assert load_settings({name: "x"}) == load_settings({})


def test_help_names_every_variable_with_default_and_meaning() -> None:
    lines = describe_settings()

    assert [(line.variable, line.default) for line in lines] == [
        ("SAYSO_DATABASE", "sqlite:///sayso.db"),
        ("SAYSO_KEYS", ""),
        ("SAYSO_HOST", "127.0.0.1"),
        ("SAYSO_PORT", "8787"),
        ("SAYSO_PUBLIC_URL", ""),
        ("SAYSO_TRUSTED_PROXIES", ""),
        ("SAYSO_LOG_LEVEL", "info"),
    ]
    assert all(line.description.endswith((".", "keys", "<port>", "none")) for line in lines)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Privacy.Dealer.example/", "https://privacy.dealer.example"),
        ("HTTPS://dealer.example:443", "https://dealer.example"),
        ("https://dealer.example:8443", "https://dealer.example:8443"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8787", "http://[::1]:8787"),
    ],
)
def test_an_origin_has_one_spelling(url: str, origin: str) -> None:
    assert serialised_origin(url) == origin


def test_the_help_says_what_trusted_proxies_are_for() -> None:
    (described,) = [each.description for each in describe_settings() if each.variable == "SAYSO_TRUSTED_PROXIES"]

    assert "everybody behind a proxy counts as one sender on the page /rights" in described
