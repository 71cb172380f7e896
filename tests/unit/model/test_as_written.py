"""Times that no clock shows, read as the nearest there is."""

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.model.as_written import nearest, written
from sayso.model.instant import format_micros, to_micros


def read(text: str) -> str:
    moment = nearest(text)
    assert moment is not None
    return format_micros(to_micros(moment))


@pytest.mark.parametrize(
    ("text", "nearest_there_is"),
    [
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"),
        ("2016-12-31T18:59:60-05:00", "2016-12-31T23:59:59.999999Z"),
        ("2016-12-31 23:59:60.75z", "2016-12-31T23:59:59.999999Z"),
        ("2026-02-29T12:00:00Z", "2026-02-28T12:00:00.000000Z"),
        ("2024-02-30T12:00:00Z", "2024-02-29T12:00:00.000000Z"),
        ("2026-00-00T00:00:00Z", "2026-01-01T00:00:00.000000Z"),
        ("2026-13-32T12:34:56Z", "2026-12-31T12:34:56.000000Z"),
        ("2026-11-23T24:00:00Z", "2026-11-23T23:59:59.999999Z"),
        ("2026-11-23T19:60Z", "2026-11-23T19:59:59.999999Z"),
        ("2026-11-23T19:00:00.0000019Z", "2026-11-23T19:00:00.000001Z"),
        ("2026-11-23T19:00:00.5+99:99", "2026-11-22T19:01:00.500000Z"),
        ("2026-11-23T19:00:00-9900", "2026-11-24T18:00:00.000000Z"),
    ],
)
def test_a_date_is_clipped_to_what_it_can_be_and_a_time_to_the_end_it_lies_beyond(
    text: str, nearest_there_is: str
) -> None:
    assert read(text) == nearest_there_is


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2016-12-31",
        "2016-12-31T23:59:60",
        "2016-12-31T23Z",
        "1795460400",
        "20161231T235960Z",
        "2016-W52-6T23:59:60Z",
        " 2016-12-31T23:59:60Z",
        "2016-12-31T23:59:60Z\n",
        "2016-12-31T23:59:60.Z",
        "２016-12-31T23:59:60Z",
        "2016-12-31T23:59:60." + "9" * 64 + "Z",
    ],
)
def test_what_is_not_written_as_a_time_with_an_offset_is_none(text: str) -> None:
    assert nearest(text) is None


@given(
    st.from_regex(
        re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{4})", re.ASCII),
        fullmatch=True,
    )
)
def test_however_impossible_a_time_is_read_and_kept_as_written(text: str) -> None:
    moment = nearest(text)

    assert moment is not None
    assert written(moment) == text
    assert moment.utcoffset() is not None
    assert to_micros(moment) is not None


@given(st.datetimes())
def test_a_time_that_there_is_is_read_as_itself(moment: datetime) -> None:
    assert nearest(moment.isoformat() + "Z") == datetime.fromisoformat(moment.isoformat() + "+00:00")


def test_an_ordinary_time_was_written_as_it_stands() -> None:
    moment = datetime.fromisoformat("2026-11-23T20:59:00+02:00")

    assert written(moment) == "2026-11-23T20:59:00+02:00"
    assert written(moment + timedelta(seconds=1)) == "2026-11-23T20:59:01+02:00"
