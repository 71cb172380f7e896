"""What stands before every handler: the token, where it came from, the roles; and after it: who may read the answer."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from email.utils import format_datetime
from http import HTTPStatus

from aiohttp import hdrs, web

from sayso.model.instant import Micros, from_micros
from sayso.wire import Code, Role, TokenClass
from sayso_server.auth import (
    Claims,
    Lacking,
    TokenRefusedError,
    UsedTokens,
    Verifier,
    bearer_token,
    check_fetch_context,
)
from sayso_server.clock import Clock
from sayso_server.routes.answers import empty_answer, problem_answer
from sayso_server.routes.asked import Asked
from sayso_server.routes.origins import Origins
from sayso_server.routes.table import Row
from sayso_server.services import Services
from sayso_server.services.caller import Caller
from sayso_server.services.identity import AS_VISITOR, is_closed
from sayso_server.services.refusals import RefusedError
from sayso_server.services.signals import signals_on

log = logging.getLogger(__name__)

REQUEST_ID_KEY = web.RequestKey("sayso.request_id", str)
SHARED_WITH_KEY = web.RequestKey("sayso.shared_with", str)
Refresh = Callable[[], Awaitable[None]]
Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ANSWERS = {
    Code.TOKEN_MISSING: "send Authorization: Bearer with a token signed by one of the brand's keys",
    Code.TOKEN_INVALID: "the token is not accepted: check key id (SAYSO_KEY_ID) and secret (SAYSO_SECRET). "
    "`sayso-server key list --brand ID` lists the keys; a secret is shown only once, and one that is lost needs "
    "another key: `sayso-server key create --brand ID --class backend --role backend`",
    Code.TOKEN_EXPIRED: "the token has expired; sign a new one",
    Code.TOKEN_USED: "the token was used up by a call like this; sign a new one for each",
    Code.RATE_LIMITED: "the key has used up more tokens than can be remembered; wait until they have expired",
    Code.ORIGIN: "the token may not be used from here; register the page with "
    "`sayso-server brand origins add ID ORIGIN`",
}


class Guard:
    """Builds the endpoint of each row."""

    def __init__(
        self,
        services: Services,
        verifier: Verifier,
        *,
        refresh: Refresh,
        origins: Origins,
        clock: Clock,
        public_origin: str,
    ) -> None:
        """Take what it works with."""
        self._services = services
        self._verifier = verifier
        self._refresh = refresh
        self._origins = origins
        self._clock = clock
        self._public_origin = public_origin
        self._used = UsedTokens()

    def endpoint(self, row: Row) -> Endpoint:
        """Give what aiohttp calls for a row."""
        handler, services, limit = row.handler, self._services, row.body_limit
        classes, shared = row.classes, row.access.consumer
        counting = {one: frozenset(role.value for role in row.access.roles(one)) for one in classes}

        async def public(request: web.Request) -> web.StreamResponse:
            return await handler(Asked(request, request[REQUEST_ID_KEY], services, limit, None))

        async def guarded(request: web.Request) -> web.StreamResponse:
            request_id, came = request[REQUEST_ID_KEY], self._clock.now()
            try:
                claims, place = await self._claims(request)
            except TokenRefusedError as refused:
                log.debug("token refused: %s", refused.why)
                if shared and refused.expired is not None:
                    self._share_end(request, refused.expired)
                return _unauthorised(refused, request_id, self._clock.now())
            origin = request.headers.get(hdrs.ORIGIN)
            if shared and place is not None and origin is not None:
                # The token's claim and the brand's registration agree on this page.
                request[SHARED_WITH_KEY] = origin
            if claims.token_class not in classes:
                raise RefusedError(HTTPStatus.FORBIDDEN, Code.TOKEN_CLASS, _wrong_class(row))
            if claims.token_class is TokenClass.CONSUMER:
                if await is_closed(services.storage, claims.brand_id, claims.subject or ""):
                    return problem_answer(
                        HTTPStatus.UNAUTHORIZED,
                        Code.LINKED,
                        "this visitor has signed in; ask the brand for a token of the account",
                        request_id=request_id,
                    )
                await services.erased.check_token(claims.brand_id, claims.subject or "", claims.issued_at)
            elif not claims.scope & (roles := counting[claims.token_class]):
                raise RefusedError(HTTPStatus.FORBIDDEN, Code.SCOPE, _needs_role(claims, sorted(roles)))
            if claims.token_class is TokenClass.STAFF:
                await services.staff.check(claims.brand_id, claims.subject or "", claims.jti, claims.scope)
            if row.single_use:
                try:
                    self._used.use(claims, now=self._clock.now())
                except TokenRefusedError as refused:
                    log.debug("token refused: %s", refused.why)
                    return _unauthorised(refused, request_id, self._clock.now())
            caller = Caller(
                claims.brand_id,
                claims.key_id,
                claims.token_class,
                claims.subject,
                place,
                claims.expires_at,
                claims.scope,
                claims.jti,
                since=min(came, claims.issued_at) if claims.token_class is TokenClass.CONSUMER else came,
            )
            marked = AS_VISITOR.set(claims.token_class is TokenClass.CONSUMER)
            try:
                if claims.token_class is TokenClass.CONSUMER and (names := signals_on(request.headers.items())):
                    # Before what was asked for, so that the answer heeds it already.
                    await services.signals.note(caller, claims.subject or "", names)
                return await handler(Asked(request, request_id, services, limit, caller))
            finally:
                AS_VISITOR.reset(marked)

        return guarded if classes else public

    async def preflight(self, request: web.Request) -> web.StreamResponse:
        """Answer a browser's question whether a page may call: an origin that any brand registered may try."""
        await self._refresh()
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or not self._origins.is_known(origin):
            raise RefusedError(HTTPStatus.FORBIDDEN, Code.ORIGIN, _ANSWERS[Code.ORIGIN])
        return empty_answer(
            HTTPStatus.NO_CONTENT,
            request_id=request[REQUEST_ID_KEY],
            headers={
                hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin,
                hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, PUT",
                hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization, Content-Type, If-None-Match",
                hdrs.ACCESS_CONTROL_MAX_AGE: "600",
                hdrs.VARY: "Origin",
            },
        )

    async def _claims(self, request: web.Request) -> tuple[Claims, str | None]:
        await self._refresh()
        token = bearer_token(request.headers.get(hdrs.AUTHORIZATION))
        claims = self._verifier.verify(token, now=self._clock.now())
        place = check_fetch_context(claims, request.headers, self._origins.of(claims.brand_id), self._public_origin)
        return claims, place

    def _share_end(self, request: web.Request, expired: Claims) -> None:
        """Let the page that an expired token was meant for read that it has expired, so that it gets a new one."""
        origin = request.headers.get(hdrs.ORIGIN)
        registered = self._origins.of(expired.brand_id)
        try:
            place = check_fetch_context(expired, request.headers, registered, self._public_origin)
        except TokenRefusedError:
            return
        if place is not None and origin is not None:
            request[SHARED_WITH_KEY] = origin

    async def visitor_is_here(self, token: str, *, brand_id: str, anonymous_id: str) -> bool:
        """Tell whether a live consumer token of this brand and anonymous id was shown."""
        await self._refresh()
        try:
            claims = self._verifier.verify(token, now=self._clock.now())
        except TokenRefusedError:
            return False
        return (
            claims.token_class is TokenClass.CONSUMER and claims.brand_id == brand_id and claims.subject == anonymous_id
        )


def _unauthorised(refused: TokenRefusedError, request_id: str, now: Micros) -> web.Response:
    # By the clock that tokens are checked with: a signer whose own is off can follow it.
    headers: dict[str, str] = {hdrs.DATE: format_datetime(from_micros(now), usegmt=True)}
    if refused.status == HTTPStatus.UNAUTHORIZED:
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if refused.status == HTTPStatus.TOO_MANY_REQUESTS:
        headers[hdrs.RETRY_AFTER] = "60"
    said = _lacks_role(refused.lacking) if refused.lacking is not None else _ANSWERS[refused.code]
    return problem_answer(refused.status, refused.code, said, request_id=request_id, headers=headers)


def _needs_role(claims: Claims, roles: Sequence[str]) -> str:
    needed = f"the role {roles[0]}" if len(roles) == 1 else f"one of the roles {', '.join(roles)}"
    return (
        f"this needs {needed}, and the token claims {' '.join(sorted(claims.scope))}: claim it with a key that has it. "
        f"{_make_key(claims.brand_id, claims.token_class, roles[:1])}"
    )


def _lacks_role(lacking: Lacking) -> str:
    known = [role for role in lacking.roles if role in set(Role)]
    if not known:
        return f"the token's scope names a role that there is not; there are {', '.join(Role)}"
    noun = "role" if len(known) == 1 else "roles"
    # What a backend's developer meets first: the SDK's desk acts as an officer unless told otherwise.
    officer = lacking.token_class is TokenClass.BACKEND and Role.PRIVACY_OFFICER in known
    backend = " In the SDK, `privacy.requests.as_backend` does what a backend's key may." if officer else ""
    return (
        f"the token's key doesn't have the {noun} {', '.join(known)}. "
        f"{_make_key(lacking.brand_id, lacking.token_class, known)}{'.' if backend else ''}{backend}"
    )


def _make_key(brand_id: str, token_class: TokenClass, roles: Sequence[str]) -> str:
    named = " ".join(f"--role {role}" for role in roles)
    return f"Make one: `sayso-server key create --brand {brand_id} --class {token_class} {named}`"


def _wrong_class(row: Row) -> str:
    names = " or ".join(sorted(token_class.value for token_class in row.classes))
    hint = "; a consumer's token uses /v1/me" if TokenClass.CONSUMER not in row.classes else ""
    return f"this takes a {names} token{hint}"


def share_with_page(request: web.Request, answer: web.StreamResponse) -> None:
    """Let the page that a verified consumer token was used from read the answer, be it a refusal (CORS)."""
    origin = request.get(SHARED_WITH_KEY)
    if origin is not None:
        answer.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        answer.headers[hdrs.VARY] = "Origin"
        answer.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "ETag, Link, X-Request-Id"
