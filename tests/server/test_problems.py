"""What goes wrong, and what every answer carries whether it did or not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from sayso_server.app import ROWS, SERVICES
from sayso_server.storage.base import StorageUnavailableError

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

PREFERENCES = "/v1/consumers/cust-42/preferences"
FILED = "0198f3a0-0000-7000-8000-000000000001"
TRANSITIONS = (
    "acknowledge", "verify", "start", "extend", "fulfil", "deny", "revoke", "hand-over", "note", "lift",
)  # fmt: skip
BODIES = {"many": 2 * 1024 * 1024, "links": 256 * 1024, "catalogue": 1024 * 1024, "one": 64 * 1024}
LIMITS = {
    "POST /v1/choices": BODIES["many"],
    "POST /v1/decisions": BODIES["many"],
    "POST /v1/disclosures": BODIES["many"],
    "POST /v1/preferences": BODIES["many"],
    "POST /v1/unsubscribe-links": BODIES["links"],
    "PUT /v1/consumers/cust-42/devices/pixel-8": BODIES["one"],
    "POST /v1/consumers/cust-42/signals": BODIES["one"],
    "PUT /v1/consumers/cust-42/age": BODIES["one"],
    "POST /v1/consumers/cust-42/links": BODIES["one"],
    "PUT /v1/catalogue": BODIES["catalogue"],
    "POST /v1/catalogue/preview": BODIES["catalogue"],
    "POST /v1/catalogue/replay": BODIES["catalogue"],
    "POST /v1/requests": BODIES["one"],
    "POST /v1/requests/find": BODIES["one"],
    **{f"POST /v1/requests/{FILED}/{transition}": BODIES["one"] for transition in TRANSITIONS},
    "POST /v1/me/choices": BODIES["one"],
    "POST /v1/me/decisions": BODIES["one"],
    "PUT /v1/me/devices/pixel-8": BODIES["one"],
    "POST /v1/me/signals": BODIES["one"],
    "PUT /v1/me/age": BODIES["one"],
    "POST /v1/me/requests": BODIES["one"],
    "POST /v1/consumers/cust-42/guardian-requests": BODIES["one"],
    "POST /v1/consumers/cust-42/age-doubts": BODIES["one"],
    "POST /v1/me/guardian-requests": BODIES["one"],
    f"POST /v1/age-doubts/{FILED}/clear": BODIES["one"],
    f"POST /v1/me/requests/{FILED}/revoke": BODIES["one"],
}
"""What takes JSON, and how many bytes of it."""
OTHERS = {
    "POST /g/{token}": 32 * 1024,
    "POST /p/{token}": 16 * 1024,
    "POST /rights": 64 * 1024,
    "POST /v1/data-rights-request": 64 * 1024,
    f"DELETE /v1/data-rights-request/{FILED}": 64 * 1024,
    "POST /v1/agent/{agent_id}": 64 * 1024,
}
"""What takes forms and signed requests, and is tried where those are."""


class SecretError(Exception):
    """What a defect might say: more than a stranger may know."""


def failing(error: BaseException) -> Any:
    async def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


@contextmanager
def broken(owner: object, name: str, error: BaseException) -> Iterator[None]:
    """Let one method of a service or storage fail, and mend it afterwards."""
    setattr(owner, name, failing(error))
    try:
        yield
    finally:
        delattr(owner, name)


def assert_problem(answer: Answered, status: int, code: str) -> None:
    """Assert RFC 9457's members, ours, and that answer and header agree."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.body
    members = answer.json
    assert (answer.status, members["status"], members["code"]) == (status, status, code)
    assert members["type"] == "about:blank"
    assert members["title"]
    assert members["detail"]
    assert isinstance(members["errors"], list)
    assert members["request_id"] == answer.headers["X-Request-Id"]
    assert_safe(answer)


def assert_safe(answer: Answered) -> None:
    """Assert the headers that no answer may lack."""
    assert answer.headers.getall("Cache-Control") == ["no-store"]
    assert answer.headers.getall("X-Content-Type-Options") == ["nosniff"]
    assert answer.headers.getall("Referrer-Policy") == ["no-referrer"]
    assert answer.headers.getall("Cross-Origin-Resource-Policy") == ["same-origin"]
    assert answer.headers.getall("Server") == ["sayso"]
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-Id"])


async def call(brand: Brand, called: str, **request: Any) -> Answered:
    """Call with whatever token the route takes."""
    method, path = called.split(" ")
    if "/me/" in path:
        return await brand.page(method, path, **request)
    return await brand.call(method, path, token=brand.backend("backend", "privacy_officer", "admin"), **request)


# --- nothing there ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v2/choices", "/v1/consumers", "/v1/consumers/cust-42/all", "/favicon.ico", "/v1/choices/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_path_that_is_not_there_is_a_404(world: World, method: str, path: str) -> None:
    assert_problem(await world.call(method, path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/choices", {"POST"}),
        ("DELETE", "/v1/choices", {"POST"}),
        ("HEAD", "/v1/choices", {"POST"}),
        ("POST", PREFERENCES, {"GET", "HEAD"}),
        ("PATCH", "/v1/catalogue", {"GET", "HEAD", "PUT", "OPTIONS"}),
        ("PUT", "/v1/me/choices", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("POST", "/", {"GET", "HEAD"}),
        ("TRACE", "/healthz", {"GET", "HEAD"}),
    ],
)
async def test_a_method_that_is_not_for_a_path_is_a_405_that_says_which_are(
    dealer: Brand, method: str, path: str, allowed: set[str]
) -> None:
    answer = await dealer.call(method, path)

    assert answer.status == 405
    assert set(answer.headers["Allow"].split(",")) == allowed
    if method == "HEAD":
        assert_safe(answer)
    else:
        assert_problem(answer, 405, "method_not_allowed")


# --- bodies -------------------------------------------------------------------------------------------------


def test_every_route_with_a_body_has_the_limit_written_out_here(world: World) -> None:
    named = {"{id}": "cust-42", "{device_id}": "pixel-8", "{request_id}": FILED, "{doubt_id}": FILED}
    rows = {}
    for row in world.app[ROWS]:
        path = re.sub(r"{\w+}", lambda part: named.get(part[0], part[0]), row.path)
        if row.body_limit:
            rows[f"{row.method} {path}"] = row.body_limit

    assert rows == LIMITS | OTHERS


@pytest.mark.parametrize("called", LIMITS)
async def test_a_body_a_byte_over_the_limit_is_a_413_by_its_stated_length(dealer: Brand, called: str) -> None:
    async with dealer.world.nothing_stored():
        answer = await call(dealer, called, body=b" " * (LIMITS[called] + 1))

    assert_problem(answer, 413, "body_too_large")
    assert str(LIMITS[called]) in answer.json["detail"]


@pytest.mark.parametrize("called", LIMITS)
async def test_a_body_of_just_the_limit_is_read(dealer: Brand, called: str) -> None:
    answer = await call(dealer, called, body=b"[" + b" " * (LIMITS[called] - 1))

    assert_problem(answer, 400, "malformed_json")


@pytest.mark.parametrize("called", LIMITS)
async def test_a_body_over_the_limit_is_a_413_when_it_comes_in_pieces(dealer: Brand, called: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LIMITS[called] // 8192 + 1):
            yield b" " * 8192

    method, path = called.split(" ")
    fields = {"Content-Type": "application/json"}
    if "/me/" in path:
        fields |= {"Authorization": f"Bearer {dealer.consumer()}", "Origin": dealer.origin}
    else:
        fields |= {"Authorization": f"Bearer {dealer.backend('backend', 'privacy_officer', 'admin')}"}
    async with (
        dealer.world.nothing_stored(),
        dealer.world.session.request(method, dealer.world.base + path, data=pieces(), headers=fields) as answer,
    ):
        assert answer.status == 413
        assert (await answer.json(content_type="application/problem+json"))["code"] == "body_too_large"


NO_PLAIN_JSON = [
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "multipart/form-data; boundary=x"},
    {"Content-Type": "application/json; charset=latin-1"},
    {"Content-Type": "application/jsonp"},
    {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    {"Content-Type": "application/json", "Content-Encoding": "br"},
]


@pytest.mark.parametrize("called", LIMITS)
async def test_a_body_that_is_not_plain_json_is_a_415(dealer: Brand, called: str) -> None:
    for headers in NO_PLAIN_JSON:
        async with dealer.world.nothing_stored():
            answer = await call(dealer, called, body=b"{}", headers=headers)

        assert_problem(answer, 415, "unsupported_media_type")


NO_STRICT_JSON = {
    b"": "malformed_json",
    b"{": "malformed_json",
    b"{}{}": "malformed_json",
    b"{'a': 1}": "malformed_json",
    b'{"a": NaN}': "not_a_number",
    b'{"a": 1, "a": 1}': "duplicate_member",
    b'{"a": "\xff"}': "invalid_utf8",
    b"[" * 17 + b"]" * 17: "too_deep",
    b"[" * 30_000: "too_deep",
}


@pytest.mark.parametrize("called", LIMITS)
async def test_a_body_that_is_not_strict_json_is_a_400_on_every_route(dealer: Brand, called: str) -> None:
    for body, code in NO_STRICT_JSON.items():
        answer = await call(dealer, called, body=body)

        assert_problem(answer, 400, code)
        assert answer.problems == [("", code)]


@pytest.mark.parametrize("called", LIMITS)
async def test_a_body_that_is_no_object_is_a_422(dealer: Brand, called: str) -> None:
    assert_problem(await call(dealer, called, body=b"[]"), 422, "wrong_type")


async def test_the_next_request_is_answered_after_one_that_was_refused_before_its_body_was_read(
    dealer: Brand,
) -> None:
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    for _ in range(3):
        answer = await dealer.world.call("POST", "/v1/choices", body=smuggled)
        assert_problem(answer, 401, "token_missing")

    assert (await dealer.call("GET", PREFERENCES)).json["consumer_id"] == "cust-42"


# --- our own faults -----------------------------------------------------------------------------------------


async def test_an_unexpected_error_says_nothing_of_the_inside(dealer: Brand) -> None:
    secret = "SELECT secret FROM /srv/sayso.db"
    with broken(dealer.world.app[SERVICES].reading, "snapshot", SecretError(secret)):
        answer = await dealer.call("GET", PREFERENCES)

    assert_problem(answer, 500, "internal")
    everything = answer.body + str(answer.headers).encode()
    for word in (b"SELECT", b"sayso.db", b"SecretError", b"Traceback", b".py", b"aiohttp", b"Python"):
        assert word not in everything


async def test_after_an_unexpected_error_the_server_goes_on(dealer: Brand) -> None:
    with broken(dealer.world.app[SERVICES].reading, "snapshot", SecretError()):
        assert (await dealer.call("GET", PREFERENCES)).status == 500

    assert (await dealer.call("GET", PREFERENCES)).status == 200


async def test_an_unexpected_error_while_recording_stores_nothing(dealer: Brand, make_choice: Any) -> None:
    async with dealer.world.nothing_stored():
        with broken(dealer.world.storage, "record", SecretError()):
            answer = await dealer.post(make_choice("channel:sms", "denied"))

    assert_problem(answer, 500, "internal")


@pytest.mark.parametrize("method", ["config_version", "record"])
async def test_a_choice_that_the_storage_cannot_take_is_a_503_to_try_again(
    dealer: Brand, make_choice: Any, method: str
) -> None:
    sent = make_choice("channel:sms", "denied")
    with broken(dealer.world.storage, method, StorageUnavailableError("the disk /dev/sda1 is full")):
        answer = await dealer.post(sent)

    assert_problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert b"sda1" not in answer.body
    (entry,) = await dealer.recorded(sent)
    assert (entry["version"], entry["replayed"]) == (1, False)


@pytest.mark.parametrize("method", ["config_version", "consumer"])
async def test_preferences_that_the_storage_cannot_give_are_a_503_and_never_an_older_answer(
    dealer: Brand, method: str
) -> None:
    with broken(dealer.world.storage, method, StorageUnavailableError()):
        answer = await dealer.call("GET", PREFERENCES)

    assert_problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "1"


async def test_what_was_answered_before_is_not_answered_again_without_asking_the_storage(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")
    assert (await dealer.preferences())["version"] == 1

    with broken(dealer.world.storage, "version", StorageUnavailableError()):
        answer = await dealer.call("GET", PREFERENCES)

    assert_problem(answer, 503, "unavailable")


async def test_without_its_storage_the_process_lives_but_is_not_ready(world: World) -> None:
    with broken(world.storage, "config_version", StorageUnavailableError()):
        ready, healthy = await world.call("GET", "/readyz"), await world.call("GET", "/healthz")

    assert_problem(ready, 503, "unavailable")
    assert (healthy.status, healthy.json) == (200, {"status": "ok"})
    assert (await world.call("GET", "/readyz")).json == {"status": "ready"}


# --- what every answer carries ------------------------------------------------------------------------------


async def test_every_answer_carries_the_headers_that_keep_it_safe(dealer: Brand, make_choice: Any) -> None:
    recorded = await dealer.post(make_choice("channel:sms", "granted"))
    preferences = await dealer.call("GET", PREFERENCES)
    unchanged = await dealer.call("GET", PREFERENCES, headers={"If-None-Match": preferences.headers["ETag"]})
    own = await dealer.page("GET", "/v1/me/preferences")
    asked = await dealer.world.call("OPTIONS", "/v1/me/choices", headers={"Origin": dealer.origin})
    public = [await dealer.world.call("GET", path) for path in ("/", "/healthz", "/readyz", "/openapi.json")]

    answers = [recorded, preferences, unchanged, own, asked, *public]
    assert [answer.status for answer in answers] == [201, 200, 304, 200, 204, 200, 200, 200, 200]
    for answer in answers:
        assert_safe(answer)
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == len(answers)


async def test_a_request_id_from_outside_is_not_taken_over(world: World) -> None:
    answer = await world.call("GET", "/healthz", headers={"X-Request-Id": "0123456789abcdef"})

    assert answer.headers["X-Request-Id"] != "0123456789abcdef"


async def test_a_page_runs_no_script_and_is_framed_by_nobody(world: World) -> None:
    answer = await world.call("GET", "/")

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(
        rule.strip().split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split(";") if rule.strip()
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Permissions-Policy"] == "camera=(), microphone=(), geolocation=()"
    assert b"<script" not in answer.body
    assert b"style=" not in answer.body


# --- no HTTP as it should be --------------------------------------------------------------------------------


async def raw(world: World, sent: bytes) -> bytes:
    """Send bytes and give all that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    try:
        writer.write(sent)
        await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET http://127.0.0.1/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["absolute form", "two lengths", "space in a name", "no HTTP", "long header", "long line"],
)
async def test_what_is_no_proper_http_is_answered_with_a_problem_and_hung_up_on(world: World, sent: bytes) -> None:
    head, _, body = (await raw(world, sent)).partition(b"\r\n\r\n")

    assert re.match(rb"HTTP/1.[01] 400 Bad Request\r\n", head)
    assert b"Content-Type: application/problem+json" in head
    assert b"Cache-Control: no-store" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert b"X-Request-Id: " in head
    assert b'"code":"bad_request"' in body
    assert b"xxxx" not in body
