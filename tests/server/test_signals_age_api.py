"""POST …/signals and PUT …/age: what speaks for the consumer, and how old they are."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sayso.model.ids import new_anonymous_id

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
SIGNALS = "/v1/consumers/cust-42/signals"
AGE = "/v1/consumers/cust-42/age"


async def signal(dealer: Brand, **members: Any) -> Answered:
    return await dealer.call("POST", SIGNALS, json={"name": "gpc"} | members)


async def age(dealer: Brand, **members: Any) -> Answered:
    return await dealer.call("PUT", AGE, json={"source": "brand"} | members)


# --- GPC and DNT --------------------------------------------------------------------------------------------


@BOTH
async def test_gpc_covers_everything_that_sells_or_shares_and_nothing_else(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")

    answer = await signal(dealer, source="header", device_id="pixel-8")

    assert (answer.status, answer.json) == (
        200,
        {
            "version": 2,
            "signals": {
                "gpc": {
                    "on": True,
                    "devices": {"pixel-8": {"first_seen": "2026-11-23T19:00:00.000000Z", "source": "header"}},
                }
            },
            "replayed": False,
        },
    )
    snapshot = await dealer.preferences()
    assert snapshot["signals"] == {"gpc": answer.json["signals"]["gpc"] | {"honoured": True}}
    by_signal = [key for key, topic in snapshot["topics"].items() if topic["reason"] == "signal"]
    assert by_signal == ["purpose:ads", "partner:vinsolutions:share"]


@BOTH
async def test_each_device_counts_from_its_first_sight(dealer: Brand) -> None:
    await signal(dealer, device_id="pixel-8")
    dealer.world.clock.forward(timedelta(hours=1))

    async with dealer.world.nothing_stored():
        again = await signal(dealer, device_id="pixel-8", source="navigator")
    other = await signal(dealer, device_id="laptop", source="navigator")

    assert (again.json["version"], again.json["replayed"]) == (1, True)
    assert (other.json["version"], other.json["replayed"]) == (2, False)
    assert other.json["signals"]["gpc"]["devices"] == {
        "pixel-8": {"first_seen": "2026-11-23T19:00:00.000000Z", "source": "header"},
        "laptop": {"first_seen": "2026-11-23T20:00:00.000000Z", "source": "navigator"},
    }


async def test_an_older_grant_gives_way_to_a_signal(dealer: Brand) -> None:
    await dealer.say("partner:vinsolutions:share", "granted", overrides=["gpc"])
    dealer.world.clock.forward(timedelta(minutes=1))

    await signal(dealer)

    assert await dealer.reason("partner:vinsolutions:share") == "signal"


async def test_only_a_later_grant_that_names_the_signal_overrides_it(dealer: Brand) -> None:
    await signal(dealer, device_id="pixel-8")
    dealer.world.clock.forward(timedelta(minutes=1))

    plain = await dealer.say("partner:vinsolutions:share", "granted", based_on=1)
    other = await dealer.say("partner:vinsolutions:share", "granted", based_on=2, overrides=["dnt"])
    knowing = await dealer.say("partner:vinsolutions:share", "granted", based_on=3, overrides=["gpc"])

    assert [entry["reason"] for entry in (plain, other, knowing)] == ["signal", "signal", "granted"]


async def test_a_signal_of_another_device_after_the_override_counts_again(dealer: Brand) -> None:
    await signal(dealer, device_id="pixel-8")
    await dealer.say("partner:vinsolutions:share", "granted", based_on=1, overrides=["gpc"])
    dealer.world.clock.forward(timedelta(minutes=1))

    await signal(dealer, device_id="pixel-8")
    assert await dealer.reason("partner:vinsolutions:share") == "granted"

    await signal(dealer, device_id="laptop")
    assert await dealer.reason("partner:vinsolutions:share") == "signal"


async def test_the_brand_cannot_override_a_signal_for_the_consumer(dealer: Brand, make_choice: Any) -> None:
    await signal(dealer)

    file = {"kind": "crm", "wording": "May we?", "date": "2025-01-01", "source": "crm"}
    own = {"actor": "brand", "method": "api", "evidence": file}
    answer = await dealer.post(make_choice("purpose:ads", "granted", based_on=1, overrides=["gpc"], **own))

    assert (answer.status, answer.problems) == (422, [("/choices/0/overrides", "actor_not_yours")])
    assert await dealer.reason("purpose:ads") == "signal"


@pytest.mark.parametrize(("policy", "reason"), [("record", "default"), ("honour", "signal")])
async def test_dnt_counts_like_gpc_only_where_the_catalogue_says_so(
    dealer: Brand, catalogue: dict[str, Any], policy: str, reason: str
) -> None:
    assert (await dealer.publish(catalogue | {"dnt": policy})).status in (200, 201)

    answer = await signal(dealer, name="dnt")

    assert list(answer.json["signals"]) == ["dnt"]
    assert await dealer.reason("purpose:ads") == reason


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/name", "missing_member"),
        ({"name": "stop"}, "/name", "invalid_value"),
        ({"name": "gpc", "on": False}, "/on", "unknown_member"),
        ({"name": "gpc", "source": "rumour"}, "/source", "invalid_value"),
        ({"name": "gpc", "device_id": "490154203237518"}, "/device_id", "personal_id"),
        ({"name": "gpc", "observed_at": "2026-11-23T19:00:00"}, "/observed_at", "naive_time"),
        ({"name": "gpc", "observed_at": "2026-11-23T19:05:01Z"}, "/observed_at", "from_the_future"),
    ],
)
async def test_a_signal_with_a_wrong_member_is_refused(dealer: Brand, body: Any, pointer: str, code: str) -> None:
    async with dealer.world.nothing_stored():
        answer = await dealer.call("POST", SIGNALS, json=body)

    assert (answer.status, answer.problems) == (422, [(pointer, code)])


def devices_of(answer: Answered, name: str = "gpc") -> list[str]:
    return list(answer.json["signals"][name]["devices"])


@BOTH
async def test_beyond_50_devices_a_signal_is_recorded_without_one_and_still_covers_all(dealer: Brand) -> None:
    for number in range(50):
        await signal(dealer, device_id=f"phone-{number}")

    beyond = await signal(dealer, device_id="phone-50")
    async with dealer.world.nothing_stored():
        again = await signal(dealer, device_id="phone-51")

    assert (beyond.json["version"], devices_of(beyond)) == (51, [*(f"phone-{number}" for number in range(50)), ""])
    assert (again.json["version"], again.json["replayed"]) == (51, True)
    assert devices_of(await signal(dealer, name="dnt", device_id="phone-0"), "dnt") == [""]


@BOTH
async def test_beyond_50_devices_a_signal_after_the_override_counts_again(dealer: Brand) -> None:
    for number in range(51):
        await signal(dealer, device_id=f"phone-{number}")
    await dealer.say("partner:vinsolutions:share", "granted", based_on=51, overrides=["gpc"])
    assert await dealer.reason("partner:vinsolutions:share") == "granted"
    dealer.world.clock.forward(timedelta(minutes=1))

    late = await signal(dealer, device_id="phone-51")

    assert await dealer.reason("partner:vinsolutions:share") == "signal"
    assert (late.json["replayed"], len(devices_of(late))) == (False, 51)
    assert await dealer.reason("partner:vinsolutions:share", query="?as_of=2026-11-23T19:01:00Z") == "signal"
    assert await dealer.reason("partner:vinsolutions:share", query="?as_of=2026-11-23T19:00:59Z") == "granted"


async def test_signals_that_a_link_brings_stay_within_the_cap(dealer: Brand) -> None:
    visitor = new_anonymous_id()
    for number in range(50):
        await signal(dealer, device_id=f"phone-{number}")
    await dealer.say("partner:vinsolutions:share", "granted", based_on=50, overrides=["gpc"])
    for number in range(3):
        sent = {"name": "gpc", "device_id": f"laptop-{number}"}
        await dealer.call("POST", f"/v1/consumers/{visitor}/signals", json=sent)

    await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})

    snapshot = await dealer.preferences()
    assert list(snapshot["signals"]["gpc"]["devices"]) == [*(f"phone-{number}" for number in range(50)), ""]
    assert snapshot["topics"]["partner:vinsolutions:share"]["reason"] == "signal"


# --- age ----------------------------------------------------------------------------------------------------


@BOTH
async def test_evidence_of_a_minor_refuses_what_a_consumer_could_grant(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")

    answer = await age(dealer, source="os_signal", lower=13, upper=15, method="declared")

    assert (answer.status, answer.json) == (
        200,
        {
            "version": 2,
            "age": {
                "os_signal": {
                    "lower": 13,
                    "upper": 15,
                    "method": "declared",
                    "observed_at": "2026-11-23T19:00:00.000000Z",
                }
            },
        },
    )
    topics = (await dealer.preferences())["topics"]
    assert (topics["channel:sms"]["reason"], topics["purpose:analytics"]["reason"]) == ("minor", "minor")
    assert topics["purpose:service"]["reason"] == "required"
    assert topics["channel:sms"]["valid_until"] == "2031-11-23T19:00:00.000000Z"


async def test_a_minors_own_grant_does_not_count_and_nobody_can_pose_as_the_guardian(
    dealer: Brand, make_choice: Any
) -> None:
    await dealer.say("channel:sms", "granted")
    await age(dealer, upper=15)

    own = await dealer.decide("channel:sms")
    async with dealer.world.nothing_stored():
        posing = await dealer.post(make_choice("channel:sms", "granted", actor="guardian"))

    assert (own["allowed"], own["reason"]) == (False, "minor")
    assert (posing.status, posing.problems) == (422, [("/choices/0/actor", "actor_not_yours")])


async def test_a_band_grows_up(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")
    await age(dealer, lower=16, upper=17)
    assert await dealer.reason("channel:sms") == "minor"

    dealer.world.clock.forward(timedelta(days=2 * 365 + 1))

    assert await dealer.reason("channel:sms") == "granted"


@BOTH
async def test_the_newest_evidence_of_each_source_counts(dealer: Brand) -> None:
    await age(dealer, lower=16, upper=17)
    dealer.world.clock.forward(timedelta(days=1))
    await age(dealer, lower=18)
    late = await age(dealer, upper=12, observed_at="2026-11-23T20:00:00Z")

    assert late.json["age"] == {
        "brand": {"lower": 18, "upper": None, "method": None, "observed_at": "2026-11-24T19:00:00.000000Z"}
    }


@BOTH
async def test_retried_evidence_of_age_is_recorded_once(dealer: Brand) -> None:
    first = await age(dealer, lower=16, upper=17, method="passport", observed_at="2026-11-23T18:00:00Z")
    dealer.world.clock.forward(timedelta(minutes=1))

    async with dealer.world.nothing_stored():
        again = await age(dealer, lower=16, upper=17, method="passport", observed_at="2026-11-23T18:00:00Z")

    assert (again.status, again.json) == (200, first.json)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_of_two_bands_of_one_moment_and_source_the_lower_one_stays(dealer: Brand, order: tuple[int, int]) -> None:
    bands: tuple[dict[str, int], ...] = ({"lower": 18}, {"lower": 13, "upper": 15})
    for place in order:
        answer = await age(dealer, observed_at="2026-11-23T18:00:00Z", **bands[place])

    (piece,) = answer.json["age"].values()
    assert (piece["lower"], piece["upper"]) == (13, 15)
    assert await dealer.reason("purpose:analytics") == "minor"


async def test_a_minor_says_a_weaker_source_and_doubt_protects_the_child(dealer: Brand) -> None:
    await age(dealer, source="brand", lower=21)
    await age(dealer, source="self", upper=15)

    assert await dealer.reason("purpose:analytics") == "minor"

    await age(dealer, source="verified", lower=21)
    assert await dealer.reason("purpose:analytics") == "default"


@pytest.mark.parametrize(("unknown_age", "reason"), [("adult", "granted"), ("minor", "minor")])
async def test_somebody_of_unknown_age_is_what_the_catalogue_says(
    dealer: Brand, catalogue: dict[str, Any], unknown_age: str, reason: str
) -> None:
    await dealer.say("channel:sms", "granted")
    await dealer.publish(catalogue | {"unknown_age": unknown_age})

    assert await dealer.reason("channel:sms") == reason


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"lower": 18}, "/source", "missing_member"),
        ({"source": "neighbour", "lower": 18}, "/source", "invalid_value"),
        ({"source": "brand", "birth_date": "2010-01-01"}, "/birth_date", "unknown_member"),
        ({"source": "brand", "lower": True}, "/lower", "wrong_type"),
        ({"source": "brand", "lower": "18"}, "/lower", "wrong_type"),
        ({"source": "brand", "lower": 18.0}, "/lower", "wrong_type"),
        ({"source": "brand", "lower": -1}, "/lower", "invalid_value"),
        ({"source": "brand", "upper": 131}, "/upper", "invalid_value"),
        ({"source": "brand", "lower": 18, "upper": 17}, "", "invalid_value"),
        ({"source": "brand", "lower": 18, "observed_at": "2026-11-23T19:00:00"}, "/observed_at", "naive_time"),
        ({"source": "brand", "lower": 18, "observed_at": "2027-11-23T19:00:00Z"}, "/observed_at", "from_the_future"),
    ],
)
async def test_evidence_of_age_with_a_wrong_member_is_refused(
    dealer: Brand, body: Any, pointer: str, code: str
) -> None:
    async with dealer.world.nothing_stored():
        answer = await dealer.call("PUT", AGE, json=body)

    assert (answer.status, answer.problems) == (422, [(pointer, code)])
