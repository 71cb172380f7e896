"""Nothing personal in any log: canaries go in everywhere, and no record of any logger, at any level, holds one."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any

import pytest

from sayso_server.app import RUNNER_OPTIONS, SERVICES
from sayso_server.logs import QuietFormatter

if TYPE_CHECKING:
    from tests.server.conftest import Brand

CANARY = "canary"
CONSUMER = "cust-canary-1"
DEVICE = "device-canary-2"
VISITOR = "anon_canary-3-AAAAAAAAAAAAA"
PLAIN = logging.Formatter("%(name)s %(message)s")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """Give what has been logged so far, traces included, as the strictest and the most careless program writes it."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("sayso", "sayso_server", "aiohttp", "asyncio"):
            caplog.set_level(logging.DEBUG, logger=name)
    return lambda: [
        formatter.format(record)
        for formatter in (PLAIN, QuietFormatter())
        for record in caplog.records
        if not record.name.startswith("aiohttp.client")
    ]


def assert_quiet(logged: list[str]) -> None:
    assert [line for line in logged if CANARY in line.lower()] == []


async def use_everything(brand: Brand, make_choice: Any) -> list[int]:
    """Call every route with canaries wherever text of one's own can stand."""
    one = f"/v1/consumers/{CONSUMER}"
    said = make_choice(
        "channel:sms",
        "granted",
        CONSUMER,
        device_id=DEVICE,
        evidence={"kind": "canary-kind", "ref": "canary-ref"},
        detail={"note": "canary-note", "sender": "canary-sender", "campaign": "canary-campaign"},
    )
    own = make_choice("channel:sms", "denied", CONSUMER, method="widget", detail={"note": "canary-note"})
    states = {"vocabulary": "web", "states": {"camera": "canary-value", "canary-key": "granted"}}
    check = {"checks": [{"consumer_id": CONSUMER, "topic": "channel:sms", "device_id": DEVICE}]}
    link = {"anonymous_id": VISITOR, "anonymous_token": brand.consumer(VISITOR, jti="canary-jti")}
    backend = brand.backend(jti="canary-jti")
    disclosure = {
        "id": "0198f3a0-0000-7000-8000-00000000000d",
        "consumer_id": CONSUMER,
        "partner": "canary-partner",
        "flow": "share",
        "answer": "send_redacted",
        "fields_sent": ["canary-field"],
        "fields_held_back": ["canary-other"],
        "at": "2026-11-23T19:00:00Z",
        "reason": "canary-reason",
    }
    answers = [
        await brand.call("POST", "/v1/choices", token=backend, json={"choices": [said]}),
        await brand.call("GET", f"{one}/preferences?at_least=0&canary=canary"),
        await brand.call("GET", f"{one}/choices"),
        await brand.call("POST", "/v1/decisions", json=check),
        await brand.call("POST", "/v1/preferences", json={"consumer_ids": [CONSUMER]}),
        await brand.call("PUT", f"{one}/devices/{DEVICE}", json=states),
        await brand.call("POST", f"{one}/signals", json={"name": "gpc", "device_id": DEVICE}),
        await brand.call("PUT", f"{one}/age", json={"source": "brand", "lower": 21, "method": "canary-method"}),
        await brand.call("POST", f"{one}/links", json=link),
        await brand.call("POST", "/v1/disclosures", json={"disclosures": [disclosure]}),
        await brand.call("GET", f"/v1/disclosures?consumer={CONSUMER}&canary=canary"),
        await brand.call("GET", f"{one}/export"),
        await brand.page("POST", "/v1/me/choices", sub=CONSUMER, json={"choices": [own]}),
        await brand.page("GET", "/v1/me/preferences", sub=CONSUMER),
        await brand.page("PUT", f"/v1/me/devices/{DEVICE}", sub=CONSUMER, json=states),
        await brand.desk(
            "GET", f"{one}/preferences", scope="auditor", token=brand.staff("auditor", sub="canary-staff")
        ),
    ]
    return [answer.status for answer in answers]


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_what_goes_well_leaves_no_name_in_the_log(dealer: Brand, make_choice: Any, lines: Any) -> None:
    assert await use_everything(dealer, make_choice) == [
        201,
        200,
        200,
        200,
        200,
        200,
        200,
        200,
        201,
        201,
        200,
        200,
        201,
        200,
        200,
        200,
    ]

    assert_quiet(lines())


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_what_is_refused_leaves_no_name_in_the_log(dealer: Brand, make_choice: Any, lines: Any) -> None:
    one = f"/v1/consumers/{CONSUMER}"
    said = make_choice("channel:sms", "denied", CONSUMER)
    answers = [
        await dealer.call("GET", "/v1/canary"),
        await dealer.call("DELETE", f"{one}/preferences"),
        await dealer.call("GET", f"{one}/preferences", token="canary.canary.canary"),
        await dealer.call("GET", f"{one}/preferences", token=dealer.backend(jti="canary-jti", aud="canary")),
        await dealer.call("GET", f"{one}/preferences", headers={"Origin": "https://canary.example"}),
        await dealer.page("GET", f"{one}/preferences", sub=CONSUMER),
        await dealer.call("GET", f"{one}/preferences?as_of=canary"),
        await dealer.call("GET", "/v1/consumers/canary%40mail.example/preferences"),
        await dealer.call("POST", "/v1/choices", body=b'{"canary": "canary'),
        await dealer.call("POST", "/v1/choices", json={"choices": [said | {"canary": "canary"}]}),
        await dealer.call("POST", "/v1/choices", json={"choices": [said | {"topic": "purpose:canary"}]}),
        await dealer.call("POST", "/v1/choices", json={"choices": [said | {"topic": {"canary": 1}}]}),
        await dealer.call("POST", "/v1/choices", body=b"canary", headers={"Content-Type": "text/canary"}),
        await dealer.call("PUT", f"{one}/devices/{DEVICE}", json={"vocabulary": "canary", "states": {}}),
    ]

    assert [answer.status for answer in answers] == [404, 405, 401, 401, 403, 403, 422, 422, 400] + [422] * 3 + [
        415,
        422,
    ]
    assert_quiet(lines())


async def test_what_goes_wrong_inside_is_logged_by_request_id_and_names_nobody(
    dealer: Brand, make_choice: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        try:
            raise KeyError(CONSUMER)
        except KeyError as error:
            raise RuntimeError(f"no row of {CONSUMER}") from error

    services = dealer.world.app[SERVICES]
    monkeypatch.setattr(type(services.storage), "consumer", broken)
    monkeypatch.setattr(type(services.storage), "record", broken)

    reading = await dealer.call("GET", f"/v1/consumers/{CONSUMER}/preferences")
    writing = await dealer.post(make_choice("channel:sms", "denied", CONSUMER))

    assert (reading.status, writing.status) == (500, 500)
    logged = lines()
    for answer in (reading, writing):
        (line, _) = [line for line in logged if answer.headers["X-Request-Id"] in line]
        assert "RuntimeError" in line
        assert "in broken" in line
    assert_quiet(logged)


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_a_failing_plan_leaves_no_name_in_the_log(
    dealer: Brand, make_choice: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError(f"{CONSUMER} has no standing")

    monkeypatch.setattr("sayso_server.services.consumer_plan.decide", broken)
    async with dealer.world.nothing_stored():
        answer = await dealer.post(make_choice("channel:sms", "denied", CONSUMER))

    assert (answer.status, answer.code) == (500, "internal")
    assert CANARY.encode() not in answer.body
    assert_quiet(lines())


def test_nothing_logs_each_request() -> None:
    # aiohttp's access log would hold paths, and with them ids.
    assert RUNNER_OPTIONS["access_log"] is None


def test_the_canary_would_have_been_heard() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(QuietFormatter())
    record = logging.LogRecord("sayso_server", logging.INFO, __file__, 1, "read %s", (CONSUMER,), None)
    handler.emit(record)

    with pytest.raises(AssertionError):
        assert_quiet([stream.getvalue()])
