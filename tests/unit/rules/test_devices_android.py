"""Android's own permissions, and React Native core, which reports the same names."""

import pytest

from sayso.rules.devices import normalise

FINE = "android.permission.ACCESS_FINE_LOCATION"
COARSE = "android.permission.ACCESS_COARSE_LOCATION"
BACKGROUND = "android.permission.ACCESS_BACKGROUND_LOCATION"
IMAGES = "android.permission.READ_MEDIA_IMAGES"
VIDEO = "android.permission.READ_MEDIA_VIDEO"
SELECTED = "android.permission.READ_MEDIA_VISUAL_USER_SELECTED"
STORAGE = "android.permission.READ_EXTERNAL_STORAGE"


def states(report, vocabulary="android"):
    result = normalise(vocabulary, report)
    assert result.unknown == ()
    return {name: state.to_json() for name, state in result.states.items()}


@pytest.mark.parametrize(
    ("rationale", "asked_before", "state", "promptable"),
    [
        (True, True, "denied", "yes"),
        (True, False, "denied", "yes"),
        (True, None, "denied", "yes"),
        (False, True, "denied", "no"),
        (False, False, "not_determined", "yes"),
        (False, None, "denied", "unknown"),
        (None, True, "denied", "unknown"),
        (None, False, "not_determined", "yes"),
        (None, None, "denied", "unknown"),
    ],
)
def test_a_denial_is_told_from_never_asked_by_what_the_app_remembers(rationale, asked_before, state, promptable):
    camera = states({"CAMERA": {"result": -1, "rationale": rationale, "asked_before": asked_before}})["camera"]
    assert (camera["state"], camera["promptable"]) == (state, promptable)


def test_only_the_app_knows_of_a_one_time_grant():
    assert states({"CAMERA": {"result": 0, "one_time": True}})["camera"]["duration"] == "one_time"
    assert states({"CAMERA": {"result": 0}})["camera"]["duration"] == "unknown"


def test_an_unclear_memory_leaves_a_grant_in_doubt_and_a_denial_standing():
    assert normalise("android", {"CAMERA": {"result": 0, "one_time": "yes"}}).states == {}
    denied = normalise("android", {"CAMERA": {"result": -1, "rationale": "yes"}})
    assert denied.states["camera"].state == "denied"
    assert denied.unknown[0].name == "CAMERA.rationale"


@pytest.mark.parametrize(
    ("fine", "coarse", "background", "expected"),
    [
        (0, 0, 0, ("granted", "full", "always")),
        (0, 0, -1, ("granted", "full", "while_in_use")),
        (-1, 0, None, ("granted", "reduced", "while_in_use")),
        (-1, 0, 0, ("granted", "reduced", "always")),
        (-1, -1, 0, ("denied", None, None)),
        (None, None, 0, ("granted", None, "always")),
        (None, None, -1, ("denied", None, None)),
    ],
)
def test_the_location_permissions_add_up(fine, coarse, background, expected):
    report = {FINE: fine, COARSE: coarse, BACKGROUND: background}
    location = states({name: result for name, result in report.items() if result is not None})["location"]
    assert (location["state"], location.get("precision"), location.get("scope")) == expected


def test_the_location_button_is_precise_once_and_lifts_no_denial():
    button = "android.permission.USE_LOCATION_BUTTON"
    alone = states({button: 0})["location"]
    assert (alone["state"], alone["precision"], alone["duration"]) == ("granted", "full", "one_time")
    assert states({button: 0, FINE: -1, COARSE: -1})["location"]["state"] == "denied"


def test_photos_the_person_picked_are_a_limited_grant():
    picked = states({IMAGES: -1, VIDEO: -1, SELECTED: 0})
    assert {n: (s["state"], s["selection"]) for n, s in picked.items()} == {
        "photos": ("limited", "selected"),
        "videos": ("limited", "selected"),
    }


def test_all_images_and_picked_videos_are_told_apart():
    mixed = states({IMAGES: 0, VIDEO: -1, SELECTED: 0})
    assert (mixed["photos"]["selection"], mixed["videos"]["selection"]) == ("all", "selected")


def test_one_time_in_one_part_makes_the_whole_one_time():
    location = states({FINE: 0, COARSE: {"result": 0, "one_time": True}})["location"]
    assert (location["precision"], location["duration"]) == ("full", "one_time")


def test_storage_speaks_only_where_the_newer_permissions_do_not():
    assert states({STORAGE: 0})["photos"]["state"] == "granted"
    assert states({STORAGE: -1, IMAGES: 0})["photos"]["state"] == "granted"
    assert states({STORAGE: 0, IMAGES: -1})["photos"]["state"] == "denied"
    older = {IMAGES: "unavailable", STORAGE: "granted"}
    assert states(older, "react-native-permissions")["photos"]["state"] == "granted"


def test_the_advertising_id_is_no_answer_of_the_person():
    tracking = states({"com.google.android.gms.permission.AD_ID": 0})["tracking"]
    assert (tracking["state"], tracking["by"]) == ("granted", "os_policy")
    assert states({"AD_ID": -1})["tracking"]["state"] == "denied"


@pytest.mark.parametrize(
    ("result", "state", "promptable"),
    [
        ("granted", "granted", "unknown"),
        (True, "granted", "unknown"),
        ("denied", "denied", "yes"),
        (False, "denied", "unknown"),
        ("never_ask_again", "denied", "no"),
    ],
)
def test_react_native_core_says_whether_it_may_ask_again(result, state, promptable):
    camera = states({"android.permission.POST_NOTIFICATIONS": result}, "react-native")["notifications"]
    assert (camera["state"], camera["promptable"]) == (state, promptable)


def test_react_native_core_adds_the_same_permissions_up():
    partial = states({FINE: "never_ask_again", COARSE: "granted", SELECTED: "granted"}, "react-native")
    assert partial["location"]["precision"] == "reduced"
    assert partial["photos"]["state"] == "limited"
