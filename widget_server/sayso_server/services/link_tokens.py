"""The random part of links that are handed out: to unsubscribe, for a guardian, for an invitation.

A link is as good as a key to what it opens, so only its digest is stored: who reads the database can't use it. It names
its brand, so that it is looked for among that brand's alone.
"""

import hashlib
import re
import secrets

from sayso.model.ids import ID_PATTERN

LEAST_BITS = 128
_RANDOM = re.compile(r"[A-Za-z0-9_-]{22,86}")


def new_link_token(brand_id: str, bits: int) -> tuple[str, str]:
    """Make a link's token.

    Args:
        brand_id: Whose link.
        bits: How many of them are random: 128 for what can only withdraw, 256 for what can grant or sign in.

    Returns:
        The token, which is handed out and kept nowhere, and the id of the document that it opens.

    Raises:
        ValueError: Fewer than 128 bits.
    """
    if bits < LEAST_BITS:
        raise ValueError(f"a link has {LEAST_BITS} random bits or more")
    random = secrets.token_urlsafe(bits // 8)
    return f"{brand_id}.{random}", _document_id(random)


def read_link_token(token: str) -> tuple[str, str] | None:
    """Give brand and document id of a token; None for what can't be one. Storage knows whether there is a document."""
    brand_id, dot, random = token.rpartition(".")
    if not (dot and ID_PATTERN.fullmatch(brand_id) and _RANDOM.fullmatch(random)):
        return None
    return brand_id, _document_id(random)


def _document_id(random: str) -> str:
    # Unsalted: of so many random bits nothing can be guessed.
    return hashlib.sha256(random.encode("ascii")).hexdigest()
