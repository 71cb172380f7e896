"""Signing tokens: short-lived ones for the client's own calls, and those a brand gives pages and staff."""

import re
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Protocol

import jwt

from sayso.errors import ConfigurationError
from sayso.model.ids import ID_PATTERN, check_consumer_id
from sayso.model.instant import MICROS_PER_SECOND, Micros, span_micros
from sayso.transport.clock import SYSTEM_CLOCK
from sayso.wire import AUDIENCE, MAX_TOKEN_BYTES, Role, TokenType

BACKEND_LIFE = timedelta(minutes=5)
RENEW_BEFORE_EXPIRY = timedelta(minutes=1)
"""Early, so that a clock up to a minute behind the server's still sends a token that holds."""
LONGEST_TTL = timedelta(minutes=15)

_ONE_SECOND = timedelta(seconds=1)
_CLOCKS_AGREE = timedelta(minutes=1)
_MIN_SECRET_BYTES = 32
_ALGORITHM_OF_CURVE = {"secp256r1": "ES256", "ed25519": "EdDSA"}
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9.:\[\]_-]+")
_INSECURE = re.compile(r"http://(?!(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?$)")
_APP = "app"


class WallClock(Protocol):
    """The part of a clock that signing needs."""

    def now(self) -> Micros:
        """Give microseconds since 1970, UTC."""
        ...


class TokenMinter:
    """Signs with one key of one brand. Neither key nor token shows in its `repr`."""

    def __init__(self, key_id: str, secret: str, *, clock: WallClock = SYSTEM_CLOCK) -> None:
        """Take the key as `sayso-server key create` printed it.

        Args:
            key_id: `SAYSO_KEY_ID`, such as `dealer.4f2a…`: the brand is what stands before the last dot.
            secret: `SAYSO_SECRET`: the secret of an HS256 key, used as the UTF-8 bytes of this very text, or
                the private key in PEM of an ES256 or EdDSA key (needs the extra `sayso[crypto]`).
            clock: The time; the machine's own by default.

        Raises:
            ConfigurationError: The key id names no brand, or the secret is too short or no key.
        """
        brand, dot, rest = key_id.rpartition(".")
        if not dot or not rest or not ID_PATTERN.fullmatch(brand):
            raise ConfigurationError(
                "the key id (SAYSO_KEY_ID) looks like brand.4f2a…; copy it as `key create` printed it"
            )
        self.key_id = key_id
        self.brand_id = brand
        self._algorithm, self._key = _signing_key(secret)
        self._clock = clock
        self._renewable: dict[str, tuple[str, Micros, Micros]] = {}
        self._ahead: Micros = 0

    def backend_token(self, scope: str = Role.BACKEND.value) -> str:
        """Give a token for the brand's own calls, the same one until a minute before its five are over.

        Args:
            scope: The roles it acts in, separated by single spaces; the key must have each.

        Raises:
            ValueError: A role is none that Sayso knows.
        """
        now = self._clock.now() + self._ahead
        known = self._renewable.get(scope)
        if known is not None:
            token, issued_at, renew_at = known
            if issued_at <= now < renew_at:  # a clock that was put back makes a new one, too
                return token
        token = self._sign(TokenType.BACKEND, now, BACKEND_LIFE, scope=_checked_scope(scope))
        # The token says whole seconds, so it counts from the start of this one.
        issued_at = now // MICROS_PER_SECOND * MICROS_PER_SECOND
        self._renewable[scope] = token, issued_at, issued_at + span_micros(BACKEND_LIFE - RENEW_BEFORE_EXPIRY)
        return token

    def single_token(self, scope: str = Role.BACKEND.value) -> str:
        """Give a token for one call that uses it up; see `backend_token`."""
        return self._sign(TokenType.BACKEND, self._clock.now() + self._ahead, BACKEND_LIFE, scope=_checked_scope(scope))

    def forget(self) -> None:
        """Make the next `backend_token` a new one, after the server refused the last."""
        self._renewable.clear()

    def follow(self, server_time: Micros) -> Micros | None:
        """Sign by the server's clock from now on, if this machine's differs by more than a minute.

        A machine whose clock is a day off could otherwise record nothing until someone puts it right, not even a
        withdrawal.

        Args:
            server_time: What the server's last answer said (`Date`, RFC 9110 §6.6.1), in microseconds.

        Returns:
            How far ahead tokens were dated before, for `unfollow`; None if the clocks agree.
        """
        before, ahead = self._ahead, server_time - self._clock.now()
        if abs(ahead - before) <= span_micros(_CLOCKS_AGREE):
            return None
        self._ahead = ahead
        self.forget()
        return before

    def unfollow(self, ahead: Micros) -> None:
        """Take `follow` back: it was not the clock."""
        self._ahead = ahead
        self.forget()

    def consumer_token(self, consumer_id: str, *, origins: Iterable[str], ttl: timedelta = timedelta(minutes=5)) -> str:
        """Sign a token with which a page or an app acts for one consumer.

        Args:
            consumer_id: Whom it speaks for; it reaches nobody else.
            origins: The pages it may be used on, such as `https://dealer.example`, each registered for the
                brand; `app` for an app whose requests carry no Origin.
            ttl: How long it holds, 15 minutes at most.

        Raises:
            ValueError: The id, an origin or the time won't do.
        """
        return self._sign(
            TokenType.CONSUMER,
            self._clock.now() + self._ahead,
            _checked_ttl(ttl),
            sub=check_consumer_id(consumer_id),
            origins=_checked_origins(origins),
        )

    def staff_token(self, staff_id: str, *, scope: str, ttl: timedelta = LONGEST_TTL) -> str:
        """Sign a token with which a member of staff uses the server's own pages.

        Args:
            staff_id: Who; it is kept with everything they record.
            scope: The roles they act in, separated by single spaces; the key must have each.
            ttl: How long it holds, 15 minutes at most.

        Raises:
            ValueError: The id, a role or the time won't do.
        """
        if not ID_PATTERN.fullmatch(staff_id):
            raise ValueError(
                "a staff id is 1 to 128 letters, digits or . _ : @ + = - and starts with a letter or digit"
            )
        return self._sign(
            TokenType.STAFF,
            self._clock.now() + self._ahead,
            _checked_ttl(ttl),
            sub=staff_id,
            scope=_checked_scope(scope),
        )

    def __repr__(self) -> str:
        return f"TokenMinter(key_id={self.key_id!r})"

    def _sign(self, typ: TokenType, now: Micros, life: timedelta, **claims: object) -> str:
        issued = now // MICROS_PER_SECOND
        payload: dict[str, Any] = {
            "iss": self.brand_id,
            "aud": AUDIENCE,
            "iat": issued,
            "exp": issued + life // _ONE_SECOND,
            "jti": secrets.token_hex(16),
            **claims,
        }
        headers = {"kid": self.key_id, "typ": typ.value}
        token = jwt.encode(payload, self._key, algorithm=self._algorithm, headers=headers)
        if len(token) > MAX_TOKEN_BYTES:
            raise ValueError(f"the token would be over {MAX_TOKEN_BYTES} bytes; name fewer origins")
        return token


def _signing_key(secret: str) -> tuple[str, Any]:
    if "-----BEGIN" in secret:
        return _private_key(secret)
    if len(secret.encode()) < _MIN_SECRET_BYTES:
        raise ConfigurationError(
            f"the secret (SAYSO_SECRET) has fewer than {_MIN_SECRET_BYTES} bytes; "
            "copy it whole, as `key create` printed it"
        )
    return "HS256", secret.encode()


def _private_key(pem: str) -> tuple[str, Any]:
    try:
        # Part of an extra: who signs with a secret can do without it.
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError("signing with a private key needs cryptography: pip install 'sayso[crypto]'") from None
    try:
        key: Any = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):  # TypeError: it is encrypted
        raise ConfigurationError(
            "the private key (SAYSO_SECRET) can't be read; give it whole, in PEM and without a passphrase"
        ) from None
    # Told by name, so that no class of an extra has to be imported: an Ed25519 key has no curve.
    name = getattr(getattr(key, "curve", None), "name", type(key).__name__.lower().removesuffix("privatekey"))
    algorithm = _ALGORITHM_OF_CURVE.get(name)
    if algorithm is None:
        raise ConfigurationError("the private key (SAYSO_SECRET) is neither P-256 (ES256) nor Ed25519 (EdDSA)")
    return algorithm, key


def _checked_ttl(ttl: timedelta) -> timedelta:
    if not _ONE_SECOND <= ttl <= LONGEST_TTL:
        raise ValueError("ttl is from one second to 15 minutes; mint a new token when this one has ended")
    return ttl


def _checked_scope(scope: str) -> str:
    known = [role.value for role in Role]
    unknown = [role for role in scope.split(" ") if role not in known]
    if unknown:
        raise ValueError(f"scope names {unknown[0]!r}; it is one or more of {', '.join(known)}, single spaces between")
    return scope


def _checked_origins(origins: Iterable[str]) -> list[str]:
    # A single text is an iterable of its letters, and the likeliest mistake.
    listed = [] if isinstance(origins, str) else list(origins)
    if not listed:
        raise ValueError(
            'origins lists the pages that use the token, such as ["https://dealer.example"], or is ["app"]'
        )
    for origin in listed:
        if origin == _APP:
            continue
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"{origin!r} is no origin; write scheme, host and port in lower case and nothing after them, "
                "such as https://dealer.example, or app"
            )
        if _INSECURE.match(origin):
            raise ValueError(f"{origin!r} is plain http, which is for this machine alone; use https")
    return listed
