"""What an answer that is no success means: one error class per reaction."""

import re
from collections.abc import Mapping
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sayso.errors import (
    ConflictError,
    ErasedError,
    Error,
    ForbiddenError,
    InvalidError,
    NotAuthenticatedError,
    NotFoundError,
    Problem,
    RateLimitedError,
    UnavailableError,
)
from sayso.model.instant import Micros, from_micros, to_micros
from sayso.transport.codec import loads
from sayso.wire import PROBLEM_TYPE, REQUEST_ID, Code

RETRIED = frozenset({408, 425, 429})
_SERVER_ERROR = 500
_REDIRECT = range(300, 400)
_NOT_FOUND = 404
_NO_SUCH_ADDRESS = frozenset({Code.NOT_FOUND.value, f"http_{_NOT_FOUND}"})
_WRONG_ADDRESS = (
    "there is no Sayso API at this address. SAYSO_URL (or url=) is the server's address alone, such as "
    "http://127.0.0.1:8787; leave out what follows the port, unless a proxy serves Sayso under that path"
)
_SHOWN = 3
_LONGEST = 500
_HARMLESS_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_WITHOUT_MORE: Mapping[int, type[Error]] = {
    401: NotAuthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    410: ErasedError,
    408: UnavailableError,
    425: UnavailableError,
}


def is_retried(status: int) -> bool:
    """Tell whether the same request may succeed later: 408, 425, 429 and 5xx."""
    return status in RETRIED or status >= _SERVER_ERROR


def error_of(status: int, headers: Mapping[str, str], raw: bytes, *, now: Micros) -> Error:
    """Make the error that stands for an answer, with its status.

    Only what the server says in `application/problem+json` reaches the message. A proxy's page stays out, since it
    may repeat the address with the consumer's id.

    Args:
        status: The HTTP status, 300 or more.
        headers: The answer's headers, by any case.
        raw: The answer's body.
        now: The wall clock, for a Retry-After that is a date.
    """
    error = _error_of(status, headers, raw, now=now)
    error.status = status
    return error


def _error_of(status: int, headers: Mapping[str, str], raw: bytes, *, now: Micros) -> Error:
    body = _problem(headers, raw)
    request_id = _request_id(body, headers)
    code = str(body.get("code") or f"http_{status}")
    problems = tuple(_members(body))
    message = _message(status, body, problems, code, request_id)
    if status == 409:  # noqa: PLR2004 - a status is its own name
        current = body.get("current_version")
        legal = body.get("legal")
        return ConflictError(
            message,
            current_version=current if isinstance(current, int) else None,
            legal=tuple(map(str, legal)) if isinstance(legal, list) else (),
            code=code,
            request_id=request_id,
            problems=problems,
        )
    if status == 429:  # noqa: PLR2004
        wait = timedelta(seconds=retry_after(headers, now=now) or 0)
        return RateLimitedError(message, retry_after=wait, code=code, request_id=request_id, problems=problems)
    if status in _REDIRECT:
        return UnavailableError(
            "the server answered with a redirect, which Sayso never follows: its token is meant for one server. "
            "Set SAYSO_URL to the address where the redirect ends.",
            code="redirected",
            request_id=request_id,
        )
    fallback = UnavailableError if status >= _SERVER_ERROR else InvalidError
    kind = _WITHOUT_MORE.get(status, fallback)
    return kind(message, code=code, request_id=request_id, problems=problems)


def retry_after(headers: Mapping[str, str], *, now: Micros) -> float | None:
    """Give the seconds that `Retry-After` asks to wait, as a number or until a date (RFC 9110 §10.2.3), or None."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - from_micros(now)).total_seconds())


def date_of(headers: Mapping[str, str]) -> Micros | None:
    """Give when the server says it answered (`Date`, RFC 9110 §6.6.1), or None."""
    try:
        moment = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return to_micros(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def is_problem(headers: Mapping[str, str]) -> bool:
    """Tell whether the body speaks RFC 9457."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() == PROBLEM_TYPE


def _problem(headers: Mapping[str, str], raw: bytes) -> dict[str, Any]:
    if not is_problem(headers):
        return {}
    try:
        body = loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _request_id(body: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    found = str(body.get("request_id") or headers.get(REQUEST_ID, ""))
    return found if _HARMLESS_ID.fullmatch(found) else ""


def _members(body: Mapping[str, Any]) -> list[Problem]:
    errors = body.get("errors")
    return [
        Problem(
            str(error.get("pointer", "")),
            str(error.get("code", "")),
            str(error.get("message", "")),
            error["notice"] if isinstance(error.get("notice"), dict) else None,
        )
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]


def _message(status: int, body: Mapping[str, Any], problems: tuple[Problem, ...], code: str, request_id: str) -> str:
    said = [f"{problem.pointer}: {problem.message}".removeprefix(": ") for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        said.append(f"and {len(problems) - _SHOWN} more")
    text = "; ".join(said) or str(body.get("detail") or body.get("title") or _bare(status))
    if status == _NOT_FOUND and code in _NO_SUCH_ADDRESS:
        text = _WRONG_ADDRESS
    marks = ", ".join(part for part in (code, request_id and f"request {request_id}") if part)
    return f"{text[:_LONGEST]} [{marks}]"


def _bare(status: int) -> str:
    if status >= _SERVER_ERROR or status in RETRIED:
        return f"the server can't answer now (HTTP {status})"
    return f"the server refused the request without saying why (HTTP {status}); check that SAYSO_URL is a Sayso server"
