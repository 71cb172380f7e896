"""What came back: whole, and as JSON."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp

from sayso.errors import UnavailableError
from sayso.transport.codec import loads


class Answer(NamedTuple):
    """A successful answer.

    Attributes:
        headers: Its headers.
        data: Its JSON; None if there is none, as when nothing has changed.
        asked_at: The boot clock when the attempt that brought it began.
        raw: The bytes of its JSON.
    """

    headers: Mapping[str, str]
    data: Any
    asked_at: float
    raw: bytes = b""

    @property
    def unchanged(self) -> bool:
        """Whether what was asked for is still what the entity tag stands for."""
        return not self.raw and self.data is None


async def read(response: aiohttp.ClientResponse) -> bytes:
    """Read a response to its end, which gives the connection back; only one that stops before must let go of it."""
    try:
        return await response.read()
    except BaseException:
        response.close()
        raise


def decode(raw: bytes) -> Any:
    """Decode JSON; None for an empty answer.

    Raises:
        UnavailableError: It is none.
    """
    if not raw:
        return None
    try:
        return loads(raw)
    except ValueError:
        pass
    raise UnavailableError(
        "what answered is not a Sayso server: the body is no JSON; check SAYSO_URL and the proxies on the way",
        code="not_sayso",
    )
