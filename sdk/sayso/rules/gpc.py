"""Global Privacy Control and Do Not Track, read from request headers.

W3C Global Privacy Control, editor's draft of 2026-04-03: the field value is exactly `1`, anything else is as
if absent, and of several headers one exact `1` is enough. There are no parameters and no way to say "off", so
absence is neither a consent nor a withdrawal of what was said before.
"""

from collections.abc import Iterable, Sequence

from sayso.model.signal import SignalSeen

MOST_SIGHTS = 50
"""(signal, device) pairs kept apart per consumer: browsers that forget their device id must not grow them for ever."""

GPC_HEADER = "sec-gpc"
DNT_HEADER = "dnt"

_OPTIONAL_WHITESPACE = " \t"


def gpc(headers: Iterable[tuple[str, str]]) -> bool:
    """Tell whether a request carries Global Privacy Control.

    A proxy may join several headers into one list: an element that is exactly `1` counts there too, so that
    joining never loses the preference.

    Args:
        headers: Every header as it came, repeated ones repeated: `request.headers.items()` of aiohttp, not a
            `dict`, which keeps only one of several.

    Returns:
        True to record the signal. False says nothing: it never withdraws one seen earlier.
    """
    return _says_one(headers, GPC_HEADER)


def dnt(headers: Iterable[tuple[str, str]]) -> bool:
    """Tell whether a request carries `DNT: 1`; `0` and anything else is as if absent.

    Browsers have dropped the header. It is a signal of its own, and counts like GPC only where the brand's
    catalogue says so.

    Args:
        headers: As for `gpc`.
    """
    return _says_one(headers, DNT_HEADER)


def device_to_note(known: Sequence[SignalSeen], name: str, device_id: str) -> str:
    """Tell under which device a sight of a signal is noted.

    A signal is a refusal, so it is never turned away: from the 51st pair of signal and device on it is noted
    without a device. It covers the consumer on every device all the same, since no decision asks where a signal
    was seen.

    Args:
        known: The first sights so far.
        name: The signal, such as `gpc`.
        device_id: The device it was seen on; empty where none was named.

    Returns:
        `device_id`, or empty.
    """
    named = {(seen.name, seen.device_id) for seen in known if seen.device_id}
    return device_id if (name, device_id) in named or len(named) < MOST_SIGHTS else ""


def _says_one(headers: Iterable[tuple[str, str]], wanted: str) -> bool:
    return any(
        element.strip(_OPTIONAL_WHITESPACE) == "1"
        for name, value in headers
        if name.lower() == wanted
        for element in value.split(",")
    )
