"""Noticing checks that were asked for and never awaited, and saying where and what to write instead."""

import itertools
import linecache
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

import sayso
from sayso.client import asking
from sayso.client.awaiting import Allows

_OURS: Final = str(Path(sayso.__file__).parent)


class Place(NamedTuple):
    """A call in the source of whoever made it.

    Attributes:
        file: Path of the file.
        line: Its line, from 1.
        source: That line, without what surrounds it; empty if it can't be read.
        column: Where in `source` the call begins; None if nobody knows.
    """

    file: str
    line: int
    source: str
    column: int | None

    @property
    def mended(self) -> str:
        """The line as it should read."""
        if self.column is None or not self.source:
            return "if await ann.allows(...):"
        return f"{self.source[: self.column]}await {self.source[self.column :]}"


class Watch:
    """The checks of one test. Safe from several threads."""

    def __init__(self) -> None:
        """Start without any."""
        self._numbers = itertools.count()
        self._open: dict[int, Place] = {}

    def made(self) -> int:
        """Note a check that somebody has just asked for; give its number."""
        number = next(self._numbers)
        self._open[number] = _caller()
        return number

    def awaited(self, number: int) -> None:
        """Note that it is awaited."""
        self._open.pop(number, None)

    @property
    def forgotten(self) -> list[Place]:
        """Where those were made that nobody has awaited up to now; each place once."""
        return list(dict.fromkeys(self._open.values()))


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch all checks for as long as the block runs.

    The class that `allows` makes is replaced meanwhile, so that outside of tests a check pays nothing for this.
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
    try:
        yield watch
    finally:
        names["Allows"] = before


def say(forgotten: list[Place], shorten: Callable[[str], str]) -> str:
    """Say what was forgotten and what to write.

    Args:
        forgotten: Where.
        shorten: Gives a path as the reader knows it.
    """
    lines = ["allows() was called and never awaited, so nothing was asked. Write `await` before it:"]
    for place in forgotten:
        lines.append(f"{shorten(place.file)}:{place.line}: {place.source}".rstrip())
        lines.append(f"    write: {place.mended}")
    return "\n".join(lines)


def _caller() -> Place:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    if frame is None:
        return Place("?", 0, "", None)
    file, line = frame.f_code.co_filename, frame.f_lineno
    written = linecache.getline(file, line).rstrip("\n")
    source = written.strip()
    return Place(file, line, source, _column(frame, line, written, source))


def _column(frame: FrameType, line: int, written: str, source: str) -> int | None:
    positions = next(itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    if positions is None or positions[0] != line or positions[2] is None:
        return None
    # Positions count bytes of UTF-8.
    before = written.encode()[: positions[2]].decode(errors="ignore")
    column = len(before) - (len(written) - len(written.lstrip()))
    return column if 0 <= column < len(source) else None
