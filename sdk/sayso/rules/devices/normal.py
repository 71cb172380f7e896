"""What the vocabularies are written in: exact tables of values, slots for keys, and the states they name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, StrEnum, auto
from typing import Any, Generic, TypeVar

from sayso.model.device import (
    Capability,
    DecidedBy,
    Delivery,
    DeviceState,
    LocationPrecision,
    LocationScope,
    PermissionState,
    Promptable,
    Selection,
)

_T = TypeVar("_T")


class Values(Generic[_T]):
    """A table of the exact values a library reports.

    Keyed by type and value: in Python `False == 0` and `True == 1`, and Android's 0 is a grant.
    """

    def __init__(self, *rows: tuple[str | int | bool, _T]) -> None:
        self._rows = {(type(value), value): meaning for value, meaning in rows}

    def get(self, value: object) -> _T | None:
        """What `value` means, or None when it is not listed (floats, lists and objects never are)."""
        for kind in (bool, int, str):
            if isinstance(value, kind):
                return self._rows.get((kind, value))
        return None

    def __add__(self, other: Values[_T]) -> Values[_T]:
        """Both tables' rows; the other's win."""
        return Values(*self.rows(), *other.rows())

    def rows(self) -> Iterable[tuple[str | int | bool, _T]]:
        """Every listed value with its meaning."""
        return tuple((value, meaning) for (_, value), meaning in self._rows.items())


class Role(Enum):
    """What one key says about a capability."""

    WHOLE = auto()  # all of it
    FINE = auto()  # Android's precise location: refusing it leaves the coarse one
    COARSE = auto()
    ALWAYS = auto()  # location in the background: refusing it leaves the foreground
    BUTTON = auto()  # Android 17's location button, one-time
    MEDIA = auto()  # READ_MEDIA_IMAGES / _VIDEO: refusing them leaves the selected ones
    SELECTED = auto()  # READ_MEDIA_VISUAL_USER_SELECTED
    STORAGE = auto()  # READ_EXTERNAL_STORAGE, all there was before Android 13


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a key's value goes, and what a grant under that key means besides."""

    capability: Capability
    role: Role = Role.WHOLE
    adds: tuple[tuple[str, StrEnum], ...] = ()

    def dress(self, state: DeviceState) -> DeviceState:
        """`state` with this key's own details; a refusal has none, a limited library is not all of it."""
        if not state.passes:
            return state
        missing: dict[str, Any] = {k: v for k, v in self.adds if getattr(state, k) is None}
        if state.state is PermissionState.LIMITED and missing.get("selection") is Selection.ALL:
            missing["selection"] = Selection.SELECTED
        return replace(state, **missing)


# What a key's grant adds, for `Slot.adds`.
IN_USE = ("scope", LocationScope.WHILE_IN_USE)
PRECISE = ("precision", LocationPrecision.FULL)
REDUCED = ("precision", LocationPrecision.REDUCED)
ALL = ("selection", Selection.ALL)

CAMERA = Slot(Capability.CAMERA)
MICROPHONE = Slot(Capability.MICROPHONE)
NOTIFICATIONS = Slot(Capability.NOTIFICATIONS)
TRACKING = Slot(Capability.TRACKING)
LOCATION = Slot(Capability.LOCATION, adds=(IN_USE,))
LOCATION_ALWAYS = Slot(Capability.LOCATION, Role.ALWAYS, (("scope", LocationScope.ALWAYS),))
PHOTOS = Slot(Capability.PHOTOS, adds=(ALL,))
VIDEOS = Slot(Capability.VIDEOS, adds=(ALL,))
PHOTOS_ADD = Slot(Capability.PHOTOS_ADD, adds=(("selection", Selection.ADD_ONLY),))
# Apple's photo library holds photos and videos under one answer.
PHOTO_LIBRARY = (PHOTOS, VIDEOS)

GRANTED = DeviceState(state=PermissionState.GRANTED, by=DecidedBy.USER)
LIMITED = DeviceState(state=PermissionState.LIMITED, by=DecidedBy.USER)
NOT_DETERMINED = DeviceState(state=PermissionState.NOT_DETERMINED, promptable=Promptable.YES)
DENIED = DeviceState(state=PermissionState.DENIED, by=DecidedBy.USER)
DENIED_ASKABLE = replace(DENIED, promptable=Promptable.YES)
DENIED_FINAL = replace(DENIED, promptable=Promptable.NO)
RESTRICTED = DeviceState(state=PermissionState.DENIED, by=DecidedBy.OS_POLICY, promptable=Promptable.NO)
UNAVAILABLE = DeviceState(state=PermissionState.UNAVAILABLE, promptable=Promptable.NO)
QUIET = replace(GRANTED, delivery=Delivery.QUIET)
