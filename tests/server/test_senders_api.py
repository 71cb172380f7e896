"""STOP and START on the wire: per sender, in the answers, the history and the past."""

from copy import deepcopy
from datetime import timedelta

import pytest
from tests.server.conftest import CATALOGUE

SHOP, OTHER = "+1 555-010-0001", "+15550100002"
EVERYTHING_SEEN = 2**53 - 1


@pytest.fixture
async def texting(dealer):
    """A brand with two numbers and one of the platform's, whose consumer takes texts."""
    catalogue = deepcopy(CATALOGUE)
    catalogue["topics"]["channel:sms"]["senders"] = {
        SHOP: {"title": {"en": "Shop", "es": "Tienda"}},
        OTHER: {"title": {"en": "Service", "es": "Taller"}},
        "900900": {"controller": "platform", "title": {"en": "Chat", "es": "Chat"}},
    }
    assert (await dealer.publish(catalogue)).status == 201
    await dealer.say("channel:sms", "granted")
    return dealer


def stop(sender=SHOP, **detail):
    return {"method": "sms", "based_on": EVERYTHING_SEEN, "detail": {"sender": sender} | detail}


async def start(brand, sender=SHOP):
    version = (await brand.preferences())["version"]
    members = {"method": "sms", "notice": None, "based_on": version, "detail": {"sender": sender}}
    return await brand.say("channel:sms", "granted", **members)


async def asked(brand, sender=None):
    members = {} if sender is None else {"sender": sender}
    return (await brand.decide("channel:sms", **members))["reason"]


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_a_stop_silences_its_sender_and_a_start_brings_it_back(texting):
    stopped = await texting.say("channel:sms", "withdrawn", **stop())
    assert (stopped["stands"], stopped["allowed"], stopped["reason"]) == (True, False, "withdrawn")
    assert await asked(texting, "15550100001") == "withdrawn"
    assert await asked(texting, OTHER) == "granted"
    assert await asked(texting) == "withdrawn"
    started = await start(texting)
    assert (started["stands"], started["allowed"], started["reason"]) == (True, True, "granted")
    assert await asked(texting, SHOP) == "granted"
    assert await asked(texting) == "granted"


async def test_preferences_answer_for_each_sender(texting):
    assert "by_sender" not in (await texting.preferences())["topics"]["channel:sms"]
    stopped = await texting.say("channel:sms", "withdrawn", **stop())
    entry = (await texting.preferences())["topics"]["channel:sms"]
    assert (entry["allowed"], entry["reason"]) == (False, "withdrawn")
    by_sender = {sender: one["reason"] for sender, one in entry["by_sender"].items()}
    assert by_sender == {"15550100001": "withdrawn", "15550100002": "granted", "900900": "granted"}
    assert entry["by_sender"]["15550100001"]["choice_id"] == stopped["choice_id"]


async def test_a_start_grants_nothing_that_was_not_granted(texting):
    await texting.say("channel:sms", "withdrawn")
    await texting.say("channel:sms", "withdrawn", **stop())
    started = await start(texting)
    assert (started["allowed"], started["reason"]) == (False, "withdrawn")
    assert await texting.reason("purpose:marketing") == "not_asked"


async def test_a_stop_of_the_brands_leaves_the_platforms_texts_alone(texting):
    await texting.say("channel:sms", "withdrawn", method="sms", detail={"controller": "brand"})
    assert await asked(texting, SHOP) == "withdrawn"
    assert await asked(texting, OTHER) == "withdrawn"
    assert await asked(texting, "900900") == "granted"


async def test_only_a_text_lifts_a_stop_without_a_notice(texting, make_choice):
    grant = make_choice("channel:sms", "granted", notice=None, detail={"sender": SHOP})
    for method in ("chat", "email", "api"):
        refused = await texting.post(grant | {"method": method})
        assert refused.problems == [("/choices/0/notice", "notice_required")]
    whole = make_choice("channel:sms", "granted", notice=None, method="sms")
    assert (await texting.post(whole)).problems == [("/choices/0/notice", "notice_required")]


async def test_a_consumers_own_page_cannot_speak_for_their_phone(texting, make_choice):
    grant = make_choice("channel:sms", "granted", notice=None, method="sms", detail={"sender": SHOP})
    refused = await texting.page("POST", "/v1/me/choices", json={"choices": [grant]})
    assert ("/choices/0/method", "actor_not_yours") in refused.problems


async def test_a_controller_belongs_to_channels_only(texting, make_choice):
    refused = await texting.post(make_choice("purpose:marketing", "denied", detail={"controller": "brand"}))
    assert refused.problems == [("/choices/0/detail/controller", "invalid_value")]


async def test_the_past_knows_which_sender_was_stopped_when(texting):
    before = texting.world.clock.text()
    texting.world.clock.forward(timedelta(minutes=5))
    await texting.say("channel:sms", "withdrawn", **stop())
    between = texting.world.clock.text()
    texting.world.clock.forward(timedelta(minutes=5))
    await start(texting)
    reasons = [
        (await texting.decide("channel:sms", sender=SHOP, as_of=moment))["reason"] for moment in (before, between)
    ]
    assert reasons == ["granted", "withdrawn"]
    assert (await texting.decide("channel:sms", sender=OTHER, as_of=between))["reason"] == "granted"


async def test_a_visitors_stop_comes_along_when_they_sign_in(texting):
    visitor = "anon_" + "v" * 22
    await texting.say("channel:sms", "withdrawn", consumer=visitor, **stop())
    linked = await texting.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})
    assert linked.status == 201
    assert await asked(texting, SHOP) == "withdrawn"
    assert await asked(texting, OTHER) == "granted"


async def test_more_senders_than_are_kept_apart_are_all_refused(texting, make_choice):
    refusals = [make_choice("channel:sms", "withdrawn", **stop(f"sender-{number}")) for number in range(65)]
    assert (await texting.post(*refusals)).status == 201
    assert await asked(texting, "900900") == "withdrawn"
    assert (await texting.decide("channel:sms", sender="900900"))["choice_id"] == refusals[-1]["id"]
    at = texting.world.clock.text()
    assert (await texting.decide("channel:sms", sender="900900", as_of=at))["reason"] == "withdrawn"
    one_more = make_choice("channel:sms", "granted", notice=None, method="sms", detail={"sender": "sender-65"})
    assert (await texting.post(one_more)).problems == [("/choices/0/detail/sender", "too_many")]
