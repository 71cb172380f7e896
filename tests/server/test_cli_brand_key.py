"""`sayso-server brand` and `sayso-server key`."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sayso_server.cli import main

if TYPE_CHECKING:
    from pathlib import Path

CREATE = ("key", "create", "--brand", "dealer")


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database of this test's own; nothing else is set."""
    for name in ("KEYS", "HOST", "PORT", "PUBLIC_URL", "TRUSTED_PROXIES", "LOG_LEVEL"):
        monkeypatch.delenv(f"SAYSO_{name}", raising=False)
    monkeypatch.setenv("SAYSO_DATABASE", f"sqlite:///{tmp_path}/sayso.db")
    return tmp_path / "sayso.db"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Run a command that succeeds, with --json, and give its answer."""
    assert main([*words, "--json"]) == 0, capsys.readouterr().err
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that fails, and give what it says: one or two lines on stderr, nothing on stdout."""
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert 1 <= len(lines) <= 2
    assert lines[0].startswith("sayso-server: ")
    return captured.err


def test_a_new_brand_gets_one_key_for_its_backend_and_its_consumers(
    capsys: pytest.CaptureFixture[str], database: Path
) -> None:
    made = said(capsys, "brand", "create", "dealer", "--name", "Ann's cars")

    assert list(made) == ["brand", "key_id", "secret"]
    assert made["brand"] == "dealer"
    assert made["key_id"].startswith("dealer.")
    assert len(made["secret"]) >= 32
    (key,) = said(capsys, "key", "list", "--brand", "dealer")
    assert key["key_id"] == made["key_id"]
    assert (key["algorithm"], key["classes"], key["roles"]) == ("HS256", ["backend", "consumer"], ["backend"])
    assert (key["revoked_at"], key["unusable"]) == (None, None)
    for file in (database, database.with_name("sayso.db.keys")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made["secret"].encode() not in database.read_bytes()


def test_a_brand_is_made_once(capsys: pytest.CaptureFixture[str], database: Path) -> None:
    said(capsys, "brand", "create", "dealer", "--name", "Dealer")
    keys_before = database.with_name("sayso.db.keys").read_bytes()

    assert "already" in refused(capsys, "brand", "create", "dealer", "--name", "Another")
    assert database.with_name("sayso.db.keys").read_bytes() == keys_before
    (brand,) = said(capsys, "brand", "list")
    assert (brand["brand"], brand["name"], brand["catalogue_revision"]) == ("dealer", "Dealer", 0)


@pytest.mark.parametrize("brand_id", ["", "-", "a/b", "a b", "x" * 129, "dealer\n"])
def test_a_brand_id_that_tokens_could_not_carry_is_refused(capsys: pytest.CaptureFixture[str], brand_id: str) -> None:
    assert "a brand id is 1 to 128" in refused(capsys, "brand", "create", "--name", "Dealer", "--", brand_id)
    assert said(capsys, "brand", "list") == []


def test_a_brand_has_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--name" in refused(capsys, "brand", "create", "dealer", "--name", "  ")


def test_an_unsafe_key_file_leaves_no_brand_behind(capsys: pytest.CaptureFixture[str], database: Path) -> None:
    keys = database.with_name("sayso.db.keys")
    keys.write_text("{}")
    keys.chmod(0o644)

    assert f"chmod 600 {keys}" in refused(capsys, "brand", "create", "dealer", "--name", "Dealer")
    assert said(capsys, "brand", "list") == []


def test_for_people_a_key_is_two_lines_to_paste(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["brand", "create", "dealer", "--name", "Dealer"]) == 0

    captured = capsys.readouterr()
    key_id, secret = captured.out.splitlines()
    assert key_id.startswith("export SAYSO_KEY_ID=dealer.")
    assert secret.startswith("export SAYSO_SECRET=")
    assert "catalogue publish FILE --brand dealer" in captured.err
    assert "export SAYSO_URL=http://127.0.0.1:8787" in captured.err
    assert secret.removeprefix("export SAYSO_SECRET=") not in captured.err


def test_a_misspelt_brand_is_named_together_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "brand", "create", "dealer", "--name", "Dealer")

    told = refused(capsys, "key", "list", "--brand", "daeler")
    assert "'daeler'" in told
    assert "there are dealer" in told


def test_a_missing_database_is_named_and_not_made(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    told = refused(capsys, "brand", "list", "--database", "sqlite:///other.db")
    assert "other.db" in told
    assert "SAYSO_DATABASE" in told
    assert not (tmp_path / "other.db").exists()


def test_origins_are_kept_as_browsers_write_them(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "brand", "create", "dealer", "--name", "Dealer")

    for given in ("https://Dealer.example/", "https://dealer.example:443", "app", "http://localhost:3000"):
        said(capsys, "brand", "origins", "add", "dealer", given)
    assert said(capsys, "brand", "origins", "list", "dealer") == {
        "brand": "dealer",
        "origins": ["app", "http://localhost:3000", "https://dealer.example"],
    }
    assert said(capsys, "brand", "origins", "remove", "dealer", "https://dealer.example/") == {
        "brand": "dealer",
        "origin": "https://dealer.example",
    }
    assert said(capsys, "brand", "origins", "list", "dealer")["origins"] == ["app", "http://localhost:3000"]
    assert "not registered" in refused(capsys, "brand", "origins", "remove", "dealer", "https://dealer.example")


PAGE = "https://dealer.example"


@pytest.mark.parametrize(
    ("add", "listing"),
    [
        (["dealer", PAGE], ["dealer"]),
        (["--brand", "dealer", PAGE], ["--brand", "dealer"]),
        ([PAGE, "--brand", "dealer"], ["--brand=dealer"]),
        (["--json", "dealer", PAGE], ["--json", "dealer"]),
        (["--json", "--brand", "dealer", PAGE], ["--json", "--brand", "dealer"]),
    ],
)
def test_origins_take_the_brand_by_its_place_or_by_name(
    capsys: pytest.CaptureFixture[str], add: list[str], listing: list[str]
) -> None:
    said(capsys, "brand", "create", "dealer", "--name", "Dealer")

    assert said(capsys, "brand", "origins", "add", *add) == {"brand": "dealer", "origin": PAGE}
    assert said(capsys, "brand", "origins", "list", *listing)["origins"] == [PAGE]
    assert said(capsys, "brand", "origins", "remove", *add) == {"brand": "dealer", "origin": PAGE}


@pytest.mark.parametrize(
    "words",
    [
        ["add", "dealer"],
        ["add"],
        ["add", "--brand", "dealer"],
        ["add", "--brand", "dealer", "dealer", PAGE],
        ["list"],
        ["list", "--brand", "dealer", "shop"],
        ["list", "dealer", PAGE],
    ],
)
def test_origins_without_a_brand_or_with_a_word_too_many_say_how_they_are_written(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["brand", "origins", *words])

    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"usage: sayso-server brand origins {words[0]} " in told
    assert "[--brand] ID" in told


@pytest.mark.parametrize(
    ("origin", "remedy"),
    [
        ("http://dealer.example", "write an https:// origin"),
        ("https://dealer.example/chat", "scheme, host and port and nothing more"),
        ("https://*.dealer.example", "scheme, host and port and nothing more"),
        ("https://ann@dealer.example", "scheme, host and port and nothing more"),
        ("dealer.example", "write an origin such as https://"),
        ("null", "write an origin such as https://"),
        ("file:///page.html", "write an origin such as https://"),
    ],
)
def test_what_is_no_safe_origin_is_refused_with_the_remedy(
    capsys: pytest.CaptureFixture[str], origin: str, remedy: str
) -> None:
    said(capsys, "brand", "create", "dealer", "--name", "Dealer")

    assert remedy in refused(capsys, "brand", "origins", "add", "dealer", origin)
    assert said(capsys, "brand", "origins", "list", "dealer")["origins"] == []


def test_a_key_may_have_several_classes_and_roles(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "brand", "create", "dealer", "--name", "Dealer")

    words = [
        *CREATE,
        "--class",
        "backend",
        "--class",
        "staff",
        "--role",
        "admin",
        "--role",
        "auditor",
    ]
    made = said(capsys, *words)
    assert list(made) == ["key_id", "secret"]
    listed = {key["key_id"]: key for key in said(capsys, "key", "list", "--brand", "dealer")}
    assert listed[made["key_id"]]["classes"] == ["backend", "staff"]
    assert listed[made["key_id"]]["roles"] == ["admin", "auditor"]


@pytest.mark.parametrize(("algorithm", "start"), [("ES256", "-----BEGIN PRIVATE"), ("EdDSA", "-----BEGIN PRIVATE")])
def test_a_pair_is_printed_and_its_private_half_kept_nowhere(
    capsys: pytest.CaptureFixture[str], database: Path, algorithm: str, start: str
) -> None:
    said(capsys, "brand", "create", "dealer", "--name", "Dealer")
    keys_before = database.with_name("sayso.db.keys").read_bytes()

    made = said(capsys, *CREATE, "--class", "consumer", "--algorithm", algorithm)
    assert made["secret"].startswith(start)
    assert database.with_name("sayso.db.keys").read_bytes() == keys_before
    everything = b"".join(file.read_bytes() for file in database.parent.iterdir())
    assert b"PRIVATE" not in everything


def test_a_brand_may_bring_its_own_public_key(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said(capsys, "brand", "create", "dealer", "--name", "Dealer")
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = tmp_path / "public.pem"
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    made = said(
        capsys,
        *CREATE,
        "--class",
        "consumer",
        "--algorithm",
        "ES256",
        "--public",
        str(pem),
    )
    assert made["secret"] is None
    listed = {key["key_id"]: key for key in said(capsys, "key", "list", "--brand", "dealer")}
    assert listed[made["key_id"]]["unusable"] is None


def test_a_private_key_given_as_the_public_one_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said(capsys, "brand", "create", "dealer", "--name", "Dealer")
    pem = tmp_path / "private.pem"
    private = ed25519.Ed25519PrivateKey.generate()
    pem.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    words = [*CREATE, "--class", "consumer", "--algorithm", "EdDSA", "--public"]
    told = refused(capsys, *words, str(pem))
    assert "this is a private key" in told
    assert len(said(capsys, "key", "list", "--brand", "dealer")) == 1


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("--class backend", "--role backend"),
        ("--class consumer --role admin", "consumer tokens alone has none"),
        ("--class consumer --public nowhere.pem --algorithm ES256", "nowhere.pem can't be read"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str], words: str, remedy: str) -> None:
    said(capsys, "brand", "create", "dealer", "--name", "Dealer")

    assert remedy in refused(capsys, *CREATE, *words.split())
    assert len(said(capsys, "key", "list", "--brand", "dealer")) == 1


def test_a_revoked_key_stays_listed_and_loses_its_secret(capsys: pytest.CaptureFixture[str], database: Path) -> None:
    made = said(capsys, "brand", "create", "dealer", "--name", "Dealer")

    first = said(capsys, "key", "revoke", "--brand", "dealer", made["key_id"])
    again = said(capsys, "key", "revoke", "--brand", "dealer", made["key_id"])
    assert first["key_id"] == made["key_id"]
    assert again == first
    (key,) = said(capsys, "key", "list", "--brand", "dealer")
    assert key["revoked_at"] == first["revoked_at"]
    assert key["unusable"] is None
    assert made["secret"] not in database.with_name("sayso.db.keys").read_text()


def test_one_brand_can_not_revoke_another_ones_key(capsys: pytest.CaptureFixture[str]) -> None:
    made = said(capsys, "brand", "create", "dealer", "--name", "Dealer")
    said(capsys, "brand", "create", "shop", "--name", "Shop")

    assert "shop has no key" in refused(capsys, "key", "revoke", "--brand", "shop", made["key_id"])
    (key,) = said(capsys, "key", "list", "--brand", "dealer")
    assert key["revoked_at"] is None


def test_a_key_whose_secret_is_lost_is_named_in_the_list(capsys: pytest.CaptureFixture[str], database: Path) -> None:
    made = said(capsys, "brand", "create", "dealer", "--name", "Dealer")
    database.with_name("sayso.db.keys").unlink()

    assert main(["key", "list", "--brand", "dealer"]) == 0
    _, line = capsys.readouterr().out.splitlines()
    assert line.startswith(made["key_id"])
    assert line.endswith("can't be used: the key file has no secret for it")
