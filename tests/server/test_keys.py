"""Making keys, and the file that keeps their secrets from everybody else."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sayso.errors import ConfigurationError
from sayso.transport.tokens import TokenMinter
from sayso_server.auth import KeyRing, Verifier
from sayso_server.keys import KeyFile, new_key
from sayso_server.storage.base import StoredKey

NOW = 1_795_000_000_000_000


def public_pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def key_file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "sayso.db.keys")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- making keys --------------------------------------------------------------------------------------------


def test_a_key_is_named_after_its_brand_and_has_a_secret_of_256_bits() -> None:
    key, secret = new_key("dealer", "HS256", ["consumer", "backend"], ["backend"], now=NOW)

    assert key == StoredKey(key.key_id, "dealer", "HS256", ("backend", "consumer"), ("backend",), None, NOW, None)
    assert key.key_id.rpartition(".")[0] == "dealer"
    assert len(key.key_id.rpartition(".")[2]) == 16
    assert secret is not None
    assert len(secret) == 43


def test_no_two_keys_are_alike() -> None:
    made = [new_key("dealer", "HS256", ["backend"], ["backend"], now=NOW) for _ in range(50)]

    assert len({key.key_id for key, _ in made}) == 50
    assert len({secret for _, secret in made}) == 50


@pytest.mark.parametrize("algorithm", ["HS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("brand", ["dealer", "dealer.north"])
def test_what_a_new_key_signs_is_accepted_for_its_brand(algorithm: str, brand: str) -> None:
    key, secret = new_key(brand, algorithm, ["backend"], ["backend"], now=NOW)
    assert secret is not None
    stored_secrets = {key.key_id: secret} if algorithm == "HS256" else {}
    ring = KeyRing.from_stored([key], stored_secrets)

    class Now:
        def now(self) -> int:
            return NOW

    token = TokenMinter(key.key_id, secret, clock=Now()).backend_token()

    assert Verifier(ring).verify(token, now=NOW).brand_id == brand


@pytest.mark.parametrize(
    ("algorithm", "generate"),
    [
        ("ES256", lambda: ec.generate_private_key(ec.SECP256R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate),
    ],
)
def test_a_brand_may_keep_its_private_key_and_register_the_public_one(
    algorithm: str, generate: Callable[[], ec.EllipticCurvePrivateKey]
) -> None:
    pem = public_pem(generate())

    key, secret = new_key("dealer", algorithm, ["backend"], ["backend"], now=NOW, public_pem="\n" + pem + "\n")

    assert (key.algorithm, key.public_key, secret) == (algorithm, pem, None)


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_the_private_half_of_a_pair_is_only_given_back(algorithm: str) -> None:
    key, private = new_key("dealer", algorithm, ["backend"], ["backend"], now=NOW)
    assert private is not None
    loaded = load_pem_private_key(private.encode(), password=None)

    assert isinstance(loaded, (ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey))
    assert key.public_key == public_pem(loaded)
    assert "PRIVATE" not in repr(key)


P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"brand": ""}, "a brand id is 1 to 128"),
        ({"brand": "a/b"}, "a brand id is 1 to 128"),
        ({"algorithm": "none"}, "'none' is not a valid Algorithm"),
        ({"algorithm": "RS256"}, "'RS256' is not a valid Algorithm"),
        ({"classes": []}, "at least one class"),
        ({"classes": ["root"]}, "'root' is not a valid TokenClass"),
        ({"roles": ["root"]}, "'root' is not a valid Role"),
        ({"roles": []}, "--role backend"),
        ({"classes": ["staff"], "roles": []}, "--role backend"),
        ({"classes": ["consumer"]}, "one for consumer tokens alone has none"),
        ({"algorithm": "HS256", "public_pem": public_pem(P256)}, "HS256 has a secret, not a public key"),
        ({"public_pem": "ssh-ed25519 AAAA"}, "no public key in PEM"),
        ({"public_pem": ""}, "no public key in PEM"),
        ({"public_pem": private_pem(P256)}, "this is a private key; keep it"),
        ({"public_pem": public_pem(P384)}, "ES256 needs a key on the curve P-256"),
        ({"public_pem": public_pem(RSA)}, "ES256 needs a key on the curve P-256"),
        ({"algorithm": "EdDSA", "public_pem": public_pem(P256)}, "EdDSA needs an Ed25519 key"),
    ],
)
def test_a_key_that_will_not_do_is_refused_with_the_reason(changes: dict[str, object], message: str) -> None:
    wanted: dict[str, object] = {
        "brand": "dealer",
        "algorithm": "ES256",
        "classes": ["backend"],
        "roles": ["backend"],
    }
    wanted |= changes

    with pytest.raises(ValueError, match=message):
        new_key(now=NOW, **wanted)  # type: ignore[arg-type]


def test_a_key_for_consumer_tokens_alone_has_no_roles() -> None:
    key, _ = new_key("dealer", "HS256", ["consumer"], [], now=NOW)

    assert (key.classes, key.roles) == (("consumer",), ())


# --- the file -----------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_holds_nothing(key_file: KeyFile) -> None:
    assert (key_file.read(), key_file.stamp()) == ({}, None)
    assert not key_file.path.exists()


def test_secrets_are_kept_and_forgotten(key_file: KeyFile) -> None:
    key_file.add("dealer.1", "first")
    key_file.add("shop.1", "other")
    key_file.add("dealer.1", "again")

    assert key_file.read() == {"dealer.1": "again", "shop.1": "other"}
    assert key_file.remove("dealer.1") is True
    assert key_file.remove("dealer.1") is False
    assert key_file.read() == {"shop.1": "other"}


def test_every_change_of_the_file_shows_in_its_stamp(key_file: KeyFile) -> None:
    key_file.add("dealer.1", "first")
    before = key_file.stamp()
    unchanged = key_file.stamp()
    key_file.add("dealer.1", "again")

    assert before == unchanged
    assert before != key_file.stamp()


def test_the_file_and_its_lock_are_the_owners_alone_whatever_the_umask(key_file: KeyFile) -> None:
    before = os.umask(0)
    try:
        key_file.add("dealer.1", "first")
    finally:
        os.umask(before)

    modes = {path.name: mode_of(path) for path in key_file.path.parent.iterdir()}
    assert modes == {"sayso.db.keys": 0o600, "sayso.db.keys.lock": 0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644])
def test_a_file_that_others_have_access_to_is_refused(key_file: KeyFile, mode: int) -> None:
    key_file.add("dealer.1", "first")
    key_file.path.chmod(mode)

    with pytest.raises(ConfigurationError, match="can be opened by others"):
        key_file.read()
    with pytest.raises(ConfigurationError, match="can be opened by others"):
        key_file.add("dealer.2", "second")


def test_a_symlink_is_refused_even_to_a_good_file(key_file: KeyFile, tmp_path: Path) -> None:
    target = KeyFile(tmp_path / "elsewhere.keys")
    target.add("dealer.1", "first")
    key_file.path.symlink_to(target.path)

    with pytest.raises(ConfigurationError, match="is a symbolic link"):
        key_file.read()
    with pytest.raises(ConfigurationError, match="is a symbolic link"):
        key_file.add("dealer.2", "second")
    assert target.read() == {"dealer.1": "first"}


def test_a_dangling_symlink_is_no_way_to_have_a_file_made_elsewhere(key_file: KeyFile, tmp_path: Path) -> None:
    key_file.path.symlink_to(tmp_path / "planted")

    with pytest.raises(ConfigurationError, match="is a symbolic link"):
        key_file.add("dealer.1", "first")
    assert not (tmp_path / "planted").exists()


def test_a_lock_that_is_a_symlink_is_refused(key_file: KeyFile, tmp_path: Path) -> None:
    (tmp_path / "sayso.db.keys.lock").symlink_to(tmp_path / "planted")

    with pytest.raises(ConfigurationError, match="is a symbolic link"):
        key_file.add("dealer.1", "first")
    assert not (tmp_path / "planted").exists()


def test_a_pipe_is_refused_without_waiting_for_its_other_end(key_file: KeyFile) -> None:
    os.mkfifo(key_file.path, 0o600)

    with pytest.raises(ConfigurationError, match="is not a regular file"):
        key_file.read()


def test_a_file_of_another_user_is_refused(key_file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    key_file.add("dealer.1", "first")
    owner = key_file.path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    monkeypatch.setattr("sayso_server.owner_only.private_path", Path)  # its directory is that user's, too

    with pytest.raises(ConfigurationError, match="belongs to another user"):
        key_file.read()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format": 1}',
        b'{"format": 1, "secrets": []}',
        b'{"format": 1, "secrets": {"dealer.1": 5}}',
        b'{"format": 1, "secrets": {"dealer.1": "a", "dealer.1": "b"}}',
        b'{"format": 1, "secrets": {"dealer.1": "top-secret"}, "x": "\xff"}',
    ],
)
def test_a_damaged_file_is_named_not_quoted_and_never_overwritten(key_file: KeyFile, content: bytes) -> None:
    key_file.path.write_bytes(content)
    key_file.path.chmod(0o600)

    with pytest.raises(ConfigurationError, match="is damaged") as caught:
        key_file.read()
    with pytest.raises(ConfigurationError, match="is damaged"):
        key_file.add("dealer.2", "second")

    assert str(key_file.path) in str(caught.value)
    assert "top-secret" not in str(caught.value)
    assert key_file.path.read_bytes() == content


def test_a_file_of_a_later_version_is_left_alone(key_file: KeyFile) -> None:
    key_file.path.write_bytes(b'{"format": 2, "secrets": {}}')
    key_file.path.chmod(0o600)

    with pytest.raises(ConfigurationError, match="another version of Sayso"):
        key_file.add("dealer.1", "first")
    assert key_file.path.read_bytes() == b'{"format": 2, "secrets": {}}'


def test_what_this_version_does_not_know_stays_in_the_file(key_file: KeyFile) -> None:
    key_file.path.write_bytes(b'{"format": 1, "secrets": {}, "signing": {"receipt": "kept"}}')
    key_file.path.chmod(0o600)

    key_file.add("dealer.1", "first")

    assert json.loads(key_file.path.read_bytes()) == {
        "format": 1,
        "secrets": {"dealer.1": "first"},
        "signing": {"receipt": "kept"},
    }


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(
    key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file.add("dealer.1", "first")

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        key_file.add("dealer.2", "second")

    assert key_file.read() == {"dealer.1": "first"}
    assert sorted(path.name for path in key_file.path.parent.iterdir()) == [
        "sayso.db.keys",
        "sayso.db.keys.lock",
    ]


def test_a_folder_that_others_may_write_to_is_refused(key_file: KeyFile) -> None:
    key_file.add("dealer.1", "first")
    key_file.path.parent.chmod(0o777)

    with pytest.raises(ConfigurationError, match="others may write in the directory"):
        key_file.read()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no directory"):
        KeyFile(tmp_path / "nowhere" / "sayso.keys").add("dealer.1", "first")


def test_commands_that_run_at_once_lose_nothing(key_file: KeyFile) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: key_file.add(f"dealer.{number}", "s"), range(24)))

    assert len(key_file.read()) == 24


def test_processes_that_run_at_once_lose_nothing(key_file: KeyFile) -> None:
    code = (
        "import sys; from pathlib import Path; from sayso_server.keys import KeyFile\n"
        "for number in range(10): KeyFile(Path(sys.argv[1])).add(f'{sys.argv[2]}.{number}', 's')"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(key_file.path), brand])
        for brand in ("dealer", "shop", "club")
    ]

    assert [process.wait(timeout=30) for process in running] == [0, 0, 0]
    assert len(key_file.read()) == 30
