"""By when a rights request has to be answered.

Every law that applies where the consumer lives gives its own dates; the earliest of each kind counts. Days are
counted in the brand's or the consumer's time zone: the day of receipt is not counted, and the last one lasts until
its midnight. A last day on a Sunday or a holiday is not moved on, though some laws would let it: the
consumer was told a number of days.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

from sayso.model.deadline import Deadline, RequestKind, Span, SpanUnit
from sayso.rules.default_deadlines import DEFAULT_DEADLINES
from sayso.rules.regions import EEA, EVERYWHERE, country_of, may_hold, read_place

BusinessDay = Callable[[str | None, date], bool]
"""Tells whether people work in a country on a day; the country is None where nobody knows it."""

OPT_OUTS: Final = frozenset(
    {
        RequestKind.WITHDRAW_ALL,
        RequestKind.OBJECT,
        RequestKind.SALE_OPT_OUT,
        RequestKind.SMS_OPT_OUT,
        RequestKind.EMAIL_OPT_OUT,
    }
)
"""Requests that stop something. None of them may wait for proof of who is asking (11 CCR 7026(d), 7060(b))."""

_SATURDAY = 5
_END_OF_DAY = time(23, 59, 59)


class Due(NamedTuple):
    """By when what has to happen. Every instant is the last second of a day in the time zone asked for.

    Attributes:
        acknowledge_by: Until when receipt has to be confirmed, or None if no law demands it.
        respond_by: Until when the request has to be answered, unless it is extended.
        extend_by: Until when the consumer has to be told of an extension and why, or None if none is allowed.
        extended_until: Until when an extended request has to be answered, or None if it can't be extended.
        laws: The names of everything that applies, as in the catalogue and in its order.
        set_by: Which of them set `respond_by`.
        verification: Whether the answer may wait for proof of who is asking; the clock runs meanwhile.
    """

    acknowledge_by: datetime | None
    respond_by: datetime
    extend_by: datetime | None
    extended_until: datetime | None
    laws: tuple[str, ...]
    set_by: str
    verification: bool


def monday_to_friday(country: str | None, day: date) -> bool:
    """Tell whether a day is from Monday to Friday: no holiday is known, so that no deadline is put off by one."""
    return day.weekday() < _SATURDAY


def due(
    kind: RequestKind,
    jurisdiction: str | None,
    received_at: datetime,
    deadlines: Mapping[str, Deadline],
    *,
    zone: tzinfo = UTC,
    business_day: BusinessDay = monday_to_friday,
) -> Due:
    """Say by when a request has to be acknowledged and answered, and whether that can be put off.

    Where none of the laws is of the place, or nobody knows the place, every one of them applies, so the strictest
    decides. A place known only as a country may be any part of it. Whatever they say, an answer is due within the
    30 days of `DEFAULT_DEADLINES["policy"]` if nothing in them is about this kind.

    An extension needs every law that applies to allow one, and ends where the first of them ends it. A
    rule for everywhere (`*`) that says nothing of extensions is a brand's own promise: it sets the first date, and
    leaves the second to the laws of the place; where none of them applies, there is no extension.

    Args:
        kind: What is asked for.
        jurisdiction: Where the consumer lives, such as `DE`, `US-CA` or `EEA`; None or anything unreadable is
            unknown.
        received_at: When the request came in, by any way; aware. Never when it was verified or read.
        deadlines: All there are: of a catalogue, `with_defaults` of its own. None stand for `DEFAULT_DEADLINES`.
        zone: Whose calendar counts, the consumer's if known, else the brand's.
        business_day: Which days people work.

    Raises:
        ValueError: `received_at` is naive.
    """
    if received_at.tzinfo is None:
        raise ValueError("received_at has no zone; write datetime.now(UTC) or add an offset")
    received = received_at.astimezone(zone).date()
    place = read_place(jurisdiction)
    laws = _applying(kind, place, received, deadlines or DEFAULT_DEADLINES)

    def end(law: Deadline, *spans: Span) -> date:
        return _end(received, spans, _calendar_of(law, place), business_day)

    answers = {name: end(law, law.respond) for name, law in laws.items()}
    set_by = min(answers, key=lambda name: answers[name])
    acknowledgements = [end(law, law.acknowledge) for law in laws.values() if law.acknowledge is not None]
    asked = [law for law in laws.values() if not _is_promise(law)]
    extensions = [end(law, law.respond, law.extension) for law in asked if law.extension is not None]
    may_extend = bool(extensions) and len(extensions) == len(asked)
    notices = [end(law, law.extension_notice or law.respond) for law in asked]

    def instant(day: date) -> datetime:
        return datetime.combine(day, _END_OF_DAY, zone)

    return Due(
        acknowledge_by=instant(min(acknowledgements)) if acknowledgements else None,
        respond_by=instant(answers[set_by]),
        # Later than the first answer date it would be an excuse, no notice.
        extend_by=instant(min(*notices, answers[set_by])) if may_extend else None,
        extended_until=instant(min(extensions)) if may_extend else None,
        laws=tuple(laws),
        set_by=set_by,
        verification=kind not in OPT_OUTS and all(law.verification for law in laws.values()),
    )


def _applying(
    kind: RequestKind, place: str | None, received: date, deadlines: Mapping[str, Deadline]
) -> Mapping[str, Deadline]:
    known = {name: law for name, law in deadlines.items() if law.valid_from <= received} or deadlines
    # A place that only the rules for everywhere cover is one whose laws the catalogue does not know.
    local = (law for law in known.values() if not _is_everywhere(law))
    if not any(may_hold(law.regions, place) for law in local):
        place = None
    laws = {name: law for name, law in known.items() if not law.kinds or kind in law.kinds}
    here = {name: law for name, law in laws.items() if may_hold(law.regions, place)}
    return here or laws or {"policy": DEFAULT_DEADLINES["policy"]}


def _is_everywhere(law: Deadline) -> bool:
    return EVERYWHERE in law.regions


def _is_promise(law: Deadline) -> bool:
    return _is_everywhere(law) and law.extension is None


def _calendar_of(law: Deadline, place: str | None) -> str | None:
    # A law of one country counts that country's business days, whoever asks. Holidays of a part of it are not
    # counted: few statutes say which calendar they mean, and a holiday less is a day earlier.
    countries = {country_of(region) for region in law.regions}
    if len(countries) == 1 and None not in countries:
        return countries.pop()
    return None if place == EEA else country_of(place)


def _end(start: date, spans: tuple[Span, ...], country: str | None, business_day: BusinessDay) -> date:
    first = spans[0]
    if all(span.unit is first.unit for span in spans):
        # One month and two more are three months from the start: 31 January, 28 February, 30 April.
        return _after(start, Span(sum(span.count for span in spans), first.unit), country, business_day)
    for span in spans:
        start = _after(start, span, country, business_day)
    return start


def _after(start: date, span: Span, country: str | None, business_day: BusinessDay) -> date:
    if span.unit is SpanUnit.DAYS:
        return start + timedelta(days=span.count)
    if span.unit is SpanUnit.MONTHS:
        return _months_after(start, span.count)
    day, left = start, span.count
    while left:
        day += timedelta(days=1)
        left -= business_day(country, day)
    return day


def _months_after(start: date, months: int) -> date:
    # The same day of a later month, or its last one (Regulation (EEC, Euratom) 1182/71 Art. 3(2)(c)).
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))
