import json
from datetime import timedelta

import pytest

import sayso
from sayso.transport.problems import error_of, is_retried, retry_after

PROBLEM = {"Content-Type": "application/problem+json; charset=utf-8"}
NOW = 1_795_460_400_000_000  # 2026-11-23T19:00:00Z


def _error(status: int, headers: dict[str, str] | None = None, **body: object) -> sayso.Error:
    raw = json.dumps({"status": status, **body}).encode()
    return error_of(status, {**PROBLEM, **(headers or {})}, raw, now=NOW)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, sayso.UnavailableError),
        (400, sayso.InvalidError),
        (401, sayso.NotAuthenticatedError),
        (403, sayso.ForbiddenError),
        (404, sayso.NotFoundError),
        (405, sayso.InvalidError),
        (408, sayso.UnavailableError),
        (409, sayso.ConflictError),
        (410, sayso.ErasedError),
        (413, sayso.InvalidError),
        (415, sayso.InvalidError),
        (422, sayso.InvalidError),
        (425, sayso.UnavailableError),
        (429, sayso.RateLimitedError),
        (500, sayso.UnavailableError),
        (503, sayso.UnavailableError),
    ],
)
def test_each_status_has_one_class(status: int, kind: type[sayso.Error]) -> None:
    assert type(_error(status, code="x")) is kind


def test_the_facts_are_attributes() -> None:
    error = _error(
        422,
        code="unknown_topic",
        request_id="r-1",
        detail="The request has a wrong member.",
        errors=[{"pointer": "/choices/0/topic", "code": "unknown_topic", "message": "did you mean channel:sms?"}],
    )

    assert error.code == "unknown_topic"
    assert error.request_id == "r-1"
    assert error.pointer == "/choices/0/topic"
    assert error.problems == (sayso.Problem("/choices/0/topic", "unknown_topic", "did you mean channel:sms?"),)
    assert str(error) == "/choices/0/topic: did you mean channel:sms? [unknown_topic, request r-1]"


def test_a_conflict_knows_the_current_version() -> None:
    error = _error(409, code="version_not_reached", current_version=7)

    assert isinstance(error, sayso.ConflictError)
    assert error.current_version == 7


def test_a_rate_limit_knows_how_long_to_wait() -> None:
    error = _error(429, {"Retry-After": "7"}, code="rate_limited")

    assert isinstance(error, sayso.RateLimitedError)
    assert error.retry_after == timedelta(seconds=7)


def test_a_proxys_page_stays_out_of_the_message() -> None:
    page = b"<h1>502</h1> while asking http://10.0.0.7/v1/consumers/cust-42/preferences"

    error = error_of(502, {"Content-Type": "text/html", "X-Request-Id": "r 1\n"}, page, now=NOW)

    assert str(error) == "the server can't answer now (HTTP 502) [http_502]"
    assert error.request_id == ""


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"7", b'{"errors": 7}', b'{"errors": [7]}'])
def test_a_broken_problem_is_still_its_status(raw: bytes) -> None:
    assert type(error_of(403, PROBLEM, raw, now=NOW)) is sayso.ForbiddenError


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Mon, 23 Nov 2026 19:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 18:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}, now=NOW) == seconds


def test_only_what_may_pass_is_tried_again() -> None:
    statuses = [400, 401, 403, 404, 408, 409, 410, 413, 422, 425, 429, 500, 501, 503, 599]

    assert [status for status in statuses if is_retried(status)] == [408, 425, 429, 500, 501, 503, 599]


@pytest.mark.parametrize("code", ["not_found", None])
def test_where_there_is_no_api_the_setting_and_the_remedy_are_named(code: str | None) -> None:
    error = _error(404, code=code, detail="there is nothing here; /openapi.json lists what there is")

    assert isinstance(error, sayso.NotFoundError)
    assert "SAYSO_URL (or url=) is the server's address alone" in str(error)
    assert "leave out what follows the port" in str(error)
    assert "openapi" not in str(error)


def test_something_else_that_there_is_not_is_told_in_the_servers_words() -> None:
    assert str(_error(404, code="unknown_request", detail="there is no such request")) == (
        "there is no such request [unknown_request]"
    )
