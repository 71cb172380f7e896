"""How often somebody without a token may send something: a bucket for each network that they may come from."""

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import web

from sayso.model.instant import Micros, span_micros

Network = IPv4Network | IPv6Network

_V6_HOME: Final = 56
"""Bits of an IPv6 address that one customer of a provider has in common; the rest is theirs to choose (RFC 6177)."""
_FORWARDED_FOR: Final = "X-Forwarded-For"
_UNKNOWN: Final = "unknown"
_MOST: Final = 20_000


def network_of(request: web.Request, trusted: Sequence[Network]) -> str:
    """Give the network that a request comes from: an IPv4 address, or the /56 of an IPv6 one.

    Args:
        request: The request.
        trusted: Proxies whose `X-Forwarded-For` is believed; what stands before the last of them may be made up.
    """
    forwarded = ",".join(request.headers.getall(_FORWARDED_FOR, []))
    hops = [*(hop.strip() for hop in forwarded.split(",") if hop.strip()), request.remote or ""]
    for hop in reversed(hops):
        try:
            address = ip_address(_without_port(hop))
        except ValueError:
            return _UNKNOWN
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if not any(address in network for network in trusted):
            if isinstance(address, IPv6Address):
                return str(ip_network((address, _V6_HOME), strict=False))
            return str(address)
    return _UNKNOWN


def _without_port(hop: str) -> str:
    # Some proxies add the port, though no standard says so; of IPv6 then with brackets.
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


class Pace:
    """Token buckets in memory, one for each network. Belongs to one event loop; a restart fills them all."""

    def __init__(
        self, *, burst: int, every: timedelta, most: int = _MOST, together: tuple[int, timedelta] | None = None
    ) -> None:
        """Let `burst` of a network through at once, and one more after each `every`.

        Args:
            burst: How many at once.
            every: How long until there is one more.
            most: The oldest of more buckets than these is forgotten.
            together: The same two for all networks together: whoever has thousands of them can't fill the disk.
        """
        self._together = None if together is None else Pace(burst=together[0], every=together[1])
        self._burst = burst
        self._every = span_micros(every)
        self._most = most
        # By network: until when what was let through is counted. Each counts for `every`, one after the other.
        self._until: dict[str, Micros] = {}

    def take(self, network: str, now: Micros) -> Micros:
        """Let one through, or say how long to wait in microseconds; 0 means through."""
        until = max(self._until.pop(network, 0), now)
        wait = until + self._every - now - self._burst * self._every
        if wait <= 0 and self._together is not None:
            wait = self._together.take("", now)
        self._until[network] = until if wait > 0 else until + self._every
        while len(self._until) > self._most:
            del self._until[next(iter(self._until))]
        return max(0, wait)
