"""Bodies: read within limits, parsed strictly, and every fault named by pointer and code."""

import asyncio
import difflib
from datetime import timedelta
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qs

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sayso.errors import Problem
from sayso.wire import JSON_TYPE, MAX_CHECKS, MAX_CHOICES, MAX_CONSUMERS, MAX_DISCLOSURES, MAX_LINKS, Code
from sayso_server.jsonio import BadJsonError, parse_strictly
from sayso_server.services.refusals import RefusedError, refuse_members

Model = TypeVar("Model", bound=BaseModel)

BODY_TIMEOUT = timedelta(seconds=10)
"""aiohttp itself waits for ever for the second half of a body."""


async def read_body(request: web.Request, *, limit: int, content_type: str = JSON_TYPE) -> bytes:
    """Read a whole body, of JSON unless it is said to be something else.

    Raises:
        RefusedError: 408, 413 or 415.
    """
    if request.content_type != content_type or (request.charset or "utf-8").lower() != "utf-8":
        raise RefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            Code.UNSUPPORTED_MEDIA_TYPE,
            f"send Content-Type: {content_type}, in UTF-8",
        )
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise RefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, Code.UNSUPPORTED_MEDIA_TYPE, "send the body without Content-Encoding"
        )
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    try:
        if request.content.is_eof():
            body = await request.read()
        else:
            async with asyncio.timeout(BODY_TIMEOUT.total_seconds()):
                body = await request.read()
    except TimeoutError:
        raise _too_slow() from None
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(limit) from None
    if len(body) > limit:
        raise _too_large(limit)
    return body


async def read_form(request: web.Request, *, limit: int) -> dict[str, str]:
    """Read what a form posted (`application/x-www-form-urlencoded`): each field once, by name.

    Args:
        request: The request.
        limit: Bytes that are looked at; what is beyond counts as not sent.

    Returns:
        The fields that are not empty; none for what no form of ours sends.

    Raises:
        RefusedError: 408.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT.total_seconds()):
            # One read gives what has arrived: a body may come in any number of pieces.
            while len(body) < limit and (piece := await request.content.read(limit - len(body))):
                body += piece
    except TimeoutError:
        raise _too_slow() from None
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def parse(model: type[Model], body: bytes) -> Model:
    """Parse a body into a model.

    Raises:
        RefusedError: 400 for what is not strict JSON, 422 for members that don't fit.
    """
    parse_members(body)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise refuse_members([_problem(model, detail) for detail in _details(error)]) from None


def parse_members(body: bytes) -> Any:
    """Parse a body as strict JSON.

    Raises:
        RefusedError: 400.
    """
    try:
        return parse_strictly(body)
    except BadJsonError as error:
        raise RefusedError(
            HTTPStatus.BAD_REQUEST, error.code, str(error), problems=[Problem("", error.code.value, str(error))]
        ) from None


def _too_slow() -> RefusedError:
    message = "the body did not arrive within 10 seconds; send it again"
    return RefusedError(HTTPStatus.REQUEST_TIMEOUT, Code.TIMED_OUT, message)


def _too_large(limit: int) -> RefusedError:
    return RefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        Code.BODY_TOO_LARGE,
        f"the body is larger than {limit} bytes; send less at once",
    )


def _details(error: ValidationError) -> list[ErrorDetails]:
    details = error.errors(include_url=False, include_context=True, include_input=False)[:_MOST_PROBLEMS]
    # A list whose members are at fault is called too short as well, because those members are not counted.
    inside = {detail["loc"][:1] for detail in details if len(detail["loc"]) > 1}
    return [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in inside]


_MOST_FIELDS = 30
_MOST_PROBLEMS = 100
"""Named in one answer: looking up what 50,000 made-up members may have meant would take minutes."""
_LONGEST_NAME = 128
_BY_TYPE = {
    "missing": (Code.MISSING_MEMBER, "this member is missing; add it"),
    "timezone_aware": (
        Code.NAIVE_TIME,
        "the time has no offset, so nobody can tell when it was; end it with Z or +02:00",
    ),
    "timezone_naive": (
        Code.NAIVE_TIME,
        "the time has no offset, so nobody can tell when it was; end it with Z or +02:00",
    ),
}
_BATCHES: dict[tuple[int | str, ...], int] = {
    ("choices",): MAX_CHOICES,
    ("checks",): MAX_CHECKS,
    ("consumer_ids",): MAX_CONSUMERS,
    ("disclosures",): MAX_DISCLOSURES,
    ("links",): MAX_LINKS,
}
_OURS = frozenset({Code.INVALID_ID.value, Code.PERSONAL_ID.value, Code.INVALID_VALUE.value})
_WRONG_TYPE_ENDINGS = ("_type", "_parsing", "_from_float", "is_instance_of", "_from_date_parsing")


def _problem(model: type[BaseModel], detail: ErrorDetails) -> Problem:
    kind, loc, text = detail["type"], detail["loc"], detail["msg"]
    pointer = "".join(f"/{str(part)[:_LONGEST_NAME].replace('~', '~0').replace('/', '~1')}" for part in loc)
    if kind in _BY_TYPE:
        code, text = _BY_TYPE[kind]
    elif kind in _OURS:
        code = Code(kind)
    elif kind == "extra_forbidden":
        code, text = Code.UNKNOWN_MEMBER, _unknown_member(model, loc)
    elif kind == "too_long" and loc in _BATCHES:
        most = _BATCHES[loc]
        code, text = Code.BATCH_TOO_LARGE, f"at most {most} at once; send the rest in another request"
    elif kind == "too_short" and loc in _BATCHES:
        code, text = Code.BATCH_EMPTY, "there is nothing in it; send at least one"
    elif kind in {"datetime_parsing", "datetime_from_date_parsing"}:
        code, text = Code.INVALID_VALUE, "this is no RFC 3339 time, such as 2026-11-23T19:00:00Z"
    elif kind.endswith(_WRONG_TYPE_ENDINGS):
        code = Code.WRONG_TYPE
    else:
        code = Code.INVALID_VALUE
    return Problem(pointer, code.value, text)


def _unknown_member(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    known = _members_at(model, loc[:-1])
    near = difflib.get_close_matches(str(loc[-1])[:_LONGEST_NAME], known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}" if known else "leave it out"
    return f"there is no such member; {hint}"


def _members_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    current: Any = model
    for part in loc:
        if isinstance(part, int):
            continue
        field = current.model_fields.get(part) if hasattr(current, "model_fields") else None
        current = _model_in(field.annotation) if field is not None else None
        if current is None:
            return []
    return list(current.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found is not None:
            return found
    return None
