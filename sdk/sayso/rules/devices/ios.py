"""iOS: the names and numbers of Apple's own APIs (SDK headers, via @nativescript/types-ios 9.1.2).

What the system hides stays hidden: "Allow Once" reports authorizedWhenInUse, so a duration is never claimed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sayso.model.device import Delivery, DeviceState, LocationPrecision, LocationScope
from sayso.rules.devices.findings import Findings
from sayso.rules.devices.normal import (
    CAMERA,
    DENIED_FINAL,
    GRANTED,
    LIMITED,
    LOCATION,
    MICROPHONE,
    NOT_DETERMINED,
    NOTIFICATIONS,
    PHOTO_LIBRARY,
    PHOTOS_ADD,
    QUIET,
    RESTRICTED,
    TRACKING,
    Slot,
    Values,
)

_Rows = tuple[tuple[int, str, DeviceState], ...]


def _enum(api: str, rows: _Rows) -> Values[DeviceState]:
    """Number, Swift name (`x`, `.x`, `Api.x`) and Objective-C constant (`ApiX`, `kApiX`) of each row."""
    spelled: list[tuple[str | int, DeviceState]] = []
    for number, name, state in rows:
        constant = f"{api}{name[0].upper()}{name[1:]}"
        spellings = (number, name, f".{name}", f"{api}.{name}", constant, f"k{constant}")
        spelled += [(spelling, state) for spelling in spellings]
    return Values(*spelled)


_ALWAYS = replace(GRANTED, scope=LocationScope.ALWAYS)
_IN_USE = replace(GRANTED, scope=LocationScope.WHILE_IN_USE)

_UNTIL_ASKED: _Rows = (
    (0, "notDetermined", NOT_DETERMINED),
    (1, "restricted", RESTRICTED),
    (2, "denied", DENIED_FINAL),
)

CL_AUTHORIZATION = _enum(
    "CLAuthorizationStatus",
    (
        *_UNTIL_ASKED,
        (3, "authorizedAlways", _ALWAYS),
        (3, "authorized", _ALWAYS),  # the name until iOS 8
        (4, "authorizedWhenInUse", _IN_USE),
    ),
)
AV_AUTHORIZATION = _enum("AVAuthorizationStatus", (*_UNTIL_ASKED, (3, "authorized", GRANTED)))
PH_AUTHORIZATION = _enum(
    "PHAuthorizationStatus",
    (*_UNTIL_ASKED, (3, "authorized", GRANTED), (4, "limited", LIMITED)),
)
UN_AUTHORIZATION = _enum(
    "UNAuthorizationStatus",
    (
        (0, "notDetermined", NOT_DETERMINED),
        (1, "denied", DENIED_FINAL),
        (2, "authorized", replace(GRANTED, delivery=Delivery.PROMINENT)),
        (3, "provisional", QUIET),
        (4, "ephemeral", replace(GRANTED, delivery=Delivery.EPHEMERAL)),
    ),
)
ATT_AUTHORIZATION = _enum("ATTrackingManager.AuthorizationStatus", (*_UNTIL_ASKED, (3, "authorized", GRANTED))) + _enum(
    "ATTrackingManagerAuthorizationStatus", (*_UNTIL_ASKED, (3, "authorized", GRANTED))
)


def _four(code: str) -> int:
    return int.from_bytes(code.encode(), "big")


RECORD_PERMISSION: Values[DeviceState] = Values(
    ("undetermined", NOT_DETERMINED),
    ("undt", NOT_DETERMINED),
    (_four("undt"), NOT_DETERMINED),
    ("denied", DENIED_FINAL),
    ("deny", DENIED_FINAL),
    (_four("deny"), DENIED_FINAL),
    ("granted", GRANTED),
    ("grnt", GRANTED),
    (_four("grnt"), GRANTED),
)
ACCURACY: Values[tuple[LocationPrecision, ...]] = Values(
    (0, (LocationPrecision.FULL,)),
    ("fullAccuracy", (LocationPrecision.FULL,)),
    ("CLAccuracyAuthorization.fullAccuracy", (LocationPrecision.FULL,)),
    ("CLAccuracyAuthorizationFullAccuracy", (LocationPrecision.FULL,)),
    ("full", (LocationPrecision.FULL,)),
    (1, (LocationPrecision.REDUCED,)),
    ("reducedAccuracy", (LocationPrecision.REDUCED,)),
    ("CLAccuracyAuthorization.reducedAccuracy", (LocationPrecision.REDUCED,)),
    ("CLAccuracyAuthorizationReducedAccuracy", (LocationPrecision.REDUCED,)),
    ("reduced", (LocationPrecision.REDUCED,)),
)

_Key = tuple[tuple[Slot, ...], Values[DeviceState]]
_LOCATION: _Key = ((LOCATION,), CL_AUTHORIZATION)
_CAMERA: _Key = ((CAMERA,), AV_AUTHORIZATION)
_AUDIO: _Key = ((MICROPHONE,), AV_AUTHORIZATION)
_RECORD: _Key = ((MICROPHONE,), RECORD_PERMISSION)
_LIBRARY: _Key = (PHOTO_LIBRARY, PH_AUTHORIZATION)
_ADD: _Key = ((PHOTOS_ADD,), PH_AUTHORIZATION)
_NOTIFICATIONS: _Key = ((NOTIFICATIONS,), UN_AUTHORIZATION)
_TRACKING: _Key = ((TRACKING,), ATT_AUTHORIZATION)

KEYS: Mapping[str, _Key] = {
    "location": _LOCATION,
    "CLAuthorizationStatus": _LOCATION,
    "CLLocationManager.authorizationStatus": _LOCATION,
    "camera": _CAMERA,
    "AVAuthorizationStatus.video": _CAMERA,
    "AVCaptureDevice.authorizationStatus.video": _CAMERA,
    "microphone": ((MICROPHONE,), AV_AUTHORIZATION + RECORD_PERMISSION),
    "AVAuthorizationStatus.audio": _AUDIO,
    "AVCaptureDevice.authorizationStatus.audio": _AUDIO,
    "AVAudioApplication.recordPermission": _RECORD,
    "AVAudioSession.recordPermission": _RECORD,
    "photos": _LIBRARY,
    "PHAuthorizationStatus": _LIBRARY,  # the call without a level means read and write
    "PHAuthorizationStatus.readWrite": _LIBRARY,
    "photos_add": _ADD,
    "PHAuthorizationStatus.addOnly": _ADD,
    "notifications": _NOTIFICATIONS,
    "UNAuthorizationStatus": _NOTIFICATIONS,
    "UNNotificationSettings.authorizationStatus": _NOTIFICATIONS,
    "tracking": _TRACKING,
    "ATTrackingManager.AuthorizationStatus": _TRACKING,
    "ATTrackingManager.trackingAuthorizationStatus": _TRACKING,
}

ACCURACY_KEYS = frozenset({"location_accuracy", "CLAccuracyAuthorization", "CLLocationManager.accuracyAuthorization"})

# An object under one of these is read as `<key>.<member>`; on its own the key means the listed capabilities.
WRAPPERS: Mapping[str, tuple[Slot, ...]] = {
    "AVAuthorizationStatus": (CAMERA, MICROPHONE),
    "AVCaptureDevice.authorizationStatus": (CAMERA, MICROPHONE),
    "PHAuthorizationStatus": (*PHOTO_LIBRARY, PHOTOS_ADD),
    "CLLocationManager": (LOCATION,),
}

UNTRACKED = frozenset(
    {
        "bluetooth",
        "calendar",
        "contacts",
        "health",
        "media_library",
        "motion",
        "reminders",
        "siri",
        "speech",
        "CBManagerAuthorization",
        "CMAuthorizationStatus",
        "CNAuthorizationStatus",
        "EKAuthorizationStatus",
        "HKAuthorizationStatus",
        "HMHomeManagerAuthorizationStatus",
        "INSiriAuthorizationStatus",
        "MPMediaLibraryAuthorizationStatus",
        "SFSpeechRecognizerAuthorizationStatus",
    }
)


def read(name: str, value: object, findings: Findings) -> None:
    """Note one key; short lower-case keys and the API's own names may stand side by side."""
    if name in WRAPPERS and isinstance(value, Mapping):
        for member, inner in value.items():
            read(f"{name}.{member}", inner, findings)
    elif name in KEYS:
        slots, values = KEYS[name]
        findings.read(name, value, slots, values)
    elif name in ACCURACY_KEYS:
        findings.read_precision(name, value, ACCURACY)
    elif name not in UNTRACKED:
        findings.doubt(name, value, WRAPPERS.get(name, ()))
