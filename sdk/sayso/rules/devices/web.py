"""The browser: W3C Permissions states by PermissionName, and Notification.permission's `default`."""

from __future__ import annotations

from collections.abc import Mapping

from sayso.model.device import DeviceState
from sayso.rules.devices.findings import Findings
from sayso.rules.devices.normal import (
    CAMERA,
    DENIED_FINAL,
    GRANTED,
    LOCATION,
    MICROPHONE,
    NOT_DETERMINED,
    NOTIFICATIONS,
    Slot,
    Values,
)

STATES: Values[DeviceState] = Values(
    ("granted", GRANTED),
    ("denied", DENIED_FINAL),
    ("prompt", NOT_DETERMINED),
)
# `Notification.permission` says "default" where navigator.permissions says "prompt".
NOTIFICATION_STATES = STATES + Values(("default", NOT_DETERMINED))

KEYS: Mapping[str, tuple[Slot, Values[DeviceState]]] = {
    "geolocation": (LOCATION, STATES),
    "camera": (CAMERA, STATES),
    "microphone": (MICROPHONE, STATES),
    "notifications": (NOTIFICATIONS, NOTIFICATION_STATES),
    "Notification.permission": (NOTIFICATIONS, NOTIFICATION_STATES),
    "push": (NOTIFICATIONS, STATES),
}

UNTRACKED = frozenset(
    {
        "accelerometer",
        "ambient-light-sensor",
        "background-fetch",
        "background-sync",
        "bluetooth",
        "captured-surface-control",
        "clipboard-read",
        "clipboard-write",
        "compute-pressure",
        "device-info",
        "display-capture",
        "gyroscope",
        "idle-detection",
        "keyboard-lock",
        "local-fonts",
        "magnetometer",
        "midi",
        "nfc",
        "payment-handler",
        "periodic-background-sync",
        "persistent-storage",
        "pointer-lock",
        "screen-wake-lock",
        "speaker-selection",
        "storage-access",
        "system-wake-lock",
        "top-level-storage-access",
        "window-management",
        "xr-spatial-tracking",
    }
)


def read(name: str, value: object, findings: Findings) -> None:
    """Note one permission name."""
    if name in KEYS:
        slot, values = KEYS[name]
        findings.read(name, value, (slot,), values)
    elif name not in UNTRACKED:
        findings.doubt(name, value)
