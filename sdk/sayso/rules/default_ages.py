"""From which age people decide for themselves, by place. Read on 2026-11-24; a brand has it checked, and overrides it.

None of these lowers a catalogue's own majority, which is 18 unless it says otherwise, as the policy has it: they count
where a brand has lowered it. A catalogue's `[ages]` do both.
"""

from datetime import date
from typing import Final

from sayso.model.age_limit import AgeLimit

_GDPR: Final = date(2018, 5, 25)
_GDPR_SOURCE: Final = "https://eur-lex.europa.eu/eli/reg/2016/679/oj"

# GDPR Art. 8(1): 16, unless a member state has set a lower age, 13 at least.
_ART_8: Final = (
    (13, "BE EE FI IS LV MT NO PT SE"),
    (14, "AT BG CY ES IT LT"),
    (15, "CZ FR GR"),
    (16, "DE HR HU IE LI LU NL PL RO SK"),
)

DEFAULT_AGES: Final[tuple[AgeLimit, ...]] = (
    *(
        AgeLimit(law="GDPR Art. 8", regions=tuple(places.split()), age=age, valid_from=_GDPR, source=_GDPR_SOURCE)
        for age, places in _ART_8
    ),
    AgeLimit(
        law="GDPR Art. 8",
        regions=("DK",),
        age=13,
        valid_from=_GDPR,
        valid_until=date(2023, 12, 31),
        source=_GDPR_SOURCE,
    ),
    AgeLimit(law="GDPR Art. 8", regions=("DK",), age=15, valid_from=date(2024, 1, 1), source=_GDPR_SOURCE),
    AgeLimit(
        law="GDPR Art. 8", regions=("SI",), age=16, valid_from=_GDPR, valid_until=date(2023, 1, 25), source=_GDPR_SOURCE
    ),
    AgeLimit(law="GDPR Art. 8", regions=("SI",), age=15, valid_from=date(2023, 1, 26), source=_GDPR_SOURCE),
    AgeLimit(
        law="UK GDPR Art. 8",
        regions=("GB",),
        age=13,
        valid_from=_GDPR,
        source="https://www.legislation.gov.uk/eur/2016/679/article/8",
    ),
    AgeLimit(
        law="COPPA, 16 CFR 312",
        regions=("US",),
        age=13,
        valid_from=date(2000, 4, 21),
        source="https://www.ecfr.gov/current/title-16/part-312",
    ),
    # Under 16 the sale of data needs an opt-in, under 13 the parents' (CCPA §1798.120(c)). Here a guardian gives it.
    AgeLimit(
        law="CCPA §1798.120(c)",
        regions=("US-CA",),
        age=13,
        sale_age=16,
        valid_from=date(2020, 1, 1),
        source="https://cppa.ca.gov/regulations/",
    ),
    AgeLimit(
        law="Guidelines for obtaining meaningful consent under PIPEDA",
        regions=("CA",),
        age=13,
        valid_from=date(2019, 1, 1),
        source="https://www.priv.gc.ca/",
    ),
    AgeLimit(
        law="Québec, Act respecting the protection of personal information in the private sector, s. 4.1",
        regions=("CA-QC",),
        age=14,
        valid_from=date(2023, 9, 22),
        source="https://www.legisquebec.gouv.qc.ca/",
    ),
)
