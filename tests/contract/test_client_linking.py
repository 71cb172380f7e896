"""Visitors who turn out to be somebody, and the tokens that pages carry."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

import sayso

PAGE = "https://dealer.example"


async def ask(
    served: Any, method: str, path: str, token: str, *, origin: str | None = PAGE, body: Any = None
) -> tuple[int, Any, Any]:
    """Call as a page would; give status, headers and JSON."""
    headers = {"Authorization": f"Bearer {token}"} | ({"Origin": origin} if origin else {})
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, served.url + path, headers=headers, json=body) as answer,
    ):
        return answer.status, answer.headers, json.loads(await answer.read())


async def test_a_refusal_carries_over_and_a_grant_needs_the_visitor_s_live_token(privacy: sayso.Client) -> None:
    visitor = sayso.new_anonymous_id()
    before = privacy.consumer(visitor)
    await before.grant("purpose:marketing", shown="en", method="widget")
    await before.deny("purpose:ads", method="widget")
    linked = await privacy.consumer("cust-42").link(visitor)

    assert (linked.consumer_id, linked.replayed) == ("cust-42", False)
    assert [(one.topic, one.answer) for one in linked.carried] == [("purpose:ads", "denied")]
    assert [(one.topic, one.answer) for one in linked.left] == [("purpose:marketing", "granted")]
    preferences = await privacy.consumer("cust-42").preferences()
    assert preferences.answers == {"purpose:ads": "denied"}
    assert preferences.version == linked.version == 2


async def test_with_the_visitor_s_live_token_grants_carry_over_where_nothing_was_said(privacy: sayso.Client) -> None:
    visitor = sayso.new_anonymous_id()
    before, ann = privacy.consumer(visitor), privacy.consumer("cust-42")
    await before.grant("purpose:marketing", shown="en", method="widget")
    await before.grant("channel:sms", shown="en", method="widget")
    await before.report_signal("gpc", device="browser-1")
    await ann.deny("channel:sms")
    token = privacy.consumer_token(visitor, origins=[PAGE])
    linked = await ann.link(visitor, token)

    assert [(one.topic, one.answer) for one in linked.carried] == [("purpose:marketing", "granted")]
    assert [(one.topic, one.answer) for one in linked.left] == [("channel:sms", "granted")]
    preferences = await ann.preferences()
    assert preferences.answers == {"channel:sms": "denied", "purpose:marketing": "granted"}
    assert set(preferences.signals) == {"gpc"}
    assert await ann.allows("purpose:marketing") is True


@pytest.mark.parametrize("kind", ["expired", "another visitor's", "another brand's", "broken"])
async def test_a_token_that_is_not_the_visitor_s_carries_no_grant(
    privacy: sayso.Client, served: Any, kind: str
) -> None:
    visitor = sayso.new_anonymous_id()
    await privacy.consumer(visitor).grant("purpose:marketing", shown="en", method="widget")
    token = privacy.consumer_token(visitor, origins=[PAGE], ttl=timedelta(minutes=1))
    if kind == "expired":
        served.clock.forward(timedelta(minutes=2))
    elif kind == "another visitor's":
        token = privacy.consumer_token(sayso.new_anonymous_id(), origins=[PAGE])
    elif kind == "another brand's":
        token = served.client("shop").consumer_token(visitor, origins=["https://shop.example"])
    else:
        token = token[:-8]
    linked = await privacy.consumer("cust-42").link(visitor, token)

    assert (linked.carried, [one.topic for one in linked.left]) == ((), ["purpose:marketing"])
    assert await privacy.consumer("cust-42").allows("purpose:marketing") is False


async def test_linking_again_changes_nothing_and_linking_to_another_is_a_conflict(privacy: sayso.Client) -> None:
    visitor = sayso.new_anonymous_id()
    ann, ben = privacy.consumer("cust-42"), privacy.consumer("cust-43")
    await privacy.consumer(visitor).deny("purpose:ads", method="widget")
    first = await ann.link(visitor)
    again = await ann.link(visitor)

    assert (again.replayed, again.version, again.carried) == (True, first.version, first.carried)
    with pytest.raises(sayso.ConflictError) as caught:
        await ben.link(visitor)
    assert (caught.value.code, caught.value.pointer) == ("already_linked", "/anonymous_id")
    assert (await ben.preferences()).version == 0


async def test_only_a_visitor_can_be_linked(privacy: sayso.Client) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        await privacy.consumer("cust-42").link("cust-43")

    assert (caught.value.code, caught.value.pointer) == ("invalid_id", "/anonymous_id")


async def test_after_the_link_both_ids_speak_of_the_known_consumer(privacy: sayso.Client, served: Any) -> None:
    visitor = sayso.new_anonymous_id()
    before, ann = privacy.consumer(visitor), privacy.consumer("cust-42")
    for _ in range(5):
        await before.grant("purpose:ads", shown="en", method="widget")
    elsewhere = served.client().consumer(visitor)
    await elsewhere.preferences()
    linked = await ann.link(visitor)
    late = await before.withdraw("purpose:analytics")

    assert (linked.version, late.consumer_id, late.version) == (1, "cust-42", 2)
    assert (await before.preferences()).consumer_id == "cust-42"
    assert await before.allows("purpose:service") is True
    assert await elsewhere.allows("purpose:service") is True  # though it had seen more versions of the visitor
    assert (await elsewhere.preferences()).consumer_id == "cust-42"
    assert await ann.allows("purpose:analytics") is False
    with pytest.raises(sayso.InvalidError) as caught:
        await before.grant("purpose:analytics", shown="en")
    assert caught.value.code == "linked"


async def test_a_consumer_s_token_reaches_its_own_consumer_from_its_own_page(
    privacy: sayso.Client, served: Any
) -> None:
    ann = privacy.consumer("cust-42")
    await ann.grant("purpose:marketing", shown="en")
    token = privacy.consumer_token("cust-42", origins=[PAGE], ttl=timedelta(minutes=5))
    status, headers, seen = await ask(served, "GET", "/v1/me/preferences", token)

    assert (status, headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    assert (seen["consumer_id"], seen["topics"]["purpose:marketing"]["reason"]) == ("cust-42", "granted")
    choice = {
        "id": "019a0000-0000-7000-8000-000000000001",
        "consumer_id": "cust-42",
        "topic": "purpose:marketing",
        "answer": "withdrawn",
        "method": "widget",
        "based_on": 1,
    }
    status, _, answer = await ask(served, "POST", "/v1/me/choices", token, body={"choices": [choice]})
    assert (status, answer["recorded"][0]["stands"]) == (201, True)
    assert await ann.allows("purpose:marketing") is False
    newest = await anext(ann.history(limit=1))
    assert newest.method == "widget"
    assert newest.recorded_by == {"key": served.key_id(), "class": "consumer", "origin": PAGE}


@pytest.mark.parametrize(
    ("origin", "path", "code"),
    [
        ("https://other.example", "/v1/me/preferences", "origin"),
        (None, "/v1/me/preferences", "origin"),
        (PAGE, "/v1/consumers/cust-42/preferences", "token_class"),
    ],
)
async def test_a_consumer_s_token_works_nowhere_else(
    privacy: sayso.Client, served: Any, origin: str | None, path: str, code: str
) -> None:
    token = privacy.consumer_token("cust-42", origins=[PAGE])
    status, _, problem = await ask(served, "GET", path, token, origin=origin)

    assert (status, problem["code"]) == (403, code)


async def test_a_consumer_s_token_ends_in_time_and_with_the_link(privacy: sayso.Client, served: Any) -> None:
    visitor = sayso.new_anonymous_id()
    short = privacy.consumer_token("cust-42", origins=[PAGE], ttl=timedelta(seconds=30))
    visiting = privacy.consumer_token(visitor, origins=[PAGE])
    served.clock.forward(timedelta(seconds=31))
    await privacy.consumer("cust-42").link(visitor, visiting)

    for token, code in ((short, "token_expired"), (visiting, "linked")):
        status, _, problem = await ask(served, "GET", "/v1/me/preferences", token)
        assert (status, problem["code"]) == (401, code)


async def test_a_page_that_is_none_gets_no_token(privacy: sayso.Client) -> None:
    for origins in ([], [f"{PAGE}/chat"], ["http://dealer.example"]):
        with pytest.raises(sayso.InvalidError) as caught:
            privacy.consumer_token("cust-42", origins=origins)
        assert caught.value.code == "invalid_value"
    with pytest.raises(sayso.InvalidError):
        privacy.consumer_token("cust-42", origins=[PAGE], ttl=timedelta(minutes=16))


async def test_linking_at_the_same_time_in_two_processes_carries_over_once(served: Any) -> None:
    visitor = sayso.new_anonymous_id()
    here, there = served.client(), served.client()
    await here.consumer(visitor).deny("purpose:ads", method="widget")
    both = await asyncio.gather(here.consumer("cust-42").link(visitor), there.consumer("cust-42").link(visitor))

    assert sorted(one.replayed for one in both) == [False, True]
    assert [choice.topic async for choice in here.consumer("cust-42").history()] == ["purpose:ads"]
