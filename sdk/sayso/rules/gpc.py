"""Global Privacy Control and Do Not Track, read from request headers.

W3C Global Privacy Control, editor's draft of 2026-04-03: the field value is exactly `1`, anything else is as
if absent, and of several headers one exact `1` is enough. There are no parameters and no way to say "off", so
absence is neither a consent nor a withdrawal of what was said before.
"""

from collections.abc import Iterable

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


def _says_one(headers: Iterable[tuple[str, str]], wanted: str) -> bool:
    return any(
        element.strip(_OPTIONAL_WHITESPACE) == "1"
        for name, value in headers
        if name.lower() == wanted
        for element in value.split(",")
    )
