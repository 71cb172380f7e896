"""The libraries apps use: react-native-permissions, permission_handler, Capacitor, Expo, and the browser."""

import pytest

from sayso.rules.devices import normalise
from sayso.rules.devices.flutter import PERMISSIONS


def states(vocabulary, report):
    result = normalise(vocabulary, report)
    assert result.unknown == ()
    return {name: state.to_json() for name, state in result.states.items()}


# --- react-native-permissions ---------------------------------------------------------------------


def test_react_native_permissions_on_ios():
    report = {
        "ios.permission.CAMERA": "granted",
        "ios.permission.PHOTO_LIBRARY": "limited",
        "ios.permission.LOCATION_WHEN_IN_USE": "denied",
        "ios.permission.APP_TRACKING_TRANSPARENCY": "blocked",
        "ios.permission.MICROPHONE": "unavailable",
    }
    expected = {
        "location": "not_determined",
        "camera": "granted",
        "microphone": "unavailable",
        "photos": "limited",
        "videos": "limited",
        "tracking": "denied",
    }
    for posted in (report, {"checkMultiple": report}):
        found = states("react-native-permissions", posted)
        assert {name: state["state"] for name, state in found.items()} == expected
        assert "by" not in found["tracking"]  # restricted and refused are one word here


def test_react_native_permissions_on_android():
    found = states(
        "react-native-permissions",
        {
            "android.permission.ACCESS_FINE_LOCATION": "denied",
            "android.permission.ACCESS_COARSE_LOCATION": "granted",
            "android.permission.RECORD_AUDIO": "blocked",
            "android.permission.READ_MEDIA_VISUAL_USER_SELECTED": "granted",
            "android.permission.CAMERA": "denied",
        },
    )
    assert (found["location"]["state"], found["location"]["precision"]) == ("granted", "reduced")
    assert (found["microphone"]["state"], found["microphone"]["promptable"]) == ("denied", "no")
    assert (found["camera"]["state"], found["camera"]["promptable"]) == ("denied", "unknown")
    assert found["videos"]["selection"] == "selected"


def test_refusing_location_in_the_background_leaves_it_in_use():
    found = states(
        "react-native-permissions",
        {
            "ios.permission.LOCATION_WHEN_IN_USE": "granted",
            "ios.permission.LOCATION_ALWAYS": "blocked",
            "checkLocationAccuracy": "reduced",
        },
    )["location"]
    assert (found["state"], found["scope"], found["precision"]) == ("granted", "while_in_use", "reduced")


def test_a_provisional_grant_shows_in_the_settings():
    quiet = {"status": "granted", "settings": {"alert": True, "provisional": True}}
    assert states("react-native-permissions", {"notifications": quiet})["notifications"]["delivery"] == "quiet"
    loud = {"status": "granted", "settings": {"alert": True, "provisional": False}}
    assert "delivery" not in states("react-native-permissions", {"checkNotifications": loud})["notifications"]
    refused = {"status": "blocked", "settings": {"provisional": True}}
    assert states("react-native-permissions", {"checkNotifications": refused})["notifications"]["state"] == "denied"


def test_a_name_of_the_windows_platform_is_not_guessed_at():
    report = normalise("react-native-permissions", {"windows.permission.webcam": "granted"})
    assert (report.states, report.unknown[0].name) == ({}, "windows.permission.webcam")


# --- Flutter --------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["camera", "Permission.camera", "1"])
@pytest.mark.parametrize("value", ["permanentlyDenied", "PermissionStatus.permanentlyDenied", 4])
def test_flutter_keys_and_values_have_three_spellings(key, value):
    assert states("flutter", {key: value})["camera"] == {
        "state": "denied",
        "by": "user",
        "promptable": "no",
        "duration": "unknown",
    }


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "calendar"),
        (3, "location"),
        (5, "locationWhenInUse"),
        (7, "microphone"),
        (9, "photos"),
        (10, "photosAddOnly"),
        (17, "notification"),
        (20, "unknown"),
        (25, "appTrackingTransparency"),
        (32, "videos"),
        (39, "backgroundRefresh"),
    ],
)
def test_flutter_numbers_are_those_of_the_plugin(number, name):
    assert PERMISSIONS[number] == name
    assert len(PERMISSIONS) == 40


def test_flutter_location_may_grow_to_always():
    found = states("flutter", {"locationWhenInUse": 1, "4": 1, "locationAccuracy": "reduced"})["location"]
    assert (found["scope"], found["precision"]) == ("always", "reduced")
    assert states("flutter", {"3": 1, "locationAlways": 0, "locationAccuracy": "unknown"})["location"] == {
        "state": "granted",
        "by": "user",
        "promptable": "unknown",
        "scope": "while_in_use",
        "duration": "unknown",
    }


def test_flutter_photos_say_nothing_of_videos_and_storage_nothing_of_photos():
    assert list(states("flutter", {"photos": "granted", "storage": "granted"})) == ["photos"]


def test_flutter_provisional_is_a_word_about_notifications_only():
    assert states("flutter", {"notification": "provisional"})["notifications"]["delivery"] == "quiet"
    assert normalise("flutter", {"camera": "provisional"}).states == {}


def test_flutter_names_print_in_snake_case_now_and_then():
    assert states("flutter", {"Permission.access_media_location": 1, "accessMediaLocation": 1}) == {}


# --- Capacitor ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "state", "promptable"),
    [
        ("prompt", "not_determined", "yes"),
        ("prompt-with-rationale", "denied", "yes"),
        ("denied", "denied", "no"),
        ("granted", "granted", "unknown"),
        ("limited", "limited", "unknown"),
    ],
)
def test_capacitor_states(value, state, promptable):
    camera = states("capacitor", {"camera": value})["camera"]
    assert (camera["state"], camera["promptable"]) == (state, promptable)


def test_capacitor_coarse_location_alone_is_a_reduced_grant():
    found = states("capacitor", {"location": "denied", "coarseLocation": "granted"})["location"]
    assert (found["state"], found["precision"]) == ("granted", "reduced")
    both = states("capacitor", {"Geolocation": {"location": "granted", "coarseLocation": "granted"}})["location"]
    assert (both["state"], both.get("precision")) == ("granted", None)


def test_capacitor_push_and_local_notifications_are_one_capability():
    assert states("capacitor", {"receive": "granted", "publicStorage": "granted"})["notifications"] == {
        "state": "granted",
        "by": "user",
        "promptable": "unknown",
        "duration": "unknown",
    }
    assert states("capacitor", {"display": "prompt"})["notifications"]["state"] == "not_determined"


# --- Expo -----------------------------------------------------------------------------------------


def response(status, **members):
    return {
        "status": status,
        "expires": "never",
        "granted": status == "granted",
        "canAskAgain": True,
        **members,
    }


def test_expo_location_reads_its_platform_details():
    ios = response("granted", ios={"scope": "always", "accuracy": "reduced"})
    android = response("granted", android={"accuracy": "fine"})
    coarse = response("granted", android={"accuracy": "coarse"}, scope="whenInUse")
    found = [states("expo", {"location": one})["location"] for one in (ios, android, coarse)]
    assert [(one["scope"], one["precision"]) for one in found] == [
        ("always", "reduced"),
        ("while_in_use", "full"),
        ("while_in_use", "reduced"),
    ]


def test_expo_background_location_is_its_own_question():
    report = {"locationForeground": response("granted"), "locationBackground": response("denied")}
    assert states("expo", report)["location"]["scope"] == "while_in_use"
    report["locationBackground"] = response("granted")
    assert states("expo", report)["location"]["scope"] == "always"


@pytest.mark.parametrize(("can_ask", "promptable"), [(True, "yes"), (False, "no")])
def test_expo_says_whether_it_may_ask_again(can_ask, promptable):
    camera = states("expo", {"camera": response("denied", canAskAgain=can_ask)})["camera"]
    assert (camera["state"], camera["promptable"]) == ("denied", promptable)
    fresh = states("expo", {"camera": response("undetermined", canAskAgain=can_ask)})["camera"]
    assert (fresh["state"], fresh["promptable"]) == ("not_determined", promptable)


@pytest.mark.parametrize(
    ("privileges", "state", "selection"),
    [("all", "granted", "all"), ("limited", "limited", "selected"), ("none", "denied", None)],
)
def test_expo_media_library_may_be_open_in_part(privileges, state, selection):
    found = states("expo", {"mediaLibrary": response("granted", accessPrivileges=privileges)})
    assert list(found) == ["photos", "videos"]
    assert {(one["state"], one.get("selection")) for one in found.values()} == {(state, selection)}


@pytest.mark.parametrize(
    "contradiction",
    [{"granted": False}, {"ios": {"scope": "none", "accuracy": "full"}}, {"android": {"accuracy": "none"}}],
)
def test_expo_contradictions_are_refusals(contradiction):
    assert states("expo", {"location": response("granted") | contradiction})["location"]["state"] == "denied"


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ({"granted": "yes"}, "location.granted"),
        ({"ios": {"scope": "sometimes"}}, "location.ios.scope"),
        ({"expires": "soon"}, "location.expires"),
    ],
)
def test_expo_details_nobody_knows_leave_a_grant_in_doubt(member, name):
    report = normalise("expo", {"location": response("granted") | member})
    assert (report.states, [one.name for one in report.unknown]) == ({}, [name])


def test_an_expo_grant_that_ends_is_not_relied_on_for_long():
    assert states("expo", {"camera": response("granted", expires=1790000000000)})["camera"]["duration"] == "one_time"


@pytest.mark.parametrize(
    ("status", "native", "state", "delivery"),
    [
        ("granted", 2, "granted", "prominent"),
        ("undetermined", 3, "granted", "quiet"),
        ("granted", 4, "granted", "ephemeral"),
        ("undetermined", 2, "not_determined", None),
        ("denied", 3, "denied", None),
        ("granted", 1, "denied", None),
    ],
)
def test_expo_notifications_carry_apples_own_status(status, native, state, delivery):
    found = states("expo", {"notifications": response(status, ios={"status": native})})["notifications"]
    assert (found["state"], found.get("delivery")) == (state, delivery)


def test_an_expo_status_may_come_bare():
    assert states("expo", {"tracking": "granted", "contacts": "granted"})["tracking"]["state"] == "granted"


# --- the browser ----------------------------------------------------------------------------------


def test_the_browser_says_prompt_or_default_before_asking():
    assert states("web", {"Notification.permission": "default"})["notifications"]["state"] == "not_determined"
    assert states("web", {"camera": "prompt"})["camera"]["promptable"] == "yes"
    assert normalise("web", {"camera": "default"}).states == {}


def test_a_browser_denial_is_final():
    assert states("web", {"geolocation": "denied"})["location"]["promptable"] == "no"
    assert states("web", {"geolocation": "granted"})["location"]["scope"] == "while_in_use"
