"""What the server answers to a device report, a signal, evidence of age, a link and a published catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from sayso.model.device import DeviceState


class UnknownState(NamedTuple):
    """A key or value of a device report that no table lists; it is kept raw and allows nothing."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class DeviceReported:
    """A device's report is recorded.

    Attributes:
        version: The consumer's version that it made; None while it is pending.
        states: What the device says by capability, such as `camera`, in normal form; those of earlier reports included.
        unknown: What no table lists. Only these capabilities are `device_unknown`.
        status: `confirmed`, or `pending` while it is kept in the outbox.
    """

    version: int | None
    states: Mapping[str, DeviceState]
    unknown: tuple[UnknownState, ...]
    status: str = "confirmed"

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read the answer."""
        return cls(
            data["version"],
            {name: DeviceState.from_json(state) for name, state in data["states"].items()},
            tuple(UnknownState(entry["name"], entry.get("value")) for entry in data.get("unknown") or ()),
        )


@dataclass(frozen=True, slots=True)
class SignalReported:
    """A signal is recorded.

    Attributes:
        name: Which: `gpc` or `dnt`.
        version: The consumer's version; None while it is pending.
        signals: Every signal seen, as the server sends it.
        replayed: It had been seen on this device before; its first sight counts.
        status: `confirmed`, or `pending` while it is kept in the outbox.
    """

    name: str
    version: int | None
    signals: Mapping[str, Any]
    replayed: bool
    status: str = "confirmed"

    @classmethod
    def from_wire(cls, name: str, data: Mapping[str, Any]) -> Self:
        """Read the answer."""
        return cls(name, data["version"], data["signals"], data.get("replayed") is True)


@dataclass(frozen=True, slots=True)
class AgeReported:
    """Evidence of age is recorded.

    Attributes:
        version: The consumer's version; None while it is pending.
        age: The newest evidence of each source, as the server sends it.
        status: `confirmed`, or `pending` while it is kept in the outbox.
    """

    version: int | None
    age: Mapping[str, Any]
    status: str = "confirmed"

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read the answer."""
        return cls(data["version"], data["age"])


@dataclass(frozen=True, slots=True)
class LinkedChoice:
    """One choice that a link carried over or left behind; `choice_id` is the copy's, None if left."""

    topic: str
    answer: str
    choice_id: str | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """An anonymous visitor became a known consumer.

    Attributes:
        consumer_id: The known id.
        version: Its version now.
        carried: Choices that count for the known consumer from now on: every refusal, and some grants.
        left: Grants that don't: there was no live token, or the known consumer had spoken.
        replayed: They had been linked before.
    """

    consumer_id: str
    version: int
    carried: tuple[LinkedChoice, ...]
    left: tuple[LinkedChoice, ...]
    replayed: bool

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read the answer."""
        carried, left = (
            tuple(
                LinkedChoice(entry["topic"], entry["answer"], entry.get("choice_id")) for entry in data.get(name) or ()
            )
            for name in ("carried", "left")
        )
        return cls(data["consumer_id"], data["version"], carried, left, data.get("replayed") is True)


@dataclass(frozen=True, slots=True)
class Published:
    """The catalogue as `GET /v1/catalogue` shows it.

    Attributes:
        revision: Counts publications.
        brand: Whose it is.
        languages: In which every text is.
        topics: By key, in the order shown; each as the server sends it.
        partners: By key; each as the server sends it.
        raw: The whole answer.
    """

    revision: int
    brand: str
    languages: tuple[str, ...]
    topics: Mapping[str, Mapping[str, Any]]
    partners: Mapping[str, Mapping[str, Any]]
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read the answer."""
        return cls(
            data["revision"],
            data["brand"],
            tuple(data["languages"]),
            {topic["key"]: topic for topic in data["topics"]},
            {partner["key"]: partner for partner in data.get("partners") or ()},
            data,
        )

    def flows(self, partner: str) -> tuple[str, ...]:
        """Give the topics of a partner's flows, such as `partner:vinsolutions:share`; none for an unknown partner."""
        start = f"partner:{partner}:"
        return tuple(key for key, topic in self.topics.items() if key.startswith(start) and not topic.get("retired"))


@dataclass(frozen=True, slots=True)
class CataloguePublished:
    """A catalogue is published; `changed` is False if the same one already was."""

    revision: int
    changed: bool
