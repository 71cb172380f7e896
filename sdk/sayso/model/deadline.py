"""How soon a rights request has to be answered."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, PlainSerializer, StrictBool, StrictStr, StringConstraints

from sayso.model.table import HttpsUrl, Region, Table

_SPAN: Final = re.compile(r"([1-9][0-9]{0,3}) (day|business day|month)(s?)")


class SpanUnit(StrEnum):
    """What a span of the calendar is counted in."""

    DAYS = "days"
    BUSINESS_DAYS = "business_days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the calendar; how long it lasts depends on where it starts.

    Attributes:
        count: How many, 1 or more.
        unit: Of what.
    """

    count: int
    unit: SpanUnit

    def __str__(self) -> str:
        """Give it as the catalogue writes it: `30 days`, `1 month`, `10 business days`."""
        word = self.unit.value.replace("_", " ")
        return f"{self.count} {word.removesuffix('s') if self.count == 1 else word}"


def parse_span(value: object) -> Span:
    """Read `"30 days"`, `"1 month"` or `"10 business days"`.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(value, Span):
        return value
    if isinstance(value, str) and (match := _SPAN.fullmatch(value)):
        return Span(int(match[1]), SpanUnit(match[2].replace(" ", "_") + "s"))
    raise ValueError(f'{value!r} is not a time limit; write "30 days", "1 month" or "10 business days"')


CalendarSpan = Annotated[Span, BeforeValidator(parse_span), PlainSerializer(str, return_type=str, when_used="json")]


class RequestKind(StrEnum):
    """What a deadline is about: the rights requests, and the opt-outs that laws give a limit of their own."""

    ACCESS = "access"
    CORRECT = "correct"
    DELETE = "delete"
    TRANSFER = "transfer"
    COPY = "copy"
    WITHDRAW_ALL = "withdraw-all"
    OBJECT = "object"
    RESTRICT = "restrict"
    MINOR_CONTENT_REMOVAL = "minor-content-removal"
    SALE_OPT_OUT = "sale-opt-out"
    SMS_OPT_OUT = "sms-opt-out"
    EMAIL_OPT_OUT = "email-opt-out"


class Deadline(Table):
    """What one law, or the brand's own policy, allows for an answer. Dated data, to be overridden.

    Attributes:
        law: Its name or citation.
        regions: Where it holds.
        kinds: Which requests; none named means all of them.
        acknowledge: Until when receipt is confirmed, if at all.
        respond: Until when the request is answered.
        extension: By how much the answer may be put off, if at all.
        extension_notice: Until when the consumer has to be told of that.
        verification: Whether the answer may wait for proof of who is asking.
        valid_from: Since when the figures are known to hold.
        source: Where they can be read.
    """

    law: Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)]
    regions: Annotated[tuple[Region, ...], Field(min_length=1)]
    kinds: tuple[RequestKind, ...] = ()
    acknowledge: CalendarSpan | None = None
    respond: CalendarSpan
    extension: CalendarSpan | None = None
    extension_notice: CalendarSpan | None = None
    verification: StrictBool = True
    valid_from: date
    source: HttpsUrl | None = None
