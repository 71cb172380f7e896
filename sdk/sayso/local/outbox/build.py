"""Making an outbox for a client."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sayso.errors import ConfigurationError
from sayso.local.outbox.file import FileStore
from sayso.local.outbox.memory import MemoryStore
from sayso.local.outbox.outbox import Outbox
from sayso.local.outbox.row import Seal
from sayso.transport.clock import Clock


def make_outbox(
    path: str | os.PathLike[str] | None, *, brand: str, url: str, secrets: Sequence[str], clock: Clock
) -> Outbox:
    """Make an outbox. Nothing is opened yet.

    Args:
        path: The file; None keeps entries in memory.
        brand: Whose entries it holds.
        url: The server they are for.
        secrets: The key's secret, then those it had before and that entries may still be sealed with.
        clock: Time.

    Raises:
        ConfigurationError: The path names no file.
    """
    if path is None:
        return Outbox(lambda on_mended: MemoryStore(), None)
    file = Path(path)
    if not file.name:
        raise ConfigurationError("the outbox (SAYSO_OUTBOX) is the path of a file", code="bad_setting")
    file = file.absolute()  # a process that changes its directory later means the same file
    seal = Seal(secrets, brand, url)
    store = partial(FileStore, file, brand, url, seal, clock.now)
    return Outbox(lambda on_mended: store(on_mended=on_mended), file)
