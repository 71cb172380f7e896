"""The change stream as server-sent events, and its newest position."""

import asyncio
import logging
import socket
from datetime import timedelta
from functools import partial
from http import HTTPStatus

from aiohttp import HttpVersion11, hdrs, web

from sayso.wire import Code
from sayso_server.routes.answers import problem_answer, stream_answer
from sayso_server.routes.asked import Asked
from sayso_server.services.feed_reader import Reader
from sayso_server.services.refusals import RefusedError
from sayso_server.storage.base import StorageUnavailableError

log = logging.getLogger(__name__)

LAST_EVENT_ID = "Last-Event-ID"
LONGEST_WRITE = timedelta(seconds=5)
_UNHEARD = timedelta(seconds=10)
"""How long the other side's machine may leave what was sent unacknowledged; then it is gone without a word."""
_AT_ONCE = 64 * 1024
_KERNEL_BUFFER = 64 * 1024
"""Bytes. Left to itself the kernel keeps megabytes for a reader that has stopped reading, and nobody would notice."""


async def get_changes(asked: Asked) -> web.StreamResponse:
    """Tell what changes, for as long as the token lives."""
    answer = stream_answer(request_id=asked.request_id)
    if asked.request.method == hdrs.METH_HEAD:
        return answer
    feed = asked.services.feed
    try:
        reader = feed.enter(asked.caller)
    except RefusedError as refusal:
        if refusal.status != HTTPStatus.TOO_MANY_REQUESTS:
            raise
        retry: dict[str, str] = {hdrs.RETRY_AFTER: "5"}
        return problem_answer(
            refusal.status, Code.RATE_LIMITED, refusal.message, request_id=asked.request_id, headers=retry
        )
    try:
        await feed.begin(reader, asked.request.headers.get(LAST_EVENT_ID))
        if asked.request.version >= HttpVersion11:
            answer.enable_chunked_encoding()
        await answer.prepare(asked.request)
        await _send_all(asked, reader, answer)
    finally:
        feed.leave(reader)
    return answer


async def get_head(asked: Asked) -> web.Response:
    """Give the newest position; with a stream's id, let that stream last as long as this token."""
    feed = asked.services.feed
    answer = await feed.head(asked.caller.brand_id)
    stream_id = asked.request.query.get("stream")
    if stream_id is not None:
        answer["renewed"] = feed.renew(asked.caller, stream_id)
    return asked.answer(answer)


def _watch(transport: asyncio.Transport) -> None:
    """Have the kernel tell early that nobody reads any more."""
    opened = transport.get_extra_info("socket")
    if opened is not None:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            milliseconds = _UNHEARD // timedelta(milliseconds=1)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


def _send_at_once(transport: asyncio.Transport, events: bytes) -> bool:
    """Write one chunk (RFC 9112 §7.1), if the connection has nothing else to do."""
    if transport.is_closing() or transport.get_write_buffer_size() or len(events) > _AT_ONCE:
        return False
    transport.write(b"%x\r\n%b\r\n" % (len(events), events))
    return True


async def _send_all(asked: Asked, reader: Reader, answer: web.StreamResponse) -> None:
    """Send until the end. Nothing may be raised from here on: the answer's header is out."""
    transport = asked.request.transport
    if transport is None:
        return
    _watch(transport)
    reader.cut = transport.abort
    if answer.chunked:
        reader.send = partial(_send_at_once, transport)
    try:
        while events := await asked.services.feed.next(reader):
            for start in range(0, len(events), _AT_ONCE):
                async with asyncio.timeout(LONGEST_WRITE.total_seconds()):
                    await answer.write(events[start : start + _AT_ONCE])
    except TimeoutError:
        log.debug("a reader of changes was too slow, request %s", asked.request_id)
        transport.abort()
    except StorageUnavailableError:
        log.error("storage unavailable, request %s", asked.request_id)
        transport.abort()
    except ConnectionError:
        pass  # the reader has gone
    except Exception:
        transport.abort()  # an answer to this would be read as more of the stream
        raise
