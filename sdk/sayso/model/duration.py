"""Lengths of time as a catalogue writes them."""

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer

_ISO: Final = re.compile(
    r"P(?:(?P<weeks>[0-9]{1,6})W)?(?:(?P<days>[0-9]{1,6})D)?"
    r"(?:T(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,6})M)?(?:(?P<seconds>[0-9]{1,9})S)?)?"
)
_SHORT: Final = re.compile(r"(?P<count>[0-9]{1,6}) ?(?P<unit>[dhms])")
_SHORT_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_CALENDAR: Final = re.compile(r"P(?:([0-9]{1,4})Y)?(?:([0-9]{1,4})M)?")
_LONGEST: Final = timedelta(days=36_525)  # a century; anything longer is a slip of the pen


def parse_duration(value: object) -> timedelta:
    """Read `"P365D"`, `"PT24H"`, `"365d"`, `"60s"` or a timedelta.

    Years and months have no fixed length, so they are refused with the number of days to write instead.

    Args:
        value: What the catalogue holds.

    Returns:
        The length of time, more than zero and at most a century.

    Raises:
        ValueError: It is none of these, zero, or too long.
    """
    length = value if isinstance(value, timedelta) else _parse_text(value)
    if not timedelta(0) < length <= _LONGEST:
        raise ValueError("must be longer than nothing and at most a century")
    return length


def _parse_text(value: object) -> timedelta:
    if not isinstance(value, str):
        raise ValueError(f'must be a text with its unit, such as "P365D" or "365d", not {value!r}')
    if short := _SHORT.fullmatch(value):
        return timedelta(**{_SHORT_UNITS[short["unit"]]: int(short["count"])})
    if (iso := _ISO.fullmatch(value)) and not value.endswith(("P", "T")):
        return timedelta(**{unit: int(count) for unit, count in iso.groupdict().items() if count})
    if (calendar := _CALENDAR.fullmatch(value)) and value != "P":
        years, months = (int(count or 0) for count in calendar.groups())
        days = years * 365 + months * 30
        raise ValueError(f'{value!r} has no fixed length; write the days you mean, such as "P{days}D"')
    raise ValueError(f'{value!r} is not a length of time; write "P365D", "PT24H", "365d", "24h" or "60s"')


def format_duration(length: timedelta) -> str:
    """Write a length of time in the one ISO 8601 form that `parse_duration` reads back unchanged."""
    seconds = length.days * 86_400 + length.seconds
    days, rest = divmod(seconds, 86_400)
    if not rest:
        return f"P{days}D"
    return f"P{days}DT{rest}S" if days else f"PT{rest}S"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]
"""A length of time: a timedelta in Python, `"P365D"` in files and JSON. Whole seconds."""
