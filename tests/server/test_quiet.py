"""Nothing of anybody in a log, an error or a header: words planted wherever a sender can put some never come back."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from sayso_server.app import SERVICES
from sayso_server.logs import QuietFormatter, forget_the_peer, set_up_logging
from sayso_server.storage.base import StorageUnavailableError

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand

CANARY = "canary7"
CONSUMER = f"{CANARY}-consumer"
DEVICE = f"{CANARY}-device"
# 22 characters after the prefix, as the ids of visitors have them.
VISITOR = f"anon_{CANARY}-visitor-AAAAAA"
PREFERENCES = f"/v1/consumers/{CONSUMER}/preferences"


class Watch(logging.Handler):
    """Keeps all that any logger says at any level, message and arguments."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.name} {record.getMessage()} {record.args!r} {record.exc_info} {record.stack_info}")


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture) -> Iterator[Watch]:
    """Everything that is said from here on, with every logger as talkative as it can be."""
    root, names = logging.getLogger(), ["aiohttp", "aiohttp.server", "aiohttp.web", "aiohttp.access", "asyncio"]
    before = {name: logging.getLogger(name).level for name in names}
    one = Watch()
    with caplog.at_level(logging.DEBUG):
        root.addHandler(one)
        for name in names:
            logging.getLogger(name).setLevel(logging.DEBUG)
        try:
            yield one
        finally:
            root.removeHandler(one)
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What a server that was started with log level debug writes."""
    root, server, loop = (logging.getLogger(name) for name in (None, "aiohttp.server", "asyncio"))
    handlers, filters = root.handlers[:], server.filters[:]
    levels = [logger.level for logger in (root, server, loop)]
    stream = io.StringIO()
    set_up_logging("debug", stream)
    try:
        yield stream
    finally:
        root.handlers[:], server.filters[:] = handlers, filters
        for logger, level in zip((root, server, loop), levels, strict=True):
            logger.setLevel(level)


def assert_quiet(answer: Answered) -> None:
    """Assert that a problem and every header of it say nothing of what was sent."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.body
    fields = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    assert CANARY not in fields.lower()
    problem = answer.json
    # A pointer names members of the body; that is what it is for.
    for error in problem["errors"]:
        del error["pointer"]
    assert CANARY not in json.dumps(problem).lower()


async def raw(brand: Brand, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", brand.world.port)
    try:
        writer.write(sent)
        await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


# --- what goes well -----------------------------------------------------------------------------------------


async def test_what_goes_well_is_not_told_to_any_log(watch: Watch, dealer: Brand, make_choice: Any) -> None:
    said = make_choice(
        "channel:sms",
        "granted",
        CONSUMER,
        evidence={"kind": "message", "ref": f"{CANARY}-ref"},
        device_id=DEVICE,
        detail={"sender": f"{CANARY}-sender", "campaign": f"{CANARY}-campaign", "note": f"{CANARY} note"},
    )
    one = f"/v1/consumers/{CONSUMER}"
    states = {f"{CANARY}.permission": f"{CANARY}-value", "android.permission.CAMERA": "granted"}
    answers = [
        await dealer.post(said, make_choice("channel:sms", "denied", VISITOR)),
        await dealer.call("PUT", f"{one}/devices/{DEVICE}", json={"vocabulary": "android", "states": states}),
        await dealer.call("POST", f"{one}/signals", json={"name": "gpc", "device_id": DEVICE}),
        await dealer.call("PUT", f"{one}/age", json={"source": "brand", "lower": 18, "method": f"{CANARY}-method"}),
        await dealer.call("POST", f"{one}/links", json={"anonymous_id": VISITOR}),
        await dealer.call("GET", f"{one}/choices"),
        await dealer.call("GET", f"{one}/export"),
        await dealer.call("GET", f"{one}/preferences?{CANARY}={CANARY}"),
        await dealer.page("GET", "/v1/me/preferences", sub=CONSUMER),
        await dealer.call("POST", "/v1/decisions", json={"checks": [{"consumer_id": CONSUMER, "topic": CANARY}]}),
    ]

    assert [answer.status for answer in answers] == [201, 200, 200, 200, 201, 200, 200, 200, 200, 200]
    assert CANARY in "".join(answer.body.decode() for answer in answers)
    assert CANARY not in "\n".join(watch.said).lower()
    for answer in answers:
        assert CANARY not in "\n".join(value for name, value in answer.headers.items() if name != "Link")


# --- what is refused ----------------------------------------------------------------------------------------

WRONG_MEMBERS: dict[str, Any] = {
    "id": CANARY,
    "consumer_id": f"{CANARY}@mail.example",
    "answer": CANARY,
    "method": CANARY,
    "made_at": CANARY,
    "based_on": CANARY,
    "actor": CANARY,
    "notice": {"language": CANARY},
    "evidence": {"kind": CANARY * 20},
    "expires_at": f"2027-{CANARY}",
    "device_id": f"{CANARY}/{CANARY}",
    "jurisdiction": CANARY,
    "overrides": [CANARY],
    "detail": {"precision": CANARY},
}


@pytest.mark.parametrize("member", WRONG_MEMBERS)
async def test_a_member_that_does_not_fit_is_named_but_never_quoted(
    watch: Watch, dealer: Brand, make_choice: Any, member: str
) -> None:
    answer = await dealer.post(
        make_choice(**{"topic": "channel:sms", "answer": "granted"} | {member: WRONG_MEMBERS[member]})
    )

    assert answer.status == 422
    assert any(pointer.startswith(f"/choices/0/{member}") for pointer, _ in answer.problems)
    assert_quiet(answer)
    assert CANARY not in "\n".join(watch.said).lower()


REFUSED: dict[str, dict[str, Any]] = {
    "a note that is too long": {"detail": {"note": CANARY * 100}},
    "a sender where none belongs": {"topic": "purpose:marketing", "detail": {"sender": CANARY}},
    "a notice that is stale": {"topic": "purpose:training", "notice": {"language": "en", "version": 1}},
    "a version nobody has seen": {"based_on": 99},
    "an id like a telephone number": {"consumer_id": "+15550001234"},
    "a device like a hardware address": {"device_id": "aa:bb:cc:dd:ee:ff"},
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refused_choice_says_nothing_of_whose_it_is(
    watch: Watch, dealer: Brand, make_choice: Any, name: str
) -> None:
    members = {"topic": "channel:sms", "answer": "granted", "consumer": CONSUMER} | REFUSED[name]
    answer = await dealer.post(make_choice(**members))

    assert 400 <= answer.status < 500
    assert_quiet(answer)
    for word in (CANARY, "5550001234", "aa:bb:cc"):
        assert word not in answer.body.decode()
        assert word not in "\n".join(watch.said)


async def test_an_id_that_was_used_before_is_not_told_with_whose(watch: Watch, dealer: Brand, make_choice: Any) -> None:
    first = make_choice("channel:sms", "granted", CONSUMER)
    await dealer.recorded(first)

    answer = await dealer.post(first | {"topic": "purpose:marketing"})

    assert answer.code == "id_reused"
    assert first["id"] not in answer.body.decode()
    assert_quiet(answer)
    assert CANARY not in "\n".join(watch.said)


BAD_JSON = [
    b'{"choices": [{"note": "' + CANARY.encode() + b'"',
    b'{"choices": "' + CANARY.encode() + b"\xff" + b'"}',
    b'{"a": 1 ' + CANARY.encode() + b"}",
    b'{"a": ["' + CANARY.encode() + b'", NaN]}',
    b'{"a": "' + CANARY.encode() + b'", "a": "' + CANARY.encode() + b'"}',
    b'"' + CANARY.encode() + b'\\ud800"',
    (b'{"a": "' + CANARY.encode() + b'", "b": ') + b"[" * 20 + b"]" * 20 + b"}",
]


@pytest.mark.parametrize("body", BAD_JSON)
async def test_bad_json_is_not_quoted(watch: Watch, dealer: Brand, body: bytes) -> None:
    answer = await dealer.call("POST", "/v1/choices", body=body)

    assert answer.status == 400
    assert_quiet(answer)
    assert CANARY not in "\n".join(watch.said)


def forged(brand: Brand, changes: dict[str, Any]) -> str:
    header = {"alg": "HS256", "kid": next(iter(brand.keys.values()))[0].key_id, "typ": "sayso-backend+jwt"} | changes
    parts = [json.dumps(header).encode(), json.dumps({"sub": CANARY, "jti": CANARY}).encode(), CANARY.encode() * 4]
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


async def test_a_refused_token_is_told_to_nobody(watch: Watch, dealer: Brand) -> None:
    good = dealer.backend()
    tokens = [
        CANARY,
        f"{CANARY}.{CANARY}.{CANARY}",
        CANARY * 1000,
        forged(dealer, {}),
        forged(dealer, {"kid": CANARY}),
        forged(dealer, {"typ": CANARY}),
        forged(dealer, {"alg": CANARY}),
        forged(dealer, {CANARY: CANARY}),
        dealer.consumer(CONSUMER, iss=CANARY),
        dealer.consumer(f"{CANARY}@mail.example"),
        dealer.backend(jti=f"{CANARY}" * 40),
        dealer.backend(CANARY),
        dealer.backend(aud=CANARY),
        good[:-6] + "AAAAAA",
    ]
    for token in tokens:
        answer = await dealer.call("GET", PREFERENCES, token=token)

        assert answer.status in {400, 401, 403}, token
        assert_quiet(answer)
        for part in token.split("."):
            assert part not in answer.body.decode()
            assert part not in "\n".join(watch.said)
    assert CANARY not in "\n".join(watch.said)
    assert CANARY.upper() not in "\n".join(watch.said).upper()


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", f"/v1/{CANARY}", {}),
        ("GET", f"/{CANARY}?{CANARY}={CANARY}", {}),
        ("DELETE", PREFERENCES, {}),
        ("GET", f"{PREFERENCES}?as_of={CANARY}", {}),
        ("GET", f"{PREFERENCES}?at_least={CANARY}", {}),
        ("GET", f"{PREFERENCES}?at_least=5000", {}),
        ("GET", f"/v1/consumers/{CANARY}@mail.example/preferences", {}),
        ("GET", f"/v1/consumers/anon_{CANARY}/preferences", {}),
        ("GET", f"/v1/consumers/{CANARY}%00/preferences", {}),
        ("GET", f"/v1/consumers/{CANARY}%FF/preferences", {}),
        ("GET", PREFERENCES, {"Origin": f"https://{CANARY}.example"}),
        ("OPTIONS", "/v1/me/choices", {"Origin": f"https://{CANARY}.example"}),
        ("POST", "/v1/choices", {"Content-Type": f"text/{CANARY}"}),
        ("POST", "/v1/choices", {"Content-Type": "application/json", "Content-Encoding": CANARY}),
        ("GET", f"/v1/{CANARY}", {"X-Request-Id": CANARY, "Cookie": CANARY, "Referer": f"https://{CANARY}.example"}),
    ],
)
async def test_a_path_a_query_or_a_header_is_not_quoted(
    watch: Watch, dealer: Brand, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = await dealer.call(method, path, headers=headers)

    assert 400 <= answer.status < 500
    assert_quiet(answer)
    assert CANARY not in "\n".join(watch.said)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"devices/{DEVICE}", {"vocabulary": CANARY, "states": {}}),
        (f"devices/{DEVICE}", {"vocabulary": "android", "states": CANARY}),
        (f"devices/{DEVICE}", {"vocabulary": "android", "states": {}, "observed_at": CANARY}),
        ("signals", {"name": CANARY}),
        ("signals", {"name": "gpc", "source": CANARY}),
        ("age", {"source": CANARY}),
        ("age", {"source": "self", "lower": CANARY}),
        ("age", {"source": "self", "method": CANARY * 20}),
        ("links", {"anonymous_id": CANARY}),
        ("links", {"anonymous_id": f"anon_{CANARY}"}),
        ("links", {"anonymous_id": VISITOR, "anonymous_token": CANARY * 1000}),
    ],
)
async def test_a_refused_report_is_not_quoted(watch: Watch, dealer: Brand, path: str, body: dict[str, Any]) -> None:
    method = "PUT" if path.startswith(("devices", "age")) else "POST"
    answer = await dealer.call(method, f"/v1/consumers/{CONSUMER}/{path}", json=body)

    assert answer.status == 422
    assert_quiet(answer)
    assert CANARY not in "\n".join(watch.said)


async def test_an_unknown_topic_is_not_told_to_any_log(watch: Watch, dealer: Brand, make_choice: Any) -> None:
    answer = await dealer.post(make_choice(f"purpose:{CANARY}", "granted", CONSUMER))

    assert answer.problems == [("/choices/0/topic", "unknown_topic")]
    assert CONSUMER not in answer.body.decode()
    assert CANARY not in "\n".join(watch.said)


@pytest.mark.parametrize(
    "sent",
    [
        f"{CANARY}\r\n\r\n".encode(),
        f"GET /{CANARY} HTTP/1.1\r\nHost: x\r\n{CANARY} x: y\r\n\r\n".encode(),
        f"GET http://{CANARY}.example/ HTTP/1.1\r\nHost: {CANARY}\r\n\r\n".encode(),
        f"GET /{CANARY} HTTP/9.9\r\nHost: x\r\n\r\n".encode(),
        f"POST /v1/choices HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{CANARY}\r\n".encode(),
        b"GET /" + CANARY.encode() * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["no HTTP", "bad header", "absolute form", "bad version", "bad chunk", "long line"],
)
async def test_what_is_no_http_is_quoted_neither_to_its_sender_nor_to_a_log(
    watch: Watch, dealer: Brand, sent: bytes
) -> None:
    answer = await raw(dealer, sent)

    assert answer.startswith(b"HTTP/1.")
    assert CANARY not in answer.decode().lower()
    assert CANARY not in "\n".join(watch.said).lower()
    assert "127.0.0.1" not in "\n".join(said for said in watch.said if said.startswith(("sayso", "aiohttp")))


# --- our own faults -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [ValueError(f"no such consumer: {CONSUMER}"), StorageUnavailableError(CONSUMER), KeyError(CONSUMER)],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_that_quotes_a_consumer_is_logged_without_its_words(
    log: io.StringIO, dealer: Brand, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fail(*_: object) -> NoReturn:
        try:
            raise LookupError(f"row of {CONSUMER}")
        except LookupError as cause:
            raise error from cause

    monkeypatch.setattr(dealer.world.app[SERVICES].reading, "snapshot", fail)

    answer = await dealer.call("GET", PREFERENCES)

    assert answer.status in {500, 503}
    assert_quiet(answer)
    assert answer.headers["X-Request-Id"] in log.getvalue()
    assert CANARY not in log.getvalue()
    if answer.status == 500:
        assert type(error).__name__ in log.getvalue()
        assert "in fail\n" in log.getvalue()


async def test_a_server_at_log_level_debug_names_nobody(log: io.StringIO, dealer: Brand, make_choice: Any) -> None:
    await dealer.recorded(make_choice("channel:sms", "granted", CONSUMER))
    await dealer.call("GET", PREFERENCES)
    await dealer.call("GET", PREFERENCES, token=CANARY)
    await dealer.call("POST", "/v1/choices", body=BAD_JSON[0])
    await raw(dealer, f"{CANARY}\r\n\r\n".encode())

    assert "token refused" in log.getvalue()
    assert CANARY not in log.getvalue()
    assert "127.0.0.1" not in log.getvalue()


def test_what_aiohttp_says_of_a_broken_request_loses_the_peer_and_the_bytes() -> None:
    error = ValueError(f"400, message: {CANARY}")
    record = logging.LogRecord(
        "aiohttp.server",
        logging.ERROR,
        __file__,
        1,
        "Error handling request from %s",
        (CANARY,),
        (ValueError, error, None),
    )

    assert forget_the_peer(record)

    assert QuietFormatter("%(levelname)s %(message)s").format(record) == "INFO a connection failed: ValueError"
