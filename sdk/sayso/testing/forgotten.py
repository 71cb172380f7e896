"""Noticing calls that were made and never awaited, and saying where and what to write instead."""

import inspect
import itertools
import linecache
import sys
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

import sayso
from sayso.client import asking
from sayso.client.awaiting import Allows
from sayso.client.client import Client
from sayso.client.consumer import Consumer

_OURS: Final = str(Path(sayso.__file__).parent)
_CHECK: Final = "allows"
_ASKING: Final = frozenset({_CHECK, "catalogue", "decide", "decide_many", "disclosures", "preferences", "prefetch"})
_MANY: Final = 1_000
"""Calls after which those that have begun are let go of, so that a test may make any number of them."""


class Place(NamedTuple):
    """A call in the source of whoever made it.

    Attributes:
        name: What was called, such as `withdraw`.
        file: Path of the file.
        line: Its line, from 1.
        source: That line, without what surrounds it; empty if it can't be read.
        column: Where in `source` the call begins; None if nobody knows.
    """

    name: str
    file: str
    line: int
    source: str
    column: int | None

    @property
    def mended(self) -> str:
        """The line as it should read."""
        if self.column is None or not self.source:
            return f"{'if ' if self.name == _CHECK else ''}await ….{self.name}(...)"
        return f"{self.source[: self.column]}await {self.source[self.column :]}"


class Watch:
    """The calls of one test. Safe from several threads.

    Attributes:
        over: Whether the test has ended, so that nothing is noted any more.
    """

    def __init__(self) -> None:
        """Start without any."""
        self.over = False
        self._numbers = itertools.count()
        self._open: dict[int, Place] = {}
        self._calls: dict[int, tuple[Coroutine[Any, Any, Any], Place]] = {}

    def made(self) -> int:
        """Note a check that somebody has just asked for; give its number."""
        number = next(self._numbers)
        self._open[number] = _caller(_CHECK)
        return number

    def awaited(self, number: int) -> None:
        """Note that it is awaited."""
        self._open.pop(number, None)

    def called(self, name: str, call: Coroutine[Any, Any, Any]) -> None:
        """Note a call that does nothing before it is awaited."""
        if self.over:
            return
        if len(self._calls) >= _MANY:
            self._calls = {number: one for number, one in list(self._calls.items()) if _waits(one[0])}
        self._calls[next(self._numbers)] = call, _caller(name)

    @property
    def forgotten(self) -> list[Place]:
        """Where those were made that nobody has awaited up to now; each place once, in the order they were made."""
        waiting = {number: place for number, (call, place) in list(self._calls.items()) if _waits(call)}
        return list(dict.fromkeys(place for _, place in sorted({**self._open, **waiting}.items())))

    def close(self) -> None:
        """End the calls that nobody has awaited, so that Python doesn't warn of them in some later test."""
        self.over = True
        for call, _ in self._calls.values():
            if _waits(call):
                call.close()
        self._calls.clear()


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch everything of a client and of its consumers that has to be awaited, for as long as the block runs.

    What they consist of is replaced meanwhile, so that outside of tests a call pays nothing for this. Synchronous
    clients are not concerned: their calls have happened when they return.
    """
    watch = Watch()

    class WatchedAllows(Allows):
        __slots__ = ("_number",)

        def __init__(self, *question: Any) -> None:
            super().__init__(*question)
            self._number = watch.made()

        def __await__(self) -> Generator[Any, None, bool]:
            watch.awaited(self._number)
            return super().__await__()

    names = vars(asking)
    before = names["Allows"]
    names["Allows"] = WatchedAllows
    replaced = [(owner, name, method, _watched(name, method, watch)) for owner, name, method in _methods()]
    for owner, name, _, watched in replaced:
        setattr(owner, name, watched)
    try:
        yield watch
    finally:
        names["Allows"] = before
        for owner, name, method, watched in replaced:
            if vars(owner).get(name) is watched:  # else the test has put something of its own there
                setattr(owner, name, method)
        watch.close()


def say(forgotten: list[Place], shorten: Callable[[str], str]) -> str:
    """Say what was forgotten and what to write.

    Args:
        forgotten: Where.
        shorten: Gives a path as the reader knows it.
    """
    lines = []
    for name, places in itertools.groupby(forgotten, key=lambda place: place.name):
        nothing = "asked" if name in _ASKING else "done"
        lines.append(f"{name}() was called and never awaited, so nothing was {nothing}. Write `await` before it:")
        for place in places:
            lines.append(f"{shorten(place.file)}:{place.line}: {place.source}".rstrip())
            lines.append(f"    write: {place.mended}")
    return "\n".join(lines)


def _methods() -> Iterator[tuple[type, str, Callable[..., Coroutine[Any, Any, Any]]]]:
    """Give the public methods that are awaited, each with the class that has it."""
    owners = dict.fromkeys(owner for cls in (Client, Consumer) for owner in cls.__mro__)
    for owner in owners:
        for name, method in list(vars(owner).items()):
            if not name.startswith("_") and inspect.iscoroutinefunction(inspect.unwrap(method)):
                yield owner, name, _in_use(method)


def _in_use(method: Any) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Give a method without what watched a test that is over: a monkeypatch that outlived it has put it back."""
    while getattr(method, "watch", None) is not None and method.watch.over:
        method = method.__wrapped__
    found: Callable[..., Coroutine[Any, Any, Any]] = method
    return found


def _watched(
    name: str, method: Callable[..., Coroutine[Any, Any, Any]], watch: Watch
) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(method)
    def watched(*args: Any, **named: Any) -> Coroutine[Any, Any, Any]:
        call = method(*args, **named)
        watch.called(name, call)
        return call

    vars(watched)["watch"] = watch
    return watched


def _waits(call: Coroutine[Any, Any, Any]) -> bool:
    return inspect.getcoroutinestate(call) == inspect.CORO_CREATED


def _caller(name: str) -> Place:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    if frame is None:
        return Place(name, "?", 0, "", None)
    file, line = frame.f_code.co_filename, frame.f_lineno
    written = linecache.getline(file, line).rstrip("\n")
    source = written.strip()
    return Place(name, file, line, source, _column(frame, line, written, source))


def _column(frame: FrameType, line: int, written: str, source: str) -> int | None:
    positions = next(itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    if positions is None or positions[0] != line or positions[2] is None:
        return None
    # Positions count bytes of UTF-8.
    before = written.encode()[: positions[2]].decode(errors="ignore")
    column = len(before) - (len(written) - len(written.lstrip()))
    return column if 0 <= column < len(source) else None
