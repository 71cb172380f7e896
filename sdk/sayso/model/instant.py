"""Instants: aware datetimes outside, whole microseconds since 1970 inside, RFC 3339 on the wire."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

Micros = int
"""Microseconds since 1970-01-01T00:00:00Z. Integers compare fast and survive JSON exactly."""

MICROS_PER_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE = timedelta(microseconds=1)
_EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _ONE
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _ONE
_HOW = "a time is written as in RFC 3339 with its offset, such as 2026-11-23T19:00:00Z"
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)


def _read(text: str) -> datetime:
    # fromisoformat alone reads more than anybody means by a time, such as 2026-W48 or 20261123.
    if not _RFC3339.fullmatch(text):
        raise ValueError(_HOW)
    return datetime.fromisoformat(text.upper())


def read_time(value: object) -> object:
    """Read text as RFC 3339 for a validator; what is no text is left to it.

    Raises:
        PydanticCustomError: `datetime_parsing`.
    """
    # Left to itself, pydantic also reads "1700000000" as seconds since 1970, even in strict mode.
    if not isinstance(value, str):
        return value
    try:
        return _read(value)
    except ValueError:
        raise PydanticCustomError("datetime_parsing", _HOW) from None


AwareTime = Annotated[AwareDatetime, BeforeValidator(read_time)]
"""A time as a sender writes it: RFC 3339 with an offset, and nothing that merely could be one."""


def to_micros(moment: datetime) -> Micros:
    """Give an aware datetime as microseconds since 1970.

    Raises:
        ValueError: The datetime is naive, so nobody can tell which instant it means.
    """
    if moment.tzinfo is None:
        raise ValueError("the time has no zone; write datetime.now(UTC) or add an offset")
    return (moment - _EPOCH) // _ONE


def from_micros(micros: Micros) -> datetime:
    """Give microseconds since 1970 as a datetime in UTC; beyond the years 1 to 9999 the nearest there is.

    A refusal is recorded whatever its sender's clock says, so any number must be showable.
    """
    return _EPOCH + timedelta(microseconds=min(max(micros, _EARLIEST), _LATEST))


def span_micros(span: timedelta) -> Micros:
    """Give a duration as whole microseconds."""
    return span // _ONE


def format_micros(micros: Micros) -> str:
    """Give an instant as RFC 3339 in UTC, such as `2026-11-23T19:00:00.123456Z`."""
    # Not strftime: its %Y leaves out leading zeros on some platforms.
    return from_micros(micros).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_instant(text: str) -> Micros:
    """Read an RFC 3339 time with an offset.

    Raises:
        ValueError: The text is no time, or has no offset.
    """
    return to_micros(_read(text))
