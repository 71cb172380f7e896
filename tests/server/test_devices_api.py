"""PUT …/devices/{device_id}: what a device says about its permissions, and how long that counts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Brand

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
FINE = "android.permission.ACCESS_FINE_LOCATION"
CAMERA = "android.permission.CAMERA"
DEVICE = "/v1/consumers/cust-42/devices/pixel-8"


async def location(dealer: Brand, device: str = "pixel-8") -> str:
    """Give why the location may be used on a device or not, for a consumer who granted it."""
    return str((await dealer.decide("permission:location", device_id=device))["reason"])


@BOTH
async def test_a_report_is_answered_in_normal_form(dealer: Brand) -> None:
    answer = await dealer.report({CAMERA: "granted", FINE: "denied"})

    assert answer.status == 200
    assert answer.json["version"] == 1
    assert answer.json["unknown"] == []
    assert {name: state["state"] for name, state in answer.json["states"].items()} == {
        "camera": "granted",
        "location": "denied",
    }


@BOTH
async def test_the_snapshot_shows_devices_and_what_they_mean_for_each_topic(dealer: Brand) -> None:
    await dealer.say("permission:location", "granted")
    await dealer.report({FINE: "granted"}, device="pixel-8")
    await dealer.report({FINE: "denied"}, device="tablet")

    snapshot = await dealer.preferences()

    assert snapshot["version"] == 3
    assert snapshot["devices"]["pixel-8"]["vocabulary"] == "android"
    assert snapshot["devices"]["pixel-8"]["reported_at"] == "2026-11-23T19:00:00.000000Z"
    assert snapshot["devices"]["pixel-8"]["states"]["location"]["state"] == "granted"
    entry = snapshot["topics"]["permission:location"]
    assert (entry["allowed"], entry["reason"]) == (False, "device_unknown")  # of no device in particular
    assert {name: (each["allowed"], each["reason"]) for name, each in entry["by_device"].items()} == {
        "pixel-8": (True, "granted"),
        "tablet": (False, "device_denied"),
    }
    assert snapshot["topics"]["purpose:nearby"]["by_device"]["pixel-8"]["reason"] == "default"
    assert "by_device" not in snapshot["topics"]["channel:sms"]
    assert snapshot["valid_until"] == "2026-11-24T19:00:00.000000Z"


async def test_a_device_grant_is_never_a_consent(dealer: Brand) -> None:
    await dealer.report({FINE: "granted"})

    assert await location(dealer) == "not_asked"


async def test_a_device_that_turns_it_off_leaves_the_consent_alone(dealer: Brand) -> None:
    await dealer.say("permission:location", "granted")
    await dealer.report({FINE: "denied"})
    assert await location(dealer) == "device_denied"
    dealer.world.clock.forward(timedelta(seconds=1))

    await dealer.report({FINE: "granted"})

    assert await location(dealer) == "granted"
    assert len(await dealer.history()) == 1


@BOTH
async def test_a_report_goes_stale_after_a_day(dealer: Brand) -> None:
    await dealer.say("permission:location", "granted")
    await dealer.report({FINE: "granted"})

    dealer.world.clock.forward(timedelta(hours=24) - timedelta(microseconds=1))
    assert await location(dealer) == "granted"

    dealer.world.clock.forward(timedelta(microseconds=1))
    assert await location(dealer) == "device_unknown"


async def test_a_grant_for_once_goes_stale_after_a_minute(dealer: Brand) -> None:
    await dealer.say("permission:location", "granted")
    answer = await dealer.report({FINE: {"result": "granted", "one_time": True}})
    assert answer.json["states"]["location"]["duration"] == "one_time"

    dealer.world.clock.forward(timedelta(seconds=59))
    assert await location(dealer) == "granted"

    dealer.world.clock.forward(timedelta(seconds=1))
    assert await location(dealer) == "device_unknown"


async def test_staleness_counts_from_when_the_device_looked(dealer: Brand) -> None:
    await dealer.say("permission:location", "granted")
    await dealer.report({FINE: "granted"}, observed_at=dealer.world.clock.text(timedelta(hours=23)))
    assert await location(dealer) == "granted"

    dealer.world.clock.forward(timedelta(hours=1))

    assert await location(dealer) == "device_unknown"


@pytest.mark.parametrize("ahead", [timedelta(minutes=4), timedelta(minutes=5)])
async def test_a_device_whose_clock_is_a_little_ahead_gains_nothing(dealer: Brand, ahead: timedelta) -> None:
    await dealer.say("permission:location", "granted")
    await dealer.report({FINE: "granted"}, observed_at=dealer.world.clock.text(-ahead))

    dealer.world.clock.forward(timedelta(hours=24))

    assert await location(dealer) == "device_unknown"


async def test_a_report_from_more_than_five_minutes_ahead_is_refused(dealer: Brand) -> None:
    async with dealer.world.nothing_stored():
        answer = await dealer.report({FINE: "granted"}, observed_at="2026-11-23T19:05:01Z")

    assert (answer.status, answer.problems) == (422, [("/observed_at", "from_the_future")])


@BOTH
async def test_an_older_report_never_overwrites_a_newer_one(dealer: Brand) -> None:
    await dealer.say("permission:location", "granted")
    await dealer.report({FINE: "denied"}, observed_at="2026-11-23T18:00:00Z")

    answer = await dealer.report({FINE: "granted"}, observed_at="2026-11-23T17:59:59Z")

    assert answer.json["states"]["location"]["state"] == "denied"
    assert await location(dealer) == "device_denied"


@pytest.mark.parametrize("order", [["granted", "denied"], ["denied", "granted"]])
async def test_of_two_reports_of_one_moment_the_denial_wins(dealer: Brand, order: list[str]) -> None:
    for state in order:
        answer = await dealer.report({FINE: state})

    assert answer.json["states"]["location"]["state"] == "denied"


async def test_what_a_report_does_not_name_stays_as_it_was(dealer: Brand) -> None:
    await dealer.report({CAMERA: "granted", FINE: "denied"})
    dealer.world.clock.forward(timedelta(minutes=1))

    answer = await dealer.report({FINE: "granted"})

    assert {name: state["state"] for name, state in answer.json["states"].items()} == {
        "camera": "granted",
        "location": "granted",
    }


@BOTH
async def test_an_unknown_value_is_named_and_leaves_only_its_capability_unknown(dealer: Brand) -> None:
    await dealer.say("permission:location", "granted")
    await dealer.report({FINE: "granted", CAMERA: "granted"})
    dealer.world.clock.forward(timedelta(minutes=1))

    odd = {FINE: "only_on_sundays", CAMERA: "granted", "android.permission.TELEPATHY": "granted"}
    answer = await dealer.report(odd)

    assert answer.status == 200
    assert answer.json["unknown"] == [
        {"name": FINE, "value": "only_on_sundays"},
        {"name": "android.permission.TELEPATHY", "value": "granted"},
    ]
    assert list(answer.json["states"]) == ["camera"]
    assert await location(dealer) == "device_unknown"


@BOTH
async def test_an_older_grant_never_passes_after_a_value_nobody_knows(dealer: Brand) -> None:
    await dealer.say("permission:location", "granted")
    await dealer.report({FINE: "only_on_sundays"}, observed_at="2026-11-23T18:00:00Z")

    late = await dealer.report({FINE: "granted"}, observed_at="2026-11-23T17:59:59Z")

    assert late.json["states"] == {}
    assert await location(dealer) == "device_unknown"
    assert (await dealer.preferences())["devices"]["pixel-8"]["states"] == {}


async def test_a_newer_report_settles_a_doubt(dealer: Brand) -> None:
    await dealer.say("permission:location", "granted")
    await dealer.report({FINE: "only_on_sundays"}, observed_at="2026-11-23T18:00:00Z")

    await dealer.report({FINE: "granted"}, observed_at="2026-11-23T18:00:01Z")

    assert await location(dealer) == "granted"


@pytest.mark.parametrize(("known", "reason"), [("granted", "granted"), ("denied", "device_denied")])
async def test_an_older_doubt_erases_no_newer_state(dealer: Brand, known: str, reason: str) -> None:
    await dealer.say("permission:location", "granted")
    await dealer.report({FINE: known}, observed_at="2026-11-23T18:00:00Z")

    late = await dealer.report({FINE: "only_on_sundays"}, observed_at="2026-11-23T17:59:59Z")

    assert late.json["states"]["location"]["state"] == known
    assert await location(dealer) == reason


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (["granted", "only_on_sundays"], "device_unknown"),
        (["only_on_sundays", "granted"], "device_unknown"),
        (["denied", "only_on_sundays"], "device_denied"),
        (["only_on_sundays", "denied"], "device_denied"),
    ],
)
async def test_at_one_moment_a_denial_beats_a_doubt_and_a_doubt_beats_a_grant(
    dealer: Brand, order: list[str], reason: str
) -> None:
    await dealer.say("permission:location", "granted")
    for state in order:
        await dealer.report({FINE: state})

    assert await location(dealer) == reason


@BOTH
@pytest.mark.parametrize("state", ["granted", "only_on_sundays"])
async def test_a_retried_report_is_recorded_once(dealer: Brand, state: str) -> None:
    first = await dealer.report({FINE: state, "odd": 1}, observed_at="2026-11-23T18:00:00Z")
    dealer.world.clock.forward(timedelta(minutes=1))

    async with dealer.world.nothing_stored():
        again = await dealer.report({FINE: state, "odd": 1}, observed_at="2026-11-23T18:00:00Z")

    assert (again.status, again.json) == (200, first.json)


async def test_a_report_that_differs_in_anything_is_recorded(dealer: Brand) -> None:
    versions = [
        (await dealer.report(states, observed_at=at, vocabulary=vocabulary)).json["version"]
        for states, at, vocabulary in [
            ({FINE: "granted"}, "2026-11-23T18:00:00Z", "android"),
            ({FINE: "granted"}, "2026-11-23T18:00:01Z", "android"),
            ({FINE: "granted", "odd": 1}, "2026-11-23T18:00:01Z", "android"),
            ({FINE: "granted", "odd": 1}, "2026-11-23T18:00:01Z", "react-native"),
        ]
    ]

    assert versions == [1, 2, 3, 4]


async def test_the_same_report_at_another_time_is_news_when_it_names_no_time(dealer: Brand) -> None:
    body = {"vocabulary": "android", "states": {FINE: "granted"}}
    await dealer.call("PUT", DEVICE, json=body)
    dealer.world.clock.forward(timedelta(minutes=1))

    assert (await dealer.call("PUT", DEVICE, json=body)).json["version"] == 2


async def fill(dealer: Brand, **members: Any) -> None:
    for number in range(50):
        assert (await dealer.report({FINE: "denied"}, device=f"phone-{number}", **members)).status == 200


@BOTH
async def test_a_consumer_has_at_most_50_devices_and_a_new_one_pushes_out_no_denial(dealer: Brand) -> None:
    await fill(dealer)

    async with dealer.world.nothing_stored():
        answer = await dealer.report({FINE: "granted"}, device="phone-50")

    assert (answer.status, answer.problems) == (422, [("", "too_many")])
    assert "device id in the path" in answer.json["detail"]
    dealer.world.clock.forward(timedelta(seconds=1))
    assert (await dealer.report({FINE: "granted"}, device="phone-7")).status == 200


@BOTH
async def test_a_new_device_takes_the_place_of_one_unheard_for_over_90_days(dealer: Brand) -> None:
    await fill(dealer, observed_at="2026-11-23T18:00:00Z")
    await dealer.report({FINE: "denied"}, device="phone-0")
    dealer.world.clock.forward(timedelta(days=90) - timedelta(hours=1))
    assert (await dealer.report({FINE: "granted"}, device="phone-50")).status == 422
    dealer.world.clock.forward(timedelta(microseconds=1))

    assert (await dealer.report({FINE: "granted"}, device="phone-50")).status == 200

    devices = list((await dealer.preferences())["devices"])
    assert devices == ["phone-0", *(f"phone-{number}" for number in range(2, 51))]
    past = await dealer.preferences(query=f"?as_of={dealer.world.clock.text().replace('+', '%2B')}")
    assert list(past["devices"]) == devices


@BOTH
async def test_what_the_library_said_is_kept_to_the_letter(dealer: Brand) -> None:
    states = {FINE: {"result": 0, "x": [1, None, True, 1.5, "é"]}, "odd": 7, "deep": {"a": {"b": {"c": "d"}}}}
    assert (await dealer.report(states)).status == 200

    export = (await dealer.call("GET", "/v1/consumers/cust-42/export")).json

    assert export["changes"][0]["sent"] == {
        "vocabulary": "android",
        "observed_at": "2026-11-23T19:00:00.000000Z",
        "states": states,
    }


@BOTH
async def test_a_whole_number_beyond_64_bits_is_kept_to_the_last_digit(dealer: Brand) -> None:
    answer = await dealer.report({CAMERA: 1180591620717411303425, "small": -9223372036854775809})

    assert answer.json["unknown"] == [
        {"name": CAMERA, "value": "1180591620717411303425"},
        {"name": "small", "value": "-9223372036854775809"},
    ]
    export = await dealer.call("GET", "/v1/consumers/cust-42/export")
    assert b'"android.permission.CAMERA":1180591620717411303425' in export.body
    assert b'"small":-9223372036854775809' in export.body


async def test_a_number_too_large_for_any_float_is_refused(dealer: Brand) -> None:
    body = b'{"vocabulary":"android","states":{"android.permission.CAMERA":-1e999}}'
    async with dealer.world.nothing_stored():
        answer = await dealer.call("PUT", DEVICE, body=body)

    assert (answer.status, answer.code) == (400, "not_a_number")


@pytest.mark.parametrize(
    ("vocabulary", "states"),
    [
        ("ios", {"CLAuthorizationStatus": 4}),
        ("android", {FINE: 0}),
        ("web", {"geolocation": "granted"}),
        ("react-native-permissions", {FINE: "granted"}),
        ("react-native", {FINE: "granted"}),
        ("flutter", {"Permission.location": "PermissionStatus.granted"}),
        ("capacitor", {"location": "granted"}),
        ("expo", {"location": {"status": "granted", "granted": True, "canAskAgain": True, "expires": "never"}}),
    ],
)
async def test_every_vocabulary_is_read(dealer: Brand, vocabulary: str, states: dict[str, Any]) -> None:
    answer = await dealer.report(states, vocabulary=vocabulary)

    assert (answer.status, answer.json["unknown"]) == (200, [])
    assert answer.json["states"]["location"]["state"] == "granted"


BODY = {"vocabulary": "android", "observed_at": "2026-11-23T19:00:00Z", "states": {FINE: "granted"}}


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"vocabulary": "symbian"}, "/vocabulary", "unknown_vocabulary"),
        ({"vocabulary": 7}, "/vocabulary", "wrong_type"),
        ({"vocabulary": None}, "/vocabulary", "wrong_type"),
        ({"observed_at": "2026-11-23T19:00:00"}, "/observed_at", "naive_time"),
        ({"observed_at": "1795460400"}, "/observed_at", "invalid_value"),
        ({"observed_at": 1795460400}, "/observed_at", "wrong_type"),
        ({"states": [FINE]}, "/states", "wrong_type"),
        ({"states": {f"key{number}": 1 for number in range(101)}}, "/states", "invalid_value"),
        ({"state": {}}, "/state", "unknown_member"),
    ],
)
async def test_a_report_with_a_wrong_member_is_refused(
    dealer: Brand, change: dict[str, Any], pointer: str, code: str
) -> None:
    async with dealer.world.nothing_stored():
        answer = await dealer.call("PUT", DEVICE, json=BODY | change)

    assert (answer.status, answer.problems) == (422, [(pointer, code)])


async def test_an_unknown_vocabulary_is_answered_with_those_there_are(dealer: Brand) -> None:
    answer = await dealer.call("PUT", DEVICE, json=BODY | {"vocabulary": "symbian"})

    assert answer.json["detail"].endswith(
        "known are ios, android, web, react-native-permissions, react-native, flutter, capacitor, expo"
    )


@pytest.mark.parametrize("missing", ["vocabulary", "states"])
async def test_a_report_without_a_member_is_refused(dealer: Brand, missing: str) -> None:
    answer = await dealer.call("PUT", DEVICE, json={name: value for name, value in BODY.items() if name != missing})

    assert (answer.status, answer.problems) == (422, [(f"/{missing}", "missing_member")])


async def test_a_report_without_a_time_was_observed_when_it_came(dealer: Brand) -> None:
    answer = await dealer.call("PUT", DEVICE, json={"vocabulary": "android", "states": {FINE: "granted"}})

    assert answer.status == 200
    assert (await dealer.preferences())["devices"]["pixel-8"]["reported_at"] == "2026-11-23T19:00:00.000000Z"


async def test_a_report_over_64_kib_is_refused(dealer: Brand) -> None:
    async with dealer.world.nothing_stored():
        answer = await dealer.call("PUT", DEVICE, json=BODY | {"states": {"x": "y" * 65_536}})

    assert (answer.status, answer.code) == (413, "body_too_large")
