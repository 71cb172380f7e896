"""react-native-permissions 5: five words on both platforms (zoontek/react-native-permissions src/results.ts).

`denied` means "not asked yet" or "refused but may be asked again". On iOS it is the former; on Android nobody
can tell, and `check` never says `blocked` there. iOS folds restricted into `blocked`, so who refused is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sayso.model.device import Delivery, DeviceState, LocationPrecision
from sayso.rules.devices import android
from sayso.rules.devices.findings import Findings
from sayso.rules.devices.normal import (
    CAMERA,
    DENIED,
    DENIED_FINAL,
    GRANTED,
    LIMITED,
    LOCATION,
    LOCATION_ALWAYS,
    MICROPHONE,
    NOT_DETERMINED,
    NOTIFICATIONS,
    PHOTO_LIBRARY,
    PHOTOS_ADD,
    TRACKING,
    UNAVAILABLE,
    Slot,
    Values,
)

IOS_RESULTS: Values[DeviceState] = Values(
    ("unavailable", UNAVAILABLE),
    ("denied", NOT_DETERMINED),
    ("blocked", replace(DENIED_FINAL, by=None)),
    ("granted", GRANTED),
    ("limited", LIMITED),
)
ANDROID_RESULTS: Values[DeviceState] = Values(
    ("unavailable", UNAVAILABLE),
    ("denied", DENIED),
    ("blocked", DENIED_FINAL),
    ("granted", GRANTED),
    ("limited", LIMITED),
)
# checkNotifications does not name the platform.
NOTIFICATION_RESULTS = IOS_RESULTS + Values(("denied", DENIED))
ACCURACY: Values[tuple[LocationPrecision, ...]] = Values(
    ("full", (LocationPrecision.FULL,)),
    ("reduced", (LocationPrecision.REDUCED,)),
)

IOS_KEYS: Mapping[str, tuple[Slot, ...]] = {
    "ios.permission.APP_TRACKING_TRANSPARENCY": (TRACKING,),
    "ios.permission.CAMERA": (CAMERA,),
    "ios.permission.LOCATION_ALWAYS": (LOCATION_ALWAYS,),
    "ios.permission.LOCATION_WHEN_IN_USE": (LOCATION,),
    "ios.permission.MICROPHONE": (MICROPHONE,),
    "ios.permission.PHOTO_LIBRARY": PHOTO_LIBRARY,
    "ios.permission.PHOTO_LIBRARY_ADD_ONLY": (PHOTOS_ADD,),
}
IOS_UNTRACKED = frozenset(
    f"ios.permission.{name}"
    for name in (
        "BLUETOOTH",
        "BLUETOOTH_PERIPHERAL",  # the name until version 4
        "CALENDARS",
        "CALENDARS_WRITE_ONLY",
        "CONTACTS",
        "FACE_ID",
        "MEDIA_LIBRARY",
        "MOTION",
        "REMINDERS",
        "SIRI",
        "SPEECH_RECOGNITION",
        "STOREKIT",
    )
)

# People post what their code collects: answers under the names of the calls that gave them.
MULTIPLE = frozenset({"checkMultiple", "requestMultiple"})
NOTIFICATION_CALLS = frozenset({"checkNotifications", "requestNotifications", "notifications"})
ACCURACY_CALLS = frozenset(
    {
        "checkLocationAccuracy",
        "requestLocationAccuracy",
        "locationAccuracy",
        "location_accuracy",
    }
)


def read(name: str, value: object, findings: Findings) -> None:
    """Note a permission, flat or under `checkMultiple`, or the answer of one of the other calls."""
    if name in MULTIPLE and isinstance(value, Mapping):
        for permission, inner in value.items():
            _permission(str(permission), inner, findings)
    elif name in NOTIFICATION_CALLS:
        _notifications(name, value, findings)
    elif name in ACCURACY_CALLS:
        findings.read_precision(name, value, ACCURACY)
    else:
        _permission(name, value, findings)


def _permission(name: str, value: object, findings: Findings) -> None:
    if name in IOS_KEYS:
        findings.read(name, value, IOS_KEYS[name], IOS_RESULTS)
    elif name not in IOS_UNTRACKED:
        android.read_permission(name, value, ANDROID_RESULTS, findings)


def _notifications(name: str, value: object, findings: Findings) -> None:
    """`{status, settings}`: a provisional grant is folded into `granted` and shows only in the settings."""
    members = value if isinstance(value, Mapping) else {"status": value}
    state = NOTIFICATION_RESULTS.get(members.get("status"))
    settings = members.get("settings") or {}
    provisional = settings.get("provisional", False) if isinstance(settings, Mapping) else settings
    if state is None:
        findings.doubt(name, members.get("status"), (NOTIFICATIONS,))
    elif not isinstance(provisional, bool):
        findings.doubt(f"{name}.settings", settings, (NOTIFICATIONS,))
    elif provisional and state.passes:
        findings.add((NOTIFICATIONS,), replace(state, delivery=Delivery.QUIET))
    else:
        findings.add((NOTIFICATIONS,), state)
