"""Around every request: only HTTP as it should be, a request id, and problem+json for whatever goes wrong."""

import logging
import traceback
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import HttpVersion10, HttpVersion11, hdrs, web

from sayso.wire import Code
from sayso_server.routes.answers import new_request_id, problem_answer, refusal_answer
from sayso_server.routes.guard import REQUEST_ID_KEY, share_with_page
from sayso_server.services.refusals import RefusedError
from sayso_server.storage.base import StorageUnavailableError

log = logging.getLogger(__name__)

_VERSIONS = frozenset({HttpVersion10, HttpVersion11})
_CODES = {
    HTTPStatus.NOT_FOUND: (Code.NOT_FOUND, "there is nothing here; /openapi.json lists what there is"),
    HTTPStatus.METHOD_NOT_ALLOWED: (Code.METHOD_NOT_ALLOWED, "this method is not for this path; see the Allow header"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (Code.BODY_TOO_LARGE, "the body is too large; send less at once"),
}


def unmet_expectation() -> web.Response:
    """Answer 417 to whoever expects what can't be had, and close: they may or may not send the body."""
    message = "nothing can be expected here but 100-continue; leave Expect out"
    answer = problem_answer(HTTPStatus.EXPECTATION_FAILED, Code.BAD_REQUEST, message, request_id=new_request_id())
    answer.force_close()
    return answer


async def meet_expectation(request: web.Request) -> web.StreamResponse | None:
    """Tell a client that waits for it to go on (RFC 9110 §10.1.1). aiohttp asks this before the middleware runs."""
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        return unmet_expectation()
    if request.version == HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # These bytes are no part of the answer's own length.
        request.writer.output_size = 0
    return None


@web.middleware
async def answer_everything(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn whatever a handler raises into an answer that tells the caller enough and a stranger nothing."""
    request_id = new_request_id()
    request[REQUEST_ID_KEY] = request_id
    if request.version not in _VERSIONS:
        answer = problem_answer(
            HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, Code.BAD_REQUEST, "use HTTP/1.1", request_id=request_id
        )
        answer.force_close()
        return answer
    if not request.raw_path.startswith("/"):
        answer = problem_answer(
            HTTPStatus.BAD_REQUEST, Code.BAD_REQUEST, "send the path alone; this is no proxy", request_id=request_id
        )
        answer.force_close()
        return answer
    whatever = await _answer(request, handler, request_id)
    share_with_page(request, whatever)
    return whatever


async def _answer(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]], request_id: str
) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as refusal:
        answer = refusal_answer(refusal, request_id=request_id)
        if not request.content.is_eof():
            # The rest of a body that nobody will read must not be taken for the next request.
            answer.force_close()
        return answer
    except StorageUnavailableError:
        log.error("storage unavailable, request %s", request_id)
        return problem_answer(
            HTTPStatus.SERVICE_UNAVAILABLE,
            Code.UNAVAILABLE,
            "nothing was recorded; try again in a moment",
            request_id=request_id,
            headers={hdrs.RETRY_AFTER: "1"},
        )
    except web.HTTPException as error:
        status = HTTPStatus(error.status)
        code, message = _CODES.get(status, (Code.BAD_REQUEST, status.phrase))
        kept: dict[str, str] = {
            name: error.headers[name] for name in (hdrs.ALLOW, hdrs.LOCATION) if name in error.headers
        }
        return problem_answer(status, code, message, request_id=request_id, headers=kept)
    except ConnectionError:
        raise  # the caller has gone; there is nobody to answer and nothing wrong here
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
        # The answer says nothing about the inside. The log has where it happened, under the request's id, but not the
        # error's own text, which may quote what was being worked on.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("unexpected %s, request %s\n%s", type(error).__qualname__, request_id, where)
        return problem_answer(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            Code.INTERNAL,
            "something went wrong on the server; quote the request id to its operator",
            request_id=request_id,
        )
