"""The time limits that hold beside a catalogue's own.

Compiled on 2026-11-24, mostly from secondary sources: a brand has them checked, and where they differ names its own of
the same name under `deadlines` in the catalogue.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from sayso.model.deadline import Deadline, RequestKind, parse_span

_CONSUMER_RIGHTS = (
    RequestKind.ACCESS,
    RequestKind.CORRECT,
    RequestKind.DELETE,
    RequestKind.TRANSFER,
    RequestKind.COPY,
)

DEFAULT_DEADLINES: Final[Mapping[str, Deadline]] = MappingProxyType(
    {
        # "We will respond within 30 days": everybody, every kind.
        "policy": Deadline(
            law="The privacy policy",
            regions=("*",),
            respond=parse_span("30 days"),
            valid_from=date(2021, 6, 16),
        ),
        "gdpr": Deadline(
            law="GDPR Art. 12(3)",
            regions=("EEA",),
            respond=parse_span("1 month"),
            extension=parse_span("2 months"),
            extension_notice=parse_span("1 month"),
            valid_from=date(2018, 5, 25),
            source="https://eur-lex.europa.eu/eli/reg/2016/679/oj",
        ),
        "uk-gdpr": Deadline(
            law="UK GDPR Art. 12(3)",
            regions=("GB",),
            respond=parse_span("1 month"),
            extension=parse_span("2 months"),
            extension_notice=parse_span("1 month"),
            valid_from=date(2021, 1, 1),
            source="https://www.legislation.gov.uk/eur/2016/679/article/12",
        ),
        "ccpa": Deadline(
            law="CCPA, 11 CCR 7021",
            regions=("US-CA",),
            kinds=_CONSUMER_RIGHTS,
            acknowledge=parse_span("10 business days"),
            respond=parse_span("45 days"),
            extension=parse_span("45 days"),
            extension_notice=parse_span("45 days"),
            valid_from=date(2020, 8, 14),
            source="https://cppa.ca.gov/regulations/",
        ),
        "ccpa-opt-out": Deadline(
            law="CCPA, 11 CCR 7026(f)",
            regions=("US-CA",),
            kinds=(RequestKind.SALE_OPT_OUT,),
            respond=parse_span("15 business days"),
            verification=False,
            valid_from=date(2020, 8, 14),
            source="https://cppa.ca.gov/regulations/",
        ),
        "us-states": Deadline(
            law="Privacy acts of Colorado, Connecticut, Oregon, Texas and Virginia",
            regions=("US-CO", "US-CT", "US-OR", "US-TX", "US-VA"),
            kinds=_CONSUMER_RIGHTS,
            respond=parse_span("45 days"),
            extension=parse_span("45 days"),
            extension_notice=parse_span("45 days"),
            valid_from=date(2024, 7, 1),
        ),
        "pipeda": Deadline(
            law="PIPEDA, s. 8 and principle 4.9.4",
            regions=("CA",),
            kinds=(RequestKind.ACCESS, RequestKind.CORRECT, RequestKind.COPY),
            respond=parse_span("30 days"),
            extension=parse_span("30 days"),
            extension_notice=parse_span("30 days"),
            valid_from=date(2001, 1, 1),
            source="https://laws-lois.justice.gc.ca/eng/acts/P-8.6/",
        ),
        "quebec": Deadline(
            law="Québec, Act respecting the protection of personal information in the private sector, s. 32",
            regions=("CA-QC",),
            kinds=_CONSUMER_RIGHTS,
            respond=parse_span("30 days"),
            valid_from=date(1994, 1, 1),
            source="https://www.legisquebec.gouv.qc.ca/en/document/cs/P-39.1",
        ),
        "fcc-sms": Deadline(
            law="47 CFR 64.1200(a)(10)",
            regions=("US",),
            kinds=(RequestKind.SMS_OPT_OUT,),
            respond=parse_span("10 business days"),
            verification=False,
            valid_from=date(2025, 4, 11),
            source="https://www.ecfr.gov/current/title-47/section-64.1200",
        ),
        "can-spam": Deadline(
            law="CAN-SPAM Act, 15 USC 7704(a)(4)",
            regions=("US",),
            kinds=(RequestKind.EMAIL_OPT_OUT,),
            respond=parse_span("10 business days"),
            verification=False,
            valid_from=date(2004, 1, 1),
            source="https://www.ecfr.gov/current/title-16/part-316",
        ),
    }
)


def with_defaults(deadlines: Mapping[str, Deadline]) -> Mapping[str, Deadline]:
    """Give the deadlines of a brand: the shipped ones, and a catalogue's, which take the place of their namesakes.

    A catalogue that names only its own promise doesn't put the laws out of force by that.

    Args:
        deadlines: The catalogue's.
    """
    return {**DEFAULT_DEADLINES, **deadlines}
