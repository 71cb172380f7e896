"""Instants: aware outside, whole microseconds inside, RFC 3339 on the wire."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.model.instant import format_micros, from_micros, parse_instant, span_micros, to_micros

FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999


@pytest.mark.parametrize(
    ("moment", "micros"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(2026, 11, 23, 19, 0, 0, 123_456, tzinfo=UTC), 1_795_460_400_123_456),
        (datetime(2026, 11, 23, 20, tzinfo=timezone(timedelta(hours=1))), 1_795_460_400_000_000),
        (datetime(1, 1, 1, tzinfo=UTC), FIRST),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), LAST),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), FIRST - 14 * 3_600_000_000),
    ],
)
def test_an_aware_time_is_so_many_microseconds_since_1970(moment, micros):
    assert to_micros(moment) == micros


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="no zone"):
        to_micros(datetime(2026, 11, 23))  # noqa: DTZ001 - that is what is tested


@given(st.integers(FIRST, LAST))
def test_microseconds_survive_every_way_there_and_back(micros):
    assert to_micros(from_micros(micros)) == micros
    assert parse_instant(format_micros(micros)) == micros
    assert len(format_micros(micros)) == len("2026-11-23T19:00:00.123456Z")


@pytest.mark.parametrize(
    ("micros", "shown"), [(FIRST - 1, FIRST), (-(10**30), FIRST), (LAST + 1, LAST), (10**30, LAST)]
)
def test_a_time_beyond_the_calendar_shows_as_the_nearest_there_is(micros, shown):
    assert from_micros(micros) == from_micros(shown)
    assert format_micros(micros) == format_micros(shown)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_795_460_400_123_456, "2026-11-23T19:00:00.123456Z"),
        (FIRST, "0001-01-01T00:00:00.000000Z"),
        (LAST, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_an_instant_is_written_in_full_and_in_utc(micros, text):
    assert format_micros(micros) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T19:00:00Z",
        "2026-11-23t19:00:00z",
        "2026-11-23T19:00:00.0Z",
        "2026-11-23T19:00:00.000000+00:00",
        "2026-11-23T20:00:00+01:00",
        "2026-11-23T13:30:00-05:30",
        "2026-11-23T20:00:00+0100",
        "2026-11-23T19:00Z",
        "2026-11-23 19:00:00Z",
        "2026-11-23T19:00:00.0000009Z",
    ],
)
def test_rfc_3339_is_read(text):
    assert parse_instant(text) == 1_795_460_400_000_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1795460400",
        "2026-11-23",
        "2026-11-23T19:00:00",
        "20261123T190000Z",
        "2026-W48-1T19:00:00Z",
        "2026-11-23T19:00:00 01:00",
        "2026-11-23T19:00:00+01",
        "2026-11-23T19:00:00+25:00",
        "0000-11-23T19:00:00Z",
        "2026-11-23T19:00:60Z",
        "2026-13-23T19:00:00Z",
        "2026-02-29T19:00:00Z",
        "2026-11-23T19:00:00,5Z",
        "2026-11-23T19:00:00Z\n",
        "\u0662026-11-23T19:00:00Z",
        "2026-11-23T19:00:00Zebra",
    ],
)
def test_what_only_looks_like_a_time_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse_instant(text)


def test_a_span_is_whole_microseconds():
    assert span_micros(timedelta(days=1, microseconds=3)) == 86_400_000_003
    assert span_micros(timedelta(seconds=-30)) == -30_000_000
