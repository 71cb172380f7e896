"""Keys that brands sign tokens with: making them, and the file that holds their secrets.

Secrets live in a file of their own (`SAYSO_KEYS`) and never in the database, so that a copy of the database,
or a backup of it, signs nothing.
"""

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sayso.errors import ConfigurationError
from sayso.model.ids import ID_PATTERN
from sayso.model.instant import Micros
from sayso.wire import Role, TokenClass
from sayso_server.auth.algorithm import Algorithm, parse_public_key
from sayso_server.erasures import ErasureJournal
from sayso_server.jsonio import BadJsonError, parse_strictly
from sayso_server.owner_only import locked, read_owned, replace_owned
from sayso_server.storage.base import StoredKey

_FORMAT = 1
_MARK_KEY_BYTES = 32


class Stamp(NamedTuple):
    """Tells one state of the key file from another without opening it."""

    inode: int
    size: int
    modified: int


class KeyFile:
    """The `SAYSO_KEYS` file: JSON, 0600, replaced whole and never changed in place.

    Every method blocks on the disk; in a coroutine, call it through `asyncio.to_thread`.
    """

    def __init__(self, path: Path) -> None:
        """Name the file; it need not exist before the first key."""
        self.path = path

    def stamp(self) -> Stamp | None:
        """Give what changes whenever the file does; None while there is none."""
        try:
            found = os.lstat(self.path)
        except FileNotFoundError:
            return None
        return Stamp(found.st_ino, found.st_size, found.st_mtime_ns)

    def read(self) -> dict[str, str]:
        """Give the HS256 secrets by `kid`; none if there is no file yet.

        Raises:
            ConfigurationError: The file is unsafe (see `read_owned`) or damaged.
        """
        return dict(self._content()["secrets"])

    def add(self, key_id: str, secret: str) -> None:
        """Keep a secret. Do it before registering the key, so that no server meets a key without one.

        Raises:
            ConfigurationError: The file is unsafe, damaged or can't be written; nothing has changed.
        """
        with locked(self.path):
            content = self._content()
            content["secrets"][key_id] = secret
            self._write(content)

    def remove(self, key_id: str) -> bool:
        """Forget a secret, after its key was revoked; False if there was none.

        Raises:
            ConfigurationError: The file is unsafe, damaged or can't be written; nothing has changed.
        """
        with locked(self.path):
            content = self._content()
            known = content["secrets"].pop(key_id, None) is not None
            if known:
                self._write(content)
        return known

    def mark_key(self, *, make: bool = True) -> bytes:
        """Give the key of marks (`services/marks.py`), made on first need and the same ever after.

        With another one nobody who was erased would be known again, so it is never replaced.

        Args:
            make: Make it if there is none; else there is an empty one then.

        Raises:
            ConfigurationError: The file is unsafe, damaged or can't be written.
        """
        if not make and "marks" not in self._content():
            return b""
        with locked(self.path):
            content = self._content()
            if "marks" not in content:
                content["marks"] = secrets.token_hex(_MARK_KEY_BYTES)
                self._write(content)
        try:
            key = bytes.fromhex(content["marks"])
        except (TypeError, ValueError):
            key = b""
        if len(key) != _MARK_KEY_BYTES:
            raise ConfigurationError(f"the member `marks` of {self.path} is damaged; put the file back from its backup")
        return key

    def erasure_journal(self) -> ErasureJournal:
        """Give the journal of erasures, a file beside this one."""
        return ErasureJournal(self.path.with_name(self.path.name + ".erased"))

    def _content(self) -> dict[str, Any]:
        text = read_owned(self.path)
        if text is None:
            return {"format": _FORMAT, "secrets": {}}
        try:
            content = parse_strictly(text)
        except BadJsonError:
            content = None
        if not isinstance(content, dict) or not _is_secrets(content.get("secrets")):
            raise ConfigurationError(
                f"{self.path} is damaged; put it back from its own backup, or make new keys in a new file"
            )
        if content.get("format") != _FORMAT:
            raise ConfigurationError(f"{self.path} was written by another version of Sayso; use that one")
        return content

    def _write(self, content: dict[str, Any]) -> None:
        # Members that this version doesn't know go along unchanged.
        replace_owned(self.path, json.dumps(content, indent=1).encode() + b"\n")


def new_key(
    brand: str,
    algorithm: Algorithm | str,
    classes: Iterable[TokenClass | str],
    roles: Iterable[Role | str],
    *,
    now: Micros,
    public_pem: str | None = None,
) -> tuple[StoredKey, str | None]:
    """Make a key, or take the public half of one that the brand made.

    Args:
        brand: Whose it is.
        algorithm: HS256, ES256 or EdDSA.
        classes: The classes of tokens it may sign.
        roles: The most that its backend and staff tokens may do.
        now: The time, in microseconds.
        public_pem: For ES256 and EdDSA, the brand's public key; without it a pair is made.

    Returns:
        The key to register and what the brand signs with, to be printed once: for HS256 the secret, which
        also goes into the key file; for a pair made here the private key in PEM, which goes nowhere else;
        None when the brand has its own.

    Raises:
        ValueError: The brand id, algorithm, classes, roles or public key won't do.
    """
    if not ID_PATTERN.fullmatch(brand):
        raise ValueError("a brand id is 1 to 128 letters, digits or . _ : @ + = - and starts with a letter or digit")
    chosen = Algorithm(algorithm)
    signs = tuple(sorted({TokenClass(name).value for name in classes}))
    may = tuple(sorted({Role(name).value for name in roles}))
    if not signs:
        raise ValueError("a key signs at least one class of tokens: backend, consumer or staff")
    if bool(may) != (signs != (TokenClass.CONSUMER.value,)):
        raise ValueError(
            "a key for backend or staff tokens has a role (--role backend); one for consumer tokens alone has none"
        )
    secret: str | None
    if chosen is Algorithm.HS256:
        if public_pem is not None:
            raise ValueError("HS256 has a secret, not a public key; choose ES256 or EdDSA")
        public, secret = None, secrets.token_urlsafe(32)
    elif public_pem is None:
        public, secret = _new_pair(chosen)
    else:
        public, secret = _public_text(parse_public_key(chosen, public_pem)), None
    return StoredKey(f"{brand}.{secrets.token_hex(8)}", brand, chosen.value, signs, may, public, now, None), secret


def _new_pair(algorithm: Algorithm) -> tuple[str, str]:
    private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    if algorithm is Algorithm.ES256:
        private = ec.generate_private_key(ec.SECP256R1())
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return _public_text(private.public_key()), text


def _public_text(key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _is_secrets(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(secret, str) for secret in value.values())
