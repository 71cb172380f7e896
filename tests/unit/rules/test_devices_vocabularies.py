"""What holds for every vocabulary: total, exact, and closed in doubt."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.model.device import (
    Capability,
    DeviceState,
    Duration,
    LocationPrecision,
    PermissionState,
    Selection,
)
from sayso.rules.devices import VOCABULARIES, UnknownVocabularyError, normalise
from sayso.rules.devices.findings import cautious

device_states = st.builds(
    DeviceState,
    state=st.sampled_from(PermissionState),
    precision=st.none() | st.sampled_from(LocationPrecision),
    selection=st.none() | st.sampled_from(Selection),
    duration=st.sampled_from(Duration),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 6) | st.floats() | st.sampled_from(["granted", "denied", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["status", "result", "granted", "ios", "scope", "x"]), inner, max_size=4)
    ),
    max_leaves=6,
)

# A key of each vocabulary with every value its library can report under it, and those that grant.
LISTED = [
    (
        "ios",
        "CLAuthorizationStatus",
        [0, 1, 2],
        [3, 4, "authorizedAlways", "authorizedWhenInUse", "authorized"],
    ),
    (
        "ios",
        "AVAuthorizationStatus.video",
        [0, 1, 2, "notDetermined", "restricted", "denied"],
        [3, "authorized"],
    ),
    ("ios", "PHAuthorizationStatus.readWrite", [0, 1, 2], [3, 4, "authorized", "limited"]),
    ("ios", "PHAuthorizationStatus.addOnly", [0, 1, 2], [3, 4, "authorized", "limited"]),
    ("ios", "UNAuthorizationStatus", [0, 1, "denied"], [2, 3, 4, "authorized", "provisional", "ephemeral"]),
    ("ios", "ATTrackingManager.AuthorizationStatus", [0, 1, 2, "restricted"], [3, "authorized"]),
    (
        "ios",
        "AVAudioApplication.recordPermission",
        ["undetermined", "denied", "undt", "deny"],
        ["granted", "grnt"],
    ),
    ("android", "android.permission.CAMERA", [-1, "denied", False], [0, "granted", True]),
    ("web", "geolocation", ["prompt", "denied"], ["granted"]),
    ("web", "notifications", ["prompt", "default", "denied"], ["granted"]),
    (
        "react-native-permissions",
        "ios.permission.PHOTO_LIBRARY",
        ["unavailable", "blocked", "denied"],
        ["granted", "limited"],
    ),
    ("react-native", "android.permission.CAMERA", ["denied", "never_ask_again", False], ["granted", True]),
    (
        "flutter",
        "Permission.photos",
        [0, 2, 4, "denied", "restricted", "PermissionStatus.permanentlyDenied"],
        [1, 3, "granted", "limited", "PermissionStatus.granted"],
    ),
    ("flutter", "notification", [0, 2, 4], [1, 3, 5, "provisional", "PermissionStatus.provisional"]),
    ("capacitor", "photos", ["prompt", "prompt-with-rationale", "denied"], ["granted", "limited"]),
    ("expo", "camera", ["undetermined", "denied"], ["granted"]),
]
KEYS_OF = {vocabulary: [key for v, key, _, _ in LISTED if v == vocabulary] for vocabulary in VOCABULARIES}
# One well-known permission of each library that Sayso has no topic for.
UNTRACKED = {
    "ios": "CNAuthorizationStatus",
    "android": "android.permission.READ_CONTACTS",
    "web": "midi",
    "react-native-permissions": "ios.permission.CONTACTS",
    "react-native": "android.permission.READ_CALENDAR",
    "flutter": "Permission.contacts",
    "capacitor": "contacts",
    "expo": "calendar",
}


@pytest.mark.parametrize(("vocabulary", "key", "refusing", "granting"), LISTED)
def test_every_listed_value_is_known_and_only_the_granting_ones_pass(vocabulary, key, refusing, granting):
    for value in [*refusing, *granting]:
        report = normalise(vocabulary, {key: value})
        assert report.unknown == ()
        assert report.states
        for state in report.states.values():
            assert state.passes == any(value is one or repr(value) == repr(one) for one in granting), value


@given(
    st.sampled_from([(vocabulary, key) for vocabulary, key, _, _ in LISTED]),
    st.text() | st.integers() | st.booleans() | st.floats() | json_values,
)
def test_a_value_that_is_not_listed_never_passes(row, value):
    vocabulary, key = row
    granting = next(g for v, k, _, g in LISTED if (v, k) == row)
    wrapper = {"android": "result", "expo": "status"}.get(vocabulary)
    said = value.get(wrapper) if wrapper and isinstance(value, dict) else value
    passing = [state for state in normalise(vocabulary, {key: value}).states.values() if state.passes]
    assert not passing or repr(said) in map(repr, granting)


@given(st.sampled_from(VOCABULARIES), st.data())
def test_any_json_is_read_without_raising(vocabulary, data):
    keys = st.sampled_from(KEYS_OF[vocabulary]) | st.text()
    states = data.draw(st.dictionaries(keys, json_values, max_size=5))
    report = normalise(vocabulary, states)
    assert set(report.states) <= set(Capability)
    assert all(len(one.value) <= 200 for one in report.unknown)


@given(st.sampled_from([(v, k, g) for v, k, _, g in LISTED]), json_values, st.integers(0, 1))
def test_the_order_of_keys_never_matters(row, other, turn):
    vocabulary, key, granting = row
    states = {
        key: granting[0],
        f"{key}?": other,
        "Permission.camera": other,
        "Camera": other,
        "CAMERA": other,
    }
    pairs = list(states.items())
    turned = dict(pairs[::-1] if turn else pairs[2:] + pairs[:2])
    assert normalise(vocabulary, states) == normalise(vocabulary, turned)


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_a_permission_sayso_has_no_topic_for_is_passed_over(vocabulary):
    report = normalise(vocabulary, {UNTRACKED[vocabulary]: "whatever"})
    assert (report.states, report.unknown) == ({}, ())


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_a_key_nobody_knows_is_named_and_harms_nothing(vocabulary):
    key, granting = next((k, g) for v, k, _, g in LISTED if v == vocabulary)
    report = normalise(vocabulary, {key: granting[0], "com.example.TELEPATHY": ["granted"]})
    assert [(one.name, one.value) for one in report.unknown] == [("com.example.TELEPATHY", '["granted"]')]
    assert all(state.passes for state in report.states.values())
    assert report.doubted == frozenset()


def test_an_unknown_value_takes_out_only_its_own_capability():
    report = normalise("react-native", {"android.permission.CAMERA": "perhaps", "RECORD_AUDIO": "granted"})
    assert list(report.states) == ["microphone"]
    assert [(one.name, one.value) for one in report.unknown] == [("android.permission.CAMERA", "perhaps")]


def test_an_unknown_value_outweighs_a_grant_under_another_key_and_says_that_older_reports_lapse():
    report = normalise("flutter", {"camera": "granted", "Permission.camera": "sometimes"})
    assert report.states == {}
    assert report.doubted == {"camera"}


def test_a_denial_stays_beside_an_unknown_value():
    report = normalise("flutter", {"camera": "permanentlyDenied", "Permission.camera": "sometimes"})
    assert report.states["camera"].state == "denied"
    assert report.doubted == frozenset()


@pytest.mark.parametrize(
    ("vocabulary", "states"),
    [
        ("ios", {"camera": 3, "AVAuthorizationStatus.video": 2}),
        ("ios", {"photos": "authorized", "PHAuthorizationStatus": "denied"}),
        ("web", {"notifications": "granted", "Notification.permission": "denied"}),
        ("flutter", {"camera": "granted", "1": 4}),
        ("flutter", {"location": 1, "locationWhenInUse": 4, "locationAlways": 1}),
        ("capacitor", {"receive": "granted", "display": "denied"}),
        ("expo", {"microphone": "granted", "audio": "denied"}),
        ("android", {"CAMERA": 0, "android.permission.CAMERA": -1}),
        (
            "react-native-permissions",
            {"ios.permission.LOCATION_WHEN_IN_USE": "blocked", "ios.permission.LOCATION_ALWAYS": "granted"},
        ),
    ],
)
def test_a_denial_of_the_whole_capability_is_never_hidden_by_another_key(vocabulary, states):
    report = normalise(vocabulary, states)
    assert report.states
    assert {state.state for state in report.states.values()} == {"denied"}


def test_zero_is_not_false_and_one_is_not_true():
    assert normalise("android", {"CAMERA": False}).states["camera"].state == "denied"
    assert normalise("android", {"CAMERA": 0}).states["camera"].state == "granted"
    assert normalise("flutter", {"camera": True}).states == {}
    assert normalise("ios", {"camera": 3.0}).states == {}
    assert normalise("react-native", {"CAMERA": 1}).states == {}


def test_an_unknown_vocabulary_is_refused_and_the_known_ones_named():
    with pytest.raises(UnknownVocabularyError, match="react-native-permissions, react-native, flutter") as caught:
        normalise("cordova", {})
    assert isinstance(caught.value, ValueError)
    assert caught.value.vocabulary == "cordova"


def test_numbers_may_come_as_numbers_and_neither_hides_the_other():
    assert normalise("flutter", {1: 1}).states["camera"].state == "granted"
    assert normalise("flutter", {1: 4, "1": 1}).states["camera"].state == "denied"


@given(st.lists(device_states, min_size=1, max_size=4))
def test_several_answers_never_add_up_to_more_than_the_least_of_them(states):
    merged = cautious(states)
    assert merged.passes == all(state.passes for state in states)
    for order in itertools.permutations(states):
        assert cautious(order) == merged
    assert cautious([*states, merged]) == merged


def test_no_answers_add_up_to_none():
    assert cautious(iter(())) is None
    assert isinstance(cautious([DeviceState(state="denied")]), DeviceState)
