"""Where a rule holds."""

import pytest

from sayso.rules.regions import EEA_COUNTRIES, country_of, may_hold, read_place


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("DE", "DE"),
        (" de ", "DE"),
        ("ca-qc", "CA-QC"),
        ("EEA", "EEA"),
        ("EU", "EEA"),
        ("UK", "GB"),
        ("UK-SCT", "GB-SCT"),
        ("EL", "GR"),
        (None, None),
        ("", None),
        ("*", None),
        ("Texas", None),
        ("US-", None),
        ("US-CALI", None),
        ("EEA-DE", None),
    ],
)
def test_a_place_is_read_in_any_usual_spelling_and_unknown_otherwise(written, place):
    assert read_place(written) == place


@pytest.mark.parametrize(
    ("region", "place", "holds"),
    [
        ("*", "DE", True),
        ("*", None, True),
        ("US-CA", None, True),
        ("DE", "DE", True),
        ("DE", "DE-BY", True),
        ("DE-BY", "DE", True),
        ("DE-BY", "DE-BE", False),
        ("DE", "FR", False),
        ("EEA", "FR", True),
        ("EEA", "ES-CT", True),
        ("EEA", "NO", True),
        ("EEA", "GB", False),
        ("EEA", "CH", False),
        ("FR", "EEA", True),
        ("US", "EEA", False),
        ("CA", "US-CA", False),
        ("US-CA", "CA", False),
    ],
)
def test_a_rule_holds_where_it_could(region, place, holds):
    assert may_hold([region], place) is holds


def test_one_region_of_several_is_enough():
    assert may_hold(["US-VA", "US-TX"], "US-TX")
    assert not may_hold(["US-VA", "US-TX"], "US-NY")
    assert not may_hold([], "US-NY")


def test_the_country_of_a_place_is_one_country_or_none():
    assert [country_of(place) for place in ("CA-QC", "DE", "EEA", "*", None)] == ["CA", "DE", None, None, None]


def test_the_eea_has_thirty_countries_and_the_codes_of_the_unions_outermost_regions():
    assert len(EEA_COUNTRIES) == 27 + 3 + 7
    assert {"DE", "HR", "IS", "LI", "NO", "RE"} <= EEA_COUNTRIES
    assert not {"GB", "CH", "US"} & EEA_COUNTRIES
