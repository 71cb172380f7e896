import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

import sayso


@pytest.fixture
async def privacy(make_client, clock):
    async with make_client(clock=clock, language="es") as client:
        yield client


@pytest.fixture
def ann(privacy):
    return privacy.consumer("cust-42")


async def test_allows_is_what_the_server_says_now(ann, server) -> None:
    assert await ann.allows("channel:sms") is False
    server.granted.add("channel:sms")
    assert await ann.allows("channel:sms") is True
    assert server.paths == ["POST /v1/decisions", "POST /v1/decisions"]
    assert server.asked[0].body == {"checks": [{"consumer_id": "cust-42", "topic": "channel:sms"}]}


async def test_a_forgotten_await_raises_and_asks_nothing(ann, server) -> None:
    with pytest.raises(TypeError, match="must be awaited"):
        assert ann.allows("channel:sms")

    assert server.asked == []


async def test_a_decision_says_why(ann, server) -> None:
    server.granted.add("purpose:marketing")
    server.answers["purpose:marketing"] = "granted"

    decision = await ann.decide("purpose:marketing", device="pixel-8")

    assert decision
    assert (decision.allowed, decision.reason, decision.answer) == (True, "granted", "granted")
    assert decision.made_at == datetime(2026, 11, 23, 19, tzinfo=UTC)
    assert decision.notice_version == 3
    assert decision.choice_id == "01939f3e-0000-7000-8000-000000000000"
    assert decision.consumer_id == "cust-42"
    assert decision.device_id == "pixel-8"
    sentence = decision.explain(language="en")
    assert sentence.startswith("“Purpose:Marketing” is allowed: granted on 2026-11-23 19:00 UTC")
    assert "notice version 3" in sentence


async def test_a_decision_speaks_the_clients_language(ann) -> None:
    decision = await ann.decide("channel:sms")

    assert decision.explain().startswith("«Tema» no está permitido: ")


async def test_a_decision_that_does_not_allow_is_false(ann) -> None:
    assert not await ann.decide("channel:sms")


async def test_a_past_moment_may_be_asked_about(ann, server) -> None:
    await ann.decide("channel:sms", as_of=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))

    (check,) = server.asked[0].body["checks"]
    assert check["as_of"] == "2026-01-02T03:04:05.000000Z"


async def test_a_naive_moment_is_refused(ann) -> None:
    with pytest.raises(sayso.InvalidError, match="/as_of: the time has no zone"):
        await ann.decide("channel:sms", as_of=datetime(2026, 1, 2))  # noqa: DTZ001


@pytest.mark.parametrize("topic", ["", "x" * 161, "channel:\x00sms", "channel:\ud800", None, 7])
async def test_a_topic_that_cannot_exist_is_an_answer(ann, server, topic) -> None:
    decision = await ann.decide(topic)

    assert (decision.allowed, decision.reason) == (False, "unknown_topic")
    assert server.asked == []


@pytest.mark.parametrize("device", ["", "a/b", "x" * 129, "490154203237518", 7])
async def test_a_device_that_cannot_exist_is_an_answer(ann, server, device) -> None:
    decision = await ann.decide("permission:location", device)

    assert (decision.allowed, decision.reason) == (False, "device_unknown")
    assert server.asked == []


async def test_a_reason_of_a_later_release_reads_as_not_allowed(ann, server) -> None:
    entry = {"topic": "channel:sms", "allowed": True, "reason": "allowed_by_moonlight"}
    server.then(200, {"decisions": [entry]})

    assert await ann.allows("channel:sms") is False


async def test_a_refusal_of_a_later_release_is_explained_in_its_own_words(ann, server) -> None:
    entry = {"topic": "channel:sms", "allowed": False, "reason": "new_moon", "explanation": "Not at new moon."}
    server.then(200, {"decisions": [entry]})

    assert (await ann.decide("channel:sms")).explain() == "Not at new moon."


@pytest.mark.parametrize("allowed", [1, "true", "yes", None, [True]])
async def test_only_true_is_yes(ann, server, allowed) -> None:
    server.then(200, {"decisions": [{"topic": "channel:sms", "allowed": allowed, "reason": "granted"}]})

    assert await ann.allows("channel:sms") is False


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"decisions": []},
        {"decisions": [{"topic": "purpose:marketing", "allowed": True, "reason": "granted"}]},
        {"decisions": [{"topic": "channel:sms", "allowed": True}]},
        {"decisions": [{"topic": "channel:sms", "allowed": True, "reason": "granted", "made_at": "today"}]},
        b"<html>",
    ],
)
async def test_a_broken_answer_is_no(ann, server, body) -> None:
    server.then(200, body)

    decision = await ann.decide("channel:sms")

    assert (decision.allowed, decision.reason) == (False, "unavailable")


@pytest.mark.parametrize("status", [302, 408, 425, 429, 500, 503])
async def test_an_outage_is_no_and_never_raises(ann, server, status: int) -> None:
    server.from_now_on(status)

    decision = await ann.decide("channel:sms", device="pixel-8")

    assert (decision.allowed, decision.reason, decision.device_id) == (False, "unavailable", "pixel-8")
    assert decision.explain(language="en").startswith("“channel:sms” is not allowed: ")


async def test_a_server_that_hangs_is_answered_for_within_a_second(make_client, server) -> None:
    server.from_now_on(200, {}, wait=5)
    async with make_client() as privacy:
        started = time.monotonic()
        allowed = await privacy.consumer("cust-42").allows("channel:sms")

    assert allowed is False
    assert time.monotonic() - started < 1.2


async def test_a_server_that_is_gone_is_answered_for_within_a_second(make_client) -> None:
    async with make_client(url="http://127.0.0.1:9") as privacy:
        started = time.monotonic()
        allowed = await privacy.consumer("cust-42").allows("channel:sms")

    assert allowed is False
    assert time.monotonic() - started < 1.2


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "token_invalid", sayso.NotAuthenticatedError),
        (403, "scope", sayso.ForbiddenError),
        (404, "not_found", sayso.NotFoundError),
    ],
)
async def test_a_fault_of_the_set_up_raises(ann, server, status: int, code: str, kind) -> None:
    server.from_now_on(status, {"code": code}, headers={"Content-Type": "application/problem+json"})

    with pytest.raises(kind) as caught:
        await ann.allows("channel:sms")

    assert caught.value.code == code


async def test_in_an_outage_one_check_at_a_time_finds_out_whether_it_is_over(ann, server) -> None:
    server.from_now_on(503)
    assert await ann.allows("channel:sms") is False
    server.asked.clear()
    server.always = None
    server.granted.add("channel:sms")
    decision = server.decide({"consumer_id": "cust-42", "topic": "channel:sms"})
    server.then(200, {"decisions": [decision]}, wait=0.1)

    answers = await asyncio.gather(*(ann.allows("channel:sms") for _ in range(10)))

    assert answers.count(True) == 1
    assert len(server.asked) == 1
    assert await asyncio.gather(*(ann.allows("channel:sms") for _ in range(10))) == [True] * 10


async def test_a_probe_that_is_cancelled_lets_the_next_one_ask(ann, server) -> None:
    server.from_now_on(503)
    assert await ann.allows("channel:sms") is False
    server.from_now_on(200, {}, wait=5)
    probe = asyncio.create_task(ann.decide("channel:sms"))
    await asyncio.sleep(0.05)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    server.always = None
    server.granted.add("channel:sms")

    assert await ann.allows("channel:sms") is True


async def test_many_checks_go_500_to_a_request_and_come_back_in_order(privacy, server) -> None:
    server.granted.add("channel:sms")
    checks = [("cust-1", "channel:sms") if n % 2 else ("cust-2", "purpose:marketing") for n in range(501)]

    decisions = await privacy.decide_many([*checks, sayso.Check("cust-3", "permission:location", device="pixel-8")])

    assert [len(asked.body["checks"]) for asked in server.asked] == [500, 2]
    assert [decision.allowed for decision in decisions[:4]] == [False, True, False, True]
    assert server.asked[1].body["checks"][1] == {
        "consumer_id": "cust-3",
        "topic": "permission:location",
        "device_id": "pixel-8",
    }


async def test_past_moments_go_10_to_a_request_with_all_that_is_asked_about_them(privacy, server) -> None:
    moments = [datetime(2026, 1, 2, tzinfo=UTC) + timedelta(days=n) for n in range(12)]
    checks = [sayso.Check("cust-1", "channel:sms", as_of=moment) for moment in moments for _ in range(2)]

    decisions = await privacy.decide_many([("cust-1", "channel:sms"), *checks])

    assert len(decisions) == 25
    assert [len(asked.body["checks"]) for asked in server.asked] == [21, 4]
    assert [len({check.get("as_of") for check in asked.body["checks"]}) for asked in server.asked] == [11, 2]


async def test_impossible_checks_do_not_spoil_the_possible_ones(privacy, server) -> None:
    server.granted.add("channel:sms")

    decisions = await privacy.decide_many([("cust-1", ""), ("cust-1", "channel:sms"), ("cust-1", "x" * 161)])

    assert [decision.reason for decision in decisions] == ["unknown_topic", "granted", "unknown_topic"]


async def test_a_wrong_consumer_id_among_many_is_refused(privacy, server) -> None:
    with pytest.raises(sayso.InvalidError):
        await privacy.decide_many([("cust-1", "channel:sms"), ("ann@dealer.example", "channel:sms")])

    assert server.asked == []
