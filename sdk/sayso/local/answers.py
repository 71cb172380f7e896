"""What one snapshot answers, topic by topic, without the rest of it."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from sayso.model.decision import Reason

ALLOWED = frozenset({Reason.GRANTED.value, Reason.DEFAULT.value, Reason.REQUIRED.value})
"""The reasons that allow. One that this release doesn't know refuses."""


class Answers(NamedTuple):
    """The reason for each topic.

    Attributes:
        consumer_id: Whose; the known consumer's when an anonymous one was linked.
        version: The consumer's.
        revision: The catalogue's.
        reasons: By topic.
        on_devices: By topic and device, where the device matters.
        until: The boot clock until which they may be relied on, in seconds.
    """

    consumer_id: str
    version: int
    revision: int
    reasons: Mapping[str, str]
    on_devices: Mapping[tuple[str, str], str]
    until: float

    @classmethod
    def from_wire(cls, data: Mapping[str, Any], until: float) -> Self:
        """Read a snapshot.

        Raises:
            KeyError, TypeError, ValueError: It is none.
        """
        topics: Mapping[str, Mapping[str, Any]] = data["topics"]
        return cls(
            data["consumer_id"],
            int(data["version"]),
            int(data["catalogue_revision"]),
            {topic: _reason(entry) for topic, entry in topics.items()},
            {
                (topic, device): _reason(there)
                for topic, entry in topics.items()
                for device, there in (entry.get("by_device") or {}).items()
            },
            until,
        )

    def reason(self, topic: str, device: str | None = None) -> str:
        """Tell why a check is answered as it is; `ALLOWED` has those that allow."""
        there = self.on_devices.get((topic, device)) if device is not None else None
        return self.reasons.get(topic, Reason.UNKNOWN_TOPIC.value) if there is None else there


def _reason(entry: Mapping[str, Any]) -> str:
    reason: str = entry["reason"]
    return reason if (entry["allowed"] is True) == (reason in ALLOWED) else Reason.UNAVAILABLE.value
