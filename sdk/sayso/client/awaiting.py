"""An answer that must be awaited, and says so instead of reading as yes."""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, NoReturn


class Allows(Awaitable[bool]):
    """What `ann.allows(...)` gives: await it for True or False.

    A forgotten `await` would be the worst kind of mistake, since any object counts as true. Used as a truth value
    (`if`, `while`, `not`, `and`, `or`, `bool()`), this one raises TypeError, and type checkers mark it. What it can't
    catch: `answer = ann.allows(...)` that is never looked at, comparing it (`ann.allows(...) != False`), or handing it
    on as an object, as in `{"may": ann.allows(...)}`.
    """

    __slots__ = ("_ask",)

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        """Take what asks; nothing is sent before the await."""
        self._ask = ask

    def __await__(self) -> Generator[Any, None, bool]:
        return self._ask().__await__()

    def __bool__(self) -> NoReturn:
        raise TypeError("allows() must be awaited: write `if await ann.allows(...)`")
