"""Reading `text/event-stream` as it arrives, cut anywhere (WHATWG HTML §9.2.6)."""

import re
from typing import NamedTuple

LONGEST_LINE = 64 * 1024
LONGEST_EVENT = 256 * 1024

_LINE_END = re.compile(rb"\r\n|\n|\r")
_MARK = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event.

    Attributes:
        name: Its `event` field, `message` if it has none.
        data: Its `data` lines, joined by line feeds.
        id: The last `id` seen up to here; empty for none.
    """

    name: str
    data: str
    id: str


class TooLongError(ValueError):
    """A line or an event is longer than any that a Sayso server sends."""


class Parser:
    """Takes bytes, gives events. Comments, `retry` and unknown fields are passed over."""

    __slots__ = ("_after_cr", "_data", "_id", "_length", "_name", "_rest", "_started")

    def __init__(self) -> None:
        """Start at the beginning of a stream."""
        self._rest = b""
        self._after_cr = False
        self._started = False
        self._name = ""
        self._data: list[str] = []
        self._length = 0
        self._id = ""

    def feed(self, chunk: bytes) -> list[Event]:
        """Give the events that these bytes complete.

        Raises:
            TooLongError: No end in sight; nothing sane can follow, so the stream is to be closed.
        """
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")  # the other half of a CRLF
        if not chunk:
            return []
        self._after_cr = chunk.endswith(b"\r")
        *lines, self._rest = _LINE_END.split(self._rest + chunk)
        if len(self._rest) > LONGEST_LINE:
            raise TooLongError("a line of the stream has no end")
        events: list[Event] = []
        for line in lines:
            if len(line) > LONGEST_LINE:
                raise TooLongError("a line of the stream is too long")
            whole = self._line(line)
            if whole is not None:
                events.append(whole)
        return events

    def _line(self, line: bytes) -> Event | None:
        if not self._started:
            self._started = True
            line = line.removeprefix(_MARK)
        if not line:
            return self._dispatch()
        field, _, rest = line.partition(b":")
        value = rest.removeprefix(b" ").decode("utf-8", "replace")
        if field == b"data":
            self._length += len(value) + 1
            if self._length > LONGEST_EVENT:
                raise TooLongError("an event of the stream is too long")
            self._data.append(value)
        elif field == b"event":
            self._name = value
        elif field == b"id" and "\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> Event | None:
        name, data = self._name or "message", self._data
        self._name, self._data, self._length = "", [], 0
        return Event(name, "\n".join(data), self._id) if data else None
