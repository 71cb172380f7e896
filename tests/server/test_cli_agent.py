"""`sayso-server agent`."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sayso_server.cli import main


@pytest.fixture(autouse=True)
def dealer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("KEYS", "HOST", "PORT", "PUBLIC_URL", "TRUSTED_PROXIES", "LOG_LEVEL"):
        monkeypatch.delenv(f"SAYSO_{name}", raising=False)
    monkeypatch.setenv("SAYSO_DATABASE", f"sqlite:///{tmp_path}/sayso.db")
    assert main(["brand", "create", "dealer", "--name", "Example Motors"]) == 0
    capsys.readouterr()


def new_key() -> str:
    public = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(public).decode()


def added(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str]:
    assert main(["agent", "add", "AN_AGENT", "--brand", "dealer", "--key", new_key(), "--json", *words]) == 0
    return dict(json.loads(capsys.readouterr().out))


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    assert main(["agent", "list", "--brand", "dealer", "--json"]) == 0
    return list(json.loads(capsys.readouterr().out))


def test_an_agent_is_registered_with_a_token_that_names_its_brand(capsys):
    said = added(capsys, "--name", "An agent", "--business-id", "EXAMPLE_MOTORS")
    (agent,) = listed(capsys)

    assert (said["agent_id"], said["business_id"]) == ("AN_AGENT", "EXAMPLE_MOTORS")
    assert said["token"].startswith("dealer.")
    assert (agent["agent_id"], agent["name"], agent["business_id"]) == ("AN_AGENT", "An agent", "EXAMPLE_MOTORS")
    assert "token" not in agent


def test_what_is_left_out_follows_from_the_ids(capsys):
    added(capsys)
    (agent,) = listed(capsys)

    assert (agent["name"], agent["business_id"]) == ("AN_AGENT", "dealer")


def test_registering_again_changes_the_key_and_the_token(capsys):
    first = added(capsys)
    (before,) = listed(capsys)
    second = added(capsys)
    (after,) = listed(capsys)

    assert first["token"] != second["token"]
    assert before["verify_key"] != after["verify_key"]
    assert before["added_at"] == after["added_at"]


def test_for_people_the_token_stands_alone_and_the_list_is_a_table(capsys):
    assert main(["agent", "list", "--brand", "dealer"]) == 0
    assert "sayso-server agent add AGENT_ID --key BASE64" in capsys.readouterr().err
    assert main(["agent", "add", "AN_AGENT", "--brand", "dealer", "--key", new_key()]) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 1
    assert "shown this once" in shown.err
    assert main(["agent", "list", "--brand", "dealer"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split("  ")[0] == "AGENT"


@pytest.mark.parametrize(
    "key", ["", "no base64", base64.b64encode(b"short").decode(), base64.b64encode(b"x" * 64).decode()]
)
def test_a_key_that_is_none_is_refused(capsys, key):
    assert main(["agent", "add", "AN_AGENT", "--brand", "dealer", "--key", key]) == 2
    assert "base64 of 32 bytes" in capsys.readouterr().err
    assert listed(capsys) == []


@pytest.mark.parametrize("agent_id", ["", "an agent", "../up", "a" * 65])
def test_an_id_that_is_none_is_refused(capsys, agent_id):
    assert main(["agent", "add", agent_id, "--brand", "dealer", "--key", new_key()]) == 2
    assert "an agent's id" in capsys.readouterr().err


def test_an_agent_is_removed_once(capsys):
    added(capsys)

    assert main(["agent", "remove", "AN_AGENT", "--brand", "dealer"]) == 0
    assert capsys.readouterr().out == "AN_AGENT is removed\n"
    assert main(["agent", "remove", "AN_AGENT", "--brand", "dealer"]) == 2
    assert "has no agent 'AN_AGENT'" in capsys.readouterr().err
