"""Verifying one token, in an order in which nothing of it is believed before its key has vouched for it.

A verifier that only names algorithm and audience accepts a good third of the known attacks (RFC 8725). What
each step adds is listed in `tests/server/test_tokens.py`, attack by attack.
"""

import re
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any, NamedTuple, NoReturn

import jwt

from sayso.model.ids import ID_PATTERN, IdError, check_consumer_id
from sayso.model.instant import MICROS_PER_SECOND, Micros, span_micros
from sayso.wire import AUDIENCE, MAX_TOKEN_BYTES, Code, TokenClass, TokenType
from sayso_server.auth.claims import Claims
from sayso_server.auth.refused import Lacking, TokenRefusedError
from sayso_server.auth.ring import Key, KeyRing
from sayso_server.jsonio import parse_strictly

LONGEST_LIFE = {
    TokenClass.BACKEND: timedelta(minutes=5),
    TokenClass.CONSUMER: timedelta(minutes=15),
    TokenClass.STAFF: timedelta(minutes=15),
}
LEEWAY = timedelta(seconds=30)
"""How far a signer's clock may be ahead of ours (`iat`, `nbf`). `exp` has none: a token that has ended has
ended, and a signer whose clock is behind loses that much of its life, no more."""

# One token has one spelling: no padding, no white space, no second alphabet (PyJWT itself lets `=` pass).
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# `jku`, `jwk`, `x5u`, `crit` and their like have no business here, so no code has to mistrust them.
_HEADER = frozenset({"alg", "kid", "typ"})
_CLASS_OF = {
    TokenType.BACKEND.value: TokenClass.BACKEND,
    TokenType.CONSUMER.value: TokenClass.CONSUMER,
    TokenType.STAFF.value: TokenClass.STAFF,
}
_REQUIRED = ["aud", "exp", "iat", "iss", "jti"]
_LONGEST_JTI = 128
_LEEWAY = span_micros(LEEWAY)
_JWT = jwt.PyJWT()


class Verified(NamedTuple):
    """A verified token with what has to be looked at again on each use.

    Attributes:
        claims: What it says.
        key: What it was verified with.
        starts_at: From when on it counts; earlier only if the clock was put back.
    """

    claims: Claims
    key: Key
    starts_at: Micros


def verify_token(token: str, ring: KeyRing, *, now: Micros) -> Verified:
    """Tell whom a token speaks for.

    Args:
        token: What stood after `Bearer`.
        ring: The keys.
        now: The server's time in microseconds.

    Raises:
        TokenRefusedError: `token_expired` if that alone is wrong with it, `scope` if it is good but asks for
            more than its key's roles, `token_invalid` for everything else.
    """
    if len(token) > MAX_TOKEN_BYTES or not _COMPACT.fullmatch(token):
        _refuse("form")
    encoded_header, encoded_payload, _ = token.split(".")
    header = _members(encoded_header, "header")
    if not header.keys() <= _HEADER or not all(type(value) is str for value in header.values()):
        _refuse("header")
    token_class = _CLASS_OF.get(header.get("typ", ""))
    if token_class is None:
        _refuse("typ")
    key = ring.get(header.get("kid", ""))
    if key is None:
        _refuse("kid")
    if key.revoked:
        _refuse("revoked")
    if header.get("alg") != key.algorithm:
        _refuse("algorithm")
    required = _REQUIRED if token_class is TokenClass.BACKEND else [*_REQUIRED, "sub"]
    try:
        _JWT.decode(
            token,
            key=key.material,
            algorithms=[key.algorithm.value],
            audience=AUDIENCE,
            options={
                "require": required,
                "strict_aud": True,
                "enforce_minimum_key_length": True,
                # Times are judged below, strictly and by the server's own clock.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.InvalidSignatureError:
        _refuse("signature")
    except jwt.PyJWTError:
        _refuse("claims")
    return _judge(_members(encoded_payload, "payload"), key, token_class, now)


def _judge(payload: dict[str, Any], key: Key, token_class: TokenClass, now: Micros) -> Verified:
    issued, expires = _whole(payload["iat"], "iat"), _whole(payload["exp"], "exp")
    starts = max(issued, _whole(payload["nbf"], "nbf")) if "nbf" in payload else issued
    if not 0 < expires - issued <= LONGEST_LIFE[token_class] // timedelta(seconds=1):
        _refuse("lifetime")
    if payload["iss"] != key.brand_id:
        _refuse("iss")
    if token_class not in key.classes:
        _refuse("class")
    jti = payload["jti"]
    if not jti or len(jti) > _LONGEST_JTI:
        _refuse("jti")
    subject = None if token_class is TokenClass.BACKEND else _subject(payload["sub"], token_class)
    consumer = token_class is TokenClass.CONSUMER
    if consumer and "scope" in payload:
        _refuse("scope")
    claims = Claims(
        key_id=key.key_id,
        brand_id=key.brand_id,
        token_class=token_class,
        subject=subject,
        scope=frozenset() if consumer else _scope(payload.get("scope")),
        origins=_origins(payload.get("origins")) if consumer else (),
        issued_at=issued * MICROS_PER_SECOND,
        expires_at=expires * MICROS_PER_SECOND,
        jti=jti,
    )
    starts_at = starts * MICROS_PER_SECOND - _LEEWAY
    if now < starts_at:
        _refuse("not yet")
    if now >= claims.expires_at:
        raise TokenRefusedError(Code.TOKEN_EXPIRED, "exp", expired=claims)
    if not claims.scope <= key.roles:
        missing = tuple(sorted(claims.scope - key.roles))
        raise TokenRefusedError(Code.SCOPE, "roles", lacking=Lacking(key.brand_id, token_class, missing))
    return Verified(claims, key, starts_at)


def _members(part: str, name: str) -> dict[str, Any]:
    try:
        members = parse_strictly(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:  # no base64, or a BadJsonError
        _refuse(name)
    if type(members) is not dict:
        _refuse(name)
    return members


def _whole(value: object, claim: str) -> int:
    if type(value) is not int:  # a bool is an int to isinstance
        _refuse(claim)
    return value


def _subject(value: str, token_class: TokenClass) -> str:
    if token_class is TokenClass.STAFF:
        if not ID_PATTERN.fullmatch(value):
            _refuse("sub")
        return value
    try:
        return check_consumer_id(value)
    except IdError:
        _refuse("sub")


def _scope(value: object) -> frozenset[str]:
    roles = value.split(" ") if isinstance(value, str) else []
    if not roles or not all(roles):
        _refuse("scope")
    return frozenset(roles)


def _origins(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(origin, str) and origin for origin in value):
        _refuse("origins")
    return tuple(value)


def _refuse(why: str) -> NoReturn:
    # `from None`: the cause may quote the token.
    raise TokenRefusedError(Code.TOKEN_INVALID, why) from None
