"""Android: permission constants with the system's result, and what the app remembers about asking.

A value is the bare result (0/-1, granted/denied, a boolean) or an object
`{result, rationale?, asked_before?, one_time?}`: `rationale` is shouldShowRequestPermissionRationale,
`asked_before` the app's own memory, without which a denial can't be told from never having asked.
Report only the media permissions that exist on the device's version: storage up to Android 12, images and
video from 13, the selected ones from 14. A denial of the newer never hides behind a grant of the older.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sayso.model.device import (
    Capability,
    DecidedBy,
    DeviceState,
    Duration,
    PermissionState,
)
from sayso.rules.devices.findings import Findings
from sayso.rules.devices.normal import (
    ALL,
    CAMERA,
    DENIED,
    DENIED_ASKABLE,
    DENIED_FINAL,
    GRANTED,
    IN_USE,
    LOCATION_ALWAYS,
    MICROPHONE,
    NOT_DETERMINED,
    NOTIFICATIONS,
    PRECISE,
    REDUCED,
    TRACKING,
    Role,
    Slot,
    Values,
)

AD_ID = "com.google.android.gms.permission.AD_ID"
LOCATION_BUTTON = "android.permission.USE_LOCATION_BUTTON"
USER_SELECTED = "android.permission.READ_MEDIA_VISUAL_USER_SELECTED"

_MEDIA = (Capability.PHOTOS, Capability.VIDEOS)

KEYS: Mapping[str, tuple[Slot, ...]] = {
    "android.permission.ACCESS_FINE_LOCATION": (Slot(Capability.LOCATION, Role.FINE, (IN_USE, PRECISE)),),
    "android.permission.ACCESS_COARSE_LOCATION": (Slot(Capability.LOCATION, Role.COARSE, (IN_USE, REDUCED)),),
    "android.permission.ACCESS_BACKGROUND_LOCATION": (LOCATION_ALWAYS,),
    LOCATION_BUTTON: (Slot(Capability.LOCATION, Role.BUTTON, (IN_USE, PRECISE)),),
    "android.permission.CAMERA": (CAMERA,),
    "android.permission.RECORD_AUDIO": (MICROPHONE,),
    "android.permission.READ_MEDIA_IMAGES": (Slot(Capability.PHOTOS, Role.MEDIA, (ALL,)),),
    "android.permission.READ_MEDIA_VIDEO": (Slot(Capability.VIDEOS, Role.MEDIA, (ALL,)),),
    USER_SELECTED: tuple(Slot(capability, Role.SELECTED, (ALL,)) for capability in _MEDIA),
    "android.permission.READ_EXTERNAL_STORAGE": tuple(Slot(capability, Role.STORAGE, (ALL,)) for capability in _MEDIA),
    "android.permission.POST_NOTIFICATIONS": (NOTIFICATIONS,),
    AD_ID: (TRACKING,),
}

UNTRACKED = frozenset(
    {
        "com.android.voicemail.permission.ADD_VOICEMAIL",
        "com.android.voicemail.permission.READ_VOICEMAIL",
        "com.android.voicemail.permission.WRITE_VOICEMAIL",
    }
    | {
        f"android.permission.{name}"
        for name in (
            "ACCEPT_HANDOVER",
            "ACCESS_MEDIA_LOCATION",
            "ACCESS_NETWORK_STATE",
            "ACTIVITY_RECOGNITION",
            "ANSWER_PHONE_CALLS",
            "BLUETOOTH",
            "BLUETOOTH_ADVERTISE",
            "BLUETOOTH_CONNECT",
            "BLUETOOTH_SCAN",
            "BODY_SENSORS",
            "BODY_SENSORS_BACKGROUND",
            "CALL_PHONE",
            "GET_ACCOUNTS",
            "INTERNET",
            "MANAGE_EXTERNAL_STORAGE",
            "NEARBY_WIFI_DEVICES",
            "PROCESS_OUTGOING_CALLS",
            "READ_CALENDAR",
            "READ_CALL_LOG",
            "READ_CONTACTS",
            "READ_MEDIA_AUDIO",
            "READ_PHONE_NUMBERS",
            "READ_PHONE_STATE",
            "READ_SMS",
            "RECEIVE_MMS",
            "RECEIVE_SMS",
            "RECEIVE_WAP_PUSH",
            "SCHEDULE_EXACT_ALARM",
            "SEND_SMS",
            "SYSTEM_ALERT_WINDOW",
            "USE_BIOMETRIC",
            "USE_SIP",
            "UWB_RANGING",
            "VIBRATE",
            "WRITE_CALENDAR",
            "WRITE_CALL_LOG",
            "WRITE_CONTACTS",
            "WRITE_EXTERNAL_STORAGE",
        )
    }
)

RESULTS: Values[bool] = Values(
    (0, True),
    ("granted", True),
    ("PERMISSION_GRANTED", True),
    (True, True),
    (-1, False),
    ("denied", False),
    ("PERMISSION_DENIED", False),
    (False, False),
)

# (rationale, asked_before), None where the app does not say. A rationale is due only after a refusal.
REFUSALS: Mapping[tuple[bool | None, bool | None], DeviceState] = {
    (True, True): DENIED_ASKABLE,
    (True, False): DENIED_ASKABLE,
    (True, None): DENIED_ASKABLE,
    (False, True): DENIED_FINAL,
    (False, False): NOT_DETERMINED,
    (False, None): DENIED,
    (None, True): DENIED,
    (None, False): NOT_DETERMINED,
    (None, None): DENIED,
}

_FLAGS = ("rationale", "asked_before", "one_time")


def read(name: str, value: object, findings: Findings) -> None:
    """Note one permission with the system's result."""
    slots = _slots(name, value, findings)
    state = _state(name, value, slots, findings) if slots else None
    if state is not None:
        findings.add(slots, _of_permission(name, state))


def read_permission(name: str, value: object, results: Values[DeviceState], findings: Findings) -> None:
    """Note one permission whose value is a library's own word."""
    slots = _slots(name, value, findings)
    state = results.get(value)
    if state is not None:
        findings.add(slots, _of_permission(name, state))
    elif slots:
        findings.doubt(name, value, slots)


def _slots(name: str, value: object, findings: Findings) -> tuple[Slot, ...]:
    """What the permission is for; none, and noted, if there is no such permission."""
    permission = _full_name(name)
    if permission not in KEYS and permission not in UNTRACKED:
        findings.doubt(name, value)
    return KEYS.get(permission, ())


def _full_name(name: str) -> str:
    """`CAMERA` and `android.permission.CAMERA` are one name."""
    if name == "AD_ID":
        return AD_ID
    return name if "." in name else f"android.permission.{name}"


def _of_permission(name: str, state: DeviceState) -> DeviceState:
    """`state` as that permission means it: some are not the person's yes, or not a full one."""
    permission = _full_name(name)
    if permission == AD_ID:  # in the manifest or not; nobody was asked
        return replace(state, by=DecidedBy.OS_POLICY)
    if permission == LOCATION_BUTTON and state.passes:
        return replace(state, duration=Duration.ONE_TIME)
    if permission == USER_SELECTED and state.passes:
        return replace(state, state=PermissionState.LIMITED)
    return state


def _state(name: str, value: object, slots: tuple[Slot, ...], findings: Findings) -> DeviceState | None:
    members = value if isinstance(value, Mapping) else {"result": value}
    granted = RESULTS.get(members.get("result"))
    if granted is None:
        findings.doubt(name, members.get("result"), slots)
        return None
    flags: dict[str, bool | None] = {}
    for flag in _FLAGS:
        said = members.get(flag)
        if said is not None and not isinstance(said, bool):
            findings.doubt(f"{name}.{flag}", said, slots)
            said = None
        flags[flag] = said
    if granted:
        return replace(GRANTED, duration=Duration.ONE_TIME) if flags["one_time"] else GRANTED
    return REFUSALS[flags["rationale"], flags["asked_before"]]
