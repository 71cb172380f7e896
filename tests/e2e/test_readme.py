"""The README runs: its quick start against a fresh development server; what it names exists."""

import os
import re
import shlex
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
EXPORT = re.compile(r"export (SAYSO_\w+)=(\S+)")


def blocks(language: str) -> list[str]:
    found = Sybil(parsers=[CodeBlockParser(language, lambda _: None)]).parse(README)
    return [str(example.parsed) for example in found]


@pytest.fixture(scope="module")
def development() -> Iterator[dict[str, str]]:
    """Run `sayso-server dev` and give the environment it says to paste."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SAYSO_")}
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "sayso_server", "dev", "--port", "0"],
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        assert server.stdout is not None
        pasted: dict[str, str] = {}
        for line in server.stdout:
            if match := EXPORT.search(line):
                pasted[match[1]] = match[2]
            if len(pasted) == 3:
                break
        try:
            yield {**clean, **pasted}
        finally:
            server.send_signal(signal.SIGINT)
            server.stdout.read()
            server.wait(timeout=20)


def test_the_development_server_prints_the_three_variables_that_the_client_reads(development: dict[str, str]) -> None:
    assert {"SAYSO_URL", "SAYSO_KEY_ID", "SAYSO_SECRET"} <= development.keys()


def test_the_quick_start_runs_as_printed_and_says_what_its_comments_promise(development: dict[str, str]) -> None:
    (quick_start,) = [block for block in blocks("python") if "asyncio.run(main())" in block]
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", quick_start],
        env=development,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    (warning,) = ran.stderr.splitlines()
    assert "kept in memory only" in warning
    assert "SAYSO_OUTBOX" in warning
    assert ran.stdout.splitlines() == [
        "confirmed 1",
        "marketing is allowed",
        "False denied",
        "False",
        "True",
    ]


HAND_OVERS = """
import asyncio, sayso

class crm:
    async def send(lead): print(lead)

{block}

async def main():
    async with sayso.Client.from_env() as privacy:
        ben = privacy.consumer("cust-43")
        lead = {{"vehicle": "Sedan", "customer": {{"contact": {{"email": "ben@mail.example"}}}}, "score": 7}}
        await hand_over(ben, lead)
        await ben.opt_in("vinsolutions", shown="en")
        await hand_over(ben, lead)
        await ben.grant("channel:email", shown="en")
        await hand_over(ben, lead)

asyncio.run(main())
"""


def test_a_hand_over_goes_as_printed(development: dict[str, str], tmp_path: Path) -> None:
    (block,) = [block for block in blocks("python") if "sharing(" in block]
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", HAND_OVERS.format(block=block)],
        env={**development, "SAYSO_OUTBOX": str(tmp_path / "outbox.db")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "withheld: not_asked",
        "{'vehicle': 'Sedan'}",
        "send_redacted without ('customer.contact.email', 'score')",
        "{'vehicle': 'Sedan', 'customer': {'contact': {'email': 'ben@mail.example'}}}",
        "send_redacted without ('score',)",
    ]


ASKING = """
import asyncio, sayso

async def main():
    async with sayso.Client.from_env() as privacy:
        ann = privacy.consumer("cust-45")
        choice = await ann.grant("channel:email", shown="en")
{block}
        print(shown.version, shown.text[:20])
        await ann.deny("purpose:marketing")
{block}

asyncio.run(main())
"""


def test_whether_to_ask_and_what_was_shown_are_told_as_printed(development: dict[str, str], tmp_path: Path) -> None:
    (block,) = [block for block in blocks("python") if "may_ask(" in block]
    inside = "\n".join(f"        {line}" for line in block.splitlines())
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", ASKING.format(block=inside)],
        env={**development, "SAYSO_OUTBOX": str(tmp_path / "outbox.db")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stderr == ""
    shown, refused = ran.stdout.splitlines()
    assert shown == "1 With your permission"
    assert re.fullmatch(r"denied 20\d\d-\d\d-\d\d .*\+00:00", refused)


ASKING_FOR_RIGHTS = """
import asyncio, sayso

{block}

async def main():
    async with sayso.Client.from_env() as privacy:
        await ask(privacy.consumer("cust-46"))

asyncio.run(main())
"""


def test_rights_requests_go_as_printed(development: dict[str, str], tmp_path: Path) -> None:
    (block,) = [block for block in blocks("python") if "ann.request(" in block]
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", ASKING_FOR_RIGHTS.format(block=block)],
        env={**development, "SAYSO_OUTBOX": str(tmp_path / "outbox.db")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stderr == ""
    objected, copied, listed = ran.stdout.splitlines()
    assert objected == "received ('purpose:transcript.quality',) False"
    assert re.fullmatch(r"\d+ \('acknowledge', 'verify', 'start', 'fulfil', 'revoke', 'note'\)", copied)
    assert listed == "[('copy', 'revoked'), ('object', 'received')]"


def test_the_terminal_commands_of_the_officers_work(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SAYSO_")}
    env = {**clean, "SAYSO_DATABASE": f"sqlite:///{tmp_path}/sayso.db"}

    def run(*words: str) -> str:
        ran = subprocess.run(
            [sys.executable, "-m", "sayso_server", *words], env=env, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    (block,) = [block for block in blocks("console") if "sayso-server requests" in block]
    commands = [shlex.split(line, comments=True)[1:] for line in block.splitlines()]
    assert [command[1] for command in commands] == [
        "create",
        "list",
        "find",
        "acknowledge",
        "start",
        "fulfil",
        "result",
        "show",
    ]
    run("brand", "create", "shop", "--name", "Shop")
    request_id = ""
    for command in commands:
        here = {"REQUEST": request_id, "your-data.zip": str(tmp_path / "your-data.zip")}
        told = run(*(here.get(word, word) for word in command))
        request_id = request_id or re.findall(r"[0-9a-f-]{36}", told)[0]
        assert request_id in told
    assert "state     fulfilled" in told
    assert zipfile.is_zipfile(tmp_path / "your-data.zip")


def test_the_terminal_commands_of_the_quick_start_work(development: dict[str, str]) -> None:
    commands = [
        line.split()
        for block in blocks("console")
        for line in block.splitlines()
        if line.startswith("sayso ") and not line.startswith("sayso-server")
    ]
    assert [command[1] for command in commands] == ["decide", "history", "withdraw"]
    for _, *arguments in commands:
        ran = subprocess.run(
            [sys.executable, "-m", "sayso", *arguments],
            env=development,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout


def test_every_server_command_in_the_readme_exists() -> None:
    text = README.read_text()
    named = sorted(set(re.findall(r"sayso-server ([a-z]+)", text)))
    for command in named:
        ran = subprocess.run(
            [sys.executable, "-m", "sayso_server", command, "--help"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, f"{command}: {ran.stderr}"
    assert {"brand", "catalogue", "dev", "key", "serve"} <= set(named)


def test_every_variable_in_the_readme_is_read_and_every_server_variable_is_in_the_readme() -> None:
    from sayso_server.settings import CLIENTS_OWN, Settings

    read = {f"SAYSO_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"SAYSO_[A-Z_]+", README.read_text()))
    assert named - read <= set(CLIENTS_OWN)
    assert read <= named


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)(?:`|$)", README.read_text(), re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_every_file_that_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text())
    assert links
    assert [link for link in links if not link.startswith("http") and not (ROOT / link).exists()] == []


def test_the_table_of_reasons_names_every_reason() -> None:
    from sayso.model.decision import Reason

    table = README.read_text().partition("### Reasons")[2].partition("## ")[0]
    named = set(re.findall(r"`([a-z_:<>]+)`", table))
    assert {reason.value for reason in Reason} <= named
