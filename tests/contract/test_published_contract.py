"""The contract suite that users run against their own server, run the way they run it: see `servers_under_test`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PYTEST = "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "-o", "asyncio_default_fixture_loop_scope=function"
SUITE = "--pyargs", "sayso.testing.contract"


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SAYSO_")}
    return subprocess.run(
        [sys.executable, "-m", *PYTEST, *arguments, *SUITE],
        cwd=folder,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


@pytest.mark.timeout(120)
def test_the_fake_and_the_application_over_each_storage_keep_to_one_contract(tmp_path: Path) -> None:
    paths = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    done = run(tmp_path, "-p", "servers_under_test", PYTHONPATH=paths)
    assert done.returncode == 0, done.stdout + done.stderr
    counted = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert counted is not None
    assert int(counted[1]) % 3 == 0
    assert int(counted[1]) >= 150


def test_a_running_server_is_named_by_the_environment(tmp_path: Path) -> None:
    from sayso.testing import FakeSayso
    from sayso.transport.clock import SYSTEM_CLOCK

    with FakeSayso(clock=SYSTEM_CLOCK) as fake:
        done = run(tmp_path, "-p", "sayso.testing.plugin", "-k", "test_a_grant_is_recorded", **fake.environment)
    assert (done.returncode, re.findall(r"^1 passed", done.stdout, re.MULTILINE)) == (0, ["1 passed"]), done.stdout


def test_without_a_server_the_suite_says_what_it_needs(tmp_path: Path) -> None:
    done = run(tmp_path, "-p", "sayso.testing.plugin", "-k", "test_a_grant_is_recorded")
    assert done.returncode == 1
    assert "the contract suite needs a server to test: SAYSO_URL is not set" in done.stdout


def test_a_server_that_breaks_the_contract_fails_it(tmp_path: Path) -> None:
    (tmp_path / "forgetful.py").write_text(FORGETFUL)
    paths = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    done = run(tmp_path, "-p", "forgetful", "-k", "test_recording", PYTHONPATH=paths)
    assert done.returncode == 1
    assert "test_the_same_choice_sent_again_is_recorded_once" in done.stdout
    assert "FAILED" in done.stdout


FORGETFUL = '''
"""A server that takes every repetition for something new."""

import uuid

import pytest

from sayso.testing import FakeSayso
from sayso.testing.contract import ServerUnderTest
from sayso.transport.clock import SYSTEM_CLOCK
from sayso_server.services.recording import Recording

record = Recording.record


async def record_anew(self, caller, batch):
    anew = tuple(choice.model_copy(update={"id": str(uuid.uuid4())}) for choice in batch.choices)
    return await record(self, caller, batch.model_copy(update={"choices": anew}))


@pytest.fixture(scope="session")
def sayso_server_under_test():
    Recording.record = record_anew
    with FakeSayso(clock=SYSTEM_CLOCK) as fake:
        yield ServerUnderTest(fake.url, *fake.credentials())
'''
