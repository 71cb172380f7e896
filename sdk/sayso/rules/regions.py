"""Which rules hold where a consumer lives, as far as anybody knows where that is."""

import re
from collections.abc import Iterable
from typing import Final

EVERYWHERE: Final = "*"
EEA: Final = "EEA"

_UNION = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_EFTA = "IS LI NO"  # by Joint Committee Decision 154/2018
_OUTERMOST = "AX GF GP MF MQ RE YT"  # have country codes of their own, and the Union's law (TFEU Art. 355)

EEA_COUNTRIES: Final = frozenset(f"{_UNION} {_EFTA} {_OUTERMOST}".split())
"""Country codes of the European Economic Area as of 2021-01-01, where the GDPR holds."""

_PLACE = re.compile(r"(?:EEA|[A-Z]{2}(?:-[A-Z0-9]{1,3})?)")
_ALIASES = {"EU": EEA, "UK": "GB", "EL": "GR"}


def read_place(written: str | None) -> str | None:
    """Read where somebody lives: `DE`, `CA-QC`, `us-ca`, `EEA`; `EU`, `UK` and `EL` are understood.

    Args:
        written: An ISO 3166 country or subdivision, or None.

    Returns:
        The code in its usual form, or None where nobody can tell, which rules read as "anywhere".
    """
    if written is None:
        return None
    country, dash, part = written.strip().upper().partition("-")
    place = _ALIASES.get(country, country) + dash + part
    return place if _PLACE.fullmatch(place) else None


def country_of(place: str | None) -> str | None:
    """Give the country code of a place, or None if it is no single country."""
    return None if place is None or place in (EEA, EVERYWHERE) else place.partition("-")[0]


def may_hold(regions: Iterable[str], place: str | None) -> bool:
    """Tell whether a rule of some regions holds, or could hold, for a consumer in a place.

    Somebody known to live in `US` may live in `US-CA`, so that California's rules count as theirs; somebody in
    `EEA` may live in any of its countries. Doubt is on the consumer's side.

    Args:
        regions: Where the rule holds, as a catalogue writes it.
        place: What `read_place` gave; None may be anywhere.
    """
    return place is None or any(_overlap(region, place) for region in regions)


def _overlap(region: str, place: str) -> bool:
    if EVERYWHERE in (region, place) or region == place:
        return True
    if EEA in (region, place):
        other = place if region == EEA else region
        return country_of(other) in EEA_COUNTRIES
    return region == country_of(place) or place == country_of(region)
