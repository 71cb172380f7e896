"""Which side of majority the evidence puts somebody on."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.model.age import AgeEvidence, AgeSource
from sayso.model.instant import to_micros
from sayso.rules.age import is_minor, lower_band

NOON = to_micros(datetime(2026, 11, 23, 12, tzinfo=UTC))
DAY = 86_400_000_000


def moment(*parts):
    return to_micros(datetime(*parts, tzinfo=UTC))


def aged(source, lower=None, upper=None, at=NOON):
    return AgeEvidence(source, lower, upper, at)


def judged(*evidence, majority=18, unknown_is_minor=False, now=NOON):
    return is_minor(evidence, majority=majority, unknown_is_minor=unknown_is_minor, now=now)


@pytest.mark.parametrize("unknown_is_minor", [True, False])
def test_without_evidence_the_catalogue_decides(unknown_is_minor):
    assert judged(unknown_is_minor=unknown_is_minor) == (unknown_is_minor, None)


@pytest.mark.parametrize("unknown_is_minor", [True, False])
def test_evidence_without_a_band_leaves_it_to_the_catalogue(unknown_is_minor):
    assert judged(aged("verified"), unknown_is_minor=unknown_is_minor) == (unknown_is_minor, None)


@pytest.mark.parametrize("unknown_is_minor", [True, False])
@pytest.mark.parametrize("source", ["self", "os_signal", "brand", "guardian", "verified"])
@pytest.mark.parametrize("band", [(None, 18), (None, 40), (0, 18), (16, 20), (17, None)])
def test_a_band_across_majority_counts_as_a_minors(source, band, unknown_is_minor):
    assert judged(aged(source, *band), unknown_is_minor=unknown_is_minor)[0] is True


@pytest.mark.parametrize(
    ("band", "minor"),
    [((18, None), False), ((18, 20), False), ((None, 17), True), ((0, 17), True), ((13, 15), True)],
)
@pytest.mark.parametrize("unknown_is_minor", [True, False])
def test_a_band_on_one_side_of_majority_decides(band, minor, unknown_is_minor):
    assert judged(aged("brand", *band), unknown_is_minor=unknown_is_minor)[0] is minor


def test_who_was_of_age_when_seen_is_so_even_by_a_clock_that_lags_behind():
    assert judged(aged("brand", 18, at=NOON + DAY), unknown_is_minor=True) == (False, None)
    assert judged(aged("brand", 17, 17, at=NOON + DAY)) == (True, moment(2027, 11, 24, 12))


def test_a_band_across_majority_grows_up_with_its_lower_end():
    across = aged("brand", 16, 20)
    assert judged(across) == (True, moment(2028, 11, 23, 12))
    assert judged(across, now=moment(2028, 11, 23, 12)) == (False, None)


def test_the_majority_is_the_catalogues():
    assert judged(aged("brand", 16, 17), majority=16) == (False, None)
    assert judged(aged("brand", 16, 17), majority=19) == (True, moment(2029, 11, 23, 12))
    assert judged(aged("brand", None, 5), majority=0) == (False, None)


def test_a_minor_comes_of_age_years_after_the_evidence():
    seventeen = aged("brand", 17, 17, moment(2026, 1, 31, 9))
    grown = moment(2027, 1, 31, 9)
    assert judged(seventeen, now=grown - 1) == (True, grown)
    assert judged(seventeen, now=grown) == (False, None)


def test_seen_on_a_leap_day_they_come_of_age_on_the_first_of_march():
    assert judged(aged("brand", 17, 17, moment(2024, 2, 29, 9)), now=moment(2024, 6, 1)) == (
        True,
        moment(2025, 3, 1, 9),
    )


def test_an_upper_bound_alone_never_grows_up():
    assert judged(aged("self", None, 17), now=NOON + 40_000 * DAY) == (True, None)


def test_a_stronger_source_that_says_minor_is_not_talked_out_of_it():
    for weaker in ("self", "os_signal", "brand", "guardian"):
        assert judged(aged(weaker, 30), aged("verified", None, 15)) == (True, None)
        assert judged(aged("verified", None, 15), aged(weaker, 30)) == (True, None)


def test_a_weaker_source_that_says_minor_counts_unless_age_was_verified():
    assert judged(aged("self", None, 15), aged("brand", 18)) == (True, None)
    assert judged(aged("os_signal", None, 15), aged("guardian", 18)) == (True, None)
    assert judged(aged("guardian", None, 15), aged("verified", 18)) == (False, None)


def test_no_weaker_source_raises_a_band_across_majority():
    assert judged(aged("verified", 16, 20), aged("self", None, 15)) == (True, moment(2028, 11, 23, 12))
    for weaker in ("self", "os_signal", "brand", "guardian"):
        assert judged(aged("verified", 16, 20), aged(weaker, 30)) == (True, moment(2028, 11, 23, 12))


def test_a_weaker_band_across_majority_takes_nothing_from_a_stronger_adult():
    assert judged(aged("self", 16), aged("brand", 18)) == (False, None)
    assert judged(aged("os_signal", 16, 20), aged("guardian", 18)) == (False, None)


def test_where_the_strongest_says_nothing_the_next_decides():
    assert judged(aged("verified"), aged("os_signal", 13, 15), aged("self", 30))[0] is True
    assert judged(aged("os_signal"), aged("self", 30), unknown_is_minor=True) == (False, None)


def test_ones_own_word_does_not_even_raise_a_band_of_an_unknown_source():
    assert judged(aged("unknown", 16, 20), aged("self", 30))[0] is True
    assert judged(aged("hearsay", 16, 20), aged("self", 30))[0] is True


def test_a_doubt_holds_against_everything_until_it_is_cleared():
    doubted = aged("doubt", None, 17)
    assert judged(doubted, aged("verified", 30)) == (True, None)
    assert judged(doubted, aged("verified", 30), now=NOON + 40_000 * DAY) == (True, None)
    assert judged(AgeEvidence("doubt", None, None, NOON), aged("verified", 30)) == (True, None)


def test_a_source_this_release_does_not_know_is_the_weakest():
    assert judged(aged("hearsay", 30), aged("self", None, 15)) == (True, None)
    assert judged(aged("hearsay", None, 15), aged("verified", 30)) == (False, None)


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [
        ((18, None), (13, 15), (13, 15)),
        ((18, None), (None, 15), (None, 15)),
        ((18, 20), (18, 20), (18, 20)),
        ((16, 20), (13, None), (13, 20)),
        ((18, None), (None, None), (None, None)),
        ((None, None), (13, 15), (None, 15)),
    ],
)
def test_of_two_bands_the_lower_end_of_each_bound_stays_whichever_came_first(one, other, kept):
    assert lower_band(aged("brand", *one), aged("brand", *other)) == aged("brand", *kept)
    assert lower_band(aged("brand", *other), aged("brand", *one)) == aged("brand", *kept)


def test_the_method_stays_with_the_band_it_measured():
    seen, told = AgeEvidence("brand", 13, 15, NOON, "passport"), AgeEvidence("brand", 18, None, NOON, "asked")
    assert lower_band(seen, told) == lower_band(told, seen) == seen
    mixed = AgeEvidence("brand", 16, 20, NOON, "asked")
    assert lower_band(mixed, seen._replace(upper=None)) == AgeEvidence("brand", 13, 20, NOON, None)


ANYTIME = st.sampled_from([NOON, NOON - 300 * DAY, NOON + 300 * DAY]) | st.integers(-(10**19), 10**19)
YEARS = st.none() | st.integers(0, 130)
EVIDENCE = st.lists(st.builds(AgeEvidence, st.sampled_from([*AgeSource, "hearsay"]), YEARS, YEARS, ANYTIME), max_size=4)


@settings(max_examples=150, deadline=None)
@given(EVIDENCE, st.integers(0, 30), st.booleans(), ANYTIME, st.randoms(use_true_random=False))
def test_the_order_of_evidence_from_different_sources_does_not_matter(
    evidence, majority, unknown_is_minor, now, random
):
    by_source = list({piece.source: piece for piece in evidence}.values())
    shuffled = random.sample(by_source, len(by_source))
    settled = {"majority": majority, "unknown_is_minor": unknown_is_minor, "now": now}
    assert is_minor(by_source, **settled) == is_minor(shuffled, **settled)


BANDS = st.builds(AgeEvidence, st.sampled_from([*AgeSource, "hearsay", "doubt"]), YEARS, YEARS, ANYTIME).filter(
    lambda piece: piece.source != "self" and (piece.lower, piece.upper) != (None, None)
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(BANDS, min_size=1, max_size=3),
    st.builds(AgeEvidence, st.just("self"), YEARS, YEARS, ANYTIME),
    st.integers(0, 30),
    st.booleans(),
    ANYTIME,
)
def test_a_consumers_own_word_never_raises_a_band_that_another_source_gave(
    given_by_others, own, majority, unknown_is_minor, now
):
    settled = {"majority": majority, "unknown_is_minor": unknown_is_minor, "now": now}
    if is_minor(given_by_others, **settled)[0]:
        assert is_minor([own, *given_by_others], **settled)[0]


@settings(max_examples=150, deadline=None)
@given(EVIDENCE, st.integers(0, 30), st.booleans(), ANYTIME, st.integers(0, 10**16))
def test_nobody_grows_younger_and_nobody_grows_up_before_the_named_instant(
    evidence, majority, unknown_is_minor, now, later
):
    def at(instant):
        return is_minor(evidence, majority=majority, unknown_is_minor=unknown_is_minor, now=instant)

    minor, comes_of_age = at(now)
    assert comes_of_age is None or (minor and comes_of_age > now)
    if not minor:
        assert at(now + later) == (False, None)
    elif comes_of_age is None:
        assert at(now + later)[0]
    else:
        assert at(comes_of_age - 1)[0]
        assert at(min(now + later, comes_of_age - 1))[0]
