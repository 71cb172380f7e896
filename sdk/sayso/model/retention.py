"""How long data is kept."""

from enum import StrEnum
from typing import Final

from pydantic import Field

from sayso.model.duration import Duration
from sayso.model.table import Table, Texts

OWN_RECORDS: Final = frozenset({"choices", "requests", "disclosures"})
"""Classes that every installation keeps about its own work, whether a topic names them or not."""


class RetentionStart(StrEnum):
    """The event from which a retention period runs."""

    COLLECTED = "collected"
    LAST_CONTACT = "last_contact"
    CONVERSATION_CLOSED = "conversation_closed"
    CHOICE_REPLACED = "choice_replaced"
    REQUEST_CLOSED = "request_closed"
    SALE_CLOSED = "sale_closed"


class Retention(Table):
    """How long one class of data is kept, from when, and why (GDPR Art. 13(2)(a)).

    Attributes:
        title: What the class holds, by language.
        period: For how long.
        start: From what the period runs.
        ground: Why it is needed for so long, by language.
    """

    title: Texts = Field(default_factory=dict)
    period: Duration
    start: RetentionStart
    ground: Texts
