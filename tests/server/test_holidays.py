"""On which days people work."""

import asyncio
from datetime import date, timedelta

import pytest

from sayso_server.services import holidays
from sayso_server.services.holidays import is_business_day, load_calendars


def free_weekdays(country: str | None, year: int) -> list[str]:
    days = (date(year, 1, 1) + timedelta(days=count) for count in range(365))
    return [day.strftime("%m-%d") for day in days if day.weekday() < 5 and not is_business_day(country, day)]


def test_the_united_states_keep_their_federal_holidays_and_no_states():
    assert free_weekdays("US", 2026) == [
        "01-01",
        "01-19",
        "02-16",
        "05-25",
        "06-19",
        "07-03",
        "09-07",
        "10-12",
        "11-11",
        "11-26",
        "12-25",
    ]


def test_new_year_on_a_saturday_is_kept_in_the_old_year():
    assert free_weekdays("US", 2027)[-2:] == ["12-24", "12-31"]


@pytest.mark.parametrize("country", [None, "ZZ"])
def test_of_an_unknown_country_only_saturdays_and_sundays_are_known(country):
    assert free_weekdays(country, 2026) == []
    assert not is_business_day(country, date(2026, 12, 26))
    assert not is_business_day(country, date(2026, 12, 27))


def test_a_weekend_is_the_countrys_own():
    friday, sunday = date(2026, 6, 5), date(2026, 6, 7)

    assert not is_business_day("IL", friday)
    assert is_business_day("IL", sunday)


async def test_once_the_calendars_are_loaded_no_question_waits_for_a_file():
    # The suite fails whatever reads a file in a coroutine.
    await asyncio.to_thread(load_calendars)

    assert not is_business_day("BR", date(2041, 12, 25))
    assert not is_business_day("DE", date(2041, 12, 25))


def test_without_the_library_no_holiday_is_known_so_that_everything_is_due_sooner(monkeypatch):
    monkeypatch.setattr(holidays, "holidays", None)
    holidays._calendar.cache_clear()
    try:
        load_calendars()
        assert is_business_day("US", date(2026, 12, 25))
        assert not is_business_day("US", date(2026, 12, 26))
    finally:
        holidays._calendar.cache_clear()
