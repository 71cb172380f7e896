"""Asking a parent or guardian, and doubting somebody's age: what is sent for it."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from sayso.model.choice import Evidence, Language
from sayso.model.request import ContactEmail, ContactPhone

MOST_TOPICS: Final = 50
_TopicName = Annotated[str, Field(min_length=1, max_length=160)]


class ContactFrom(StrEnum):
    """Where the guardian's address comes from: how far an answer by a link that was sent there can be believed."""

    CHILD = "child"
    BRAND = "brand"
    VERIFIED = "verified"


class DoubtReason(StrEnum):
    """Why somebody is believed to be under age."""

    SAID_SO = "said_so"
    PARENT_SAID_SO = "parent_said_so"
    CONTENT = "content"
    ACCOUNT = "account"
    OTHER = "other"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class GuardianContact(_Frozen):
    """Where the guardian is reached; deleted once they have answered, and after 14 days if they haven't.

    Attributes:
        email: An e-mail address.
        phone: A phone number.
    """

    email: ContactEmail | None = None
    phone: ContactPhone | None = None

    @model_validator(mode="after")
    def _reaches_somebody(self) -> "GuardianContact":
        if self.email is None and self.phone is None:
            raise PydanticCustomError("invalid_value", "give an e-mail address or a phone number")
        return self


class OwnGuardianRequest(_Frozen):
    """The body of `POST /v1/me/guardian-requests`: a minor asks for their guardian. No link comes back.

    Attributes:
        contact: Where the guardian is reached, as the minor typed it.
        topics: What is to be allowed.
        language: What the guardian reads.
    """

    contact: GuardianContact
    topics: Annotated[tuple[_TopicName, ...], Field(min_length=1, max_length=MOST_TOPICS)]
    language: Language = "en"

    @model_validator(mode="after")
    def _each_once(self) -> "OwnGuardianRequest":
        _check_once(self.topics)
        return self


class GuardianRequest(_Frozen):
    """The body of `POST /v1/consumers/{id}/guardian-requests`: make the link that the brand sends to the guardian.

    Attributes:
        contact_from: Where the guardian's address comes from. Once the minor has named somebody, `brand` counts as
            `child` unless `contact` is another address than theirs.
        contact: That address, if Sayso is to keep it until there is an answer.
        evidence: What shows that this is the guardian; needed for `verified`.
        topics: What is to be allowed.
        language: What the guardian reads, where their browser names nothing that the pages speak.
    """

    contact_from: ContactFrom = ContactFrom.BRAND
    contact: GuardianContact | None = None
    evidence: Evidence | None = None
    topics: Annotated[tuple[_TopicName, ...], Field(min_length=1, max_length=MOST_TOPICS)]
    language: Language = "en"

    @model_validator(mode="after")
    def _fits(self) -> "GuardianRequest":
        _check_once(self.topics)
        if (self.contact_from is ContactFrom.VERIFIED) != (self.evidence is not None):
            raise PydanticCustomError(
                "invalid_value", "evidence is what contact_from verified rests on: send both or neither"
            )
        return self


class AgeDoubt(_Frozen):
    """The body of `POST /v1/consumers/{id}/age-doubts`: somebody is believed to be under age.

    Attributes:
        reason: Why.
    """

    reason: DoubtReason = DoubtReason.OTHER


class DoubtCleared(_Frozen):
    """The body of `POST /v1/age-doubts/{id}/clear`: they are old enough after all.

    Attributes:
        evidence: What shows it, such as `{"kind": "id_document"}`; its kind is kept in the audit.
    """

    evidence: Evidence


def _check_once(topics: tuple[str, ...]) -> None:
    if len(set(topics)) < len(topics):
        raise PydanticCustomError("invalid_value", "topics has an entry twice; write each once")
