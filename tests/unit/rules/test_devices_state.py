"""The normal form itself: what passes, and what an older client makes of a newer server's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.model.device import (
    DecidedBy,
    Delivery,
    DeviceState,
    Duration,
    LocationPrecision,
    LocationScope,
    PermissionState,
    Promptable,
    Selection,
)

device_states = st.builds(
    DeviceState,
    state=st.sampled_from(PermissionState),
    by=st.none() | st.sampled_from(DecidedBy),
    promptable=st.sampled_from(Promptable),
    scope=st.none() | st.sampled_from(LocationScope),
    precision=st.none() | st.sampled_from(LocationPrecision),
    selection=st.none() | st.sampled_from(Selection),
    delivery=st.none() | st.sampled_from(Delivery),
    duration=st.sampled_from(Duration),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def test_only_granted_and_limited_pass():
    assert {state for state in PermissionState if DeviceState(state=state).passes} == {"granted", "limited"}


def test_json_leaves_out_what_is_not_known():
    state = DeviceState(state=PermissionState.GRANTED, scope=LocationScope.WHILE_IN_USE)
    assert state.to_json() == {
        "state": "granted",
        "promptable": "unknown",
        "scope": "while_in_use",
        "duration": "unknown",
    }


@given(device_states)
def test_json_keeps_every_state(state):
    assert DeviceState.from_json(state.to_json()) == state


def test_a_member_of_a_newer_release_is_ignored():
    assert DeviceState.from_json({"state": "granted", "lens": "front"}).passes


@pytest.mark.parametrize(
    "members",
    [
        {"state": "granted_by_neighbour"},
        {"state": "granted", "duration": "until_sunset"},
        {"state": "limited", "selection": "blurred"},
        {"state": "granted", "by": 7},
        {"state": True},
        {"scope": "always"},
        {},
    ],
)
def test_a_value_of_a_newer_release_never_passes(members):
    assert not DeviceState.from_json(members).passes


def test_a_denial_stays_a_denial_beside_a_value_of_a_newer_release():
    assert DeviceState.from_json({"state": "denied", "by": "guardian"}).state == "denied"


@given(st.dictionaries(st.sampled_from(["state", "by", "scope", "duration", "x"]), json_values))
def test_any_json_reads_as_some_state(members):
    state = DeviceState.from_json(members)
    assert state.passes in (True, False)
    assert not state.passes or members["state"] in ("granted", "limited")
