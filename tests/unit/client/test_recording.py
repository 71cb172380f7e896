import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

import sayso

NOW = "2026-11-23T19:00:00.000000Z"
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture
async def privacy(make_client, clock):
    async with make_client(clock=clock) as client:
        yield client


@pytest.fixture
def ann(privacy):
    return privacy.consumer("cust-42")


def _sent(server) -> list[dict]:
    return [asked.body for asked in server.asked if asked.path == "/v1/choices"]


async def test_a_grant_is_sent_with_everything_that_was_said(ann, server) -> None:
    await ann.grant(
        "permission:location",
        shown="en",
        notice_version=3,
        method="chat",
        expires_after=timedelta(days=365),
        evidence={"kind": "transcript", "ref": "chat-7"},
        device="pixel-8",
        overrides=("gpc",),
        detail=sayso.Detail(precision=sayso.Precision.CITY),
        jurisdiction="US-CA",
        actor="brand",
    )

    (body,) = _sent(server)
    (choice,) = body["choices"]
    assert UUID7.fullmatch(choice.pop("id"))
    assert body["sent_at"] == NOW
    assert choice == {
        "consumer_id": "cust-42",
        "topic": "permission:location",
        "answer": "granted",
        "method": "chat",
        "made_at": NOW,
        "based_on": 0,
        "notice": {"language": "en", "version": 3},
        "expires_at": "2027-11-23T19:00:00.000000Z",
        "actor": "brand",
        "device_id": "pixel-8",
        "jurisdiction": "US-CA",
        "overrides": ["gpc"],
        "evidence": {"kind": "transcript", "ref": "chat-7"},
        "detail": {"precision": "city"},
    }


async def test_recorded_says_what_became_of_it(ann) -> None:
    recorded = await ann.grant("purpose:marketing", shown=sayso.Notice(language="fr-CA", version=2))

    assert recorded.consumer_id == "cust-42"
    assert recorded.topic == "purpose:marketing"
    assert recorded.version == 1
    assert recorded.recorded_at == datetime(2026, 11, 23, 19, tzinfo=UTC)
    assert recorded.effective_at == datetime(2026, 11, 23, 19, tzinfo=UTC)
    assert (recorded.stands, recorded.superseded_by) == (True, None)
    assert (recorded.allowed, recorded.reason) == (True, "granted")
    assert (recorded.replayed, recorded.status) == (False, "confirmed")


async def test_a_reason_of_a_later_release_reads_as_not_allowed(ann, server) -> None:
    entry = server.record({"id": "x", "consumer_id": "cust-42", "topic": "channel:sms", "answer": "granted"})
    server.version = 0

    def soon(choice_id: str) -> None:
        server.then(201, {"recorded": [{**entry, "choice_id": choice_id, "reason": "granted_by_moonlight"}]})

    choice = sayso.Choice("cust-42", "channel:sms", "granted", shown="en")
    soon(choice.id)
    (recorded,) = await sayso_record(ann, choice)

    assert recorded.allowed is False
    assert recorded.reason == "granted_by_moonlight"


async def sayso_record(ann, choice):
    return await ann._recorder.record([choice])


async def test_an_answer_about_other_choices_is_no_answer(ann, server) -> None:
    entry = server.record({"id": "x", "consumer_id": "cust-42", "topic": "channel:sms", "answer": "denied"})
    server.then(201, {"recorded": [entry]})

    with pytest.raises(sayso.UnavailableError, match="not a Sayso server"):
        await ann.deny("channel:sms")


async def test_a_retry_sends_the_same_choice_and_its_true_age(ann, server, clock, privacy) -> None:
    await ann.preferences()
    server.then(503, headers={"Retry-After": "20"})
    privacy._transport._jitter = lambda: 0.0

    await ann.grant("channel:sms", shown="en")

    first, second = _sent(server)
    assert first["choices"] == second["choices"]
    assert first["choices"][0]["made_at"] == NOW
    assert first["sent_at"] == NOW
    assert second["sent_at"] == "2026-11-23T19:00:20.000000Z"


async def test_a_wall_clock_that_is_set_during_a_retry_does_not_age_a_choice(ann, server, clock, privacy) -> None:
    await ann.preferences()
    privacy._transport._jitter = lambda: 0.0
    server.then(503, headers={"Retry-After": "20"})
    clock.wall_was = clock.wall
    sleep = clock.sleep

    async def sleep_and_set_the_clock(seconds: float) -> None:
        await sleep(seconds)
        clock.wall -= 7200 * 1_000_000

    clock.sleep = sleep_and_set_the_clock
    await ann.withdraw("channel:sms")

    assert [body["sent_at"] for body in _sent(server)] == [NOW, "2026-11-23T19:00:20.000000Z"]


async def test_a_choice_made_earlier_keeps_its_time_and_claims_to_have_seen_nothing(ann, server) -> None:
    await ann.preferences()

    await ann.grant(
        "channel:sms",
        shown="en",
        made_at=datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=-5))),
        expires_after=timedelta(days=1),
    )

    (body,) = _sent(server)
    assert body["choices"][0]["made_at"] == "2026-11-22T17:00:00.000000Z"
    assert body["choices"][0]["expires_at"] == "2026-11-23T17:00:00.000000Z"
    assert "based_on" not in body["choices"][0]


@pytest.mark.parametrize(
    ("made_at", "written"),
    [
        (datetime(2026, 11, 22, 17, tzinfo=UTC), "2026-11-22T17:00:00.000000Z"),
        (datetime(2026, 11, 22, 17, 0, 0, 5, tzinfo=UTC), "2026-11-22T17:00:00.000005Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000Z"),
        (datetime(2026, 11, 22, 17, tzinfo=timezone(timedelta(0))), "2026-11-22T17:00:00.000000Z"),
        (datetime(2026, 11, 22, 17, tzinfo=timezone(timedelta(hours=5, minutes=30))), "2026-11-22T11:30:00.000000Z"),
    ],
)
async def test_a_time_given_in_any_zone_is_written_in_utc(ann, server, made_at: datetime, written: str) -> None:
    await ann.deny("channel:sms", made_at=made_at)

    (body,) = _sent(server)
    assert body["choices"][0]["made_at"] == written


async def test_a_first_grant_looks_before_it_says_what_it_has_seen(ann, server) -> None:
    server.version = 6

    await ann.grant("channel:sms", shown="en")

    assert server.paths == ["GET /v1/consumers/cust-42/preferences", "POST /v1/choices"]
    assert _sent(server)[0]["choices"][0]["based_on"] == 6


async def test_later_choices_have_seen_the_newest_version_of_any_answer(ann, server) -> None:
    await ann.deny("channel:sms")
    await ann.report_age(source="self", lower=18)
    await ann.grant("channel:sms", shown="en")
    await ann.grant("purpose:marketing", shown="en")

    assert [body["choices"][0].get("based_on") for body in _sent(server)] == [None, 2, 3]
    assert "GET /v1/consumers/cust-42/preferences" not in server.paths


async def test_a_grant_goes_without_when_it_cannot_look(ann, server, privacy) -> None:
    privacy._transport._jitter = lambda: 0.0
    for _ in range(4):  # at 0, 0.2, 0.6 s; then the second of a look is over
        server.then(503)
    server.script[3:] = []

    recorded = await ann.grant("channel:sms", shown="en")

    assert server.paths[:3] == ["GET /v1/consumers/cust-42/preferences"] * 3
    assert server.paths[3:] == ["POST /v1/choices"]
    assert "based_on" not in _sent(server)[0]["choices"][0]
    assert recorded.stands is True


async def test_withdraw_says_withdrawn_where_a_grant_stands(ann, server) -> None:
    await ann.grant("channel:sms", shown="en")

    await ann.withdraw("channel:sms")

    assert [body["choices"][0]["answer"] for body in _sent(server)] == ["granted", "withdrawn"]


async def test_withdraw_says_denied_where_no_grant_stands(ann, server) -> None:
    await ann.deny("channel:sms")

    await ann.withdraw("channel:sms")

    assert [body["choices"][0]["answer"] for body in _sent(server)] == ["denied", "denied"]


@pytest.mark.parametrize(("before", "written"), [("granted", "withdrawn"), ("withdrawn", "denied"), (None, "denied")])
async def test_withdraw_asks_when_this_process_knows_nothing(ann, server, before, written: str) -> None:
    if before:
        server.answers["channel:sms"] = before

    await ann.withdraw("channel:sms")

    assert server.paths == ["GET /v1/consumers/cust-42/preferences", "POST /v1/choices"]
    assert _sent(server)[0]["choices"][0]["answer"] == written


async def test_withdraw_says_withdrawn_when_it_cannot_ask(ann, server, privacy) -> None:
    server.then_problem(500, "internal")
    server.then_problem(500, "internal")
    server.then_problem(500, "internal")
    privacy._transport._jitter = lambda: 0.0

    await ann.withdraw("channel:sms")

    assert _sent(server)[0]["choices"][0]["answer"] == "withdrawn"


async def test_what_stood_is_forgotten_when_somebody_else_recorded_in_between(ann, server) -> None:
    await ann.grant("channel:sms", shown="en")
    server.version += 5
    server.answers["channel:sms"] = "denied"
    await ann.deny("purpose:marketing")

    await ann.withdraw("channel:sms")

    assert server.paths[-2:] == ["GET /v1/consumers/cust-42/preferences", "POST /v1/choices"]
    assert _sent(server)[-1]["choices"][0]["answer"] == "denied"


async def test_withdraw_all_refuses_every_topic(ann, server) -> None:
    await ann.withdraw_all(method="email")

    choice = _sent(server)[0]["choices"][0]
    assert (choice["topic"], choice["answer"], choice["method"]) == ("*", "withdrawn", "email")


async def test_opting_out_of_one_flow_is_a_refusal_of_its_topic(ann, server) -> None:
    recorded = await ann.opt_out("vinsolutions", flow="share")

    choice = _sent(server)[0]["choices"][0]
    assert (choice["topic"], choice["answer"]) == ("partner:vinsolutions:share", "denied")
    assert recorded.topic == "partner:vinsolutions:share"


CATALOGUE = {
    "revision": 1,
    "brand": "dealer",
    "languages": ["en"],
    "topics": [
        {"key": "partner:vinsolutions:share"},
        {"key": "partner:vinsolutions:receive"},
        {"key": "partner:vinsolutions:combine", "retired": True},
        {"key": "partner:vinsolutionsplus:share"},
    ],
    "partners": [{"key": "vinsolutions"}, {"key": "vinsolutionsplus"}],
}


async def test_opting_out_of_a_partner_refuses_every_flow_it_has_in_one_request(ann, server) -> None:
    await ann.deny("channel:sms")
    await ann.preferences()
    server.then(200, CATALOGUE)
    server.then(200, server.snapshot("cust-42"))

    recorded = await ann.opt_out("vinsolutions")

    assert [one.topic for one in recorded] == ["partner:vinsolutions:share", "partner:vinsolutions:receive"]
    assert [one["answer"] for one in _sent(server)[-1]["choices"]] == ["denied", "denied"]


async def test_an_unknown_partner_is_named_with_the_nearest(ann, server) -> None:
    server.then(200, CATALOGUE)

    with pytest.raises(sayso.InvalidError, match="did you mean vinsolutions") as caught:
        await ann.opt_out("vinsolution")

    assert caught.value.code == "unknown_topic"


async def test_opting_in_is_a_grant_of_its_topic(ann, server) -> None:
    await ann.opt_in("vinsolutions", flow=sayso.Flow.RECEIVE, shown="es", overrides=("gpc",))

    choice = _sent(server)[0]["choices"][0]
    assert (choice["topic"], choice["answer"]) == ("partner:vinsolutions:receive", "granted")
    assert (choice["notice"], choice["overrides"]) == ({"language": "es"}, ["gpc"])


@pytest.mark.parametrize(
    ("wrong", "code", "pointer"),
    [
        ({"made_at": datetime(2026, 11, 23)}, "naive_time", "/made_at"),  # noqa: DTZ001
        ({"expires_at": datetime(2026, 11, 23)}, "naive_time", "/expires_at"),  # noqa: DTZ001
        (
            {"expires_at": datetime(2027, 1, 1, tzinfo=UTC), "expires_after": timedelta(days=1)},
            "invalid_value",
            "/expires_at",
        ),
        (
            {"shown": sayso.Notice(language="en", version=1), "notice_version": 2},
            "invalid_value",
            "/notice/version",
        ),
    ],
)
async def test_what_can_be_told_without_the_server_is(ann, server, wrong, code: str, pointer: str) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        await ann.grant("channel:sms", **{"shown": "en", **wrong})

    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert _sent(server) == []


async def test_a_grant_without_a_notice_is_not_even_a_call(ann) -> None:
    with pytest.raises(TypeError, match="shown"):
        await ann.grant("channel:sms")


def test_a_handle_has_no_room_for_a_misspelt_member(ann) -> None:
    with pytest.raises(AttributeError):
        ann.langauge = "en"


@pytest.mark.parametrize(
    "consumer_id", ["", "ann@dealer.example", "+49 171 1234567", "anon_short", "a/b", "a" * 129, None]
)
def test_an_id_that_will_not_do_is_refused_where_it_is_given(privacy, consumer_id) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        privacy.consumer(consumer_id)

    assert caught.value.pointer == "/consumer_id"
    assert not consumer_id or consumer_id not in str(caught.value)


async def test_many_choices_go_500_to_a_request(privacy, server) -> None:
    choices = [sayso.Choice(f"cust-{n}", "channel:sms", "denied", method="import") for n in range(1001)]

    recorded = await privacy.record_many(iter(choices))

    assert [len(body["choices"]) for body in _sent(server)] == [500, 500, 1]
    assert [one.choice_id for one in recorded] == [choice.id for choice in choices]


async def test_no_choices_are_no_request(privacy, server) -> None:
    assert await privacy.record_many([]) == []
    assert server.asked == []


async def test_the_same_choices_sent_again_are_the_same_to_the_byte(privacy, server) -> None:
    choice = sayso.Choice("cust-42", "channel:sms", "granted", shown="en")
    server.then_problem(422, "unknown_topic")
    with pytest.raises(sayso.InvalidError):
        await privacy.record_many([choice])
    await privacy.record_many([sayso.Choice("cust-42", "channel:sms", "denied")])

    await privacy.record_many([choice])

    first, _, again = (body["choices"][0] for body in _sent(server))
    assert first == again


async def test_a_bulk_choice_made_now_says_what_this_process_has_seen(privacy, server) -> None:
    await privacy.record_many([sayso.Choice("cust-42", "channel:sms", "denied")])
    await privacy.record_many([sayso.Choice("cust-42", "channel:sms", "granted", shown="en")])
    await privacy.record_many([sayso.Choice("cust-42", "channel:sms", "denied", based_on=1)])

    assert [body["choices"][0].get("based_on") for body in _sent(server)] == [None, 1, 1]
