"""An answer that must be awaited, and says so instead of reading as yes."""

from collections.abc import Awaitable, Generator
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn

from sayso.client.check import Check

if TYPE_CHECKING:
    from sayso.client.handle import Handle


class Allows(Awaitable[bool]):
    """What `ann.allows(...)` gives: await it for True or False.

    A forgotten `await` would be the worst kind of mistake, since any object counts as true. Used as a truth value
    (`if`, `while`, `not`, `and`, `or`, `bool()`), this one raises TypeError, and type checkers mark it. What it can't
    catch: `answer = ann.allows(...)` that is never looked at, comparing it (`ann.allows(...) != False`), or handing it
    on as an object, as in `{"may": ann.allows(...)}`.
    """

    __slots__ = ("_at_least", "_device", "_handle", "_topic")

    def __init__(self, handle: "Handle", topic: str, device: str | None, at_least: int | None) -> None:
        """Take the question; nothing is looked at or sent before the await."""
        self._handle = handle
        self._topic = topic
        self._device = device
        self._at_least = at_least

    def __await__(self) -> Generator[Any, None, bool]:
        # The path of every chat message: a generator that returns at once, no coroutine, no call that isn't needed.
        vouched = self._handle._vouched
        consumer_id, device = self._handle.id, self._device
        try:
            known = vouched.answers.get(consumer_id if device is None else (consumer_id, device))
            if (
                known is not None
                and vouched.boot() < known[0]
                and (
                    not (pending := vouched.overlay.consumers)
                    or (consumer_id not in pending and consumer_id not in vouched.aliases.visitors)
                )
                and self._at_least is None
                and vouched.thread == get_ident()
            ):
                return self._topic in known[1]
        except TypeError:  # a topic or a device that can't even be looked up
            return False
        check = Check(consumer_id, self._topic, device, None, self._at_least)
        return (yield from self._handle._asker.allows(check).__await__())

    def __bool__(self) -> NoReturn:
        raise TypeError("allows() must be awaited: write `if await ann.allows(...)`")
