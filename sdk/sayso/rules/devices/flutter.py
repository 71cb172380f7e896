"""Flutter's permission_handler: names, `Permission.x`, `PermissionStatus.x`, or the plugin's numbers.

Numbers are those of permission_handler_platform_interface since `photosAddOnly` took number 10 (2022); before
that, everything from `reminders` on was one lower, so older apps must post names.
The status `denied` has meant "not asked yet" too since `undetermined` went. `photos` is images only on
Android, so it says nothing about videos; `storage` is always granted on iOS, so it says nothing about photos.
"""

from __future__ import annotations

from collections.abc import Mapping

from sayso.model.device import DeviceState, LocationPrecision
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
    NOTIFICATIONS,
    PHOTOS,
    PHOTOS_ADD,
    QUIET,
    RESTRICTED,
    TRACKING,
    VIDEOS,
    Slot,
    Values,
)

# In the order of `Permission.values`: the index is the number.
PERMISSIONS: tuple[str, ...] = (
    "calendar",
    "camera",
    "contacts",
    "location",
    "locationAlways",
    "locationWhenInUse",
    "mediaLibrary",
    "microphone",
    "phone",
    "photos",
    "photosAddOnly",
    "reminders",
    "sensors",
    "sms",
    "speech",
    "storage",
    "ignoreBatteryOptimizations",
    "notification",
    "accessMediaLocation",
    "activityRecognition",
    "unknown",
    "bluetooth",
    "manageExternalStorage",
    "systemAlertWindow",
    "requestInstallPackages",
    "appTrackingTransparency",
    "criticalAlerts",
    "accessNotificationPolicy",
    "bluetoothScan",
    "bluetoothAdvertise",
    "bluetoothConnect",
    "nearbyWifiDevices",
    "videos",
    "audio",
    "scheduleExactAlarm",
    "sensorsAlways",
    "calendarWriteOnly",
    "calendarFullAccess",
    "assistant",
    "backgroundRefresh",
)
# `toString()` prints these two in snake case.
PRINTED = frozenset({"access_media_location", "activity_recognition"})
_NUMBERS = {str(number): name for number, name in enumerate(PERMISSIONS)}


def _statuses(*rows: tuple[int, str, DeviceState]) -> Values[DeviceState]:
    return Values(
        *((spelling, state) for number, name, state in rows for spelling in (number, name, f"PermissionStatus.{name}"))
    )


STATUSES = _statuses(
    (0, "denied", DENIED),
    (1, "granted", GRANTED),
    (2, "restricted", RESTRICTED),
    (3, "limited", LIMITED),
    (4, "permanentlyDenied", DENIED_FINAL),
)
# Said of notifications only; of anything else it is a value nobody listed.
NOTIFICATION_STATUSES = STATUSES + _statuses((5, "provisional", QUIET))

ACCURACY: Values[tuple[LocationPrecision, ...]] = Values(
    ("precise", (LocationPrecision.FULL,)),
    ("LocationAccuracyStatus.precise", (LocationPrecision.FULL,)),
    ("reduced", (LocationPrecision.REDUCED,)),
    ("LocationAccuracyStatus.reduced", (LocationPrecision.REDUCED,)),
    ("unknown", ()),
    ("LocationAccuracyStatus.unknown", ()),
)
ACCURACY_KEY = "locationAccuracy"

KEYS: Mapping[str, tuple[Slot, Values[DeviceState]]] = {
    "camera": (CAMERA, STATUSES),
    "location": (LOCATION, STATUSES),
    "locationAlways": (LOCATION_ALWAYS, STATUSES),
    "locationWhenInUse": (LOCATION, STATUSES),
    "microphone": (MICROPHONE, STATUSES),
    "photos": (PHOTOS, STATUSES),
    "photosAddOnly": (PHOTOS_ADD, STATUSES),
    "notification": (NOTIFICATIONS, NOTIFICATION_STATUSES),
    "appTrackingTransparency": (TRACKING, STATUSES),
    "videos": (VIDEOS, STATUSES),
}

UNTRACKED = (frozenset(PERMISSIONS) | PRINTED) - KEYS.keys()


def read(name: str, value: object, findings: Findings) -> None:
    """Note one permission, by name or number."""
    permission = _NUMBERS.get(name) or name.removeprefix("Permission.")
    if permission in KEYS:
        slot, values = KEYS[permission]
        findings.read(name, value, (slot,), values)
    elif permission == ACCURACY_KEY:
        findings.read_precision(name, value, ACCURACY)
    elif permission not in UNTRACKED:
        findings.doubt(name, value)
