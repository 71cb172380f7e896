"""A question that must be awaited: whether a consumer may be asked."""

from collections.abc import Awaitable, Generator
from typing import TYPE_CHECKING, Any, NoReturn

from sayso.client.may_ask import MayAsk
from sayso.client.probe import CHECK_TIME_BOX
from sayso.errors import ConflictError, RateLimitedError, UnavailableError
from sayso.model.decision import Reason

if TYPE_CHECKING:
    from sayso.client.handle import Handle


class AsksMay(Awaitable[MayAsk]):
    """What `ann.may_ask(...)` gives: await it. Used as a truth value without, it raises TypeError."""

    __slots__ = ("_handle", "_topic")

    def __init__(self, handle: "Handle", topic: str) -> None:
        """Take the question; nothing is looked at or sent before the await."""
        self._handle = handle
        self._topic = topic

    def __await__(self) -> Generator[Any, None, MayAsk]:
        return self._answer().__await__()

    async def _answer(self) -> MayAsk:
        try:
            preferences = await self._handle._asker.preferences(self._handle.id, time_box=CHECK_TIME_BOX)
        except (UnavailableError, RateLimitedError, ConflictError):
            return MayAsk(self._topic, False, Reason.UNAVAILABLE.value)
        return preferences.may_ask(self._topic)

    def __bool__(self) -> NoReturn:
        raise TypeError("may_ask() must be awaited: write `if await ann.may_ask(...)`")
