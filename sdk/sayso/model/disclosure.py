"""A disclosure: one line about one hand-over to or from a partner. Names of fields, never what was in them."""

import re
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from sayso.model.choice import ChoiceId, ConsumerId
from sayso.model.instant import AwareTime
from sayso.model.topic_key import Flow, parse_partner_key
from sayso.wire import MAX_DISCLOSURES

MOST_FIELDS: Final = 200
LONGEST_FIELD: Final = 200

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class GuardAnswer(StrEnum):
    """What the guard answered: the first four for `share`, the next three for `receive`, the last two for `combine`."""

    SEND = "send"
    SEND_REDACTED = "send_redacted"
    SEND_RESTRICTED = "send_restricted"
    WITHHOLD = "withhold"
    ACCEPT = "accept"
    QUARANTINE = "quarantine"
    DROP = "drop"
    JOIN = "join"
    REFUSE = "refuse"


class Outcome(StrEnum):
    """What became of a hand-over that was let through; `failed`: an error ended it, and something may have arrived."""

    HANDED_OVER = "handed_over"
    FAILED = "failed"


ANSWERS: Final = {
    Flow.SHARE: (GuardAnswer.SEND, GuardAnswer.SEND_REDACTED, GuardAnswer.SEND_RESTRICTED, GuardAnswer.WITHHOLD),
    Flow.RECEIVE: (GuardAnswer.ACCEPT, GuardAnswer.QUARANTINE, GuardAnswer.DROP),
    Flow.COMBINE: (GuardAnswer.JOIN, GuardAnswer.REFUSE),
}
"""The answers that each flow has."""


def _disclosure_id(value: str) -> str:
    canonical = value.lower()
    if not _UUID.fullmatch(canonical):
        raise PydanticCustomError("invalid_id", "a disclosure's id is a UUID, best version 7")
    return canonical


def _partner(value: str) -> str:
    try:
        return parse_partner_key(value)
    except ValueError as error:
        raise PydanticCustomError("invalid_value", "{said}", {"said": str(error)}) from None


def _fits_the_flow(answer: GuardAnswer, info: ValidationInfo) -> GuardAnswer:
    # `flow` comes before; one that is wrong itself is named by its own pointer.
    flow = info.data.get("flow")
    if flow is not None and answer not in ANSWERS[flow]:
        known = ", ".join(ANSWERS[flow])
        raise PydanticCustomError("invalid_value", "{said}", {"said": f"the flow {flow} is answered by one of {known}"})
    return answer


def _each_once(fields: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(fields)) < len(fields):
        raise PydanticCustomError("invalid_value", "a field is named twice; name each once")
    return fields


_FieldName = Annotated[str, Field(min_length=1, max_length=LONGEST_FIELD, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Fields = Annotated[tuple[_FieldName, ...], Field(max_length=MOST_FIELDS), AfterValidator(_each_once)]


class Disclosure(BaseModel):
    """One hand-over (`POST /v1/disclosures` takes 1 to 500).

    Attributes:
        id: A UUID made before anything was sent; the same again is recorded once.
        consumer_id: Whose data.
        partner: Its key in the catalogue when it happened.
        flow: Which way the data went.
        answer: What the guard answered.
        fields_sent: Names of what left, in dotted form; None if nobody can tell, because nothing was redacted.
        fields_held_back: Names of what stayed; None likewise.
        at: When it was over, by the sender's clock.
        outcome: What became of it; None if nothing was let through.
        choice_id: The choice that decided, if one did.
        reason: The decision's reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    id: Annotated[str, AfterValidator(_disclosure_id)]
    consumer_id: ConsumerId
    partner: Annotated[str, AfterValidator(_partner)]
    flow: Flow
    answer: Annotated[GuardAnswer, AfterValidator(_fits_the_flow)]
    fields_sent: _Fields | None
    fields_held_back: _Fields | None
    at: AwareTime
    outcome: Outcome | None = None
    choice_id: ChoiceId | None = None
    reason: Annotated[str, Field(max_length=200, pattern=r"^[a-z][!-~]*$")] | None = None


class DisclosureBatch(BaseModel):
    """The body of `POST /v1/disclosures`: validated whole, refused whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    disclosures: Annotated[tuple[Disclosure, ...], Field(min_length=1, max_length=MAX_DISCLOSURES)]
