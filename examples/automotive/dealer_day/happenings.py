"""What a payload can mean for somebody's privacy, whatever platform it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class By(StrEnum):
    """What a platform knows a person by."""

    CUSTOMER = "customer"  # the dealer's own id
    VISITOR = "visitor"  # an anonymous id that the dealer's page made
    PHONE = "phone"  # E.164, such as +12025550111
    CHAT = "chat"  # LivePerson's participant id


@dataclass(frozen=True, slots=True)
class Who:
    """A person as a platform names them. The address book turns it into a consumer id."""

    by: By
    value: str = field(repr=False)  # may be a phone number


@dataclass(frozen=True, slots=True)
class Happening:
    """Somebody did something at some time."""

    who: Who
    at: datetime


@dataclass(frozen=True, slots=True)
class Noticed(Happening):
    """Nothing to record: a message, a page view, a chat that opens."""

    what: str


@dataclass(frozen=True, slots=True)
class Chose(Happening):
    """A choice. `event_id` is the platform's own id of the message: delivered twice, it stays one choice."""

    topic: str
    answer: str
    method: str
    event_id: str
    language: str | None = None
    actor: str | None = None
    device: str | None = None
    expires_after: timedelta | None = None
    overrides: tuple[str, ...] = ()
    detail: Mapping[str, str] | None = None
    evidence: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Reported(Happening):
    """A device said what it lets the app do; `states` is exactly what the library reports."""

    device: str
    vocabulary: str
    states: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signalled(Happening):
    """A browser speaks for its owner: `gpc` or `dnt`."""

    name: str


@dataclass(frozen=True, slots=True)
class Aged(Happening):
    """A hint at somebody's age: a band, never a birth date."""

    lower: int | None
    upper: int | None
    source: str
    method: str


@dataclass(frozen=True, slots=True)
class SignedIn(Happening):
    """An anonymous visitor turned out to be a known consumer."""

    visitor: str


@dataclass(frozen=True, slots=True)
class Pinned(Happening):
    """Somebody sent a place."""

    latitude: float = field(repr=False)
    longitude: float = field(repr=False)


@dataclass(frozen=True, slots=True)
class Introduced(Happening):
    """The dealer's customer records say who is behind an address. `who` is the customer."""

    addresses: tuple[Who, ...]
    name: str | None
    language: str | None


@dataclass(frozen=True, slots=True)
class Renumbered(Happening):
    """Somebody's phone number changed; `who` is the old one."""

    number: Who
