"""From how many years on people decide for themselves somewhere."""

from datetime import date
from typing import Annotated

from pydantic import Field, StrictInt, StrictStr, StringConstraints, model_validator

from sayso.model.table import HttpsUrl, Region, Table

_Age = Annotated[StrictInt, Field(ge=0, le=30)]


class AgeLimit(Table):
    """What one law, or the brand's own policy, says about age. Dated data, to be overridden.

    Attributes:
        law: Its name or citation.
        regions: Where it holds.
        age: From how many completed years on people decide for themselves.
        sale_age: The same for what is sold or shared, if that is another one.
        valid_from: Since when it is known to hold.
        valid_until: The last day on which it holds, if that is known.
        source: Where it can be read.
    """

    law: Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)]
    regions: Annotated[tuple[Region, ...], Field(min_length=1)]
    age: _Age
    sale_age: _Age | None = None
    valid_from: date
    valid_until: date | None = None
    source: HttpsUrl | None = None

    @model_validator(mode="after")
    def _holds_some_time(self) -> "AgeLimit":
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("valid_until lies before valid_from")
        return self

    def holds_on(self, day: date) -> bool:
        """Tell whether it holds on a day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def years(self, *, sale: bool) -> int:
        """Give the age, the higher one for what is sold or shared."""
        return self.age if not sale or self.sale_age is None else max(self.age, self.sale_age)
