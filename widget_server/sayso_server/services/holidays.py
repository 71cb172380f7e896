"""On which days people work, from the tables of the `holidays` library."""

from datetime import date
from functools import cache

from sayso.rules.deadlines import monday_to_friday

try:
    import holidays
except ModuleNotFoundError:
    # Part of the `server` extra. The test kit runs this server without it: what it says is due is due sooner.
    holidays = None  # type: ignore[assignment]


def is_business_day(country: str | None, day: date) -> bool:
    """Tell whether a day is a business day, for `sayso.rules.deadlines.due`.

    Only public holidays that are kept nationwide count, moved ones on the day on which they are kept (4 July 2026 is a
    Saturday, so that Friday is free), and the country's own weekend. Where nothing is known of a country, every Monday
    to Friday is a business day, so that no deadline is put off by a guess.

    Args:
        country: An ISO 3166 country code, or None where nobody knows it.
        day: Any day.
    """
    calendar = None if country is None else _calendar(country)
    return monday_to_friday(country, day) if calendar is None else calendar.is_working_day(day)


def load_calendars() -> None:
    """Read the tables of every country, 0.2 s, so that later no question waits for a file. Call it in a thread."""
    if holidays is not None:
        for _, code, *_ in holidays.registry.COUNTRIES.values():
            _calendar(code)


@cache
def _calendar(country: str) -> "holidays.HolidayBase | None":
    if holidays is None:
        return None
    try:
        return holidays.country_holidays(country)  # finds each year's holidays when first asked about it
    except NotImplementedError:
        return None


_calendar("US")  # whose laws count such days; who uses the services without a server may never call `load_calendars`
