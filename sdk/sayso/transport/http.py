"""One call to the server: sign, send, and turn whatever comes back into data or an error."""

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from sayso.errors import Error, NotAuthenticatedError
from sayso.model.instant import Micros
from sayso.transport.answer import Answer, decode, read
from sayso.transport.clock import Clock
from sayso.transport.problems import date_of, error_of, is_retried, retry_after
from sayso.transport.retry import FailedError, try_again
from sayso.transport.sessions import Sessions
from sayso.transport.streaming import EVENT_STREAM, listen
from sayso.transport.tokens import TokenMinter
from sayso.transport.trouble import trouble_of
from sayso.wire import JSON_TYPE, ZIP_TYPE, Code

ATTEMPT = timedelta(seconds=10)
_OK = range(200, 300)
_TIME_BOXES = 16
"""There are a handful that never change, and those of checks, which have what is left of a second."""
_NOT_MODIFIED = 304
_SIGN_ANEW = frozenset({Code.TOKEN_EXPIRED.value, Code.TOKEN_USED.value})
"""Another token helps: a call that hands over or erases everything uses its token up."""

Body = bytes | Callable[[], bytes] | None
"""What to send: bytes, or a function that makes them anew for each attempt."""


class _Call(NamedTuple):
    method: str
    url: URL
    body: Body
    scope: str
    etag: str | None
    single_use: bool = False


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
        self._timeouts: dict[timedelta, aiohttp.ClientTimeout] = {}
        self._timeout = _total(min(time_box, ATTEMPT).total_seconds())

    async def call(
        self,
        method: str,
        path: str,
        body: Body = None,
        *,
        scope: str = "backend",
        time_box: timedelta | None = None,
        etag: str | None = None,
        single_use: bool = False,
    ) -> Answer:
        """Send until there is an answer, the answer is final, or the time is up.

        Tried again: connection errors, timeouts, 408, 425, 429 and 5xx, with Retry-After and jitter. Every call that
        Sayso makes may be repeated: choices carry their ids, everything else says how things are.

        Args:
            method: HTTP method.
            path: From `/v1` on, with its query; made of ids that were checked, so nothing is escaped.
            body: JSON.
            scope: The roles that the token claims.
            time_box: Instead of the client's own.
            etag: The entity tag of what is here already; an `unchanged` answer then says that it still holds.
            single_use: The call uses its token up, so each attempt gets one of its own.

        Raises:
            Error: The class says what to do; see `sayso.errors`.
        """
        call = _Call(method, self._urls.get(path) or self._url(path), body, scope, etag, single_use)
        timeout = self._timeout if time_box is None else self._timeouts.get(time_box) or self._timeout_for(time_box)
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

    async def once(self, method: str, path: str, body: Body, *, time_box: timedelta) -> Answer:
        """Send a single time, for a caller that waits and tries again by itself.

        Raises:
            FailedError: Another try may succeed; it says what went wrong and how long the server asks to wait.
            Error: Another try of the same won't.
        """
        call = _Call(method, self._urls.get(path) or self._url(path), body, "backend", None)
        return await self._attempt(call, _total(time_box.total_seconds()), self._clock.boot())

    @asynccontextmanager
    async def stream(self, path: str, *, cursor: str | None, silence: timedelta) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream of events: `async with transport.stream(…) as chunks:`. It is not opened again by itself.

        Args:
            path: From `/v1` on.
            cursor: After which event it goes on, as the server named it; None starts with what happens from now on.
            silence: How long nothing may come before the connection counts as dead.

        Raises:
            Error: There is no stream, or, while iterating, it ended early.
        """
        headers = CIMultiDict({**self._headers("backend"), "Accept": EVENT_STREAM})
        if cursor is not None:
            headers["Last-Event-ID"] = cursor
        session = self._sessions.ready() or await self._sessions.open()
        async with listen(session, self._urls.get(path) or self._url(path), headers, silence, self._clock) as chunks:
            yield chunks

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
                headers=self._single(call.scope) if call.single_use else self._headers(call.scope, call.etag),
                allow_redirects=False,
                raise_for_status=False,
                timeout=timeout,
            )
            status, headers = response.status, response.headers
            raw = await read(response)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            trouble, again = trouble_of(error)
        if trouble is not None:
            if again:
                raise FailedError(trouble)
            raise trouble
        if status in _OK:
            data = None if headers.get("Content-Type") == ZIP_TYPE else decode(raw)
            return Answer(headers, data, asked_at, raw)
        if status == _NOT_MODIFIED and call.etag is not None:
            return Answer(headers, None, asked_at)
        refusal = error_of(status, headers, raw, now=self._clock.now())
        if isinstance(refusal, NotAuthenticatedError) and not renewed:
            again_by = self._by_the_servers_clock(headers)
            if again_by is not None or refusal.code in _SIGN_ANEW:
                self._minter.forget()
                try:
                    return await self._attempt(call, timeout, asked_at, renewed=True)
                except NotAuthenticatedError:
                    if again_by is not None:
                        self._minter.unfollow(again_by)
                    raise
        if is_retried(status):
            raise FailedError(refusal, retry_after(headers, now=self._clock.now()))
        raise refusal

    def _by_the_servers_clock(self, headers: Mapping[str, str]) -> Micros | None:
        server_time = date_of(headers)
        return None if server_time is None else self._minter.follow(server_time)

    def _single(self, scope: str) -> CIMultiDict[str]:
        token = self._minter.single_token(scope)
        return CIMultiDict({**self._headers(scope), "Authorization": f"Bearer {token}"})

    def _headers(self, scope: str, etag: str | None = None) -> CIMultiDict[str]:
        token = self._minter.backend_token(scope)
        signed = self._signed.get(scope)
        if signed is None or signed[0] is not token:
            headers = CIMultiDict(
                {"Authorization": f"Bearer {token}", "Content-Type": JSON_TYPE, "User-Agent": "sayso-python"}
            )
            signed = self._signed[scope] = token, headers
        return signed[1] if etag is None else CIMultiDict({**signed[1], "If-None-Match": etag})

    def _timeout_for(self, time_box: timedelta) -> aiohttp.ClientTimeout:
        timeout = _total(min(time_box, ATTEMPT).total_seconds())
        if len(self._timeouts) < _TIME_BOXES:
            self._timeouts[time_box] = timeout
        return timeout

    def _url(self, path: str) -> URL:
        url = URL(self._address + path, encoded=True)
        if "/consumers/" not in path and "?" not in path:  # the few that are always the same
            self._urls[path] = url
        return url


_NO_HEADERS: Mapping[str, str] = {}


def _total(seconds: float) -> aiohttp.ClientTimeout:
    # aiohttp reads 0 as "no limit".
    return aiohttp.ClientTimeout(total=max(seconds, 0.001))
