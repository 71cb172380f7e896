"""Signed messages of the Data Rights Protocol 1.0, section 3.07: read and checked in the order that it fixes."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from sayso.model.instant import Micros, parse_instant

SIGNATURE_BYTES: Final = 64
"""Of Ed25519, ahead of what it signs (libsodium's combined mode)."""

Verify = Callable[[bytes, bytes], bool]
"""Tells whether a signature (first) of a message (second) was made with the agent's key."""


class Step(StrEnum):
    """What is checked of a message, in this order."""

    BASE64 = "base64"
    SIGNATURE = "signature"
    JSON = "json"
    AGENT = "agent-id"
    BUSINESS = "business-id"
    ISSUED = "issued-at"
    EXPIRES = "expires-at"


class NotAcceptedError(ValueError):
    """A message failed a check. Whoever sent it is told no more than that: 403 without a body."""

    def __init__(self, step: Step) -> None:
        """Keep which check it was, for the log."""
        super().__init__(f"the message fails the check of its {step}")
        self.step = step


def sign_message(claims: Mapping[str, object], sign: Callable[[bytes], bytes]) -> bytes:
    """Write a message as agents send it: the base64 of a signature and what it signs.

    Args:
        claims: What it says.
        sign: Gives the Ed25519 signature, 64 bytes.
    """
    content = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(sign(content) + content)


def open_message(body: bytes, verify: Verify) -> dict[str, Any]:
    """Read a message whose signature is good.

    Args:
        body: As it came, `text/plain`.
        verify: With the key of the agent that the bearer token belongs to.

    Raises:
        NotAcceptedError: It is no base64, the signature is wrong, or what was signed is no JSON object.
    """
    signature, content = _taken_apart(body)
    if not verify(signature, content):
        raise NotAcceptedError(Step.SIGNATURE)
    return _read(content)


def peek(body: bytes) -> dict[str, Any]:
    """Read what a message claims before anything is checked: only to find the key that it is to be checked with.

    Raises:
        NotAcceptedError: It can't be read at all.
    """
    return _read(_taken_apart(body)[1])


def check_claims(claims: Mapping[str, Any], *, agent_id: str, business_id: str, now: Micros) -> None:
    """Check what a signed message says of itself.

    Args:
        claims: Of a message that `open_message` gave.
        agent_id: Of the bearer token.
        business_id: What the brand is called in the directory.
        now: The time.

    Raises:
        NotAcceptedError: It was meant for others, is not yet valid, or no longer. A time without an offset is none.
    """
    if claims.get(Step.AGENT) != agent_id:
        raise NotAcceptedError(Step.AGENT)
    if claims.get(Step.BUSINESS) != business_id:
        raise NotAcceptedError(Step.BUSINESS)
    if not _time(claims, Step.ISSUED) < now:
        raise NotAcceptedError(Step.ISSUED)
    if not now < _time(claims, Step.EXPIRES):
        raise NotAcceptedError(Step.EXPIRES)


def issued_at(claims: Mapping[str, Any]) -> Micros:
    """Give when a message was made.

    Raises:
        NotAcceptedError: It does not say.
    """
    return _time(claims, Step.ISSUED)


def _taken_apart(body: bytes) -> tuple[bytes, bytes]:
    try:
        message = base64.b64decode(body.strip(), validate=True)
    except binascii.Error:
        raise NotAcceptedError(Step.BASE64) from None
    return message[:SIGNATURE_BYTES], message[SIGNATURE_BYTES:]


def _read(content: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(content.decode(), object_pairs_hook=_each_once)
        json.dumps(claims, ensure_ascii=False).encode()  # half a surrogate pair is no text, and can't be stored
    except (ValueError, RecursionError):
        raise NotAcceptedError(Step.JSON) from None
    if not isinstance(claims, dict):
        raise NotAcceptedError(Step.JSON)
    return claims


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers of one message must not see two business-ids.
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member stands twice")
    return members


def _time(claims: Mapping[str, Any], step: Step) -> Micros:
    try:
        return parse_instant(claims[step])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise NotAcceptedError(step) from None
