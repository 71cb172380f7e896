"""The command line as a whole: its help, and how it says no."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sayso.errors import ConfigurationError
from sayso_server.cli import main
from sayso_server.cli.demo import insist_on_being_alone
from sayso_server.cli.temporary import temporary_folder, temporary_settings
from sayso_server.settings import describe_settings
from sayso_server.sockets import bind, url_of


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine's, and a working directory of the test's own."""
    for setting in describe_settings():
        monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_help_names_every_command_and_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    assert ended.value.code == 0
    told = capsys.readouterr().out
    for command in ("serve", "dev", "demo", "brand", "key", "catalogue", "export"):
        assert f"    {command}" in told
    for variable in (
        "SAYSO_DATABASE",
        "SAYSO_KEYS",
        "SAYSO_HOST",
        "SAYSO_PORT",
        "SAYSO_PUBLIC_URL",
        "SAYSO_TRUSTED_PROXIES",
        "SAYSO_LOG_LEVEL",
    ):
        assert f"\n  {variable}\n" in told
    assert "Default: sqlite:///sayso.db" in told


@pytest.mark.parametrize(
    "words",
    [
        ["serve"],
        ["dev"],
        ["demo"],
        ["brand", "create"],
        ["brand", "origins", "add"],
        ["key", "create"],
        ["key", "revoke"],
        ["requests", "create"],
        ["requests", "list"],
        ["requests", "deny"],
        ["catalogue", "publish"],
        ["catalogue", "preview"],
        ["catalogue", "show"],
        ["export"],
    ],
)
def test_every_command_has_its_own_help(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: sayso-server {' '.join(words)}")


@pytest.mark.parametrize("words", [[], ["sevre"], ["key", "create"], ["key", "create", "--brand", "dealer"]])
def test_words_that_are_no_command_end_with_2_and_the_usage(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: sayso-server")


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("SAYSO_PORT", "http", "SAYSO_PORT is 'http'"),
        ("SAYSO_DATABASE", "sayso.db", "SAYSO_DATABASE is 'sayso.db'"),
        ("SAYSO_HOST", "0.0.0.0", "SAYSO_PUBLIC_URL"),  # noqa: S104 - refused
        ("SAYSO_PUBLIC_URL", "http://dealer.example", "SAYSO_PUBLIC_URL is 'http://dealer.example'"),
        ("SAYSO_DATABSE", "sqlite:///x.db", "did you mean SAYSO_DATABASE?"),
    ],
)
def test_a_broken_setting_is_named_and_nothing_starts(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    told: str,
) -> None:
    monkeypatch.setenv(variable, value)

    assert main(["serve"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("sayso-server: ")
    assert told in captured.err
    assert "Traceback" not in captured.err
    assert list(Path.cwd().iterdir()) == []


def test_an_argument_is_checked_like_the_setting_that_it_stands_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "65536"]) == 2
    assert "SAYSO_PORT is '65536'" in capsys.readouterr().err


def test_dev_names_a_catalogue_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dev", "--catalogue", "nowhere.toml"]) == 2
    assert "there is no catalogue nowhere.toml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SAYSO_DATABASE", "sqlite:///sayso.db"),
        ("SAYSO_KEYS", "sayso.keys"),
        ("SAYSO_HOST", "0.0.0.0"),  # noqa: S104 - refused
        ("SAYSO_HOST", "dealer.example"),
        ("SAYSO_PUBLIC_URL", "https://dealer.example"),
    ],
)
def test_a_demo_refuses_to_run_where_a_real_server_is_set_up(variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{variable} is set.*env -u {variable} sayso-server demo$"):
        insist_on_being_alone({variable: value})


def test_a_demo_runs_where_only_a_loopback_host_and_a_client_are_set_up() -> None:
    insist_on_being_alone({"SAYSO_HOST": "127.0.0.1", "SAYSO_URL": "http://127.0.0.1:8787", "SAYSO_DATABASE": ""})


def test_a_temporary_server_takes_only_port_and_log_level_from_the_environment(tmp_path: Path) -> None:
    env = {
        "SAYSO_DATABASE": "sqlite:///real.db",
        "SAYSO_KEYS": "real.keys",
        "SAYSO_HOST": "192.0.2.1",
        "SAYSO_PUBLIC_URL": "https://dealer.example",
        "SAYSO_PORT": "9000",
        "SAYSO_LOG_LEVEL": "error",
    }

    settings = temporary_settings(tmp_path, port=None, env=env)
    assert settings.database_path == tmp_path / "sayso.db"
    assert settings.keys_path == tmp_path / "sayso.db.keys"
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 9000, None)
    assert settings.log_level == "error"
    assert temporary_settings(tmp_path, port=0, env=env).port == 0


def test_a_temporary_folder_is_its_owners_and_goes_away() -> None:
    with temporary_folder("dev") as name:
        folder = Path(name)
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "sayso.db").write_bytes(b"x")
    assert not folder.exists()


def test_a_port_that_is_taken_is_named_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"^can't listen on 127.0.0.1 port {port}: .*SAYSO_PORT"):
            bind("127.0.0.1", port)


def test_an_address_that_is_not_this_machines_is_named_with_the_remedy() -> None:
    with pytest.raises(ConfigurationError, match=r"^can't listen on 192\.0\.2\.1 .*SAYSO_HOST"):
        bind("192.0.2.1", 0)
    with pytest.raises(ConfigurationError, match=r"^SAYSO_HOST is 'nowhere\.invalid'"):
        bind("nowhere.invalid", 0)


def test_port_0_takes_a_free_one_for_all_addresses_of_a_host() -> None:
    sockets = bind("localhost", 0)
    try:
        (port,) = {opened.getsockname()[1] for opened in sockets}
        assert port > 0
        assert url_of("localhost", sockets) == f"http://localhost:{port}"
        assert url_of("::1", sockets) == f"http://[::1]:{port}"
    finally:
        for opened in sockets:
            opened.close()
