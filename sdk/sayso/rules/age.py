"""Which side of majority a consumer is on, by the evidence at hand."""

from collections.abc import Sequence
from datetime import MAXYEAR, datetime

from sayso.model.age import AgeEvidence, AgeSource
from sayso.model.instant import Micros, from_micros, to_micros

_STRENGTH = {source.value: place for place, source in enumerate(AgeSource)}


def is_minor(
    evidence: Sequence[AgeEvidence], *, majority: int, unknown_is_minor: bool, now: Micros
) -> tuple[bool, Micros | None]:
    """Tell whether the consumer counts as a minor, and when time alone changes that.

    The strongest source decides; where it leaves the question open, the next one does. A weaker source that
    says "minor" counts against a stronger one that says "adult", unless that one was verified: doubt
    protects the child (the policy closes the service to people under 18 without a parent's or guardian's
    consent). A lower bound grows with the years since it was observed.

    Returns:
        Whether the consumer is a minor, and the instant at which they come of age by this evidence, or None.
    """
    if not evidence:
        return unknown_is_minor, None
    verdict: bool | None = None
    comes_of_age: list[Micros] = []
    for piece in sorted(evidence, key=_strength, reverse=True):
        minor, adult_from = _verdict(piece, majority, now)
        if adult_from is not None:
            comes_of_age.append(adult_from)
        if minor is None:
            continue
        verdict = minor
        if minor or piece.source == AgeSource.VERIFIED.value:
            break
    counts_as_minor = unknown_is_minor if verdict is None else verdict
    return counts_as_minor, min(comes_of_age, default=None) if counts_as_minor else None


def lower_band(one: AgeEvidence, other: AgeEvidence) -> AgeEvidence:
    """Put together two bands that one source gave for one moment: doubt protects the child.

    Args:
        one: Evidence.
        other: Evidence of the same source and moment.

    Returns:
        The lower of both lower bounds, where none is the lowest, and the lower of both upper bounds, where none is
        the highest. The method stays if one of the two says all of that.
    """
    lower = None if one.lower is None or other.lower is None else min(one.lower, other.lower)
    upper = min((bound for bound in (one.upper, other.upper) if bound is not None), default=None)
    for piece in (one, other):
        if (piece.lower, piece.upper) == (lower, upper):
            return piece
    return one._replace(lower=lower, upper=upper, method=None)


def _strength(piece: AgeEvidence) -> int:
    return _STRENGTH.get(piece.source, 0)


def _verdict(piece: AgeEvidence, majority: int, now: Micros) -> tuple[bool | None, Micros | None]:
    if piece.lower is not None:
        adult_from = _years_later(piece.observed_at, majority - piece.lower) if piece.lower < majority else None
        if adult_from is None or adult_from <= now:
            return False, None
        if piece.upper is not None and piece.upper < majority:
            return True, adult_from
        return None, adult_from
    if piece.upper is not None and piece.upper < majority:
        return True, None
    return None, None


def _years_later(moment: Micros, years: int) -> Micros:
    start = from_micros(moment)
    return to_micros(_replace_year(start, min(start.year + years, MAXYEAR)))


def _replace_year(moment: datetime, year: int) -> datetime:
    try:
        return moment.replace(year=year)
    except ValueError:  # 29 February
        return moment.replace(year=year, month=3, day=1)
