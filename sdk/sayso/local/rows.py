"""What the topics of one catalogue revision were answered, each distinct row of answers kept once.

A row is `bytes`: one code per topic, in the catalogue's order. Codes below `ALLOWING` allow. Consumers who answered
alike share a row, so that a consumer costs a number; and since bytes are no containers, the garbage collector never
looks at one.
"""

from array import array
from collections.abc import Iterable, Mapping
from typing import Any

from sayso.model.decision import Reason

ALLOWING = 3
"""Codes below this one allow."""

_FIRST = (Reason.GRANTED.value, Reason.DEFAULT.value, Reason.REQUIRED.value, Reason.UNAVAILABLE.value)
_UNAVAILABLE = 3
_MOST_REASONS = 256
_SHARED = 144  # a row's object beyond its codes, its place in two tables, its number and its count


class Rows:
    """The rows of one catalogue revision. Whoever writes holds the cache's lock.

    Attributes:
        revision: The catalogue's.
        places: Where in a row each topic is.
        table: The rows by number.
        size: How many bytes all of it takes, about.
    """

    __slots__ = ("_codes", "_free", "_numbers", "_reasons", "_uses", "places", "revision", "size", "table")

    def __init__(self, revision: int, topics: Iterable[str]) -> None:
        """Start without a row."""
        self.revision = revision
        self.places = {topic: place for place, topic in enumerate(topics)}
        self.table: list[bytes] = []
        self.size = 0
        self._numbers: dict[bytes, int] = {}
        self._uses = array("L")
        self._free: list[int] = []
        self._reasons = list(_FIRST)
        self._codes = {reason: code for code, reason in enumerate(_FIRST)}

    def has_topics(self, topics: Iterable[str]) -> bool:
        """Tell whether these are its topics, in this order."""
        return list(topics) == list(self.places)

    def encode(self, topics: Mapping[str, Mapping[str, Any]], device: str | None = None) -> bytes:
        """Write a snapshot's topics as a row: those without a device, or on a device.

        A reason that this release doesn't know refuses, as does one that should allow and does not.
        """
        codes = bytearray()
        for entry in topics.values():
            there = (entry.get("by_device") or {}).get(device) if device is not None else None
            codes.append(self._code(entry if there is None else there))
        return bytes(codes)

    def keep(self, row: bytes) -> int:
        """Give the number of a row, and count one more who has it."""
        number = self._numbers.get(row)
        if number is None:
            self.size += len(row) + _SHARED
            if self._free:
                number = self._free.pop()
                self.table[number] = row
            else:
                number = len(self.table)
                self.table.append(row)
                self._uses.append(0)
            self._numbers[row] = number
        self._uses[number] += 1
        return number

    def drop(self, number: int) -> None:
        """Count one less; a row that nobody has gives up its place."""
        self._uses[number] -= 1
        if not self._uses[number]:
            row = self.table[number]
            del self._numbers[row]
            self.table[number] = b""
            self._free.append(number)
            self.size -= len(row) + _SHARED

    def reasons(self, number: int) -> dict[str, str]:
        """Tell why a row answers each topic as it does."""
        row = self.table[number]
        return {topic: self._reasons[row[place]] for topic, place in self.places.items()}

    def _code(self, entry: Mapping[str, Any]) -> int:
        reason, allowed = entry["reason"], entry["allowed"] is True
        code = self._codes.get(reason)
        if code is None:
            if len(self._reasons) == _MOST_REASONS:  # hundreds of `requires:…`; what counts is that they refuse
                return _UNAVAILABLE
            code = self._codes[reason] = len(self._reasons)
            self._reasons.append(reason)
        return code if allowed == (code < ALLOWING) else _UNAVAILABLE
