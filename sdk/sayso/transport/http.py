"""One call to the server: sign, send, and turn whatever comes back into data or an error."""

import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from sayso.errors import Error, NotAuthenticatedError, UnavailableError
from sayso.transport.clock import Clock
from sayso.transport.codec import loads
from sayso.transport.problems import error_of, is_retried, retry_after
from sayso.transport.retry import FailedError, try_again
from sayso.transport.sessions import Sessions
from sayso.transport.tokens import TokenMinter
from sayso.wire import JSON_TYPE, Code

ATTEMPT = timedelta(seconds=10)
_OK = range(200, 300)

Body = bytes | Callable[[], bytes] | None
"""What to send: bytes, or a function that makes them anew for each attempt."""


class Answer(NamedTuple):
    """A successful answer: its headers, its JSON, and the boot clock when the attempt that brought it began."""

    headers: Mapping[str, str]
    data: Any
    asked_at: float


class _Call(NamedTuple):
    method: str
    url: URL
    body: Body
    scope: str


class Transport:
    """Sends calls to one server. Belongs to no event loop."""

    def __init__(
        self,
        address: str,
        minter: TokenMinter,
        sessions: Sessions,
        *,
        clock: Clock,
        time_box: timedelta,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Take what it works with.

        Args:
            address: As `check_address` gives it.
            minter: Signs.
            sessions: Where sessions come from.
            clock: Time.
            time_box: How long one call may take, with all its attempts and waits.
            jitter: Gives a number from 0 to 1.
        """
        self._address = address
        self._minter = minter
        self._signed: dict[str, tuple[str, CIMultiDict[str]]] = {}
        self._sessions = sessions
        self._clock = clock
        self._time_box = time_box
        self._jitter = jitter
        self._urls: dict[str, URL] = {}
        self._timeout = _total(min(time_box, ATTEMPT).total_seconds())

    async def call(
        self,
        method: str,
        path: str,
        body: Body = None,
        *,
        scope: str = "backend",
        time_box: timedelta | None = None,
    ) -> Answer:
        """Send until there is an answer, the answer is final, or the time is up.

        Tried again: connection errors, timeouts, 408, 425, 429 and 5xx, with Retry-After and jitter. Every call that
        Sayso makes
        may be repeated: choices carry their ids, everything else says how things are.

        Args:
            method: HTTP method.
            path: From `/v1` on, with its query; made of ids that were checked, so nothing is escaped.
            body: JSON.
            scope: The roles that the token claims.
            time_box: Instead of the client's own.

        Raises:
            Error: The class says what to do; see `sayso.errors`.
        """
        call = _Call(method, self._urls.get(path) or self._url(path), body, scope)
        timeout = self._timeout if time_box is None else _total(min(time_box, ATTEMPT).total_seconds())
        began = self._clock.boot()
        try:
            return await self._attempt(call, timeout, began)
        except FailedError as failed:
            first = failed
        deadline = began + (time_box if time_box is not None else self._time_box).total_seconds()

        async def again() -> Answer:
            now = self._clock.boot()
            left = _total(min(deadline - now, ATTEMPT.total_seconds()))
            return await self._attempt(call, left, now)

        return await try_again(first, again, deadline=deadline, clock=self._clock, jitter=self._jitter)

    async def aclose(self) -> None:
        """Close the sessions made for it."""
        await self._sessions.aclose()

    async def _attempt(
        self,
        call: _Call,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own, which also covers its pool
        asked_at: float,
        *,
        renewed: bool = False,
    ) -> Answer:
        session = self._sessions.ready() or await self._sessions.open()
        trouble: Error | None = None
        again = True
        status, headers, raw = 0, _NO_HEADERS, b""
        try:
            response = await session.request(
                call.method,
                call.url,
                data=call.body() if callable(call.body) else call.body,
                headers=self._headers(call.scope),
                allow_redirects=False,
                raise_for_status=False,
                timeout=timeout,
            )
            status, headers = response.status, response.headers
            raw = await _read(response)
        except TimeoutError:
            trouble = UnavailableError("the Sayso server did not answer in time", code="timeout")
        except aiohttp.ClientConnectorCertificateError:
            again = False
            trouble = UnavailableError(
                "the Sayso server's certificate is not trusted; check its name and your certificate store",
                code="certificate",
            )
        except (aiohttp.ClientError, OSError) as error:
            # Only the class is told: aiohttp's messages hold the address, and with it the consumer's id.
            trouble = UnavailableError(
                f"no connection to the Sayso server ({type(error).__name__}); check SAYSO_URL and that it is running",
                code="no_connection",
            )
        if trouble is not None:
            if again:
                raise FailedError(trouble)
            raise trouble
        if status in _OK:
            return Answer(headers, _decode(raw), asked_at)
        refusal = error_of(status, headers, raw, now=self._clock.now())
        if isinstance(refusal, NotAuthenticatedError) and refusal.code == Code.TOKEN_EXPIRED and not renewed:
            self._minter.forget()
            return await self._attempt(call, timeout, asked_at, renewed=True)
        if is_retried(status):
            raise FailedError(refusal, retry_after(headers, now=self._clock.now()))
        raise refusal

    def _headers(self, scope: str) -> CIMultiDict[str]:
        token = self._minter.backend_token(scope)
        signed = self._signed.get(scope)
        if signed is not None and signed[0] is token:
            return signed[1]
        headers = CIMultiDict(
            {"Authorization": f"Bearer {token}", "Content-Type": JSON_TYPE, "User-Agent": "sayso-python"}
        )
        self._signed[scope] = token, headers
        return headers

    def _url(self, path: str) -> URL:
        url = URL(self._address + path, encoded=True)
        if "/consumers/" not in path:  # the few that are the same for everybody
            self._urls[path] = url
        return url


async def _read(response: aiohttp.ClientResponse) -> bytes:
    # Reading to the end gives the connection back; only a reader that stops before must let go of it.
    try:
        return await response.read()
    except BaseException:
        response.close()
        raise


_NO_HEADERS: Mapping[str, str] = {}


def _total(seconds: float) -> aiohttp.ClientTimeout:
    # aiohttp reads 0 as "no limit".
    return aiohttp.ClientTimeout(total=max(seconds, 0.001))


def _decode(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return loads(raw)
    except ValueError:
        pass
    raise UnavailableError(
        "what answered is not a Sayso server: the body is no JSON; check SAYSO_URL and the proxies on the way",
        code="not_sayso",
    )
