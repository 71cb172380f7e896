"""How several keys of one report make one state per capability.

Doubt means no. Of two answers about a whole capability the more cautious stands, and one value nobody listed
keeps its capability out of the report, whatever another key grants.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from sayso.model.device import (
    PASSING,
    Capability,
    DecidedBy,
    Delivery,
    DeviceState,
    Duration,
    LocationPrecision,
    LocationScope,
    PermissionState,
    Promptable,
    Selection,
)
from sayso.rules.devices.normal import LOCATION, Role, Slot, Values

# An unknown value comes from outside and goes back into an answer: enough to recognise, too little to abuse.
SHOWN_CHARACTERS = 200

# The most cautious first: of several answers the first one said stands.
_CAUTION: Mapping[str, tuple[StrEnum, ...]] = {
    "state": (
        PermissionState.DENIED,
        PermissionState.NOT_DETERMINED,
        PermissionState.UNAVAILABLE,
        PermissionState.LIMITED,
        PermissionState.GRANTED,
    ),
    "by": (DecidedBy.OS_POLICY, DecidedBy.USER),
    "promptable": (Promptable.NO, Promptable.UNKNOWN, Promptable.YES),
    "scope": (LocationScope.WHILE_IN_USE, LocationScope.ALWAYS),
    "precision": (LocationPrecision.REDUCED, LocationPrecision.FULL),
    "selection": (Selection.ADD_ONLY, Selection.SELECTED, Selection.ALL),
    "delivery": (Delivery.EPHEMERAL, Delivery.QUIET, Delivery.PROMINENT),
    "duration": (Duration.ONE_TIME, Duration.SESSION, Duration.UNKNOWN, Duration.PERSISTENT),
}


def cautious(states: Iterable[DeviceState]) -> DeviceState | None:
    """The one state that claims no more than any of `states`, whatever their order; None of none."""
    present = tuple(states)
    if not present:
        return None
    worst = _first("state", present)
    if worst not in PASSING:  # how long or how exact another key's grant is has no say in a refusal
        present = tuple(each for each in present if each.state == worst)
    merged: dict[str, Any] = {f.name: _first(f.name, present) for f in fields(DeviceState)}
    return DeviceState(**merged)


def _first(member: str, states: tuple[DeviceState, ...]) -> StrEnum | None:
    said = {getattr(each, member) for each in states}
    return next((value for value in _CAUTION[member] if value in said), None)


@dataclass(frozen=True, slots=True, order=True)
class UnknownValue:
    """A key, or a key's value, that no table lists; `value` is cut to 200 characters."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a report means.

    Attributes:
        states: By capability; one that was not reported, or is in doubt, is absent (`device_unknown`).
        unknown: What no table lists, sorted by name.
        doubted: Absent because of an unknown value. From this report's moment on, what an earlier one said of these
            no longer holds (see `newest`); of the merely unreported it does.
    """

    states: dict[Capability, DeviceState]
    unknown: tuple[UnknownValue, ...] = ()
    doubted: frozenset[Capability] = field(default_factory=frozenset)


class Findings:
    """Collects what the keys of one report say; `report()` is the sum."""

    def __init__(self) -> None:
        self._said: dict[Capability, dict[Role, list[DeviceState]]] = {}
        self._precisions: list[LocationPrecision] = []
        self._doubted: set[Capability] = set()
        self._unknown: set[UnknownValue] = set()

    def add(self, slots: Iterable[Slot], state: DeviceState) -> None:
        """Note that `state` was reported for each slot."""
        for slot in slots:
            roles = self._said.setdefault(slot.capability, {})
            roles.setdefault(slot.role, []).append(slot.dress(state))

    def doubt(self, name: str, value: object, slots: Iterable[Slot] = ()) -> None:
        """Note an unlisted key or value, and the capabilities it leaves in doubt."""
        self._unknown.add(UnknownValue(name[:SHOWN_CHARACTERS], shown(value)))
        self._doubted.update(slot.capability for slot in slots)

    def read(self, name: str, value: object, slots: Iterable[Slot], values: Values[DeviceState]) -> None:
        """Look `value` up and note what it means, or the doubt."""
        state = values.get(value)
        if state is None:
            self.doubt(name, value, slots)
        else:
            self.add(slots, state)

    def read_precision(self, name: str, value: object, values: Values[tuple[LocationPrecision, ...]]) -> None:
        """Look a location accuracy up; a listed value may say nothing. Without a location it says nothing."""
        said = values.get(value)
        if said is None:
            self.doubt(name, value, (LOCATION,))
        else:
            self._precisions.extend(said)

    def report(self) -> Report:
        """One state per capability; a doubted one stays only as a denial."""
        states: dict[Capability, DeviceState] = {}
        for capability in Capability:
            state = self._combine(capability)
            if state is None:
                continue
            if capability in self._doubted and state.state is not PermissionState.DENIED:
                continue
            states[capability] = state
        return Report(states, tuple(sorted(self._unknown)), frozenset(self._doubted - states.keys()))

    def _combine(self, capability: Capability) -> DeviceState | None:
        roles = {role: cautious(said) for role, said in self._said.get(capability, {}).items()}
        whole = [state for state in (roles.get(Role.WHOLE), _parts(roles)) if state is not None]
        state = cautious(whole) or roles.get(Role.BUTTON) or roles.get(Role.ALWAYS)
        if state is None or not state.passes:
            return state
        background = roles.get(Role.ALWAYS)
        if background is not None:
            scope = LocationScope.ALWAYS if background.passes else LocationScope.WHILE_IN_USE
            state = replace(state, scope=scope)
        if capability is Capability.LOCATION and self._precisions:
            precisions = {state.precision, *self._precisions}
            reduced = LocationPrecision.REDUCED in precisions
            precision = LocationPrecision.REDUCED if reduced else LocationPrecision.FULL
            state = replace(state, precision=precision)
        return state


_PARTS = (Role.FINE, Role.COARSE, Role.MEDIA, Role.SELECTED)


def _parts(roles: Mapping[Role, DeviceState | None]) -> DeviceState | None:
    """Android's permissions that each stand for a part: a granted part is a grant of that much."""
    said = [state for role in _PARTS if (state := roles.get(role)) is not None]
    passing = [state for state in said if state.passes]
    if passing:
        durations = cautious(passing)
        return replace(passing[0], duration=durations.duration) if durations else passing[0]
    # Storage speaks only where the newer permissions don't exist: their denial must not hide behind it.
    refused = cautious(state for state in said if state.state != PermissionState.UNAVAILABLE)
    return refused or roles.get(Role.STORAGE) or cautious(said)


def shown(value: object) -> str:
    """`value` as short text: strings as they are, the rest as JSON."""
    if isinstance(value, str):
        return value[:SHOWN_CHARACTERS]
    try:
        return json.dumps(value)[:SHOWN_CHARACTERS]
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__
