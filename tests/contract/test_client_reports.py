"""What is reported beside choices: devices, signals and age."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from multidict import CIMultiDict

import sayso

START = datetime(2026, 11, 23, 19, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("vocabulary", "states", "expected"),
    [
        ("react-native-permissions", {"android.permission.CAMERA": "granted"}, {"camera": "granted"}),
        ("react-native-permissions", {"ios.permission.CAMERA": "blocked"}, {"camera": "denied"}),
        ("react-native", {"android.permission.CAMERA": "never_ask_again"}, {"camera": "denied"}),
        ("android", {"CAMERA": {"result": 0}}, {"camera": "granted"}),
        ("ios", {"camera": 3, "CLAuthorizationStatus": "denied"}, {"camera": "granted", "location": "denied"}),
        ("web", {"geolocation": "prompt"}, {"location": "not_determined"}),
        (
            "flutter",
            {"camera": "PermissionStatus.limited", "Permission.locationWhenInUse": 1},
            {"camera": "limited", "location": "granted"},
        ),
        ("capacitor", {"camera": "prompt"}, {"camera": "not_determined"}),
        (
            "expo",
            {"camera": {"status": "undetermined", "granted": False, "canAskAgain": True, "expires": "never"}},
            {"camera": "not_determined"},
        ),
    ],
)
async def test_a_device_is_understood_in_its_library_s_own_words(
    ann: sayso.Consumer, vocabulary: str, states: dict[str, Any], expected: dict[str, str]
) -> None:
    reported = await ann.report_device("pixel-8", states, vocabulary=vocabulary)

    assert {name: state.state for name, state in reported.states.items()} == expected
    assert (reported.version, reported.unknown) == (1, ())


async def test_unknown_names_and_values_are_named_and_allow_nothing(ann: sayso.Consumer) -> None:
    await ann.grant("permission:camera", shown="en")
    await ann.grant("permission:location", shown="en")
    reported = await ann.report_device(
        "browser-1", {"camera": "maybe", "teleport": "granted", "geolocation": "granted"}, vocabulary="web"
    )

    assert reported.unknown == (sayso.UnknownState("camera", "maybe"), sayso.UnknownState("teleport", "granted"))
    assert set(reported.states) == {"location"}
    assert (await ann.decide("permission:camera", "browser-1")).reason == "device_unknown"
    assert (await ann.decide("permission:location", "browser-1")).reason == "granted"


async def test_an_unknown_vocabulary_is_refused(ann: sayso.Consumer) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        await ann.report_device("pixel-8", {"camera": "granted"}, vocabulary="palm")

    assert (caught.value.code, caught.value.pointer) == ("unknown_vocabulary", "/vocabulary")
    assert (await ann.preferences()).version == 0


async def test_a_later_report_leaves_what_it_does_not_name_and_an_older_one_changes_nothing(
    ann: sayso.Consumer, served: Any
) -> None:
    await ann.report_device("pixel-8", {"camera": "granted", "microphone": "granted"}, vocabulary="web")
    served.clock.forward(timedelta(minutes=10))
    later = await ann.report_device("pixel-8", {"camera": "denied"}, vocabulary="web")
    older = await ann.report_device(
        "pixel-8", {"camera": "granted"}, vocabulary="web", observed_at=START + timedelta(minutes=5)
    )

    expected = {"camera": "denied", "microphone": "granted"}
    assert {name: state.state for name, state in later.states.items()} == expected
    assert {name: state.state for name, state in older.states.items()} == expected
    assert (await ann.preferences()).devices["pixel-8"]["states"]["camera"]["state"] == "denied"


async def test_a_device_that_revokes_leaves_the_consent_alone(ann: sayso.Consumer) -> None:
    await ann.grant("permission:camera", shown="en")
    await ann.report_device("pixel-8", {"camera": "denied"}, vocabulary="web")
    assert (await ann.decide("permission:camera", "pixel-8")).reason == "device_denied"
    await ann.report_device("pixel-8", {"camera": "granted"}, vocabulary="web")

    assert (await ann.decide("permission:camera", "pixel-8")).reason == "device_denied"  # at the same instant: no wins
    assert (await ann.preferences()).answers == {"permission:camera": "granted"}


async def test_gpc_stops_what_sells_or_shares_until_a_grant_overrides_it(ann: sayso.Consumer) -> None:
    await ann.opt_in("vinsolutions", shown="en")
    reported = await ann.report_signal("gpc", device="browser-1")

    assert (reported.name, reported.version, reported.replayed) == ("gpc", 2, False)
    assert set(reported.signals) == {"gpc"}
    assert (await ann.decide("purpose:ads")).reason == "signal"
    shared = await ann.decide("partner:vinsolutions:share")
    assert (shared.reason, shared.signal) == ("signal", "gpc")
    assert await ann.allows("purpose:analytics") is True

    assert (await ann.grant("purpose:ads", shown="en")).reason == "signal"
    assert (await ann.grant("purpose:ads", shown="en", overrides=("gpc",))).reason == "granted"
    assert (await ann.opt_in("vinsolutions", shown="en", overrides=("gpc",))).allowed is True


async def test_a_signal_seen_again_on_a_device_changes_nothing(ann: sayso.Consumer, served: Any) -> None:
    await ann.report_signal("gpc", device="browser-1")
    served.clock.forward(timedelta(days=1))
    again = await ann.report_signal("gpc", device="browser-1", source="navigator")
    other = await ann.report_signal("gpc", device="browser-2", observed_at=START)

    assert (again.replayed, again.version) == (True, 1)
    assert (other.replayed, other.version) == (False, 2)
    assert other.signals["gpc"]["devices"] == {
        "browser-1": {"first_seen": "2026-11-23T19:00:00.000000Z", "source": "header"},
        "browser-2": {"first_seen": "2026-11-23T19:00:00.000000Z", "source": "header"},
    }


async def test_signals_are_read_off_a_request_s_headers(ann: sayso.Consumer) -> None:
    headers = CIMultiDict([("Host", "dealer.example"), ("sec-gpc", "0"), ("Sec-GPC", "1"), ("DNT", "1")])
    reported = await ann.report_signals(headers, device="browser-1")

    assert [(one.name, one.version) for one in reported] == [("gpc", 1), ("dnt", 2)]
    assert set((await ann.preferences()).signals) == {"gpc", "dnt"}


@pytest.mark.parametrize("headers", [{}, {"Sec-GPC": "0"}, {"Sec-GPC": "true", "DNT": "0"}, [("Sec-GPC", "11")]])
async def test_headers_without_a_signal_record_nothing(ann: sayso.Consumer, headers: Any) -> None:
    assert await ann.report_signals(headers) == ()
    assert (await ann.preferences()).version == 0


async def test_a_minor_s_own_grant_does_not_allow(ann: sayso.Consumer) -> None:
    await ann.grant("purpose:marketing", shown="en")
    reported = await ann.report_age(source="os_signal", lower=13, upper=15, method="declared range")

    assert reported.version == 2
    assert reported.age == {
        "os_signal": {
            "lower": 13,
            "upper": 15,
            "method": "declared range",
            "observed_at": "2026-11-23T19:00:00.000000Z",
        }
    }
    assert (await ann.decide("purpose:marketing")).reason == "minor"
    assert (await ann.decide("purpose:service")).reason == "required"
    assert (await ann.preferences()).allows("purpose:marketing") is False
    await ann.report_age(source="verified", lower=18)
    assert (await ann.decide("purpose:marketing")).reason == "granted"


async def test_a_band_that_is_none_is_refused(ann: sayso.Consumer) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        await ann.report_age(source="self", lower=18, upper=13)

    assert caught.value.code == "invalid_value"
    assert (await ann.preferences()).age == {}


async def test_a_report_from_the_future_is_refused(ann: sayso.Consumer) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        await ann.report_device(
            "pixel-8", {"camera": "granted"}, vocabulary="web", observed_at=START + timedelta(minutes=6)
        )

    assert (caught.value.code, caught.value.pointer) == ("from_the_future", "/observed_at")
