"""Which of several reports about a capability counts: the newest, and of one moment the most cautious."""

from __future__ import annotations

from collections.abc import Mapping

from sayso.model.device import Capability, DeviceState, PermissionState
from sayso.model.instant import Micros
from sayso.rules.devices.findings import Report, cautious

Dated = tuple[DeviceState | None, Micros]
"""What was said of a capability, and when in microseconds. None is a doubt: a value that no table lists."""


def newest(known: Mapping[Capability, Dated], report: Report, reported_at: Micros) -> dict[Capability, Dated]:
    """Put a report on top of what is known, or under it where that is newer.

    A doubt is dated like any state: it ends what was said before it, an older grant that arrives after it does not
    end the doubt, and an older doubt ends nothing newer. At one moment a denial beats a doubt, and a doubt the rest.

    Args:
        known: What was reported so far; the same in any order of arrival.
        report: What was reported now.
        reported_at: The earlier of observed and received, in microseconds.

    Returns:
        What is known now. What the report does not name stays.
    """
    said: dict[Capability, DeviceState | None] = {**dict.fromkeys(report.doubted), **report.states}
    states = dict(known)
    for name, state in said.items():
        earlier = states.get(name)
        if earlier is None or earlier[1] < reported_at:
            states[name] = (state, reported_at)
        elif earlier[1] == reported_at:
            states[name] = (_more_cautious(earlier[0], state), reported_at)
    return states


def _more_cautious(one: DeviceState | None, other: DeviceState | None) -> DeviceState | None:
    if one is not None and other is not None:
        return cautious((one, other))
    certain = one or other
    return certain if certain is not None and certain.state is PermissionState.DENIED else None
