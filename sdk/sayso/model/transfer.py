"""Data that crosses a border."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StrictInt, StrictStr

from sayso.model.table import Country, HttpsUrl, Line, Region, Table


class TransferBasis(StrEnum):
    """What a transfer rests on (GDPR Art. 45, 46, 49), by the codes of the W3C Data Privacy Vocabulary."""

    ADEQUACY = "A45-3"
    PUBLIC_BODIES = "A46-2-a"
    BINDING_CORPORATE_RULES = "A46-2-b"
    CONTRACTUAL_CLAUSES = "A46-2-c"
    AUTHORITY_CLAUSES = "A46-2-d"
    CODE_OF_CONDUCT = "A46-2-e"
    CERTIFICATION = "A46-2-f"
    AD_HOC_CLAUSES = "A46-3-a"
    ADMINISTRATIVE_ARRANGEMENT = "A46-3-b"
    EXPLICIT_CONSENT = "A49-1-a"
    CONTRACT_WITH_CONSUMER = "A49-1-b"
    CONTRACT_FOR_CONSUMER = "A49-1-c"
    PUBLIC_INTEREST = "A49-1-d"
    LEGAL_CLAIMS = "A49-1-e"
    VITAL_INTERESTS = "A49-1-f"
    PUBLIC_REGISTER = "A49-1-g"
    COMPELLING_INTEREST = "A49-2"


class Transfer(Table):
    """One way that data takes out of its country of origin (GDPR Art. 13(1)(f)).

    Attributes:
        exporter: Who sends.
        importer: Who receives.
        partner: The partner that receives, if it is one of the catalogue's.
        origin: Where the data comes from; `EEA` or `*` for more than one country.
        destination: Where it goes.
        legal_basis: What the transfer rests on.
        instrument: The contract or decision, such as the clauses and their date.
        module: Which of the four modules of the clauses of Decision (EU) 2021/914.
        valid_from: From when.
        review_by: When somebody has to look at it again.
        evidence_url: Where the instrument can be read.
    """

    exporter: Line
    importer: Line
    partner: StrictStr | None = None
    origin: Region
    destination: Country
    legal_basis: TransferBasis
    instrument: Line | None = None
    module: Annotated[StrictInt, Field(ge=1, le=4)] | None = None
    valid_from: date | None = None
    review_by: date
    evidence_url: HttpsUrl | None = None
