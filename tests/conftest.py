"""For every test: nothing blocks the event loop, and hypothesis judges by behaviour, not by how busy the machine is."""

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings

# These say of themselves that they block; coroutines go through a thread, tests call them as they are.
BLOCKING = (
    "sayso.cli",
    "sayso.client.portal",
    "sayso.testing",
    "sayso_server.cli",
    "sayso_server.keys",
    "sayso_server.owner_only",
    "sayso_server.settings",
    "sayso_server.storage.files",
)

settings.register_profile("sayso", deadline=None)
settings.load_profile("sayso")


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[BlockBuster]:
    """Fail a test in which our own code sleeps, reads a file or waits for a lock on the event loop."""
    with blockbuster_ctx(scanned_modules=["sayso", "sayso_server"], excluded_modules=BLOCKING) as blockbuster:
        yield blockbuster
