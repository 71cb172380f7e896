"""What a phone or browser says about a permission, in one normal form.

A device state is never a consent: it is kept beside the choice, and only narrows what the choice allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self


class Capability(StrEnum):
    """What a device can let an app use; `permission:<capability>` is the topic."""

    LOCATION = "location"
    CAMERA = "camera"
    MICROPHONE = "microphone"
    PHOTOS = "photos"
    PHOTOS_ADD = "photos_add"
    VIDEOS = "videos"
    NOTIFICATIONS = "notifications"
    TRACKING = "tracking"


class PermissionState(StrEnum):
    """The device's answer. Only `granted` and `limited` pass."""

    NOT_DETERMINED = "not_determined"
    DENIED = "denied"
    GRANTED = "granted"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"


class DecidedBy(StrEnum):
    """Who settled it: the person, or a policy of the system (parental control, management, install time)."""

    USER = "user"
    OS_POLICY = "os_policy"


class Promptable(StrEnum):
    """Whether asking now would show the system's dialog."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class LocationScope(StrEnum):
    """When the app may see the location."""

    WHILE_IN_USE = "while_in_use"
    ALWAYS = "always"


class LocationPrecision(StrEnum):
    """How exact a location the device hands out."""

    FULL = "full"
    REDUCED = "reduced"


class Selection(StrEnum):
    """Which part of the photo library is open."""

    ALL = "all"
    SELECTED = "selected"
    ADD_ONLY = "add_only"


class Delivery(StrEnum):
    """How notifications reach the person."""

    PROMINENT = "prominent"
    QUIET = "quiet"
    EPHEMERAL = "ephemeral"


class Duration(StrEnum):
    """How long the device's grant lasts."""

    PERSISTENT = "persistent"
    ONE_TIME = "one_time"
    SESSION = "session"
    UNKNOWN = "unknown"


PASSING = frozenset({PermissionState.GRANTED, PermissionState.LIMITED})

_ENUMS: Mapping[str, type[StrEnum]] = {
    "state": PermissionState,
    "by": DecidedBy,
    "promptable": Promptable,
    "scope": LocationScope,
    "precision": LocationPrecision,
    "selection": Selection,
    "delivery": Delivery,
    "duration": Duration,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """One capability of one device, whatever library reported it.

    Attributes:
        state: the answer; see `passes`.
        by: who settled it; None where the library does not tell a person's refusal from a system policy.
        promptable: whether asking now would show a dialog.
        scope: location only.
        precision: location only; None where the library does not say.
        selection: photos, photos_add and videos only.
        delivery: notifications only; None where the library does not say.
        duration: `one_time` only where the library or the app says so.
    """

    state: PermissionState
    by: DecidedBy | None = None
    promptable: Promptable = Promptable.UNKNOWN
    scope: LocationScope | None = None
    precision: LocationPrecision | None = None
    selection: Selection | None = None
    delivery: Delivery | None = None
    duration: Duration = Duration.UNKNOWN

    @property
    def passes(self) -> bool:
        """Whether the device lets the app through; the consumer's choice decides besides."""
        return self.state in PASSING

    def to_json(self) -> dict[str, str]:
        """The members that are known, as plain strings."""
        return {field.name: str(value) for field in fields(self) if (value := getattr(self, field.name)) is not None}

    @classmethod
    def from_json(cls, members: Mapping[str, object]) -> Self:
        """Read what this or a newer release wrote.

        Unknown members are ignored. A value this release does not know, in any member, reads as a state that
        does not pass: what it would mean for the grant can't be judged here.
        """
        known: dict[str, Any] = {}
        understood = True
        for name, enum in _ENUMS.items():
            value = members.get(name)
            if value is None:
                continue
            try:
                known[name] = enum(str(value))
            except ValueError:
                understood = False
        state = known.get("state", PermissionState.UNAVAILABLE)
        if not understood and state in PASSING:
            state = PermissionState.UNAVAILABLE
        known["state"] = state
        return cls(**known)
