"""POST …/links: an anonymous visitor signs in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.server.conftest import CATALOGUE

from sayso.model.ids import new_anonymous_id

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand

ANON = "anon_" + "a" * 22
BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])


@pytest.fixture
def visitor() -> str:
    """An id for somebody who has not signed in yet."""
    return new_anonymous_id()


async def link(dealer: Brand, visitor: str, known: str = "cust-42", **members: Any) -> Answered:
    return await dealer.call("POST", f"/v1/consumers/{known}/links", json={"anonymous_id": visitor} | members)


@BOTH
async def test_refusals_carry_over_and_grants_need_the_visitors_own_token(dealer: Brand, visitor: str) -> None:
    await dealer.say("purpose:marketing", "granted", consumer=visitor)
    refusal = await dealer.say("channel:sms", "denied", consumer=visitor)

    answer = await link(dealer, visitor)

    assert answer.status == 201
    assert answer.json == {
        "consumer_id": "cust-42",
        "version": 2,
        "carried": [{"topic": "channel:sms", "answer": "denied", "choice_id": refusal["choice_id"]}],
        "left": [{"topic": "purpose:marketing", "answer": "granted"}],
        "replayed": False,
    }
    topics = (await dealer.preferences())["topics"]
    assert (topics["channel:sms"]["reason"], topics["purpose:marketing"]["reason"]) == ("denied", "not_asked")


@BOTH
async def test_with_the_visitors_token_grants_carry_over_where_nothing_was_said(dealer: Brand, visitor: str) -> None:
    await dealer.say("purpose:marketing", "granted", consumer=visitor)
    await dealer.say("purpose:training", "granted", consumer=visitor)
    await dealer.say("purpose:training", "denied")

    answer = await link(dealer, visitor, anonymous_token=dealer.consumer(visitor))

    assert [entry["topic"] for entry in answer.json["carried"]] == ["purpose:marketing"]
    topics = (await dealer.preferences())["topics"]
    assert (topics["purpose:marketing"]["reason"], topics["purpose:training"]["reason"]) == ("granted", "denied")


@pytest.mark.parametrize("flaw", ["expired", "another visitor", "another brand", "backend", "nonsense"])
async def test_a_token_that_proves_nothing_carries_no_grant(
    dealer: Brand, shop: Brand, visitor: str, flaw: str
) -> None:
    await dealer.say("purpose:marketing", "granted", consumer=visitor)
    issued = int(dealer.world.clock.moment.timestamp()) - 900
    token = {
        "expired": dealer.consumer(visitor, iat=issued, exp=issued + 900),
        "another visitor": dealer.consumer(new_anonymous_id()),
        "another brand": shop.consumer(visitor),
        "backend": dealer.backend(),
        "nonsense": "nonsense",
    }[flaw]

    answer = await link(dealer, visitor, anonymous_token=token)

    assert (answer.status, answer.json["carried"]) == (201, [])
    assert await dealer.reason("purpose:marketing") == "not_asked"


async def test_a_carried_refusal_beats_the_known_sides_older_grant(dealer: Brand, visitor: str) -> None:
    for _ in range(12):
        await dealer.say("channel:sms", "granted", based_on=(await dealer.preferences())["version"])
    dealer.world.clock.forward(timedelta(days=1))
    await dealer.say("channel:sms", "denied", consumer=visitor)

    await link(dealer, visitor)

    assert await dealer.reason("channel:sms") == "denied"


@BOTH
async def test_history_shows_where_a_copy_came_from(dealer: Brand, visitor: str) -> None:
    sent = await dealer.say("channel:sms", "denied", consumer=visitor)
    await link(dealer, visitor)

    (copy,) = await dealer.history()

    assert (copy["consumer_id"], copy["linked_from"], copy["answer"]) == ("cust-42", visitor, "denied")
    assert copy["id"] != sent["choice_id"]
    assert copy["version"] == 2


@BOTH
async def test_signals_and_a_minors_age_carry_over(dealer: Brand, visitor: str) -> None:
    await dealer.call("POST", f"/v1/consumers/{visitor}/signals", json={"name": "gpc", "device_id": "laptop"})
    await dealer.call("PUT", f"/v1/consumers/{visitor}/age", json={"source": "self", "upper": 15})

    await link(dealer, visitor)

    snapshot = await dealer.preferences()
    assert list(snapshot["signals"]["gpc"]["devices"]) == ["laptop"]
    assert snapshot["age"]["self"]["upper"] == 15
    assert snapshot["topics"]["purpose:analytics"]["reason"] == "minor"


@BOTH
async def test_without_the_visitors_token_no_claim_to_be_of_age_carries_over(dealer: Brand, visitor: str) -> None:
    await dealer.say("purpose:marketing", "granted")
    await dealer.publish(CATALOGUE | {"unknown_age": "minor"})
    await dealer.page("PUT", "/v1/me/age", sub=visitor, json={"source": "self", "lower": 18, "upper": 130})

    await link(dealer, visitor)

    snapshot = await dealer.preferences()
    assert (snapshot["age"], snapshot["topics"]["purpose:marketing"]["reason"]) == ({}, "minor")


@BOTH
@pytest.mark.parametrize(("shown", "lower"), [(True, 13), (False, None)])
async def test_a_visitors_newer_word_that_they_are_a_minor_counts_against_an_older_one(
    dealer: Brand, visitor: str, shown: bool, lower: int | None
) -> None:
    await dealer.say("purpose:marketing", "granted")
    await dealer.call("PUT", "/v1/consumers/cust-42/age", json={"source": "self", "lower": 18})
    dealer.world.clock.forward(timedelta(days=2))
    await dealer.page("PUT", "/v1/me/age", sub=visitor, json={"source": "self", "lower": 13, "upper": 15})

    await link(dealer, visitor, **({"anonymous_token": dealer.consumer(visitor)} if shown else {}))

    snapshot = await dealer.preferences()
    assert (snapshot["age"]["self"]["lower"], snapshot["age"]["self"]["upper"]) == (lower, 15)
    assert snapshot["topics"]["purpose:marketing"]["reason"] == "minor"


@BOTH
async def test_a_visitors_override_lifts_no_signal_of_the_known_consumer(
    dealer: Brand, visitor: str, make_choice: Any
) -> None:
    share = "partner:vinsolutions:share"
    await dealer.call("POST", "/v1/consumers/cust-42/signals", json={"name": "gpc", "device_id": "laptop"})
    dealer.world.clock.forward(timedelta(minutes=1))
    await dealer.recorded(make_choice(share, "granted", visitor, method="widget", overrides=["gpc"]))
    assert await dealer.reason(share, visitor) == "granted"

    answer = await link(dealer, visitor, anonymous_token=dealer.consumer(visitor))

    assert [entry["topic"] for entry in answer.json["carried"]] == [share]
    assert await dealer.reason(share) == "signal"
    (copy,) = await dealer.history()
    assert "overrides" not in copy
    past = await dealer.call("GET", f"/v1/consumers/cust-42/preferences?as_of={dealer.world.clock.text()}")
    assert past.json["topics"][share]["reason"] == "signal"


@BOTH
async def test_linking_again_changes_nothing_and_answers_as_before(dealer: Brand, visitor: str) -> None:
    await dealer.say("channel:sms", "denied", consumer=visitor)
    first = await link(dealer, visitor)
    await dealer.say("purpose:marketing", "denied")

    async with dealer.world.nothing_stored():
        again = await link(dealer, visitor)

    assert (again.status, again.json) == (200, first.json | {"replayed": True})


@BOTH
async def test_a_visitor_becomes_one_consumer_and_never_another(dealer: Brand, visitor: str) -> None:
    await link(dealer, visitor, "ann")

    async with dealer.world.nothing_stored():
        answer = await link(dealer, visitor, "ben")

    assert (answer.status, answer.problems) == (409, [("/anonymous_id", "already_linked")])
    assert "ann" not in answer.body.decode()


async def test_of_two_links_at_once_one_wins(dealer: Brand, visitor: str) -> None:
    await dealer.say("channel:sms", "denied", consumer=visitor)

    answers = await asyncio.gather(link(dealer, visitor, "ann"), link(dealer, visitor, "ben"))

    assert sorted(answer.status for answer in answers) == [201, 409]
    assert sorted([await dealer.reason("channel:sms", "ann"), await dealer.reason("channel:sms", "ben")]) == [
        "denied",
        "not_asked",
    ]


async def test_one_consumer_may_have_been_several_visitors(dealer: Brand) -> None:
    for topic in ("channel:sms", "purpose:ads"):
        visitor = new_anonymous_id()
        await dealer.say(topic, "denied", consumer=visitor)
        assert (await link(dealer, visitor)).status == 201

    topics = (await dealer.preferences())["topics"]
    assert (topics["channel:sms"]["reason"], topics["purpose:ads"]["reason"]) == ("denied", "denied")


# --- from then on -------------------------------------------------------------------------------------------


async def test_the_visitors_tokens_are_closed(dealer: Brand, visitor: str, make_choice: Any) -> None:
    token = dealer.consumer(visitor)
    assert (await dealer.page("GET", "/v1/me/preferences", token=token)).status == 200
    await link(dealer, visitor)

    async with dealer.world.nothing_stored():
        reading = await dealer.page("GET", "/v1/me/preferences", token=token)
        body = {"choices": [make_choice("channel:sms", "denied", visitor)]}
        writing = await dealer.page("POST", "/v1/me/choices", token=dealer.consumer(visitor), json=body)

    assert (reading.status, reading.code) == (401, "linked")
    assert (writing.status, writing.code) == (401, "linked")


@BOTH
async def test_a_visitors_wait_does_not_end_in_the_known_consumers_preferences(dealer: Brand, visitor: str) -> None:
    await dealer.say("purpose:marketing", "granted")
    version = (await dealer.preferences(visitor))["version"]
    path = f"/v1/me/preferences?at_least={version + 1}"
    waiting = asyncio.create_task(dealer.page("GET", path, sub=visitor))
    await asyncio.sleep(0.1)

    await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})

    answer = await waiting
    assert (answer.status, answer.code) == (401, "linked")


@BOTH
async def test_a_visitors_body_that_arrives_after_the_link_never_reaches_the_known_consumer(
    dealer: Brand, visitor: str, make_choice: Any
) -> None:
    said = {"choices": [make_choice("channel:sms", "granted", visitor, method="widget")]}
    body, linked = json.dumps(said).encode(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield body[:10]
        await linked.wait()
        yield body[10:]

    headers = {"Authorization": f"Bearer {dealer.consumer(visitor)}", "Origin": dealer.origin}
    url = dealer.world.base + "/v1/me/choices"

    async def post() -> tuple[int, str]:
        fields = headers | {"Content-Type": "application/json"}
        async with dealer.world.session.post(url, data=slowly(), headers=fields) as answer:
            return answer.status, (await answer.json(content_type="application/problem+json"))["code"]

    posting = asyncio.create_task(post())
    await asyncio.sleep(0.1)  # the token has been let in by now, and the handler waits for the body
    await link(dealer, visitor)

    async with dealer.world.nothing_stored():
        linked.set()
        answered = await posting

    assert answered == (401, "linked")
    assert await dealer.history() == []


async def test_a_refusal_under_the_old_id_reaches_the_known_consumer(dealer: Brand, visitor: str) -> None:
    await dealer.say("channel:sms", "granted")
    await link(dealer, visitor)

    entry = await dealer.say("channel:sms", "withdrawn", consumer=visitor)

    assert (entry["consumer_id"], entry["stands"], entry["version"]) == ("cust-42", True, 3)
    assert await dealer.reason("channel:sms") == "withdrawn"
    newest = (await dealer.history())[0]
    assert (newest["consumer_id"], newest["linked_from"]) == ("cust-42", visitor)


async def test_what_a_refusal_under_the_old_id_claims_to_have_seen_says_nothing_here(
    dealer: Brand, visitor: str
) -> None:
    await dealer.say("channel:sms", "granted")
    await link(dealer, visitor)

    await dealer.say("channel:sms", "withdrawn", consumer=visitor, based_on=1)

    assert (await dealer.history())[0]["based_on"] == 0


@BOTH
async def test_a_new_grant_under_the_old_id_is_named_and_so_is_whatever_else_is_wrong(
    dealer: Brand, visitor: str, make_choice: Any
) -> None:
    await link(dealer, visitor)

    async with dealer.world.nothing_stored():
        answer = await dealer.post(
            make_choice("channel:sms", "denied"),
            make_choice("purpose:marketing", "granted", visitor),
            make_choice("channel:smss", "denied", "ben"),
            make_choice("channel:sms", "granted", "ann", based_on=9),
            make_choice("purpose:training", "granted", visitor, notice={"language": "en", "version": 1}),
        )

    assert (answer.status, answer.code) == (422, "linked")
    assert answer.problems == [
        ("/choices/1/consumer_id", "linked"),
        ("/choices/2/topic", "unknown_topic"),
        ("/choices/3/based_on", "based_on_ahead"),
        ("/choices/4/consumer_id", "linked"),
        ("/choices/4/notice/version", "notice_stale"),
    ]


@BOTH
async def test_a_grant_acknowledged_before_the_link_is_answered_as_at_first_though_it_was_not_carried_over(
    dealer: Brand, visitor: str, make_choice: Any
) -> None:
    sent = make_choice("purpose:marketing", "granted", visitor)
    (first,) = await dealer.recorded(sent)
    assert (await link(dealer, visitor)).json["carried"] == []

    async with dealer.world.nothing_stored():
        (again,) = await dealer.recorded(sent)

    assert again == first | {"replayed": True}
    assert await dealer.reason("purpose:marketing") == "not_asked"


@BOTH
async def test_a_repetition_under_the_old_id_excuses_no_new_grant_beside_it(
    dealer: Brand, visitor: str, make_choice: Any
) -> None:
    sent = make_choice("purpose:marketing", "granted", visitor)
    await dealer.recorded(sent)
    await link(dealer, visitor)

    async with dealer.world.nothing_stored():
        answer = await dealer.post(sent, make_choice("channel:sms", "granted", visitor))

    assert (answer.status, answer.problems) == (422, [("/choices/1/consumer_id", "linked")])


@BOTH
async def test_a_repetition_under_the_old_id_is_not_mistaken_for_the_known_sides_choice_of_the_same_id(
    dealer: Brand, visitor: str, make_choice: Any
) -> None:
    sent = make_choice("purpose:marketing", "granted", visitor)
    await dealer.recorded(sent)
    await dealer.recorded(make_choice("channel:sms", "denied", id=sent["id"]))
    await link(dealer, visitor)

    async with dealer.world.nothing_stored():
        (again,) = await dealer.recorded(sent)

    assert (again["consumer_id"], again["topic"], again["replayed"]) == (visitor, "purpose:marketing", True)


@BOTH
async def test_an_id_used_by_the_visitor_is_not_used_again_for_other_content(
    dealer: Brand, visitor: str, make_choice: Any
) -> None:
    sent = make_choice("purpose:marketing", "granted", visitor)
    await dealer.recorded(sent)
    await link(dealer, visitor)

    async with dealer.world.nothing_stored():
        answer = await dealer.post(make_choice("channel:sms", "denied", visitor, id=sent["id"]))

    assert (answer.status, answer.problems) == (422, [("/choices/0/id", "id_reused")])


async def test_reading_under_the_old_id_gives_the_known_consumer(dealer: Brand, visitor: str) -> None:
    await link(dealer, visitor)
    await dealer.say("channel:sms", "denied")

    by_alias = await dealer.preferences(visitor)

    assert by_alias == await dealer.preferences()
    assert await dealer.history(visitor) == await dealer.history()
    assert (await dealer.decide("channel:sms", visitor))["reason"] == "denied"
    dealer.world.clock.forward(timedelta(minutes=1))
    await dealer.say("channel:sms", "granted", based_on=2)
    assert await dealer.reason("channel:sms", visitor) == "granted"


@BOTH
async def test_reports_under_the_old_id_reach_the_known_consumer(dealer: Brand, visitor: str) -> None:
    await link(dealer, visitor)
    old = f"/v1/consumers/{visitor}"

    device = {"vocabulary": "web", "observed_at": dealer.world.clock.text(), "states": {"camera": "granted"}}
    assert (await dealer.call("PUT", f"{old}/devices/laptop", json=device)).status == 200
    assert (await dealer.call("POST", f"{old}/signals", json={"name": "gpc"})).status == 200
    assert (await dealer.call("PUT", f"{old}/age", json={"source": "brand", "lower": 21})).status == 200

    snapshot = await dealer.preferences()
    assert (list(snapshot["devices"]), list(snapshot["signals"]), list(snapshot["age"])) == (
        ["laptop"],
        ["gpc"],
        ["brand"],
    )


@BOTH
@pytest.mark.parametrize("answer", ["denied", "granted"])
async def test_a_choice_acknowledged_before_the_link_is_not_recorded_twice_after_it(
    dealer: Brand, visitor: str, make_choice: Any, answer: str
) -> None:
    sent = make_choice("channel:sms", answer, visitor)
    await dealer.recorded(sent)
    await link(dealer, visitor, anonymous_token=dealer.consumer(visitor))
    dealer.world.clock.forward(timedelta(minutes=1))
    await dealer.say("channel:sms", "granted", based_on=2)

    async with dealer.world.nothing_stored():
        (again,) = await dealer.recorded(sent)

    assert (again["choice_id"], again["consumer_id"], again["replayed"]) == (sent["id"], "cust-42", True)
    assert await dealer.reason("channel:sms") == "granted"


@BOTH
async def test_one_id_under_both_names_in_a_batch_is_twice_the_same(
    dealer: Brand, visitor: str, make_choice: Any
) -> None:
    await link(dealer, visitor)
    one = make_choice("channel:sms", "denied")

    async with dealer.world.nothing_stored():
        answer = await dealer.post(one, one | {"consumer_id": visitor})

    assert (answer.status, answer.problems) == (422, [("/choices/1/id", "duplicate_id")])


@pytest.mark.parametrize(
    ("known", "body", "pointer", "code"),
    [
        ("cust-42", {"anonymous_id": "ben"}, "/anonymous_id", "invalid_id"),
        ("cust-42", {"anonymous_id": "anon_ben"}, "/anonymous_id", "invalid_id"),
        ("cust-42", {"anonymous_id": "ann@mail.example"}, "/anonymous_id", "personal_id"),
        ("cust-42", {}, "/anonymous_id", "missing_member"),
        ("cust-42", {"anonymous_id": 7}, "/anonymous_id", "wrong_type"),
        ("cust-42", {"anonymous_id": ANON, "token": "x"}, "/token", "unknown_member"),
        ("cust-42", {"anonymous_id": ANON, "anonymous_token": "x" * 4097}, "/anonymous_token", "invalid_value"),
        ("anon_" + "b" * 22, {"anonymous_id": ANON}, "", "invalid_id"),
        (ANON, {"anonymous_id": ANON}, "", "invalid_id"),
    ],
)
async def test_a_link_with_a_wrong_member_is_refused(
    dealer: Brand, known: str, body: Any, pointer: str, code: str
) -> None:
    async with dealer.world.nothing_stored():
        answer = await dealer.call("POST", f"/v1/consumers/{known}/links", json=body)

    assert (answer.status, answer.code) == (422, code)
    assert answer.problems == [(pointer, code)]
