"""Signing the tokens that the server itself gives: those of its own pages."""

from datetime import timedelta
from typing import Final

import jwt

from sayso.model.instant import MICROS_PER_SECOND, Micros
from sayso.wire import AUDIENCE, TokenClass, TokenType
from sayso_server.auth.algorithm import Algorithm
from sayso_server.auth.ring import Key
from sayso_server.auth.token import LONGEST_LIFE

STAFF_TOKEN_LASTS: Final = LONGEST_LIFE[TokenClass.STAFF]


def sign_staff_token(key: Key, *, staff: str, roles: frozenset[str], jti: str, now: Micros, until: Micros) -> str:
    """Sign a staff token.

    Args:
        key: An HS256 key of class staff.
        staff: Whose: a staff member's name.
        roles: What they may do.
        jti: The token's own id.
        now: The server's time in microseconds.
        until: When the token ends, at most 15 minutes later.

    Raises:
        ValueError: The key is no such key, or the token would live too long.
    """
    if key.algorithm is not Algorithm.HS256 or TokenClass.STAFF not in key.classes or not roles <= key.roles:
        raise ValueError("staff tokens are signed with an HS256 key of class staff that has their roles")
    issued, expires = now // MICROS_PER_SECOND, until // MICROS_PER_SECOND
    if not 0 < expires - issued <= STAFF_TOKEN_LASTS // timedelta(seconds=1):
        raise ValueError("a staff token lives 15 minutes at most")
    claims = {
        "iss": key.brand_id,
        "aud": AUDIENCE,
        "sub": staff,
        "scope": " ".join(sorted(roles)),
        "iat": issued,
        "exp": expires,
        "jti": jti,
    }
    secret = key.material
    if not isinstance(secret, bytes):
        raise ValueError("an HS256 key has a secret")
    return jwt.encode(claims, secret, algorithm="HS256", headers={"typ": TokenType.STAFF.value, "kid": key.key_id})
