"""The high-water mark: how many entries the outbox has taken and settled, kept outside it.

SQLite opens a file that lost its newest pages, or was replaced by an older copy, without a word. So the counts are
written beside it after each change; opening compares them, and what is missing is said. The mark isn't synced: after a
power cut it may be behind the file, which is harmless, and it is never ahead of what was synced.
"""

import fcntl
import os
import re
from pathlib import Path
from typing import NamedTuple

from sayso.local.owner_only import open_private

_FORM = re.compile(rb"([0-9a-f]{32}) ([0-9]{20}) ([0-9]{20})\n")
_LENGTH = 75


class Counts(NamedTuple):
    """How far an outbox has come.

    Attributes:
        outbox_id: Which outbox; a new file is another one.
        appended: How many entries were ever kept.
        settled: How many of them were taken out again.
    """

    outbox_id: str
    appended: int
    settled: int

    @property
    def left(self) -> int:
        """How many there should be."""
        return self.appended - self.settled


class Mark:
    """The file of the mark, held open."""

    def __init__(self, outbox: Path) -> None:
        """Open or make it.

        Raises:
            ConfigurationError: The file is unsafe.
        """
        self._descriptor = open_private(_beside(outbox))

    def read(self) -> Counts | None:
        """Give the counts; None if there are none, or none that can be read."""
        form = _FORM.fullmatch(os.pread(self._descriptor, 2 * _LENGTH, 0))
        return Counts(form[1].decode(), int(form[2]), int(form[3])) if form else None

    def write(self, counts: Counts) -> None:
        """Write the counts, unless another process has come further."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            there = self.read()
            if there is not None and there.outbox_id == counts.outbox_id:
                appended, settled = max(counts.appended, there.appended), max(counts.settled, there.settled)
                counts = Counts(counts.outbox_id, appended, settled)
            line = f"{counts.outbox_id} {counts.appended:020d} {counts.settled:020d}\n".encode()
            os.pwrite(self._descriptor, line, 0)
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def missing(mark: Counts | None, found: Counts, rows: int) -> int:
    """Tell how many entries are missing.

    Args:
        mark: What the mark says, if anything.
        found: What the file says of itself.
        rows: How many entries are in the file.
    """
    holes = max(0, found.left - rows)
    if mark is None:
        return holes
    if mark.outbox_id != found.outbox_id:
        return mark.left + holes
    return max(0, mark.appended - found.appended) + holes


def has_mark(outbox: Path) -> bool:
    """Tell whether counts were ever written beside a file, so that it was an outbox once. Makes nothing."""
    try:
        return _FORM.fullmatch(_beside(outbox).read_bytes()) is not None
    except OSError:
        return False


def _beside(outbox: Path) -> Path:
    return outbox.with_name(outbox.name + ".hwm")
