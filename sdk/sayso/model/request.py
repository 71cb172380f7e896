"""A rights request: what a consumer asks of the brand, as it is filed and as it is worked."""

import re
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from sayso.model.choice import Answer, ConsumerId, Language
from sayso.model.deadline import RequestKind
from sayso.model.instant import AwareTime

__all__ = ["RequestKind"]

MOST_URLS: Final = 50
MOST_TOPICS: Final = 100
_LONGEST_URL: Final = 2000
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_URL: Final = re.compile(r"https?://[^\s/?#@]+(?:[/?#]\S*)?")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")
_PHONE: Final = re.compile(r"\+?\(?[0-9][0-9 ().-]{4,30}")


class RequestState(StrEnum):
    """How far a request has come."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    AWAITING_VERIFICATION = "awaiting_verification"
    IN_PROGRESS = "in_progress"
    EXTENDED = "extended"
    FULFILLED = "fulfilled"
    DENIED = "denied"
    REVOKED = "revoked"
    EXPIRED = "expired"


OPEN_STATES: Final = (
    RequestState.RECEIVED,
    RequestState.ACKNOWLEDGED,
    RequestState.AWAITING_VERIFICATION,
    RequestState.IN_PROGRESS,
    RequestState.EXTENDED,
)
"""The states in which the clock runs."""


class Transition(StrEnum):
    """What can be done with a request."""

    ACKNOWLEDGE = "acknowledge"
    VERIFY = "verify"
    START = "start"
    EXTEND = "extend"
    FULFIL = "fulfil"
    DENY = "deny"
    REVOKE = "revoke"
    HAND_OVER = "hand-over"
    NOTE = "note"
    LIFT = "lift"


class RequestChannel(StrEnum):
    """The way a request came in. The clock runs from its receipt, whichever it was."""

    API = "api"
    WIDGET = "widget"
    CHAT = "chat"
    PAGE = "page"
    EMAIL = "email"
    PHONE = "phone"
    POST = "post"
    IN_PERSON = "in_person"
    DRP = "drp"


class Holder(StrEnum):
    """Who works on a request: the brand, which decides, or the messaging platform, which assists."""

    BRAND = "brand"
    PLATFORM = "platform"


class Fault(StrEnum):
    """What is wrong with a record that is to be corrected."""

    INACCURATE = "inaccurate"
    INCOMPLETE = "incomplete"
    AMBIGUOUS = "ambiguous"
    UNAUTHORISED = "unauthorised"


class UrlState(StrEnum):
    """How far the removal of one public address has come."""

    OPEN = "open"
    REMOVED = "removed"
    KEPT = "kept"


class DenialReason(StrEnum):
    """Why a request is denied: the seven reasons of the Data Rights Protocol 1.0."""

    SUSPECTED_FRAUD = "suspected_fraud"
    INSUF_VERIFICATION = "insuf_verification"
    NO_MATCH = "no_match"
    CLAIM_NOT_COVERED = "claim_not_covered"
    OUTSIDE_JURISDICTION = "outside_jurisdiction"
    TOO_MANY_REQUESTS = "too_many_requests"
    OTHER = "other"


def _request_id(value: str) -> str:
    canonical = value.lower()
    if not _UUID.fullmatch(canonical):
        raise PydanticCustomError("invalid_id", "a request's id is a UUID; make one with sayso.new_choice_id()")
    return canonical


def _url(value: str) -> str:
    if len(value) > _LONGEST_URL or not _URL.fullmatch(value):
        raise PydanticCustomError("invalid_value", "write the public address whole, such as https://forum.example/1")
    return value


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value.strip()):
        raise PydanticCustomError("invalid_value", "this is no e-mail address")
    return value.strip()


def _phone(value: str) -> str:
    if not _PHONE.fullmatch(value.strip()):
        raise PydanticCustomError("invalid_value", "this is no phone number; write it as +1 555 010 0100")
    return value.strip()


RequestId = Annotated[str, AfterValidator(_request_id)]
PublicUrl = Annotated[str, AfterValidator(_url)]
ContactEmail = Annotated[str, Field(max_length=254), AfterValidator(_email)]
ContactPhone = Annotated[str, Field(max_length=40), AfterValidator(_phone)]
Words = Annotated[StrictStr, Field(min_length=1, max_length=4000)]
Jurisdiction = Annotated[str, Field(pattern=r"^(EEA|[A-Z]{2}(-[A-Z0-9]{1,3})?)$")]
_TopicName = Annotated[str, Field(min_length=1, max_length=160)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class RequestContact(_Frozen):
    """How the person can be reached; deleted with the request's content.

    Attributes:
        name: As they gave it.
        email: An e-mail address.
        phone: A phone number.
        address: A postal address, with its line breaks.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    email: ContactEmail | None = None
    phone: ContactPhone | None = None
    address: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class RequestDetail(_Frozen):
    """What belongs to one kind of request only; `rules.requests.detail_problems` says what to which.

    Attributes:
        topics: `object`: which topics; none means everything that rests on a legitimate interest.
        about: `correct`: the field or topic that is wrong.
        fault: `correct`: what is wrong with it.
        answer: `correct` of a topic: the refusal that should stand there; it counts from filing.
        urls: `minor-content-removal`: the public addresses of what is to go.
        text: The person's own words.
    """

    topics: Annotated[tuple[_TopicName, ...], Field(max_length=MOST_TOPICS)] = ()
    about: Annotated[str, Field(min_length=1, max_length=160)] | None = None
    fault: Fault | None = None
    answer: Answer | None = None
    urls: Annotated[tuple[PublicUrl, ...], Field(max_length=MOST_URLS)] = ()
    text: Words | None = None

    @model_validator(mode="after")
    def _each_once(self) -> "RequestDetail":
        for name in ("topics", "urls"):
            named = getattr(self, name)
            if len(set(named)) < len(named):
                raise PydanticCustomError("invalid_value", f"{name} has an entry twice; write each once")
        return self


class OwnRequest(_Frozen):
    """The body of `POST /v1/me/requests`: what a consumer files with their own token.

    Attributes:
        id: A UUID made by whoever files it, so that sending it again files nothing twice; made here if left out.
        kind: What is asked for.
        channel: The way it came in.
        jurisdiction: Where the person lives, such as `US-CA`; unknown counts as the strictest.
        language: What the answer is written in.
        contact: How the person can be reached.
        detail: What belongs to the kind.
    """

    id: RequestId | None = None
    kind: RequestKind
    channel: RequestChannel | None = None
    jurisdiction: Jurisdiction | None = None
    language: Language = "en"
    contact: RequestContact = RequestContact()
    detail: RequestDetail = RequestDetail()


class NewRequest(OwnRequest):
    """The body of `POST /v1/requests`: what a backend or staff file for a consumer.

    Attributes:
        consumer_id: Whose; what came by post may be nobody's that is known yet.
        received_at: When it was received, which may be days ago; the clock runs from then. Officers only.
        held_by: Who works on it.
    """

    consumer_id: ConsumerId | None = None
    received_at: AwareTime | None = None
    held_by: Holder = Holder.BRAND


class NoteBody(_Frozen):
    """The body of a transition that needs no more than a remark.

    Attributes:
        note: A remark for the file; consumers don't see it.
        urls: `minor-content-removal`: how far the removal of each address has come.
    """

    note: Words | None = None
    urls: dict[PublicUrl, UrlState] = Field(default_factory=dict, max_length=MOST_URLS)


class VerifyBody(NoteBody):
    """The body of `verify`: the person is asked to show who they are. The clock goes on.

    Attributes:
        ask: What they are asked for.
        within_days: After how many days without an answer the request expires.
    """

    ask: Words | None = None
    within_days: Annotated[int, Field(ge=1, le=90)] = 30


class StartBody(NoteBody):
    """The body of `start`: it is known who asks, and the work begins.

    Attributes:
        verified: How they showed who they are; needed where nothing else did.
        consumer_id: Whose request it turned out to be, if that wasn't known.
    """

    verified: Words | None = None
    consumer_id: ConsumerId | None = None


class ExtendBody(NoteBody):
    """The body of `extend`: the answer takes longer, once, and the consumer is told why.

    Attributes:
        reason: Why, for the consumer (GDPR Art. 12(3)).
    """

    reason: Words


class FulfilBody(NoteBody):
    """The body of `fulfil`.

    Attributes:
        answer: What the consumer is told.
    """

    answer: Words | None = None


class DenyBody(NoteBody):
    """The body of `deny`. Recourse and authority are put in by the server.

    Attributes:
        reason: One of seven.
        grounds: Why, in words.
        barred_by: The law that bars giving the grounds, in their place.
    """

    reason: DenialReason
    grounds: Words | None = None
    barred_by: Words | None = None


class HandOverBody(NoteBody):
    """The body of `hand-over`: the other side works on it from now on. The clock goes on.

    Attributes:
        to: Who.
    """

    to: Holder


class LiftBody(NoteBody):
    """The body of `lift`: a restriction ends.

    Attributes:
        told: How the consumer was told beforehand (GDPR Art. 18(3)).
    """

    told: Words


TRANSITION_BODIES: Final[dict[Transition, type[NoteBody]]] = {
    Transition.ACKNOWLEDGE: NoteBody,
    Transition.VERIFY: VerifyBody,
    Transition.START: StartBody,
    Transition.EXTEND: ExtendBody,
    Transition.FULFIL: FulfilBody,
    Transition.DENY: DenyBody,
    Transition.REVOKE: NoteBody,
    Transition.HAND_OVER: HandOverBody,
    Transition.NOTE: NoteBody,
    Transition.LIFT: LiftBody,
}
"""What the body of each transition is."""


class FindBody(_Frozen):
    """The body of `POST /v1/requests/find`: by what a person is looked for. Addresses stay out of URLs.

    Attributes:
        email: Their e-mail address.
        phone: Their phone number.
    """

    email: ContactEmail | None = None
    phone: ContactPhone | None = None

    @model_validator(mode="after")
    def _says_one(self) -> "FindBody":
        if (self.email is None) == (self.phone is None):
            raise PydanticCustomError("invalid_value", "say email or phone, one of them")
        return self
