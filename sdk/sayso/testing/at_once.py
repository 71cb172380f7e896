"""Running a coroutine that never waits, without an event loop."""

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end here and now.

    `MemoryStorage` records without giving the event loop a turn, and so do the services over it.

    Raises:
        RuntimeError: It wants to wait for something after all.
    """
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: T = finished.value
        return result
    coroutine.close()
    raise RuntimeError("this would have to wait for something; await it instead")
