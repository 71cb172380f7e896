"""React Native core's PermissionsAndroid: booleans from `check`, three words from `request`."""

from __future__ import annotations

from sayso.model.device import DeviceState
from sayso.rules.devices import android
from sayso.rules.devices.findings import Findings
from sayso.rules.devices.normal import (
    DENIED,
    DENIED_ASKABLE,
    DENIED_FINAL,
    GRANTED,
    Values,
)

RESULTS: Values[DeviceState] = Values(
    ("granted", GRANTED),
    (True, GRANTED),
    ("denied", DENIED_ASKABLE),
    (False, DENIED),  # `check` can't tell a refusal from never having asked
    ("never_ask_again", DENIED_FINAL),
)


def read(name: str, value: object, findings: Findings) -> None:
    """Note one Android permission; iOS has no core API in React Native."""
    android.read_permission(name, value, RESULTS, findings)
