"""How long cached answers may be relied on: proved by asking, not by silence.

Once a second the server is asked for its newest position. When the stream has delivered that position, everything
that was acknowledged before the request *began* has arrived, so cached answers hold until that moment +
`max_staleness`. Heartbeats can't show this: a proxy that delays everything by ten seconds keeps them flowing.
"""

from collections import deque
from datetime import timedelta
from typing import Any, NamedTuple

from sayso.errors import UnavailableError
from sayso.transport.clock import Clock
from sayso.transport.http import Transport

EVERY = timedelta(seconds=1)
TIME_BOX = timedelta(milliseconds=900)
PATH = "/v1/changes/head"


class Head(NamedTuple):
    """The server's newest position.

    Attributes:
        store_id: Which database answered.
        position: Of this brand's changes.
        asked_at: The boot clock when the request began.
    """

    store_id: str
    position: int
    asked_at: float


class Freshness:
    """Works out until when what the stream delivered is all there was. All times are of the boot clock, in seconds."""

    def __init__(self, max_staleness: timedelta) -> None:
        """Begin with nothing proved."""
        self._holds = max_staleness.total_seconds()
        self._waiting: deque[tuple[int, float]] = deque()
        self.delivered: int | None = None
        """The position up to which this epoch's stream has delivered; None before the first."""
        self.until = 0.0
        """Until when cached answers of this epoch hold."""

    def begin(self, position: int) -> None:
        """Start an epoch: the stream goes on from here, and what came before may have been missed."""
        self.doubt()
        self.delivered = position

    def doubt(self) -> None:
        """Take back what was proved; the next head that may be believed proves anew."""
        self._waiting.clear()
        self.until = 0.0

    def end(self) -> None:
        """End the epoch without a new one."""
        self.doubt()
        self.delivered = None

    def delivered_to(self, position: int) -> None:
        """Take in that every change up to a position has arrived."""
        if self.delivered is None or position <= self.delivered:
            return
        self.delivered = position
        while self._waiting and self._waiting[0][0] <= position:
            self._prove(self._waiting.popleft()[1])

    def asked(self, head: Head) -> None:
        """Take in an answer: it proves something as soon as the stream has delivered its position."""
        if self.delivered is None:
            return
        if head.position <= self.delivered:
            self._prove(head.asked_at)
            return
        while self._waiting and self._waiting[0][1] + self._holds <= head.asked_at:
            self._waiting.popleft()  # too late to prove anything
        self._waiting.append((head.position, head.asked_at))

    def _prove(self, asked_at: float) -> None:
        self.until = max(self.until, asked_at + self._holds)


async def ask_head(
    transport: Transport, stream_id: str | None = None, *, time_box: timedelta | None = TIME_BOX
) -> Head:
    """Ask for the newest position; naming the stream renews it with the token that this request carries.

    Args:
        transport: Sends.
        stream_id: The stream to renew.
        time_box: How long that may take; None for as long as any call.

    Raises:
        Error: There is no answer; the class says why.
    """
    path = PATH if stream_id is None else f"{PATH}?stream={stream_id}"
    answer = await transport.call("GET", path, time_box=time_box)
    return read_head(answer.data, answer.asked_at)


def read_head(data: Any, asked_at: float) -> Head:
    """Read the answer of `GET /v1/changes/head`, or the part of an event that says the same.

    Raises:
        UnavailableError: That is none.
    """
    try:
        store_id, position = data["store_id"], data["position"]
    except (KeyError, TypeError):
        store_id = position = None
    if not isinstance(store_id, str) or not isinstance(position, int) or position < 0:
        raise UnavailableError("what answered is not a Sayso server; check SAYSO_URL", code="not_sayso")
    return Head(store_id, position, asked_at)


class Pace:
    """Keeps a second between the starts of two requests, however long the first took."""

    def __init__(self, clock: Clock) -> None:
        """Take the time."""
        self._clock = clock
        self._next = 0.0

    async def wait(self) -> None:
        """Wait until the next request is due."""
        now = self._clock.boot()
        if self._next > now:
            await self._clock.sleep(self._next - now)
        self._next = max(self._next, now) + EVERY.total_seconds()
