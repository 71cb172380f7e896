"""Answers: JSON, problem+json (RFC 9457) and HTML, each with the headers that keep it safe."""

import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aiohttp import web
from multidict import CIMultiDict

from sayso.errors import Problem
from sayso.wire import PROBLEM_TYPE, REQUEST_ID, STREAM_TYPE, Code
from sayso_server.jsonio import dumps
from sayso_server.services.refusals import RefusedError

_BASE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "sayso",
}
_JSON = {**_BASE, "Content-Type": "application/json"}
_PROBLEM = {**_BASE, "Content-Type": PROBLEM_TYPE}
_HTML = {
    **_BASE,
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
}

# A proxy that collects the answer before it passes it on would hold back every event.
_STREAM = {**_BASE, "Content-Type": STREAM_TYPE, "X-Accel-Buffering": "no"}


def new_request_id() -> str:
    """Make an id under which a request can be found in the log; it says nothing about anyone."""
    return secrets.token_hex(8)


def json_answer(
    body: bytes, *, status: int = 200, request_id: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Answer with JSON that is encoded already."""
    fields = CIMultiDict(_JSON)
    fields[REQUEST_ID] = request_id
    if headers is not None:
        fields.update(headers)
    return web.Response(body=body, status=status, headers=fields)


def html_answer(
    page: str, *, request_id: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Answer with a page."""
    fields = CIMultiDict(_HTML)
    fields[REQUEST_ID] = request_id
    if headers is not None:
        fields.update(headers)
    return web.Response(body=page.encode(), status=status, headers=fields)


def file_answer(body: bytes, *, media_type: str, name: str, request_id: str) -> web.Response:
    """Answer with a file to keep; no cache keeps it."""
    fields = CIMultiDict(_BASE)
    fields[REQUEST_ID] = request_id
    fields["Content-Type"] = media_type
    fields["Content-Disposition"] = f'attachment; filename="{name}"'
    return web.Response(body=body, headers=fields)


def asset_answer(body: bytes, *, media_type: str, request_id: str) -> web.Response:
    """Answer with a part of one of the server's own pages."""
    fields = CIMultiDict(_BASE)
    fields[REQUEST_ID] = request_id
    fields["Content-Type"] = f"{media_type}; charset=utf-8"
    return web.Response(body=body, headers=fields)


def stream_answer(*, request_id: str) -> web.StreamResponse:
    """Answer with events, which the handler writes."""
    fields = CIMultiDict(_STREAM)
    fields[REQUEST_ID] = request_id
    return web.StreamResponse(headers=fields)


def empty_answer(status: int, *, request_id: str, headers: Mapping[str, str]) -> web.Response:
    """Answer without a body, such as 304."""
    fields = CIMultiDict(_BASE)
    fields[REQUEST_ID] = request_id
    fields.update(headers)
    return web.Response(status=status, headers=fields)


def problem_answer(
    status: int,
    code: Code,
    message: str,
    *,
    request_id: str,
    problems: Sequence[Problem] = (),
    current_version: int | None = None,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, object] | None = None,
) -> web.Response:
    """Answer with what is wrong, where and what to do."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code.value,
        "detail": message,
        "request_id": request_id,
        "errors": [_member(problem) for problem in problems],
    }
    if current_version is not None:
        body["current_version"] = current_version
    body.update(members or {})
    fields = CIMultiDict(_PROBLEM)
    fields[REQUEST_ID] = request_id
    if headers is not None:
        fields.update(headers)
    return web.Response(body=dumps(body), status=status, headers=fields)


def _member(problem: Problem) -> dict[str, object]:
    said: dict[str, object] = {"pointer": problem.pointer, "code": str(problem.code), "message": problem.message}
    if problem.notice is not None:
        said["notice"] = problem.notice
    return said


def refusal_answer(refusal: RefusedError, *, request_id: str) -> web.Response:
    """Answer with a service's refusal."""
    return problem_answer(
        refusal.status,
        refusal.code,
        refusal.message,
        request_id=request_id,
        problems=refusal.problems,
        current_version=refusal.current_version,
        headers=None if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)},
        members=refusal.members,
    )
