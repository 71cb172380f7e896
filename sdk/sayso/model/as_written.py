"""Times that no clock shows, such as a leap second: read as the nearest there is, and kept as they were written.

A refusal is recorded whatever its sender's clock says: what is written as a time is read as one, and what is no time
at all counts as none.
"""

import calendar
import re
from datetime import UTC, datetime, time, timedelta, timezone

_SHAPE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
    r"(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))"
)
_LATEST = time.max
_LONGEST = 64
"""More than enough for what a clock writes; what is kept of a time must not become a place to keep anything else."""


class AsWritten(datetime):
    """The nearest time to one that no clock shows.

    Attributes:
        written: What was written.
    """

    written: str


class Unread(AsWritten):
    """What a refusal's sender wrote in place of a time, such as `Invalid Date`: kept, and counted as no time."""


def unread(value: str | float) -> Unread:
    """Keep what is no time as it was written, up to 64 characters."""
    moment = Unread(1970, 1, 1, tzinfo=UTC)
    moment.written = str(value)[:_LONGEST]
    return moment


def known(moment: datetime | None) -> datetime | None:
    """Give a time that counts; None for one that was left out or is no time."""
    return None if isinstance(moment, Unread) else moment


def nearest(text: str) -> AsWritten | None:
    """Read a time that is written as in RFC 3339 with an offset, however impossible; None for anything else.

    Each part of a date is clipped to what it can be: the 30th of February is the 28th or 29th. A time beyond the end
    of its minute, hour or day is that end to the microsecond, as second 60 is the last of second 59.
    """
    match = _SHAPE.fullmatch(text)
    if match is None or len(text) > _LONGEST:
        return None
    year, month = _within(match[1], 1, 9999), _within(match[2], 1, 12)
    day = _within(match[3], 1, calendar.monthrange(year, month)[1])
    hour, minute, second = int(match[4]), int(match[5]), int(match[6] or 0)
    over = hour > _LATEST.hour or minute > _LATEST.minute or second > _LATEST.second
    if hour > _LATEST.hour:
        hour, minute, second = _LATEST.hour, _LATEST.minute, _LATEST.second
    elif minute > _LATEST.minute:
        minute, second = _LATEST.minute, _LATEST.second
    else:
        second = min(second, _LATEST.second)
    zone = UTC
    if match[8] is not None:
        offset = timedelta(hours=_within(match[9], 0, 23), minutes=_within(match[10], 0, 59))
        zone = timezone(-offset if match[8] == "-" else offset)
    micros = _LATEST.microsecond if over else int((match[7] or "")[:6].ljust(6, "0"))
    moment = AsWritten(year, month, day, hour, minute, second, micros, zone)
    moment.written = text
    return moment


def written(moment: datetime) -> str:
    """Give a time as its sender wrote it."""
    return moment.written if isinstance(moment, AsWritten) else moment.isoformat()


def _within(part: str, least: int, most: int) -> int:
    return min(max(int(part), least), most)
