"""What a consumer can decide about."""

from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, StrictStr, field_validator, model_validator

from sayso.model.device import Capability
from sayso.model.duration import Duration
from sayso.model.table import Table, Texts
from sayso.model.topic_key import (
    EVERY_TOPIC,
    LONGEST_TOPIC_KEY,
    Flow,
    LegalBasis,
    TopicKey,
    TopicKind,
    parse_partner_key,
    parse_topic_key,
)

__all__ = [
    "EVERY_TOPIC",
    "LONGEST_TOPIC_KEY",
    "Controller",
    "Flow",
    "LegalBasis",
    "Sender",
    "Topic",
    "TopicKey",
    "TopicKind",
    "TopicSettings",
    "parse_partner_key",
    "parse_topic_key",
]


class Controller(StrEnum):
    """Who answers for a message: the brand, or the messaging platform for its own."""

    BRAND = "brand"
    PLATFORM = "platform"


class Sender(Table):
    """One number or address that messages of a channel come from.

    Attributes:
        controller: Who answers for messages from it.
        title: How it is shown, by language.
    """

    controller: Controller = Controller.BRAND
    title: Texts = Field(default_factory=dict)


class TopicSettings(Table):
    """All that a catalogue says about a topic but its key.

    Attributes:
        basis: The legal basis.
        version: Version of the notice; a higher one asks again where the basis is consent. A text that changes under
            the same version asks nobody; which one was shown is kept with each choice (`Catalogue.history`).
        title: Short name, by language.
        notice: What the consumer is told before deciding, by language.
        requires: Topics that must be allowed too.
        sale_or_share: It sells or shares data in the sense of CCPA 1798.140, so GPC covers it.
        marketing: It serves marketing, whatever its key says.
        training: It trains models or people on the data, whatever its key says.
        expires_after: How long a grant lasts unless it says otherwise; None for no end.
        refresh_before: How long before a grant ends the consumer may be asked anew; None for only once it has ended.
        grace: How long a grant of the version before goes on holding once a higher one is published; None for not at
            all.
        capability: Permission topics: the device capability that is read.
        fresh_for: Permission topics: how long a device report counts.
        fresh_for_one_time: The same for a grant that the device gave only once.
        data_classes: Retention classes of the data it touches.
        senders: Channel topics: the numbers and addresses that messages come from.
        warning: What to say beside the choice, such as that a post becomes public.
        change: What is new in this version, for those who are asked again.
        retired: No longer offered; refusals are still recorded.
    """

    basis: LegalBasis
    version: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 1
    title: Texts = Field(default_factory=dict)
    notice: Texts = Field(default_factory=dict)
    requires: Annotated[tuple[TopicKey, ...], Field(max_length=32)] = ()
    sale_or_share: StrictBool = False
    marketing: StrictBool = False
    training: StrictBool = False
    expires_after: Duration | None = None
    refresh_before: Duration | None = None
    grace: Duration | None = None
    capability: StrictStr | None = None
    fresh_for: Duration = timedelta(hours=24)
    fresh_for_one_time: Duration = timedelta(seconds=60)
    data_classes: tuple[StrictStr, ...] = ()
    senders: dict[str, Sender] = Field(default_factory=dict)
    warning: Texts | None = None
    change: Texts | None = None
    retired: StrictBool = False

    @field_validator("requires")
    @classmethod
    def _check_requires(cls, requires: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(requires)) < len(requires):
            raise ValueError("names a topic twice")
        return requires

    @field_validator("capability")
    @classmethod
    def _check_capability(cls, capability: str | None) -> str | None:
        if capability is not None and capability not in list(Capability):
            raise ValueError(f"{capability!r} is no device capability; write one of {', '.join(Capability)}")
        return capability

    @property
    def refusable(self) -> bool:
        """Whether a consumer can say no: only where the basis is consent or legitimate interest."""
        return self.basis is LegalBasis.CONSENT or self.basis is LegalBasis.LEGITIMATE_INTEREST


class Topic(TopicSettings):
    """One thing a consumer can decide about, as a catalogue publishes it.

    Attributes:
        key: Such as `purpose:marketing`; see `parse_topic_key`.
    """

    key: TopicKey

    @model_validator(mode="before")
    @classmethod
    def _read_capability_off_the_key(cls, data: object) -> object:
        # permission:camera reads the camera; only permission:selfie needs to say so.
        if isinstance(data, dict) and data.get("capability") is None:
            kind, _, name = str(data.get("key", "")).partition(":")
            if kind == TopicKind.PERMISSION and name in list(Capability):
                return {**data, "capability": name}
        return data

    @model_validator(mode="after")
    def _check_capability_fits_the_kind(self) -> "Topic":
        is_permission = self.kind is TopicKind.PERMISSION
        if is_permission and self.capability is None:
            raise ValueError(f"`capability` is missing: say what it reads, one of {', '.join(Capability)}")
        if not is_permission and self.capability is not None:
            raise ValueError("`capability` belongs to permission topics; take it out")
        if self.kind is not TopicKind.CHANNEL and self.senders:
            raise ValueError("`senders` belongs to channel topics; take it out")
        return self

    @cached_property
    def kind(self) -> TopicKind:
        """What sort of topic this is."""
        return parse_topic_key(self.key)

    @cached_property
    def partner(self) -> str | None:
        """The partner's name, for a partner topic."""
        return self.key.split(":")[1] if self.kind is TopicKind.PARTNER else None

    @cached_property
    def flow(self) -> Flow | None:
        """Which way the data goes, for a partner topic."""
        return Flow(self.key.split(":")[2]) if self.kind is TopicKind.PARTNER else None

    @cached_property
    def is_marketing(self) -> bool:
        """Whether it serves marketing, by flag or by name."""
        return self.marketing or "marketing" in self.key

    @cached_property
    def is_training(self) -> bool:
        """Whether it trains on the data, by flag or by name."""
        return self.training or "training" in self.key
