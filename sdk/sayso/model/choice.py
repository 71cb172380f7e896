"""A choice: one answer to one topic at one time, as whoever records it sends it."""

import re
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from sayso.model.as_written import nearest, unread
from sayso.model.ids import IdError, check_consumer_id, check_id
from sayso.model.instant import AwareTime, read_time
from sayso.wire import MAX_CHOICES

MAX_DETAIL_BYTES = 2048
_LONGEST_LANGUAGE = 128
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
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


def _day(value: str) -> str:
    if not _DAY.fullmatch(value):
        raise PydanticCustomError("invalid_value", "a day is written like 2019-05-25")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("invalid_value", "the calendar has no such day") from None
    return value


DeviceId = Annotated[str, AfterValidator(_id_validator)]
ConsumerId = Annotated[str, AfterValidator(_consumer_id_validator)]
ChoiceId = Annotated[str, AfterValidator(_choice_id_validator)]
_LONGEST_TAG = 35
_TAG = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"
Language = Annotated[str, Field(pattern=f"^{_TAG}$", max_length=_LONGEST_TAG)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class SentNotice(_Frozen):
    """The text that the consumer was shown, as a sender names it: which language, which version of the topic's notice.

    Without a version it is the current one. For a grant it has to be a `Notice`; of a refusal, which is never turned
    away for its notice, it is kept as it was sent, the language (if there is one) up to 128 characters.
    """

    language: (
        Annotated[str, Field(description="for a grant a language tag such as en or fr-CA; needed there")] | None
    ) = None
    version: Annotated[int, Field(description="for a grant 1 or more")] | None = None
    minor: Annotated[int, Field(description="for a grant 0 or more")] | None = None


class Notice(SentNotice):
    """The text that the consumer was shown: which language, and which version of the topic's notice.

    Without a version it is the current one. `minor` is which text of that version, as the catalogue shows it; without
    it, the one in force when the choice is recorded.
    """

    language: Language
    version: Annotated[int, Field(ge=1)] | None = None
    minor: Annotated[int, Field(ge=0)] | None = None


class Evidence(_Frozen):
    """What is kept to show that a choice was made. The reference is stored as text and never fetched.

    Attributes:
        kind: What it is, such as `call_recording` or `paper_form`.
        ref: Where the brand keeps it.
        sha256: Of the thing itself.
        wording: What the consumer was asked, word for word; needed for an imported grant.
        date: The day on which they answered; needed for an imported grant.
        source: Where the answer was kept until it was imported; needed for an imported grant.
    """

    kind: Annotated[str, Field(min_length=1, max_length=64)]
    ref: Annotated[str, Field(max_length=256)] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    wording: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    date: Annotated[str, AfterValidator(_day)] | None = None
    source: Annotated[str, Field(min_length=1, max_length=256)] | None = None


class Detail(_Frozen):
    """What belongs to one kind of topic only.

    Attributes:
        precision: For `permission:location`: how exactly.
        sender: For channels: the number, address or account the message came to or from. A refusal that names one
            is about messages from there.
        controller: For channels: a refusal, or what lifts it, is about all that the `brand` or the `platform` sends.
        campaign: For channels and marketing purposes: the brand's own name of the campaign.
        note: A remark of the brand for any topic, at most 500 characters. Never the consumer's message.
    """

    precision: Precision | None = None
    sender: Annotated[str, Field(max_length=128)] | None = None
    controller: Literal["brand", "platform"] | None = None
    campaign: Annotated[str, Field(max_length=128)] | None = None
    note: Annotated[str, Field(max_length=500)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Detail":
        if len(self.model_dump_json(exclude_none=True).encode()) > MAX_DETAIL_BYTES:
            raise PydanticCustomError("too_long", "a detail has at most 2 KiB as UTF-8 JSON")
        return self


def _refuses(info: ValidationInfo) -> bool:
    # `answer` comes before the members that are judged by it. One that is wrong itself is no refusal yet.
    answer = info.data.get("answer")
    return answer is Answer.DENIED or answer is Answer.WITHDRAWN


def _made_at(value: object, info: ValidationInfo) -> object:
    return _whatever_it_says(value) if _refuses(info) else read_time(value)


def _whatever_it_says(value: object) -> object:
    """Read a refusal's time: as the nearest there is, and as none what is no time at all."""
    if isinstance(value, str):
        try:
            return read_time(value)
        except PydanticCustomError:
            return nearest(value) or unread(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return unread(value) if is_number else value  # type: ignore[arg-type]  # a number, as was just asked


def _based_on(value: int, info: ValidationInfo) -> int:
    if value < 0 and not _refuses(info):
        raise PydanticKnownError("greater_than_equal", {"ge": 0})
    return value


@lru_cache(maxsize=256)
def _is_tag(language: str) -> bool:
    return re.fullmatch(_TAG, language) is not None


def _notice(notice: SentNotice, info: ValidationInfo) -> SentNotice:
    if not _refuses(info):
        language, version = notice.language, notice.version
        # The length first: nothing long is remembered.
        tagged = language is not None and len(language) <= _LONGEST_TAG and _is_tag(language)
        if not tagged or (version is not None and version < 1) or (notice.minor or 0) < 0:
            # So that what is wrong is named by the notice's own members.
            Notice.model_validate(notice.model_dump(exclude_unset=True))
    elif notice.language is not None and len(notice.language) > _LONGEST_LANGUAGE:
        return notice.model_copy(update={"language": notice.language[:_LONGEST_LANGUAGE]})
    return notice


class Choice(_Frozen):
    """One answer to one topic at one time (`POST /v1/choices` takes 1 to 500).

    `based_on` is the version of the consumer's preferences that was in view when the choice was made. A refusal is
    never turned away for `made_at`, `based_on` or `notice` if they are of the right type: a time that no clock shows is
    read as the nearest and what is no time as none (`model.as_written`), the others are left for whoever records it to
    clip.
    """

    id: ChoiceId
    consumer_id: ConsumerId
    topic: Annotated[str, Field(min_length=1, max_length=160)]
    answer: Answer
    method: Method
    made_at: Annotated[AwareDatetime, BeforeValidator(_made_at)] | None = None
    based_on: Annotated[int, AfterValidator(_based_on)] | None = None
    actor: Actor | None = None
    notice: Annotated[SentNotice, AfterValidator(_notice)] | None = None
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


def _sent_at(value: object, info: ValidationInfo) -> object:
    refused = any(choice.is_refusal for choice in info.data.get("choices", ()))
    return _whatever_it_says(value) if refused else read_time(value)


class ChoiceBatch(_Frozen):
    """The body of `POST /v1/choices`: validated whole, refused whole."""

    choices: Annotated[tuple[Choice, ...], Field(min_length=1, max_length=MAX_CHOICES)]
    sent_at: Annotated[AwareDatetime, BeforeValidator(_sent_at)] | None = None
