"""From where a token may be used. Asked on every request; nothing of it is remembered with the token.

A browser names the page that a request comes from (`Origin`, and `Sec-Fetch-Site` of Fetch Metadata); a page
can't forge either. So a secret that leaks into a page is of no use there, and a consumer's token works only
on pages its brand registered.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from sayso.wire import Code, TokenClass
from sayso_server.auth.claims import Claims
from sayso_server.auth.refused import TokenRefusedError

APP = "app"
"""In place of an origin: an app's own requests, which have none."""

_OPAQUE = "null"  # what sandboxed frames, files and redirects send: anybody's page
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)


class _Context(NamedTuple):
    origin: str | None
    site: str | None
    browser: bool


def bearer_token(authorization: str | None) -> str:
    """Take the token out of an `Authorization` header (RFC 6750 §2.1; the scheme's case doesn't matter).

    Raises:
        TokenRefusedError: `token_missing`.
    """
    match = _BEARER.fullmatch(authorization or "")
    if match is None:
        raise TokenRefusedError(Code.TOKEN_MISSING, "authorization")
    return match[1]


def check_fetch_context(
    claims: Claims, headers: Mapping[str, str], registered_origins: frozenset[str], public_origin: str
) -> str | None:
    """Refuse a token that is used from a place it isn't meant for.

    Args:
        claims: The verified token.
        headers: The request's; names in any case, a multidict's repeated ones all looked at.
        registered_origins: The brand's, `app` among them where apps may call.
        public_origin: The origin of this server's own pages; it needs no registration.

    Returns:
        The origin that counted, `app` for an app without one, None for a backend.

    Raises:
        TokenRefusedError: `origin`. A backend's token came from a browser, a consumer's from a page or app
            that its `origins` don't name or its brand didn't register, or a staff member's from anywhere but
            the server's own pages.
    """
    origin, site, browser = _read(headers)
    if claims.token_class is TokenClass.BACKEND:
        if browser:
            _refuse("a backend's token in a browser")
        return None
    if origin is None and site == "same-origin":
        origin = public_origin  # a browser leaves Origin out of a page's GET to its own server
    if claims.token_class is TokenClass.STAFF:
        if origin != public_origin:
            _refuse("a staff token outside the server's own pages")
        return origin
    if origin == APP:
        _refuse("no browser sends this Origin")
    place = APP if origin is None else origin
    if place == _OPAQUE or place not in claims.origins:
        _refuse("not in the token's origins")
    if place not in registered_origins and place != public_origin:
        _refuse("not registered by the brand")
    return place


def _read(headers: Mapping[str, str]) -> _Context:
    origin: str | None = None
    site: str | None = None
    browser = False
    for name, value in headers.items():
        if name[:1] not in "oOsS":  # most headers, and every request pays for this loop
            continue
        folded = name.lower()
        if folded == "origin":
            if origin is not None:
                _refuse("Origin twice")
            origin, browser = value, True
        elif folded.startswith("sec-fetch-"):
            browser = True
            if folded == "sec-fetch-site":
                if site is not None:
                    _refuse("Sec-Fetch-Site twice")
                site = value
    return _Context(origin, site, browser)


def _refuse(why: str) -> NoReturn:
    raise TokenRefusedError(Code.ORIGIN, why)
