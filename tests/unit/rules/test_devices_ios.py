"""Apple's own APIs."""

import pytest

from sayso.rules.devices import normalise


def one(states, capability):
    report = normalise("ios", states)
    assert report.unknown == ()
    return report.states[capability].to_json()


@pytest.mark.parametrize("asked", [0, "notDetermined", ".notDetermined", "AVAuthorizationStatusNotDetermined"])
def test_never_asked_may_be_asked(asked):
    assert one({"camera": asked}, "camera") == {
        "state": "not_determined",
        "promptable": "yes",
        "duration": "unknown",
    }


def test_restricted_is_a_denial_by_the_system():
    assert one({"microphone": "restricted"}, "microphone") == {
        "state": "denied",
        "by": "os_policy",
        "promptable": "no",
        "duration": "unknown",
    }


def test_location_tells_scope_and_precision_and_never_a_duration():
    assert one({"CLAuthorizationStatus": 4, "CLAccuracyAuthorization": 1}, "location") == {
        "state": "granted",
        "by": "user",
        "promptable": "unknown",
        "scope": "while_in_use",
        "precision": "reduced",
        "duration": "unknown",
    }
    always = one({"location": "authorizedAlways", "location_accuracy": "fullAccuracy"}, "location")
    assert (always["scope"], always["precision"]) == ("always", "full")


def test_an_accuracy_alone_is_no_location():
    assert normalise("ios", {"location_accuracy": 0}).states == {}


def test_an_unknown_accuracy_leaves_the_location_in_doubt():
    report = normalise("ios", {"location": 4, "location_accuracy": "fuzzy"})
    assert (report.states, report.doubted) == ({}, {"location"})


def test_one_and_two_mean_different_things_for_notifications_and_the_camera():
    assert one({"UNAuthorizationStatus": 2}, "notifications")["state"] == "granted"
    assert one({"UNAuthorizationStatus": 1}, "notifications")["state"] == "denied"
    assert one({"camera": 2}, "camera")["state"] == "denied"


@pytest.mark.parametrize(
    ("status", "delivery"),
    [("authorized", "prominent"), ("provisional", "quiet"), ("ephemeral", "ephemeral")],
)
def test_notifications_tell_how_they_are_delivered(status, delivery):
    assert one({"notifications": status}, "notifications")["delivery"] == delivery


def test_the_photo_library_covers_photos_and_videos():
    states = normalise("ios", {"PHAuthorizationStatus": {"readWrite": 4, "addOnly": 3}}).states
    assert {name: (s.state, s.selection) for name, s in states.items()} == {
        "photos": ("limited", "selected"),
        "videos": ("limited", "selected"),
        "photos_add": ("granted", "add_only"),
    }


def test_adding_photos_is_not_reading_them():
    assert list(normalise("ios", {"photos_add": 3}).states) == ["photos_add"]


def test_the_recording_permission_comes_as_word_or_four_letter_code():
    for granted in ("granted", "grnt", 0x67726E74):
        assert one({"AVAudioApplication.recordPermission": granted}, "microphone")["state"] == "granted"
    assert one({"AVAudioApplication.recordPermission": 0x64656E79}, "microphone")["state"] == "denied"


def test_a_media_status_without_its_medium_leaves_both_in_doubt():
    report = normalise("ios", {"AVAuthorizationStatus": 3, "camera": 3, "tracking": 3})
    assert report.doubted == {"camera", "microphone"}
    assert list(report.states) == ["tracking"]
    video = normalise("ios", {"AVAuthorizationStatus": {"video": 3, "audio": 2}}).states
    assert (video["camera"].state, video["microphone"].state) == ("granted", "denied")
