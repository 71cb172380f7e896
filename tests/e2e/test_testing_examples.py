"""The suite in examples/testing and the one in the README run, and notice a shop that breaks its promises."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "testing"


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )
    return done.stdout + done.stderr


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=shutil.ignore_patterns("__pycache__")))


def test_both_suites_of_the_shop_pass(shop: Path) -> None:
    output = run(shop)
    assert re.search(r"^11 passed in", output, re.MULTILINE), output


@pytest.mark.parametrize(
    ("kept", "broken", "failing"),
    [
        (
            'await consumer.allows("channel:sms")',
            "True",
            ["an_offer_goes_to_whoever_wants_offers_and_messages", "stop_counts_at_once_even_in_an_outage"],
        ),
        ("json=out.redact(lead)", "json=lead", ["a_lead_leaves_without_what_the_consumer_keeps"]),
        (
            'await consumer.allows("purpose:marketing")',
            'consumer.allows("purpose:marketing") is not None',
            ["an_offer_goes_to_whoever_wants_offers_and_messages"],
        ),
    ],
    ids=["never asks about messages", "sends every field", "forgets an await"],
)
def test_a_shop_that_breaks_a_promise_is_noticed(shop: Path, kept: str, broken: str, failing: list[str]) -> None:
    code = (shop / "shop.py").read_text()
    assert kept in code
    (shop / "shop.py").write_text(code.replace(kept, broken))
    output = run(shop, "test_with_the_kit.py")
    failed = re.findall(r"^FAILED test_with_the_kit.py::test_(\w+)", output, re.MULTILINE)
    assert set(failing) <= set(failed), output


def test_the_readmes_test_passes_as_printed(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    (test,) = re.findall(r"<!-- example: test kit -->\n```python\n(.*?)```", readme, re.DOTALL)
    (conftest,) = re.findall(r"`(pytest_plugins = [^`]+)`", readme)
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_shop.py").write_text(test)
    output = run(
        tmp_path, "-W", "error", "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"
    )
    assert re.search(r"^1 passed in", output, re.MULTILINE), output
