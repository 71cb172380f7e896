import secrets

import pytest

from sayso import Client, ConfigurationError
from sayso.client.settings import read_environment


def test_every_missing_variable_is_named_with_how_to_get_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_environment({"SAYSO_SECRET": " "})

    lines = str(caught.value).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["SAYSO_URL", "SAYSO_KEY_ID", "SAYSO_SECRET"]
    assert "sayso-server dev" in lines[0]
    assert "sayso-server brand create" in lines[1]
    assert "make a new key" in lines[2]


def test_a_client_is_made_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_URL", "http://127.0.0.1:8787")
    monkeypatch.setenv("SAYSO_KEY_ID", "dealer.k1")
    monkeypatch.setenv("SAYSO_SECRET", secrets.token_urlsafe(32))

    assert Client.from_env().brand == "dealer"


def test_a_wrong_address_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_URL", "http://dealer.example")
    monkeypatch.setenv("SAYSO_KEY_ID", "dealer.k1")
    monkeypatch.setenv("SAYSO_SECRET", secrets.token_urlsafe(32))

    with pytest.raises(ConfigurationError, match=r"^SAYSO_URL is plain http"):
        Client.from_env()


def test_neither_secret_nor_address_shows_in_the_clients_repr(secret: str) -> None:
    shown = repr(Client("https://sayso.dealer.example", "dealer.k1", secret))

    assert shown == "<Client of dealer>"
