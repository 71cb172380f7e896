"""Ids of consumers, devices and choices: which are accepted, and how to make them."""

import hashlib
import hmac
import os
import re
import secrets
import time
from base64 import urlsafe_b64encode

ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+=-]{0,127}")
_ANONYMOUS = re.compile(r"anon_[A-Za-z0-9_-]{22}")
_EMAIL = re.compile(r"[^@]+@[^@]+\.[A-Za-z]{2,}")
_PHONE = re.compile(r"\+?[0-9][0-9.=-]*")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}(\.[0-9A-Fa-f]{4}){2}")
_SCHEMES = {
    "tel": "a phone number",
    "sms": "a phone number",
    "mailto": "an e-mail address",
    "imei": "a phone's hardware number (IMEI)",
    "mac": "a hardware address",
}
# Any other prefix may be the brand's own, as in order:1234567890, unless a number in international form follows.
_CALLABLE = re.compile(r"[A-Za-z][A-Za-z0-9.-]*:\+(?P<number>[0-9][0-9.=-]*)")
_PHONE_DIGITS = range(10, 16)
_IMEI_DIGITS = 15
_LUHN_BASE = 10
_TIME_BITS = (1 << 48) - 1
_RANDOM_BITS = 0x0FFF3FFFFFFFFFFFFFFF
_VERSION_AND_VARIANT = 7 << 76 | 1 << 63
_HASH_IT = "use your own opaque id, or sayso.pseudonym(value, key=...)"


class IdError(ValueError):
    """An id that Sayso doesn't take; `code` says which rule, the message what to do."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code for the wire."""
        super().__init__(message)
        self.code = code


def check_id(value: str) -> str:
    """Give the id back if it may name a consumer or a device.

    Ids are compared byte for byte. Shapes that identify a person outside the brand (an e-mail address, a
    phone number of 10 to 15 digits, a MAC address, an IMEI) are refused, because ids reach paths, tokens
    and exports. So is whatever says so itself: `tel:`, `sms:`, `mailto:`, `imei:`, `mac:` and a number in
    international form after any prefix, such as `whatsapp:+15551234567`.

    Raises:
        IdError: With code `invalid_id` or `personal_id`.
    """
    if not ID_PATTERN.fullmatch(value):
        raise IdError(
            "invalid_id",
            "an id is 1 to 128 letters, digits or . _ : @ + = - and starts with a letter or digit; " + _HASH_IT,
        )
    if "@" in value and _EMAIL.fullmatch(value):
        raise IdError("personal_id", "this looks like an e-mail address; " + _HASH_IT)
    scheme, mark, _ = value.partition(":")
    if mark and scheme.lower() in _SCHEMES:
        raise IdError("personal_id", f"this names itself {_SCHEMES[scheme.lower()]}; " + _HASH_IT)
    called = _CALLABLE.fullmatch(value) if mark else None
    if called and sum(char.isdigit() for char in called["number"]) in _PHONE_DIGITS:
        raise IdError("personal_id", "this looks like a phone number; " + _HASH_IT)
    if _MAC.fullmatch(value):
        raise IdError("personal_id", "this looks like a hardware address; " + _HASH_IT)
    if (value[0].isdigit()) and _PHONE.fullmatch(value):
        digits = [int(char) for char in value if char.isdigit()]
        if len(digits) == _IMEI_DIGITS and _passes_luhn(digits):
            raise IdError("personal_id", "this looks like a phone's hardware number (IMEI); " + _HASH_IT)
        if len(digits) in _PHONE_DIGITS:
            raise IdError("personal_id", "this looks like a phone number; " + _HASH_IT)
    return value


def check_consumer_id(value: str) -> str:
    """Give the id back if it may name a consumer: a known one, or a well-formed `anon_` id.

    Raises:
        IdError: With code `invalid_id` or `personal_id`.
    """
    if value.startswith("anon_") and not _ANONYMOUS.fullmatch(value):
        raise IdError(
            "invalid_id",
            "ids that start with anon_ are made by sayso.new_anonymous_id(); rename or make one there",
        )
    return check_id(value)


def is_anonymous(consumer_id: str) -> bool:
    """Tell whether the id stands for a visitor that the brand doesn't know yet."""
    return consumer_id.startswith("anon_")


def new_anonymous_id() -> str:
    """Make an id for a visitor not yet known: `anon_` and 128 random bits."""
    return "anon_" + urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


def pseudonym(value: str, *, key: str | bytes) -> str:
    """Turn a personal value into a stable opaque id.

    Args:
        value: An e-mail address, a phone number, a hardware id. Upper and lower case count as the same,
            outer space is dropped.
        key: The brand's own secret, 16 bytes or more. Another key gives other ids, so keep it.

    Returns:
        `p-` and 43 characters: HMAC-SHA256 under the key. Without the key nobody can test guesses against it.

    Raises:
        ValueError: The key is shorter than 16 bytes.
    """
    secret = key.encode() if isinstance(key, str) else key
    if len(secret) < 16:  # noqa: PLR2004 - named in the message
        raise ValueError("the key for pseudonym() has 16 bytes or more; make one with secrets.token_urlsafe(32)")
    digest = hmac.new(secret, value.strip().casefold().encode(), hashlib.sha256).digest()
    return "p-" + urlsafe_b64encode(digest).rstrip(b"=").decode()


def new_choice_id() -> str:
    """Make a time-ordered UUID (version 7, RFC 9562): it keeps the server's indexes small and quick."""
    # Every choice takes one of these, so the digits are put together without a detour over uuid.UUID.
    random = int.from_bytes(os.urandom(10)) & _RANDOM_BITS | _VERSION_AND_VARIANT
    digits = f"{(time.time_ns() // 1_000_000 & _TIME_BITS) << 80 | random:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _passes_luhn(digits: list[int]) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled >= _LUHN_BASE else doubled
    return total % _LUHN_BASE == 0
