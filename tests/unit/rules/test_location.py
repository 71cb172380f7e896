"""Coarse locations: one point per cell, whatever is sampled."""

import math
import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.rules.location import Coordinates, Precision, coarsen

EARTH_KM = 6371.0
CELL_KM = {"approximate": 2.0, "city": 20.0}

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
grids = st.sampled_from(["approximate", "city"])


def distance_km(one, other):
    a, b, c, d = map(math.radians, (*one, *other))
    half = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def test_a_place_becomes_the_centre_of_its_cell():
    assert coarsen(40.7589, -73.9851, Precision.APPROXIMATE) == Coordinates(40.761, -73.9772)
    assert coarsen(40.7589, -73.9851, Precision.CITY) == Coordinates(40.77, -73.901)


def test_precise_keeps_and_off_gives_nothing():
    assert coarsen(40.7589, -73.9851, "precise") == Coordinates(40.7589, -73.9851)
    assert coarsen(40.7589, -73.9851, "off") is None
    assert coarsen(math.nan, 500, "off") is None


@given(latitudes, longitudes, grids)
def test_the_answer_lies_within_a_cell_of_the_place(latitude, longitude, grid):
    answer = coarsen(latitude, longitude, grid)
    assert distance_km((latitude, longitude), answer) <= CELL_KM[grid] * math.sqrt(2)


@given(latitudes, longitudes, st.sampled_from(["approximate", "city", "precise"]))
def test_coarsening_again_changes_nothing(latitude, longitude, precision):
    answer = coarsen(latitude, longitude, precision)
    assert coarsen(*answer, precision) == answer


@given(st.floats(-89.8, 89.8), longitudes, grids, st.floats(-0.45, 0.45), st.floats(-0.45, 0.45))
def test_the_answer_is_the_same_all_over_a_cell(latitude, longitude, grid, up, right):
    centre = coarsen(latitude, longitude, grid)
    high = {"approximate": 0.018, "city": 0.18}[grid]
    cells = round(360 / high * math.cos(math.radians(centre.latitude)))
    elsewhere = (centre.latitude + up * high, centre.longitude + right * 360 / cells)
    assert coarsen(*elsewhere, grid) == centre


@given(st.floats(-80, 80), st.floats(-179, 179), grids, st.integers())
def test_many_samples_average_to_the_cell_and_not_to_the_person(latitude, longitude, grid, seed):
    rng = random.Random(seed)
    centre = coarsen(latitude, longitude, grid)
    home = (centre.latitude + 0.003, centre.longitude + 0.003)
    samples = [
        coarsen(home[0] + rng.uniform(-0.001, 0.001), home[1] + rng.uniform(-0.001, 0.001), grid) for _ in range(20)
    ]
    assert set(samples) == {centre}
    assert fmean(s.latitude for s in samples) == pytest.approx(centre.latitude)
    assert fmean(s.longitude for s in samples) == pytest.approx(centre.longitude)


@pytest.mark.parametrize(("grid", "least", "most"), [("approximate", 1.9, 2.1), ("city", 19, 21)])
@pytest.mark.parametrize("latitude", [0.0, 28.5, 40.7, 52.4, 60.2, 69.6, -33.9])
def test_cells_are_as_wide_as_they_are_high_on_every_latitude(grid, least, most, latitude):
    here = coarsen(latitude, 10.0, grid)
    step = here.longitude
    while coarsen(latitude, step, grid) == here:
        step += 0.0005
    east = coarsen(latitude, step, grid)
    assert least <= distance_km(here, east) <= most
    north = coarsen(latitude + (0.018 if grid == "approximate" else 0.18), 10.0, grid)
    assert least <= (north.latitude - here.latitude) * 111.195 <= most


def test_both_ends_of_the_longitudes_are_one_meridian():
    for latitude in (-89.0, -17.7, 0.0, 65.0):
        assert coarsen(latitude, 180.0, "city") == coarsen(latitude, -180.0, "city")


@given(longitudes, longitudes, grids, st.sampled_from([-90.0, 90.0]))
def test_a_pole_is_one_place(one, other, grid, pole):
    assert coarsen(pole, one, grid) == coarsen(pole, other, grid)


@given(latitudes, longitudes, grids)
def test_the_answer_is_a_place_without_more_digits_than_it_means(latitude, longitude, grid):
    answer = coarsen(latitude, longitude, grid)
    assert -90 < answer.latitude < 90
    assert -180 <= answer.longitude < 180
    assert all(value == round(value, 4) for value in answer)
    assert "-0.0" not in (str(answer.latitude), str(answer.longitude))


@pytest.mark.parametrize("precision", ["precise", "approximate", "city"])
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 180.0001, -181, 10**400, True, "40", None])
def test_a_member_that_is_no_place_is_named_and_not_shown(precision, wrong):
    with pytest.raises(ValueError, match=r"^latitude: expected degrees from -90 to 90$"):
        coarsen(wrong, 0.0, precision)
    with pytest.raises(ValueError, match=r"^longitude: expected degrees from -180 to 180$"):
        coarsen(0.0, wrong, precision)


def test_an_unknown_precision_is_named():
    with pytest.raises(ValueError, match=r"^precision: expected one of precise, approximate, city, off$"):
        coarsen(0.0, 0.0, "street")
