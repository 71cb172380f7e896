"""A response that doesn't end: bytes as they come, and an error as soon as the line is dead."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from sayso.errors import UnavailableError
from sayso.transport.clock import Clock
from sayso.transport.problems import error_of
from sayso.transport.trouble import trouble_of

EVENT_STREAM = "text/event-stream"
_OK = 200


@asynccontextmanager
async def listen(
    session: aiohttp.ClientSession, url: URL, headers: CIMultiDict[str], silence: timedelta, clock: Clock
) -> AsyncIterator[AsyncIterator[bytes]]:
    """Open a stream for as long as the block runs.

    Args:
        session: The running loop's.
        url: Where.
        headers: With the token.
        silence: How long connecting may take, and how long nothing may come afterwards.
        clock: Time, for a Retry-After that is a date.

    Raises:
        Error: There is no stream; while iterating: it broke off.
    """
    quiet = silence.total_seconds()
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=quiet, sock_read=quiet)
    try:
        response = await session.get(
            url, headers=headers, allow_redirects=False, raise_for_status=False, timeout=timeout
        )
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        trouble, _ = trouble_of(error)
    else:
        try:
            if response.status != _OK or response.content_type != EVENT_STREAM:
                raise error_of(response.status, response.headers, await _short(response), now=clock.now())
            yield _chunks(response)
            return
        finally:
            response.close()  # not released: what is still to come belongs to nobody
    # Outside of the handler, so that no traceback shows what failed inside aiohttp, with the address.
    raise trouble


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    trouble = UnavailableError("the Sayso server closed the change stream", code="no_connection")
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        trouble, _ = trouble_of(error)
    raise trouble


async def _short(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await response.content.read(16 * 1024)
    except (TimeoutError, aiohttp.ClientError, OSError):
        return b""
