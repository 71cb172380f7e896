"""What a brand's own suite needs: one line for the kit, one fixture for aioresponses."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
from aioresponses import aioresponses

# The kit is opt-in. This line brings the fixtures `privacy` and `privacy_sync`.
pytest_plugins = ["sayso.testing.plugin"]


class Response(aiohttp.ClientResponse):
    """aioresponses 0.7.9 doesn't know the argument that aiohttp 3.14 requires."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, stream_writer=Mock(output_size=0), **named)


class Answers(aioresponses):
    def add(self, *arguments: Any, **named: Any) -> None:
        super().add(*arguments, **{"response_class": Response, **named})


@pytest.fixture
def answers() -> Iterator[Answers]:
    """Answers every request to other machines; the kit's own server, on this one, is let through."""
    mocked = Answers(passthrough=["http://127.0.0.1"])
    with mocked:
        yield mocked
