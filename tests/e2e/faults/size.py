"""How big every fault test is: short in `make test`, whole in `make soak`, set in this one place.

`SAYSO_SOAK=0`, the default, is the short run, 1 the whole one; what lies between is in proportion, and 10 is a night.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta

SOAK = float(os.environ.get("SAYSO_SOAK", "0"))


def sized(short: int, whole: int) -> int:
    """Give how many there are of something that is `short` in the short run and `whole` in the whole one."""
    return round(short + (whole - short) * SOAK)


def lasting(short: timedelta, whole: timedelta) -> timedelta:
    """Give how long something lasts."""
    return short + (whole - short) * SOAK


def progress(text: str) -> None:
    """Say how far a long run is; pytest shows it with `-s`, as `make soak` does."""
    if SOAK:
        sys.stderr.write(f"  {text}\n")
        sys.stderr.flush()
