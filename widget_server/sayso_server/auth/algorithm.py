"""The three signature algorithms, and which keys are good enough for them (RFC 8725 §3.1, §3.5)."""

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    PublicKey = EllipticCurvePublicKey | Ed25519PublicKey

MIN_SECRET_BYTES = 32
"""As many as HMAC-SHA256 puts out (RFC 7518 §3.2)."""


class Algorithm(StrEnum):
    """What a key is registered for. It has exactly one; a token can't ask for another."""

    HS256 = "HS256"
    ES256 = "ES256"
    EDDSA = "EdDSA"


def secret_bytes(secret: str) -> bytes:
    """Give the HMAC key for a secret: the UTF-8 bytes of the text as printed, undecoded.

    Raises:
        ValueError: It is shorter than 32 bytes.
    """
    key = secret.encode()
    if len(key) < MIN_SECRET_BYTES:
        raise ValueError(
            f"a secret for HS256 has {MIN_SECRET_BYTES} bytes or more; `sayso-server key create` makes one"
        )
    return key


def parse_public_key(algorithm: Algorithm, pem: str) -> "PublicKey":
    """Read a public key and check that it is one for the algorithm: P-256 for ES256, Ed25519 for EdDSA.

    Raises:
        ValueError: It is no public key in PEM, a private one, or one of another kind.
    """
    # Part of the `server` extra. The test kit runs this server without it, and signs with a secret.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    if "PRIVATE KEY" in pem:
        raise ValueError("this is a private key; keep it where tokens are signed and register its public key")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("this is no public key in PEM; it starts with -----BEGIN PUBLIC KEY-----") from None
    if algorithm is Algorithm.ES256:
        if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
            return key
        raise ValueError("ES256 needs a key on the curve P-256 (also called prime256v1)")
    if algorithm is Algorithm.EDDSA:
        if isinstance(key, Ed25519PublicKey):
            return key
        raise ValueError("EdDSA needs an Ed25519 key")
    raise ValueError("HS256 has a secret, not a public key")
