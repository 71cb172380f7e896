"""What client processes wrote down: JSON lines, stamped with the boot clock, which all processes of a machine share."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Line = dict[str, Any]


def boot() -> float:
    """Give the seconds that the lines are stamped with."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def read_log(path: Path) -> list[Line]:
    """Read a log; a last line that a kill cut off was never said, and is left out."""
    if not path.exists():
        return []
    whole, _, _ = path.read_text("utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]
