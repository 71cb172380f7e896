"""The result of a check: allowed or not, why, what decided it and until when it holds."""

from enum import StrEnum
from typing import NamedTuple

from sayso.model.instant import Micros
from sayso.model.recorded import RecordedChoice


class Reason(StrEnum):
    """Why a check was answered as it was. `requires:<topic>` is written out by `Decision.reason`."""

    GRANTED = "granted"
    DEFAULT = "default"
    REQUIRED = "required"
    UNKNOWN_TOPIC = "unknown_topic"
    ERASED = "erased"
    RESTRICTED = "restricted"
    MINOR = "minor"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    SIGNAL = "signal"
    EXPIRED = "expired"
    OUTDATED = "outdated"
    NOT_ASKED = "not_asked"
    DEVICE_DENIED = "device_denied"
    DEVICE_NOT_ASKED = "device_not_asked"
    DEVICE_UNKNOWN = "device_unknown"
    UNAVAILABLE = "unavailable"


class Decision(NamedTuple):
    """The answer to "may I?". A tuple, because making one is most of the cost of a decision.

    Attributes:
        topic: What was asked about.
        allowed: Whether it may be done now.
        reason: A `Reason` value, or `requires:<topic>` when a required topic is not allowed.
        choice: The recorded choice that decided, if one did.
        valid_until: The first instant at which time alone changes the answer, in microseconds, or None.
        device_id: The device that was asked about, if any.
        signal: The signal that decided, if one did.
    """

    topic: str
    allowed: bool
    reason: str
    choice: RecordedChoice | None = None
    valid_until: Micros | None = None
    device_id: str | None = None
    signal: str | None = None
