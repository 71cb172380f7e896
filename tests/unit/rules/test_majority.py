"""From which age people decide for themselves, by place and day."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.model.age import AgeEvidence
from sayso.model.catalogue import Catalogue
from sayso.model.instant import to_micros
from sayso.rules.majority import counts_as_minor, majority_for

TODAY = date(2026, 11, 23)
LOWERED = Catalogue(majority=13)
DEFAULT = Catalogue()


def of(**ages):
    return Catalogue.model_validate({"ages": ages})


def limit(age, *regions, since="2020-01-01", **more):
    return {"law": "The brand's own", "regions": regions, "age": age, "valid_from": since, **more}


@pytest.mark.parametrize(
    ("place", "on", "years"),
    [
        ("BE", TODAY, 13),
        ("AT", TODAY, 14),
        ("FR", TODAY, 15),
        ("DE", TODAY, 16),
        ("DE-BY", TODAY, 16),
        ("DK", date(2023, 12, 31), 13),
        ("DK", date(2024, 1, 1), 15),
        ("SI", date(2023, 1, 25), 16),
        ("SI", date(2023, 1, 26), 15),
        ("GB", TODAY, 13),
        ("UK", TODAY, 13),
        ("US-TX", TODAY, 13),
        ("CA", TODAY, 14),  # it may be Québec
        ("CA-ON", TODAY, 13),
        ("CA-QC", TODAY, 14),
        ("EEA", TODAY, 16),
        ("BR", TODAY, 13),  # no law is known: the catalogue's own
        (None, TODAY, 13),
        ("nowhere", TODAY, 13),
    ],
)
def test_where_a_brand_has_lowered_its_majority_the_law_of_the_place_counts(place, on, years):
    assert majority_for(place, LOWERED, on) == years


@pytest.mark.parametrize(("place", "years"), [("US-CA", 16), ("US", 16), ("US-TX", 13), ("DE", 16)])
def test_what_is_sold_or_shared_may_have_a_higher_age(place, years):
    assert majority_for(place, LOWERED, TODAY, sale=True) == years
    assert majority_for("US-CA", LOWERED, TODAY) == 13


@pytest.mark.parametrize("place", ["BE", "DE", "US-CA", "EEA", None])
def test_no_table_lowers_what_the_catalogue_promises(place):
    assert majority_for(place, DEFAULT, TODAY) == 18


def test_a_catalogues_own_age_for_a_place_counts_as_it_stands():
    own = of(germany=limit(14, "DE"), alabama=limit(19, "US-AL"))
    assert [majority_for(place, own, TODAY) for place in ("DE", "US-AL", "FR")] == [14, 19, 18]


@pytest.mark.parametrize("source", ["os_signal", "brand", "guardian", "verified"])
def test_ones_own_word_of_where_one_lives_raises_no_band_of_another_source(source):
    lowered, now = of(germany=limit(14, "DE")), to_micros(datetime(2026, 11, 23, tzinfo=UTC))
    known = AgeEvidence(source, 15, 15, now)
    own = AgeEvidence("self", 15, None, now, None, "DE")
    assert counts_as_minor([known], lowered, now)[0]
    assert counts_as_minor([known, own], lowered, now)[0]
    assert counts_as_minor([known, own._replace(jurisdiction="US")], lowered, now)[0]
    assert not counts_as_minor([known._replace(jurisdiction="DE"), own], lowered, now)[0]
    assert not counts_as_minor([own], lowered, now)[0]


def test_of_two_own_ages_the_higher_counts():
    assert majority_for("DE", of(one=limit(14, "EEA"), other=limit(16, "DE")), TODAY) == 16


def test_an_own_age_counts_only_on_its_days():
    own = of(germany=limit(14, "DE", since="2026-11-23", valid_until="2026-11-24"))
    days = [date(2026, 11, day) for day in (22, 23, 24, 25)]
    assert [majority_for("DE", own, day) for day in days] == [18, 14, 14, 18]


def test_an_age_that_ends_before_it_begins_is_none():
    with pytest.raises(ValueError, match="before valid_from"):
        of(germany=limit(14, "DE", since="2026-11-23", valid_until="2026-11-22"))


def now(*parts):
    return to_micros(datetime(*parts, tzinfo=UTC))


def fifteen(*places):
    sources = ("brand", "os_signal", "self")
    return [
        AgeEvidence(source, 15, 15, now(2026, 11, 1), None, place)
        for source, place in zip(sources, places, strict=False)
    ]


def test_the_place_that_the_evidence_names_counts():
    moment = now(2026, 11, 23)
    assert counts_as_minor(fifteen("BE"), LOWERED, moment) == (False, None)
    assert counts_as_minor(fifteen("DE"), LOWERED, moment) == (True, now(2027, 11, 1))
    assert counts_as_minor(fifteen(None), LOWERED, moment) == (False, None)


def test_of_two_places_the_one_with_the_higher_age_counts():
    assert counts_as_minor(fifteen("BE", "DE"), LOWERED, now(2026, 11, 23))[0] is True


def test_an_age_that_goes_up_counts_at_once_and_one_that_goes_down_on_its_day():
    up = of(germany=limit(14, "DE"), soon=limit(16, "DE", since="2027-01-01"))
    down = of(germany=limit(16, "DE", valid_until="2026-12-31"), then=limit(14, "DE", since="2027-01-01"))
    assert counts_as_minor(fifteen("DE"), up, now(2026, 11, 23)) == (True, now(2027, 1, 1))
    assert counts_as_minor(fifteen("DE"), down, now(2026, 12, 31)) == (True, now(2027, 1, 1))
    assert counts_as_minor(fifteen("DE"), down, now(2027, 1, 1)) == (False, None)


DAYS = st.dates(date(2026, 1, 1), date(2032, 12, 31))
LIMITS = st.lists(st.tuples(st.integers(10, 20), DAYS, st.none() | DAYS), max_size=3)


@settings(max_examples=120, deadline=None)
@given(LIMITS, st.integers(5, 20), DAYS, st.integers(0, 2000))
def test_nobody_becomes_a_minor_again_and_nobody_comes_of_age_before_the_named_instant(limits, age, day, later):
    ages = {
        f"law{place}": limit(years, "DE", since=start, valid_until=None if end is None or end < start else end)
        for place, (years, start, end) in enumerate(limits)
    }
    own = of(**ages)
    evidence = [AgeEvidence("brand", age, age, now(2026, 1, 1), None, "DE")]
    moment = now(day.year, day.month, day.day)
    minor, until = counts_as_minor(evidence, own, moment)
    then = moment + later * 86_400_000_000
    if not minor:
        assert counts_as_minor(evidence, own, then) == (False, None)
    elif until is not None:
        assert until > moment
        assert counts_as_minor(evidence, own, min(then, until - 1))[0]


def test_a_catalogue_without_ages_is_written_as_ever():
    assert b'"ages"' not in DEFAULT.canonical_json()
    assert "ages" not in DEFAULT.to_wire()
    own = of(germany=limit(14, "DE"))
    assert Catalogue.from_json(own.canonical_json()) == own
    assert own.to_wire()["ages"]["germany"]["age"] == 14
