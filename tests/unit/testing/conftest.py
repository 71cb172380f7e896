"""The kit's own tests use the kit as its users do."""

from collections.abc import AsyncIterator

import pytest

from sayso.testing import FakeSayso


@pytest.fixture
async def fake() -> AsyncIterator[FakeSayso]:
    async with FakeSayso() as running:
        yield running
