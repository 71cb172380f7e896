"""Which of several reports about a capability counts: dates first, caution on a tie, in whatever order they come."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.model.device import Capability, DeviceState, LocationPrecision, PermissionState
from sayso.rules.devices import Report, newest

CAMERA = Capability.CAMERA
GRANTED = DeviceState(state=PermissionState.GRANTED)
DENIED = DeviceState(state=PermissionState.DENIED)
NOT_ASKED = DeviceState(state=PermissionState.NOT_DETERMINED)
DOUBT = None


def report(state):
    return Report({}, doubted=frozenset({CAMERA})) if state is DOUBT else Report({CAMERA: state})


def after(*reports):
    known = {}
    for state, moment in reports:
        known = newest(known, report(state), moment)
    return known[CAMERA]


@pytest.mark.parametrize(("older", "newer"), list(itertools.permutations([GRANTED, DENIED, NOT_ASKED, DOUBT], 2)))
def test_the_newer_word_counts_whichever_comes_first(older, newer):
    assert after((older, 10), (newer, 11)) == (newer, 11)
    assert after((newer, 11), (older, 10)) == (newer, 11)


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [
        (DENIED, GRANTED, DENIED),
        (DENIED, DOUBT, DENIED),
        (DENIED, NOT_ASKED, DENIED),
        (DOUBT, NOT_ASKED, DOUBT),
        (DOUBT, GRANTED, DOUBT),
        (NOT_ASKED, GRANTED, NOT_ASKED),
        (DOUBT, DOUBT, DOUBT),
    ],
)
def test_of_one_moment_a_denial_beats_a_doubt_and_a_doubt_beats_the_rest(one, other, kept):
    assert after((one, 10), (other, 10)) == (kept, 10)
    assert after((other, 10), (one, 10)) == (kept, 10)


def test_of_two_grants_of_one_moment_the_one_that_claims_less_stays():
    full = DeviceState(state=PermissionState.GRANTED, precision=LocationPrecision.FULL)
    reduced = DeviceState(state=PermissionState.GRANTED, precision=LocationPrecision.REDUCED)
    assert after((reduced, 10), (full, 10)) == (reduced, 10)


def test_what_a_report_does_not_name_stays():
    known = newest({}, Report({Capability.LOCATION: GRANTED}), 10)
    assert newest(known, Report({CAMERA: DENIED}), 11) == {
        Capability.LOCATION: (GRANTED, 10),
        CAMERA: (DENIED, 11),
    }


WORDS = st.lists(st.tuples(st.sampled_from([GRANTED, DENIED, NOT_ASKED, DOUBT]), st.integers(0, 3)), min_size=1)


@given(WORDS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(words, random):
    assert after(*random.sample(words, len(words))) == after(*words)


@given(WORDS)
def test_nothing_passes_that_was_not_granted_at_the_latest_moment(words):
    state, moment = after(*words)
    assert moment == max(at for _, at in words)
    assert (state is not None and state.passes) == all(said is GRANTED for said, at in words if at == moment)
