"""Which side of majority a consumer is on, by the evidence at hand."""

from collections.abc import Sequence
from datetime import MAXYEAR, datetime

from sayso.model.age import DOUBT, AgeEvidence, AgeSource
from sayso.model.instant import Micros, from_micros, to_micros

_FROM_THE_WEAKEST = (
    # A consumer's own word comes last of all: it may lower what others say, and never raises it.
    AgeSource.SELF.value,
    AgeSource.UNKNOWN.value,
    AgeSource.OS_SIGNAL.value,
    AgeSource.BRAND.value,
    AgeSource.GUARDIAN.value,
    AgeSource.VERIFIED.value,
    DOUBT,
)
_STRENGTH = {source: place for place, source in enumerate(_FROM_THE_WEAKEST)}
_UNHEARD_OF = _STRENGTH[AgeSource.UNKNOWN.value]


def is_minor(
    evidence: Sequence[AgeEvidence], *, majority: int, unknown_is_minor: bool, now: Micros
) -> tuple[bool, Micros | None]:
    """Tell whether the consumer counts as a minor, and when time alone changes that.

    The strongest source that names a band decides; a band across majority counts as a minor's. A weaker source whose
    whole band is below majority counts against a stronger one that says "adult", unless that one was verified: doubt
    protects the child (the policy closes the service to people under 18 without a parent's or guardian's consent).
    No weaker source raises what a stronger one says, and a consumer's own word is the weakest. A lower bound grows with
    the years since it was observed, so a band ages by itself.

    Returns:
        Whether the consumer is a minor, and the first instant at which they may come of age by this evidence, or None.
    """
    if not evidence:
        return unknown_is_minor, None
    counts_as_minor: bool | None = None
    comes_of_age: list[Micros] = []
    for piece in sorted(evidence, key=_strength, reverse=True) if len(evidence) > 1 else evidence:
        if piece.lower is None and piece.upper is None and piece.source != DOUBT:
            continue  # says nothing, such as a shared age that was declined
        of_age = piece.source != DOUBT and (piece.lower or 0) >= majority  # who was when seen is so by any clock
        adult_from = None if of_age else _adult_from(piece, majority)
        if of_age or (adult_from is not None and adult_from <= now):
            if counts_as_minor is None:
                counts_as_minor = False
            if piece.source == AgeSource.VERIFIED.value:
                break
            continue
        if adult_from is not None:
            comes_of_age.append(adult_from)
        if counts_as_minor is None or (piece.upper is not None and piece.upper < majority):
            counts_as_minor = True
            break
    if counts_as_minor is None:
        return unknown_is_minor, None
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
    places = {piece.jurisdiction for piece in (one, other)} - {None}
    # Two places: neither is known. The rule then counts the catalogue's majority, which no place lowers unasked.
    return one._replace(lower=lower, upper=upper, method=None, jurisdiction=places.pop() if len(places) == 1 else None)


def _strength(piece: AgeEvidence) -> tuple[int, str]:
    return _STRENGTH.get(piece.source, _UNHEARD_OF), piece.source


def _adult_from(piece: AgeEvidence, majority: int) -> Micros | None:
    """Give from when they are of age by the lower bound; None without one, for an upper bound never grows up."""
    if piece.lower is None or piece.source == DOUBT:
        return None
    return _years_later(piece.observed_at, majority - piece.lower)


def _years_later(moment: Micros, years: int) -> Micros:
    start = from_micros(moment)
    return to_micros(_replace_year(start, min(start.year + years, MAXYEAR)))


def _replace_year(moment: datetime, year: int) -> datetime:
    try:
        return moment.replace(year=year)
    except ValueError:  # 29 February
        return moment.replace(year=year, month=3, day=1)
