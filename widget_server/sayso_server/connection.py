"""One connection: aiohttp's own, except for how it answers what it can't read as HTTP.

Such a request never reaches the application. aiohttp would answer it in plain text with its own version and the bytes
at fault, and log them with the sender's address.
"""

import logging
from http import HTTPStatus

from aiohttp import web

from sayso.wire import Code
from sayso_server.middleware import unmet_expectation
from sayso_server.routes.answers import new_request_id, problem_answer

log = logging.getLogger(__name__)

_MESSAGES = {
    HTTPStatus.BAD_REQUEST: (Code.BAD_REQUEST, "this is not HTTP/1.1 as RFC 9112 has it; mend the request"),
    HTTPStatus.INTERNAL_SERVER_ERROR: (Code.INTERNAL, "something went wrong on the server; try again in a moment"),
}


class Connection(web.RequestHandler):
    """Answers what is no HTTP with a problem, and keeps it out of the log."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer in place of the application, and close.

        Raises:
            ConnectionError: A part of another answer is out already; all that is left is to cut the connection.
        """
        request_id = new_request_id()
        # Whoever goes away while being answered is no fault of the server's.
        failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(exc, ConnectionError)
        level = logging.ERROR if failed else logging.DEBUG
        log.log(level, "answered %d to a request that went wrong: %s, request %s", status, _kind(exc), request_id)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is underway already")
        status = status if status in _MESSAGES else HTTPStatus.BAD_REQUEST
        code, text = _MESSAGES[HTTPStatus(status)]
        answer = problem_answer(status, code, text, request_id=request_id)
        answer.force_close()
        return answer

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer. Where no route is found, aiohttp itself judges `Expect`, with a plain text that quotes it."""
        answer = unmet_expectation() if isinstance(resp, web.HTTPExpectationFailed) else resp
        return await super().finish_response(request, answer, start_time)


def _kind(error: BaseException | None) -> str:
    return type(error).__qualname__ if error is not None else "no exception"
