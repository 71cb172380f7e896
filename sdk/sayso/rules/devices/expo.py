"""Expo: a permission response per module (expo-modules-core PermissionsInterface.ts, expo-location types).

`{status, granted, canAskAgain, expires, ios?, android?, scope?, accessPrivileges?}`, or the bare status.
Where its members contradict each other the refusal stands. `mediaLibrary` is asked for photos and videos
together by default; an app that asks for one kind posts `mediaLibrary.photo` or `mediaLibrary.video`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sayso.model.device import (
    Delivery,
    DeviceState,
    Duration,
    LocationPrecision,
    LocationScope,
    Promptable,
)
from sayso.rules.devices.findings import Findings, cautious
from sayso.rules.devices.ios import UN_AUTHORIZATION
from sayso.rules.devices.normal import (
    CAMERA,
    DENIED,
    GRANTED,
    LIMITED,
    LOCATION,
    LOCATION_ALWAYS,
    MICROPHONE,
    NOT_DETERMINED,
    NOTIFICATIONS,
    PHOTO_LIBRARY,
    PHOTOS,
    PHOTOS_ADD,
    TRACKING,
    VIDEOS,
    Slot,
    Values,
)

STATUSES: Values[DeviceState] = Values(
    ("granted", GRANTED),
    ("undetermined", replace(NOT_DETERMINED, promptable=Promptable.UNKNOWN)),
    ("denied", DENIED),
)

KEYS: Mapping[str, tuple[Slot, ...]] = {
    "camera": (CAMERA,),
    "microphone": (MICROPHONE,),
    "audio": (MICROPHONE,),
    "audioRecording": (MICROPHONE,),
    "location": (LOCATION,),
    "locationForeground": (LOCATION,),
    "locationBackground": (LOCATION_ALWAYS,),
    "mediaLibrary": PHOTO_LIBRARY,
    "mediaLibrary.photo": (PHOTOS,),
    "mediaLibrary.video": (VIDEOS,),
    "mediaLibraryWriteOnly": (PHOTOS_ADD,),
    "notifications": (NOTIFICATIONS,),
    "tracking": (TRACKING,),
}

UNTRACKED = frozenset(
    {
        "accelerometer",
        "barometer",
        "brightness",
        "calendar",
        "cellular",
        "contacts",
        "deviceMotion",
        "gyroscope",
        "lightSensor",
        "localAuthentication",
        "magnetometer",
        "motion",
        "pedometer",
        "reminders",
        "sensors",
        "speechRecognition",
        "systemBrightness",
    }
)

# What a member says of a grant; a refusal among them ends it.
SCOPES: Values[DeviceState] = Values(
    ("whenInUse", replace(GRANTED, scope=LocationScope.WHILE_IN_USE)),
    ("always", replace(GRANTED, scope=LocationScope.ALWAYS)),
    ("none", DENIED),
)
ACCURACIES: Values[DeviceState] = Values(
    ("full", replace(GRANTED, precision=LocationPrecision.FULL)),
    ("fine", replace(GRANTED, precision=LocationPrecision.FULL)),
    ("reduced", replace(GRANTED, precision=LocationPrecision.REDUCED)),
    ("coarse", replace(GRANTED, precision=LocationPrecision.REDUCED)),
    ("none", DENIED),
)
PRIVILEGES: Values[DeviceState] = Values(("all", GRANTED), ("limited", LIMITED), ("none", DENIED))
FLAGS: Values[DeviceState] = Values((True, GRANTED), (False, DENIED))

_LOCATION_DETAILS = (
    (("scope",), SCOPES),
    (("ios", "scope"), SCOPES),
    (("ios", "accuracy"), ACCURACIES),
    (("android", "scope"), SCOPES),
    (("android", "accuracy"), ACCURACIES),
)
_LIBRARY_DETAILS = ((("accessPrivileges",), PRIVILEGES),)
_DETAILS: Mapping[str, tuple[tuple[tuple[str, ...], Values[DeviceState]], ...]] = {
    "location": _LOCATION_DETAILS,
    "locationForeground": _LOCATION_DETAILS,
    "locationBackground": _LOCATION_DETAILS,
    "mediaLibrary": _LIBRARY_DETAILS,
    "mediaLibrary.photo": _LIBRARY_DETAILS,
    "mediaLibrary.video": _LIBRARY_DETAILS,
}
_GRANTED = (("granted",), FLAGS)


def read(name: str, value: object, findings: Findings) -> None:
    """Note one module's response."""
    slots = KEYS.get(name)
    if slots is None:
        if name not in UNTRACKED:
            findings.doubt(name, value)
        return
    response = value if isinstance(value, Mapping) else {"status": value}
    state = _state(name, response, slots, findings)
    if state is not None:
        findings.add(slots, state)


def _state(
    name: str, response: Mapping[str, object], slots: tuple[Slot, ...], findings: Findings
) -> DeviceState | None:
    state = STATUSES.get(response.get("status"))
    if state is None:
        findings.doubt(name, response.get("status"), slots)
        return None
    if state.passes:
        state = _detailed(name, state, response, slots, findings)
    if name == "notifications":
        state = _native(state, response, findings)
    if state.passes:
        return state
    return _promptable(name, state, response, slots, findings)


def _detailed(
    name: str,
    state: DeviceState,
    response: Mapping[str, object],
    slots: tuple[Slot, ...],
    findings: Findings,
) -> DeviceState:
    """A grant with its details, each of which may narrow or end it."""
    expires = response.get("expires", "never")
    if isinstance(expires, int | float) and not isinstance(expires, bool):
        state = replace(state, duration=Duration.ONE_TIME)  # it ends: don't rely on it for long
    elif expires != "never":
        findings.doubt(f"{name}.expires", expires, slots)
    candidates = [state]
    for path, values in (_GRANTED, *_DETAILS.get(name, ())):
        said = _at(response, path)
        if said is None:
            continue
        detail = values.get(said)
        if detail is None:
            findings.doubt(".".join((name, *path)), said, slots)
        else:
            candidates.append(detail)
    return cautious(candidates) or state


def _native(state: DeviceState, response: Mapping[str, object], findings: Findings) -> DeviceState:
    """`ios.status` is UNAuthorizationStatus: provisional and ephemeral show only there."""
    said = _at(response, ("ios", "status"))
    if said is None:
        return state
    native = UN_AUTHORIZATION.get(said)
    if native is None:
        findings.doubt("notifications.ios.status", said, (NOTIFICATIONS,))
        return state
    if native.delivery in (Delivery.QUIET, Delivery.EPHEMERAL) and state.state != DENIED.state:
        return native
    return cautious((state, native)) or state


def _promptable(
    name: str,
    state: DeviceState,
    response: Mapping[str, object],
    slots: tuple[Slot, ...],
    findings: Findings,
) -> DeviceState:
    can_ask = response.get("canAskAgain")
    if can_ask is None:
        return state
    if not isinstance(can_ask, bool):
        findings.doubt(f"{name}.canAskAgain", can_ask, slots)
        return state
    return replace(state, promptable=Promptable.YES if can_ask else Promptable.NO)


def _at(response: Mapping[str, object], path: tuple[str, ...]) -> object:
    value: object = response
    for member in path:
        value = value.get(member) if isinstance(value, Mapping) else None
    return value
