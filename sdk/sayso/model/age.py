"""Evidence of age: a band and where it came from, never a birth date."""

from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from sayso.model.instant import AwareTime, Micros

DOUBT = "doubt"
"""The source of a hold: somebody is believed to be under age. Nobody reports it like other evidence."""
Years = Annotated[int, Field(ge=0, le=130)]
Place = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]


class AgeSource(StrEnum):
    """Where evidence of age came from (`rules.age` says which outweighs which)."""

    UNKNOWN = "unknown"
    SELF = "self"
    OS_SIGNAL = "os_signal"
    BRAND = "brand"
    GUARDIAN = "guardian"
    VERIFIED = "verified"


class AgeReport(BaseModel):
    """The body of `PUT …/age`: the consumer is at least `lower` and at most `upper` years old.

    Attributes:
        source: Where this comes from.
        lower: At least so many completed years.
        upper: At most so many.
        method: How it was found out, in a few words.
        observed_at: When.
        jurisdiction: Where the person lives, if that is known: `rules.majority` has an age for many places.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    source: AgeSource
    lower: Years | None = None
    upper: Years | None = None
    method: Annotated[str, Field(max_length=64)] | None = None
    observed_at: AwareTime | None = None
    jurisdiction: Place | None = None

    @model_validator(mode="after")
    def _band_is_a_band(self) -> "AgeReport":
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise PydanticCustomError("invalid_value", "lower is at most upper: an age band reads from young to old")
        return self


class AgeEvidence(NamedTuple):
    """One piece of evidence as stored; `observed_at` in microseconds, bounds in completed years."""

    source: str
    lower: int | None
    upper: int | None
    observed_at: Micros
    method: str | None = None
    jurisdiction: str | None = None
