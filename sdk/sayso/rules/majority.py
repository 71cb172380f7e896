"""From which age a consumer decides alone, where that depends on where they live; and whether they do yet."""

from collections.abc import Iterable, Sequence
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from functools import lru_cache

from sayso.model.age import AgeEvidence, AgeSource
from sayso.model.age_limit import AgeLimit
from sayso.model.catalogue import Catalogue, UnknownAge
from sayso.model.instant import Micros, from_micros, to_micros
from sayso.rules.age import is_minor
from sayso.rules.default_ages import DEFAULT_AGES
from sayso.rules.regions import may_hold, read_place

_DAY = timedelta(days=1)


def majority_for(jurisdiction: str | None, catalogue: Catalogue, on: date, *, sale: bool = False) -> int:
    """Give the age in completed years from which people decide for themselves.

    What the catalogue's own `ages` say of a place counts as it stands, the highest if there are several. Elsewhere it
    is the catalogue's `majority`, or what `DEFAULT_AGES` has for the place if that is higher: no table lowers what a
    brand promises. Somebody in `US` may live in `US-CA`, whose ages count for them, too.

    Args:
        jurisdiction: Where they live, such as `DE` or `US-CA`; None where nobody knows.
        catalogue: The brand's.
        on: The day asked about.
        sale: Whether it is about data that is sold or shared (CCPA §1798.120(c)).
    """
    place = read_place(jurisdiction)
    if place is None:
        return catalogue.majority
    if catalogue.ages:
        own = _highest(catalogue.ages.values(), place, on, sale)
        if own is not None:
            return own
    return max(catalogue.majority, _by_default(place, on, sale))


def counts_as_minor(
    evidence: Sequence[AgeEvidence], catalogue: Catalogue, now: Micros, *, sale: bool = False
) -> tuple[bool, Micros | None]:
    """Tell whether a consumer counts as a minor by the evidence at hand, and when time alone may change that.

    Of several places that the evidence names, the one with the highest age counts. A place that only the consumer
    names lowers nothing for whom others gave a band: their own word raises none. An age that goes up on a day to come
    counts from now on, so that nobody becomes a minor again.

    Args:
        evidence: The newest of each source.
        catalogue: The brand's.
        now: Microseconds since 1970.
        sale: Whether it is about data that is sold or shared.
    """
    unknown_is_minor = catalogue.unknown_age is UnknownAge.MINOR
    if not evidence:
        return unknown_is_minor, None
    majority, until = catalogue.majority, None
    places: list[str | None] = [piece.jurisdiction for piece in evidence if piece.jurisdiction is not None]
    if places:
        others = [piece for piece in evidence if piece.source != AgeSource.SELF.value]
        if others and all(piece.jurisdiction is None for piece in others):
            places.append(None)
        majority, until = _now_or_ever_after(places, catalogue, now, sale)
    minor, comes_of_age = is_minor(evidence, majority=majority, unknown_is_minor=unknown_is_minor, now=now)
    if not minor or until is None:
        return minor, comes_of_age
    return True, until if comes_of_age is None else min(until, comes_of_age)


def _now_or_ever_after(
    places: Iterable[str | None], catalogue: Catalogue, now: Micros, sale: bool
) -> tuple[int, Micros | None]:
    """Give the highest age of now and later, and from when on it may be lower."""
    today = from_micros(now).astimezone(UTC).date()
    later = sorted({day for limit in (*DEFAULT_AGES, *catalogue.ages.values()) for day in _changes(limit, today)})

    def highest(day: date) -> int:
        return max(majority_for(place, catalogue, day, sale=sale) for place in places)

    majority = max(highest(day) for day in (today, *later))
    if not later or later[0].year >= MAXYEAR:
        return majority, None
    return majority, to_micros(datetime(later[0].year, later[0].month, later[0].day, tzinfo=UTC))


def _changes(limit: AgeLimit, today: date) -> list[date]:
    ends = None if limit.valid_until is None or limit.valid_until == date.max else limit.valid_until + _DAY
    return [day for day in (limit.valid_from, ends) if day is not None and day > today]


@lru_cache(maxsize=4096)
def _by_default(place: str, on: date, sale: bool) -> int:
    return _highest(DEFAULT_AGES, place, on, sale) or 0


def _highest(limits: Iterable[AgeLimit], place: str, on: date, sale: bool) -> int | None:
    holding = (limit.years(sale=sale) for limit in limits if limit.holds_on(on) and may_hold(limit.regions, place))
    return max(holding, default=None)
