"""How old an entry is when it is sent, whatever was done to the wall clock meanwhile."""

from pathlib import Path
from uuid import uuid4

from sayso.local.outbox.row import Row
from sayso.model.instant import MICROS_PER_SECOND, Micros

_DRIFT = MICROS_PER_SECOND
"""Wall and boot clock run apart by less than this unless somebody set the wall clock."""


def _read_boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return str(uuid4())


BOOT_ID = _read_boot_id()
"""Names this start of the machine; where nothing does, this process."""


def made_at(row: Row, boot: float, now: Micros) -> Micros:
    """Give when it was made, by today's wall clock.

    While the machine runs, its age is measured on the boot clock, which nobody sets; after a restart of the machine
    only the wall clock is left. Said again, it gets the same time again unless the wall clock was set.

    Args:
        row: The entry.
        boot: The boot clock.
        now: The wall clock, which is also what is sent as `sent_at`.
    """
    said = row.made - row.age
    if row.boot_id != BOOT_ID or boot < row.boot:
        return min(said, now) if row.age >= 0 else said
    passed = round((boot - row.boot) * MICROS_PER_SECOND)
    measured = now - passed - row.age
    return said if abs(measured - said) < _DRIFT else measured
