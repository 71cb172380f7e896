"""Capacitor 8: each plugin's `checkPermissions`, flat or under the plugin's name.

`location` is Android's precise location, so `coarseLocation` alone is a reduced grant. On iOS both keys say
the same and neither knows the accuracy, so a grant of `location` claims none.
"""

from __future__ import annotations

from collections.abc import Mapping

from sayso.model.device import Capability, DeviceState
from sayso.rules.devices.findings import Findings
from sayso.rules.devices.normal import (
    CAMERA,
    DENIED_ASKABLE,
    DENIED_FINAL,
    GRANTED,
    IN_USE,
    LIMITED,
    MICROPHONE,
    NOT_DETERMINED,
    NOTIFICATIONS,
    PHOTOS,
    REDUCED,
    Role,
    Slot,
    Values,
)

STATES: Values[DeviceState] = Values(
    ("prompt", NOT_DETERMINED),
    ("prompt-with-rationale", DENIED_ASKABLE),
    ("granted", GRANTED),
    ("denied", DENIED_FINAL),
    ("limited", LIMITED),
)

KEYS: Mapping[str, Slot] = {
    "camera": CAMERA,
    "photos": PHOTOS,
    "location": Slot(Capability.LOCATION, Role.FINE, (IN_USE,)),
    "coarseLocation": Slot(Capability.LOCATION, Role.COARSE, (IN_USE, REDUCED)),
    "microphone": MICROPHONE,
    "receive": NOTIFICATIONS,  # push notifications
    "display": NOTIFICATIONS,  # local notifications
}

PLUGINS = frozenset({"Camera", "Contacts", "Filesystem", "Geolocation", "LocalNotifications", "PushNotifications"})

UNTRACKED = frozenset(
    {
        "activity",
        "bluetooth",
        "calendar",
        "contacts",
        "exact_alarm",
        "motion",
        "phone",
        "publicStorage",
        "readCalendar",
        "readContacts",
        "sms",
        "speechRecognition",
        "storage",
        "writeCalendar",
        "writeContacts",
    }
)


def read(name: str, value: object, findings: Findings) -> None:
    """Note one alias, or one plugin's aliases."""
    if name in PLUGINS and isinstance(value, Mapping):
        for alias, inner in value.items():
            _alias(str(alias), inner, findings)
    else:
        _alias(name, value, findings)


def _alias(name: str, value: object, findings: Findings) -> None:
    if name in KEYS:
        findings.read(name, value, (KEYS[name],), STATES)
    elif name not in UNTRACKED:
        findings.doubt(name, value)
