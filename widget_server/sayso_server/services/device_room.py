"""How many devices of a consumer are kept."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sayso.model.instant import Micros, span_micros
from sayso.wire import Code
from sayso_server.services.refusals import refuse_member

MOST_DEVICES = 50
"""Per consumer. Every snapshot decides each topic that needs a device once per device."""

_SILENT = timedelta(days=90)


def make_room(devices: Mapping[str, Any], device_id: str, now: Micros) -> str | None:
    """Tell which device gives way to a report.

    A new device pushes out the one unheard for longest, but only after 90 days: a denial must not be forgotten while
    an older grant of its device could still arrive and count. Reports go stale after a day unless the catalogue says
    otherwise, and its lint warns of anything over a week.

    Args:
        devices: The packed devices of a consumer, by id.
        device_id: The device that reports.
        now: Microseconds since 1970.

    Returns:
        The device to forget, or None where there is room.

    Raises:
        RefusedError: 422 `too_many`: there are 50 others, and each has reported in the last 90 days.
    """
    if device_id in devices or len(devices) < MOST_DEVICES:
        return None
    last_heard = {known: _last_heard(packed) for known, packed in devices.items()}
    silent = min(last_heard, key=last_heard.__getitem__)
    if last_heard[silent] >= now - span_micros(_SILENT):
        message = f"device id in the path: this consumer has {MOST_DEVICES} devices already; report under one of them"
        raise refuse_member("", Code.TOO_MANY, message)
    return silent


def _last_heard(packed: Any) -> Micros:
    # A device that reported nothing Sayso knows says nothing, so nothing is lost with it.
    return max((at for _, at in packed[1].values()), default=0)
