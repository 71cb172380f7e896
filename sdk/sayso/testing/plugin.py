"""The pytest plugin. It is opt-in: `pytest_plugins = ["sayso.testing.plugin"]` in the topmost `conftest.py`.

Fixtures:

- `privacy`: a client of a fake service of its own, for asynchronous tests under any runner of them;
- `privacy_sync`: the same for synchronous tests;
- `sayso_catalogue`: override it to have the fake publish your own catalogue;
- `sayso_server_under_test`: the server that the contract suite talks to, see `sayso.testing.contract`.

A test in which `ann.allows(...)`, `ann.withdraw(...)` or any other call was made and never awaited fails, and is told
what to write.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from sayso.client.settings import read_environment
from sayso.errors import ConfigurationError
from sayso.model.catalogue import Catalogue
from sayso.testing.brand import CATALOGUE_FILE
from sayso.testing.contract.wire import ServerUnderTest
from sayso.testing.fake import FakeSayso
from sayso.testing.forgotten import Place, say, watching
from sayso.testing.privacy import Privacy, SyncPrivacy


@pytest.fixture
def sayso_catalogue() -> Catalogue | str | os.PathLike[str]:
    """What the fake publishes: a catalogue or the path of a TOML file. Override it with your own."""
    return CATALOGUE_FILE


@pytest.fixture
def privacy(sayso_catalogue: Catalogue | str | os.PathLike[str]) -> Iterator[Privacy]:
    """A client of a fake Sayso service, which runs on a thread of its own and ends with the test."""
    with FakeSayso(sayso_catalogue) as fake:
        yield fake.client()


@pytest.fixture
def privacy_sync(privacy: Privacy) -> SyncPrivacy:
    """The client of `privacy`, for synchronous tests: every call waits for its answer."""
    return privacy.sync()


@pytest.fixture(scope="session")
def sayso_server_under_test() -> ServerUnderTest:
    """The server that SAYSO_URL, SAYSO_KEY_ID and SAYSO_SECRET name. Override it to start one from the tests."""
    try:
        found = read_environment()
    except ConfigurationError as error:
        pytest.fail(f"the contract suite needs a server to test: {error}", pytrace=False)
    return ServerUnderTest(found.url.rstrip("/"), found.key_id, found.secret)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that forgot to await a call; to one that fails anyway, add that it did."""
    with watching() as watch:
        try:
            result = yield
        except Exception as error:
            if watch.forgotten:
                error.add_note(_message(watch.forgotten, item))
            raise
        if watch.forgotten:
            pytest.fail(_message(watch.forgotten, item), pytrace=False)
    return result


def _message(forgotten: list[Place], item: pytest.Item) -> str:
    def shorten(file: str) -> str:
        path = Path(file)
        return str(path.relative_to(item.config.rootpath)) if path.is_relative_to(item.config.rootpath) else file

    return say(forgotten, shorten)
