"""Answers that a caller may have already: conditional requests (RFC 9110 §13)."""

from http import HTTPStatus

from aiohttp import hdrs, web

from sayso_server.routes.answers import empty_answer, json_answer
from sayso_server.routes.asked import Asked


def answer_unless_known(asked: Asked, body: bytes, etag: str) -> web.Response:
    """Answer with JSON under its entity tag; with 304 and nothing if the caller says that they have it."""
    headers: dict[str, str] = {hdrs.ETAG: etag}
    if_none_match = asked.request.headers.get(hdrs.IF_NONE_MATCH)
    if if_none_match is not None and _matches(if_none_match, etag):
        return empty_answer(HTTPStatus.NOT_MODIFIED, request_id=asked.request_id, headers=headers)
    return json_answer(body, request_id=asked.request_id, headers=headers)


def _matches(if_none_match: str, etag: str) -> bool:
    # RFC 9110 §13.1.2: a list of tags, compared weakly, or "*".
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]
