"""Global Privacy Control is honoured wherever it is seen."""

from copy import deepcopy

import pytest
from tests.server.conftest import CATALOGUE

GPC = {"Sec-GPC": "1"}


async def test_the_server_says_that_it_honours_the_signal(world):
    answer = await world.call("GET", "/.well-known/gpc.json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json["gpc"] is True
    assert answer.json["lastUpdate"] == "2026-11-24"


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_the_first_request_with_the_header_is_answered_by_it(dealer):
    await dealer.say("partner:vinsolutions:share", "granted")
    assert await dealer.reason("partner:vinsolutions:share") == "granted"
    own = await dealer.page("GET", "/v1/me/preferences", headers=GPC)
    assert own.json["topics"]["partner:vinsolutions:share"]["reason"] == "signal"
    assert own.json["signals"]["gpc"]["honoured"] is True
    assert own.json["signals"]["gpc"]["devices"][""]["source"] == "header"
    assert await dealer.reason("partner:vinsolutions:share") == "signal"


async def test_seeing_it_again_changes_nothing(dealer):
    first = await dealer.page("GET", "/v1/me/preferences", headers=GPC)
    again = await dealer.page("GET", "/v1/me/preferences", headers=GPC)
    assert first.json["version"] == again.json["version"] == 1


@pytest.mark.parametrize("value", ["0", "true", "", "1;x"])
async def test_any_other_value_is_as_if_absent(dealer, value):
    own = await dealer.page("GET", "/v1/me/preferences", headers={"Sec-GPC": value})
    assert (own.json["version"], own.json["signals"]) == (0, {})


async def test_a_later_request_without_it_withdraws_nothing(dealer):
    await dealer.page("GET", "/v1/me/preferences", headers=GPC)
    assert (await dealer.page("GET", "/v1/me/preferences")).json["signals"]["gpc"]["on"] is True


async def test_a_backends_own_headers_say_nothing_about_a_consumer(dealer):
    answer = await dealer.call("GET", "/v1/consumers/cust-42/preferences", headers=GPC)
    assert answer.json["signals"] == {}


async def test_dnt_is_kept_and_honoured_if_the_brand_says_so(dealer):
    await dealer.say("partner:vinsolutions:share", "granted")
    own = await dealer.page("GET", "/v1/me/preferences", headers={"DNT": "1"})
    assert own.json["signals"]["dnt"]["honoured"] is False
    assert own.json["topics"]["partner:vinsolutions:share"]["reason"] == "granted"
    catalogue = deepcopy(CATALOGUE) | {"dnt": "honour"}
    assert (await dealer.publish(catalogue)).status == 201
    preferences = await dealer.preferences()
    assert preferences["signals"]["dnt"]["honoured"] is True
    assert preferences["topics"]["partner:vinsolutions:share"]["reason"] == "signal"


async def test_a_visitors_signal_comes_along_when_they_sign_in(dealer):
    visitor = "anon_" + "v" * 22
    await dealer.page("GET", "/v1/me/preferences", sub=visitor, headers=GPC)
    await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})
    assert (await dealer.preferences())["signals"]["gpc"]["honoured"] is True


async def test_a_consumers_own_later_yes_to_one_topic_outlives_the_signal(dealer, make_choice):
    share = "partner:vinsolutions:share"
    seen = await dealer.page("GET", "/v1/me/preferences", headers=GPC)
    grant = make_choice(share, "granted", overrides=["gpc"], based_on=seen.json["version"])
    answer = await dealer.page("POST", "/v1/me/choices", json={"choices": [grant]}, headers=GPC)
    assert answer.json["recorded"][0]["reason"] == "granted"
    own = await dealer.page("GET", "/v1/me/preferences", headers=GPC)
    assert own.json["topics"][share]["reason"] == "granted"
    assert own.json["topics"]["purpose:ads"]["reason"] == "signal", "what was not named stays covered"


async def test_a_header_after_the_override_does_not_take_it_back(dealer, make_choice):
    share = "partner:vinsolutions:share"
    signal = {"name": "gpc", "source": "navigator", "device_id": "browser-1"}
    await dealer.page("POST", "/v1/me/signals", json=signal)
    grant = make_choice(share, "granted", overrides=["gpc"])
    await dealer.page("POST", "/v1/me/choices", json={"choices": [grant]}, headers=GPC)
    assert await dealer.reason(share) == "granted"


@pytest.mark.parametrize(
    "members",
    [
        {"actor": "brand"},
        {"method": "import"},
        {"method": "agent"},
        {"method": "phone"},
        {"method": "paper"},
    ],
)
async def test_nobody_else_overrides_a_signal_for_the_consumer(dealer, make_choice, members):
    grant = make_choice("partner:vinsolutions:share", "granted", overrides=["gpc"], **members)
    answer = await dealer.post(grant)
    assert answer.status == 422
    assert ("/choices/0/overrides", "actor_not_yours") in answer.problems


async def test_a_signal_is_overridden_for_one_topic_at_a_time(dealer, make_choice):
    grants = [
        make_choice(topic, "granted", overrides=["gpc"]) for topic in ("partner:vinsolutions:share", "purpose:ads")
    ]
    answer = await dealer.post(*grants)
    assert answer.problems == [
        ("/choices/0/overrides", "invalid_value"),
        ("/choices/1/overrides", "invalid_value"),
    ]
    apart = [grant | {"made_at": f"2026-11-23T18:59:{10 * place:02}Z"} for place, grant in enumerate(grants)]
    assert (await dealer.post(*apart, sent_at="2026-11-23T19:00:00Z")).status == 201
    grants = [grant | {"id": make_choice("purpose:ads", "denied")["id"]} for grant in grants]
    assert (await dealer.post(grants[0])).status == 201
    assert (await dealer.post(grants[1], make_choice("purpose:marketing", "granted"))).status == 201
