"""A choice: one answer to one topic at one time, as whoever records it sends it."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from sayso.model.ids import IdError, check_consumer_id, check_id
from sayso.model.instant import AwareTime

MAX_CHOICES = 500
MAX_DETAIL_BYTES = 2048
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Answer(StrEnum):
    """What the consumer said. `denied` and `withdrawn` are refusals."""

    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


class Method(StrEnum):
    """How the choice reached the brand."""

    WIDGET = "widget"
    CHAT = "chat"
    SMS = "sms"
    EMAIL = "email"
    PHONE = "phone"
    AGENT = "agent"
    API = "api"
    IMPORT = "import"
    PAPER = "paper"


class Actor(StrEnum):
    """Who made the choice. It follows the token; the body can only narrow it."""

    CONSUMER = "consumer"
    GUARDIAN = "guardian"
    AGENT = "agent"
    BRAND = "brand"


class Precision(StrEnum):
    """How exactly a consumer's location may be used (`rules.location` does the coarsening)."""

    PRECISE = "precise"
    APPROXIMATE = "approximate"
    CITY = "city"
    OFF = "off"


def _id_validator(value: str) -> str:
    try:
        return check_id(value)
    except IdError as error:
        raise PydanticCustomError(error.code, str(error)) from None


def _consumer_id_validator(value: str) -> str:
    try:
        return check_consumer_id(value)
    except IdError as error:
        raise PydanticCustomError(error.code, str(error)) from None


def _choice_id_validator(value: str) -> str:
    canonical = value.lower()
    if not _UUID.fullmatch(canonical):
        raise PydanticCustomError(
            "invalid_id", "a choice's id is a UUID, best version 7; make one with sayso.new_choice_id()"
        )
    return canonical


DeviceId = Annotated[str, AfterValidator(_id_validator)]
ConsumerId = Annotated[str, AfterValidator(_consumer_id_validator)]
ChoiceId = Annotated[str, AfterValidator(_choice_id_validator)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Notice(_Frozen):
    """The text that the consumer was shown: which language, and which version of the topic's notice.

    Without a version it is the current one.
    """

    language: Language
    version: Annotated[int, Field(ge=1)] | None = None


class Evidence(_Frozen):
    """What is kept to show that a choice was made. The reference is stored as text and never fetched."""

    kind: Annotated[str, Field(min_length=1, max_length=64)]
    ref: Annotated[str, Field(max_length=256)] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class Detail(_Frozen):
    """What belongs to one kind of topic only.

    Attributes:
        precision: For `permission:location`: how exactly.
        sender: For channels: the number, address or account the message came to or from.
        campaign: For channels and marketing purposes: the brand's own name of the campaign.
        note: A remark of the brand for any topic, at most 500 characters. Never the consumer's message.
    """

    precision: Precision | None = None
    sender: Annotated[str, Field(max_length=128)] | None = None
    campaign: Annotated[str, Field(max_length=128)] | None = None
    note: Annotated[str, Field(max_length=500)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Detail":
        if len(self.model_dump_json(exclude_none=True).encode()) > MAX_DETAIL_BYTES:
            raise PydanticCustomError("too_long", "a detail has at most 2 KiB as UTF-8 JSON")
        return self


class Choice(_Frozen):
    """One answer to one topic at one time (`POST /v1/choices` takes 1 to 500).

    `based_on` is the version of the consumer's preferences that was in view when the choice was made.
    """

    id: ChoiceId
    consumer_id: ConsumerId
    topic: Annotated[str, Field(min_length=1, max_length=160)]
    answer: Answer
    method: Method
    made_at: AwareTime | None = None
    based_on: Annotated[int, Field(ge=0)] | None = None
    actor: Actor | None = None
    notice: Notice | None = None
    evidence: Evidence | None = None
    expires_at: AwareTime | None = None
    device_id: DeviceId | None = None
    jurisdiction: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] | None = None
    overrides: Annotated[tuple[Annotated[str, Field(pattern=r"^(gpc|dnt)$")], ...], Field(max_length=2)] = ()
    detail: Detail | None = None

    @property
    def is_refusal(self) -> bool:
        """Tell whether the answer is `denied` or `withdrawn`."""
        return self.answer is not Answer.GRANTED


class ChoiceBatch(_Frozen):
    """The body of `POST /v1/choices`: validated whole, refused whole."""

    choices: Annotated[tuple[Choice, ...], Field(min_length=1, max_length=MAX_CHOICES)]
    sent_at: AwareTime | None = None
