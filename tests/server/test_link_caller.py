"""What a link that the server handed out may record without a token."""

from typing import Any

import pytest

from sayso.model.choice import Choice, ChoiceBatch
from sayso_server.app import SERVICES
from sayso_server.jsonio import dumps
from sayso_server.services.caller import Caller
from sayso_server.services.refusals import RefusedError


def said(answer: str, **members: Any) -> ChoiceBatch:
    choice = {"id": "0190aaaa-0000-7000-8000-000000000001", "consumer_id": "cust-42", "topic": "channel:sms"}
    whole = choice | {"answer": answer, "method": "email"} | members
    return ChoiceBatch(choices=(Choice.model_validate_json(dumps(whole)),))


def test_a_link_is_named_by_its_kind_only():
    assert Caller.by_link("dealer", "unsubscribe").stamp() == {"key": "link:unsubscribe", "class": "link"}


async def test_a_refusal_by_link_is_the_consumers_and_shows_the_link(world, dealer):
    recording = world.app[SERVICES].recording
    await recording.record(Caller.by_link("dealer", "unsubscribe"), said("withdrawn"))
    history = await dealer.call("GET", "/v1/consumers/cust-42/choices")
    choice = history.json["choices"][0]
    assert choice["actor"] == "consumer"
    assert choice["recorded_by"] == {"key": "link:unsubscribe", "class": "link"}


async def test_a_link_never_grants(world, dealer):
    recording = world.app[SERVICES].recording
    granted = said("granted", notice={"language": "en"})
    with pytest.raises(RefusedError) as refused:
        await recording.record(Caller.by_link("dealer", "unsubscribe"), granted)
    assert [(p.pointer, p.code) for p in refused.value.problems] == [("/choices/0/answer", "actor_not_yours")]


async def test_a_guardians_choice_comes_by_the_guardians_link_only(world, dealer):
    recording = world.app[SERVICES].recording
    granted = said("granted", notice={"language": "en"}, actor="guardian")
    await dealer.call("PUT", "/v1/consumers/cust-42/age", json={"source": "brand", "upper": 15})
    with pytest.raises(RefusedError):
        await recording.record(Caller.by_link("dealer", "preferences"), granted)
    answers = await recording.record(Caller.by_link("dealer", "guardian"), granted)
    assert answers[0]["stands"] is True
    history = await dealer.call("GET", "/v1/consumers/cust-42/choices")
    assert history.json["choices"][0]["actor"] == "guardian"
