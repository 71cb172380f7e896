"""Marks: keyed digests by which somebody is known again without being named.

A plain digest of a phone number or an id can be tried out; a keyed one can't without the key, and that lies with the
other secrets (`SAYSO_KEYS`), never in the database. Who holds a copy of the database learns nothing from a mark.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12


class MarkKey(Protocol):
    """The part of the key file that this needs."""

    def mark_key(self, *, make: bool = True) -> bytes:
        """Give the key, the same for ever; where there is none it is made, or none given. Blocks on the disk."""
        ...


class Marks:
    """Makes marks with one key for all brands; the brand is part of what is digested."""

    def __init__(self, source: MarkKey | None = None, *, seals: bool = True) -> None:
        """Name where the key is; it is read on first need. Without a source the key lasts as long as this object.

        Args:
            source: Where the key is.
            seals: Whether anything is encrypted. Not where all of it ends with the process, as in the test kit, whose
                server runs without the server's extra.
        """
        self._source = source
        self._seals = seals
        self._key = secrets.token_bytes(KEY_BYTES) if source is None else b""
        self._reading = threading.Lock()

    def load(self, *, make: bool = True) -> bool:
        """Read or make the key now, on a thread that may wait for the disk; tell whether there is one.

        Raises:
            ConfigurationError: The key file is unsafe or damaged.
        """
        with self._reading:
            if not self._key and self._source is not None:
                self._key = self._source.mark_key(make=make)
            return bool(self._key)

    def of(self, brand_id: str, purpose: str, value: str) -> bytes:
        """Give the mark of a value: HMAC-SHA256, 32 bytes.

        Args:
            brand_id: Whose; the same value has another mark in every brand.
            purpose: What it is the mark of, such as `email`, `phone` or `erased`; each purpose has other marks.
            value: In the one form that it is always looked for in, such as an address in lower case.
        """
        if not self._key:
            self.load()
        # No id and no purpose contains the byte between them.
        return hmac.digest(self._key, f"{brand_id}\0{purpose}\0{value}".encode(), hashlib.sha256)

    def erased(self, brand_id: str, consumer_id: str) -> bytes:
        """Give the mark under which a consumer's tombstone would stand."""
        return self.of(brand_id, "erased", consumer_id)

    def check_value(self) -> bytes:
        """Give what tells this key from any other, and says nothing about it."""
        return self.of("", "check", "")

    def seal(self, brand_id: str, consumer_id: str, content: bytes) -> bytes:
        """Encrypt something (AES-256-GCM), to be read only with the key and the consumer's id."""
        if not self._seals:
            return content
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher(brand_id, consumer_id).encrypt(nonce, content, None)

    def unseal(self, brand_id: str, consumer_id: str, content: bytes) -> bytes:
        """Decrypt what was sealed for this consumer.

        Raises:
            cryptography.exceptions.InvalidTag: It was sealed for somebody else, with another key, or altered.
        """
        if not self._seals:
            return content
        return self._cipher(brand_id, consumer_id).decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], None)

    def _cipher(self, brand_id: str, consumer_id: str) -> "AESGCM":
        # Part of the server's extra: see `seals`.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        return AESGCM(self.of(brand_id, "seal", consumer_id))

    def later(self, brand_id: str, consumer_id: str) -> Callable[[], bytes]:
        """Give what makes that mark once it is needed, as `Wanted` takes it."""
        return partial(self.erased, brand_id, consumer_id)
