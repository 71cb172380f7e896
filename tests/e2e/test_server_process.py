"""The server as its own process, started, used and stopped the way an operator does it."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from sayso.model.ids import new_choice_id
from sayso.transport.tokens import TokenMinter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STARTER = (resources.files("sayso_server") / "starter.toml").read_text("utf-8")
READY_WITHIN = 10.0
STOPPED_WITHIN = 20.0
COMMAND = (sys.executable, "-m", "sayso_server")

pytestmark = pytest.mark.timeout(120)


class Process:
    """One running command; its output goes to files, so that nobody has to read along."""

    def __init__(self, folder: Path, words: tuple[str, ...], env: dict[str, str], stdin: int | IO[bytes]) -> None:
        self._out, self._err = folder / "stdout", folder / "stderr"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.popen = subprocess.Popen([*COMMAND, *words], cwd=folder, env=env, stdin=stdin, stdout=out, stderr=err)

    @property
    def out(self) -> str:
        return self._out.read_text("utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text("utf-8")

    def until(self, holds: Callable[[], bool], within: float = READY_WITHIN) -> None:
        """Wait until something holds, as long as the process lives."""
        end = time.monotonic() + within
        while not holds():
            assert self.popen.poll() is None, f"ended with {self.popen.returncode}: {self.err}"
            assert time.monotonic() < end, f"not within {within} s: {self.out}{self.err}"
            time.sleep(0.02)

    def url(self) -> str:
        """Wait until `serve` listens, and give where."""
        self.until(lambda: self.out.endswith("\n"))
        return self.out.removeprefix("Sayso listens on ").strip()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and give the exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(STOPPED_WITHIN)

    def end(self) -> None:
        """Leave nothing running, whatever happened."""
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
        if self.popen.stdin is not None:
            with suppress(OSError):
                self.popen.stdin.close()


class House:
    """A folder with a database in it, and the processes that work there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir(mode=0o700)
        settings = {name: value for name, value in os.environ.items() if not name.startswith("SAYSO_")}
        self.env = {**settings, "TMPDIR": str(self.temporary)}
        self.processes: list[Process] = []

    def start(self, *words: str, stdin: int | IO[bytes] = subprocess.DEVNULL, **env: str) -> Process:
        place = self.folder / f"process{len(self.processes)}"
        place.mkdir()
        database = {"SAYSO_DATABASE": f"sqlite:///{self.folder}/sayso.db"} if words[0] not in ("dev", "demo") else {}
        process = Process(place, words, {**self.env, **database, **env}, stdin)
        self.processes.append(process)
        return process

    def run(self, *words: str) -> Any:
        """Run a command to its successful end, with --json, and give its answer."""
        process = self.start(*words, "--json")
        assert process.popen.wait(STOPPED_WITHIN) == 0, process.err
        return json.loads(process.out)

    def file(self, text: str, name: str = "catalogue.toml") -> str:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return str(path)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    for process in house.processes:
        process.end()


def call(url: str, method: str, path: str, token: str | None = None, body: Any = None) -> tuple[int, dict[str, Any]]:
    """Make one request on a connection of its own."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def refusal(consumer_id: str, topic: str = "channel:sms") -> dict[str, Any]:
    return {
        "id": new_choice_id(),
        "consumer_id": consumer_id,
        "topic": topic,
        "answer": "denied",
        "method": "sms",
    }


def minter(made: dict[str, str]) -> TokenMinter:
    return TokenMinter(made["key_id"], made["secret"])


# --- serve -----------------------------------------------------------------------------------------------------


def test_a_fresh_server_is_ready_within_seconds_and_says_which_command_makes_a_brand(house: House) -> None:
    start = time.monotonic()
    server = house.start("serve", "--port", "0")
    url = server.url()

    assert call(url, "GET", "/readyz") == (200, {"status": "ready"})
    assert time.monotonic() - start < READY_WITHIN
    server.until(lambda: "sayso-server brand create ID --name NAME" in server.err)
    assert server.stop() == 0
    assert server.out == f"Sayso listens on {url}\n"


def test_what_commands_change_takes_effect_with_the_next_request(house: House) -> None:
    server = house.start("serve", "--port", "0")
    url = server.url()
    made = house.run("brand", "create", "dealer", "--name", "Dealer")
    token = minter(made).backend_token()

    assert call(url, "GET", "/v1/catalogue", token)[1]["revision"] == 0
    assert house.run("catalogue", "publish", house.file(STARTER), "--brand", "dealer")["revision"] == 1
    assert call(url, "GET", "/v1/catalogue", token)[1]["revision"] == 1
    status, answer = call(url, "POST", "/v1/choices", token, {"choices": [refusal("cust-42")]})
    assert (status, answer["recorded"][0]["version"]) == (201, 1)
    exported = house.start("export", "--brand", "dealer")
    assert exported.popen.wait(STOPPED_WITHIN) == 0
    assert json.loads(exported.out)["consumer_id"] == "cust-42"

    second = house.run("key", "create", "--brand", "dealer", "--class", "backend", "--role", "backend")
    assert call(url, "GET", "/v1/catalogue", minter(second).backend_token())[0] == 200
    house.run("key", "revoke", "--brand", "dealer", made["key_id"])
    status, problem = call(url, "GET", "/v1/catalogue", token)
    assert (status, problem["code"]) == (401, "token_invalid")
    assert call(url, "GET", "/v1/catalogue", minter(second).backend_token())[0] == 200
    assert server.stop(signal.SIGINT) == 0
    assert "cust-42" not in server.err


def test_a_second_server_on_one_database_refuses_to_start(house: House) -> None:
    first = house.start("serve", "--port", "0")
    first.url()
    second = house.start("serve", "--port", "0")

    assert second.popen.wait(STOPPED_WITHIN) == 2
    assert second.out == ""
    (line,) = second.err.splitlines()
    assert f"process {first.popen.pid} is a server on" in line
    assert "SAYSO_DATABASE" in line
    assert first.stop() == 0
    third = house.start("serve", "--port", "0")
    third.url()
    assert third.stop() == 0


def test_a_broken_setting_is_named_and_the_server_does_not_start(house: House) -> None:
    server = house.start("serve", SAYSO_PORT="http")

    assert server.popen.wait(STOPPED_WITHIN) == 2
    assert (server.out, len(server.err.splitlines())) == ("", 1)
    assert server.err.startswith("sayso-server: SAYSO_PORT is 'http'")
    assert not (house.folder / "sayso.db").exists()


def test_a_database_that_got_shorter_is_refused_until_the_loss_is_accepted(house: House) -> None:
    house.run("brand", "create", "dealer", "--name", "Dealer")
    for name in ("sayso.db", "sayso.db-wal", "sayso.db-shm"):
        (house.folder / name).unlink(missing_ok=True)

    refused = house.start("serve", "--port", "0")
    assert refused.popen.wait(STOPPED_WITHIN) == 2
    assert "sayso-server serve --accept-loss" in refused.err
    assert "Traceback" not in refused.err
    accepted = house.start("serve", "--port", "0", "--accept-loss")
    accepted.url()
    assert accepted.stop() == 0
    again = house.start("serve", "--port", "0")
    again.url()
    assert again.stop() == 0


def test_a_port_that_is_taken_is_named(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = house.start("serve", "--port", str(taken.getsockname()[1]))

        assert server.popen.wait(STOPPED_WITHIN) == 2
    assert "another program listens there" in server.err
    assert "Traceback" not in server.err


def test_a_reader_that_has_seen_enough_ends_an_export_without_a_trace(house: House) -> None:
    made = house.run("brand", "create", "dealer", "--name", "Dealer")
    house.run("catalogue", "publish", house.file(STARTER), "--brand", "dealer")
    server = house.start("serve", "--port", "0")
    url, token = server.url(), minter(made).backend_token()
    for part in range(4):
        batch = [refusal(f"cust-{part}-{number}") for number in range(100)]
        assert call(url, "POST", "/v1/choices", token, {"choices": batch})[0] == 201
    words = [*COMMAND, "export", "--brand", "dealer"]
    env = {**house.env, "SAYSO_DATABASE": f"sqlite:///{house.folder}/sayso.db"}

    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
        assert export.stdout is not None
        assert export.stderr is not None
        assert json.loads(export.stdout.readline())["consumer_id"] == "cust-0-0"
        export.stdout.close()
        told = export.stderr.read()
    assert export.returncode == 141
    assert told == b""


# --- stopping under load -----------------------------------------------------------------------------------------


class Load:
    """Records choices on several connections until the server is gone, and keeps account of the answers."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self.acknowledged: set[str] = set()
        self.not_acknowledged: set[str] = set()

    async def run(self, stop: Callable[[], object]) -> None:
        async with aiohttp.ClientSession(self._url, headers=self._headers) as session:
            tasks = [asyncio.create_task(self._record(session, number)) for number in range(16)]
            await asyncio.sleep(0.7)
            stop()
            async with asyncio.timeout(STOPPED_WITHIN):
                await asyncio.gather(*tasks)

    async def _record(self, session: aiohttp.ClientSession, number: int) -> None:
        while True:
            choice = refusal(f"cust-{number}")
            try:
                async with session.post("/v1/choices", json={"choices": [choice]}) as answer:
                    await answer.read()
            except aiohttp.ClientError:
                self.not_acknowledged.add(choice["id"])
                return
            if answer.status != 201:
                assert answer.status == 503
                self.not_acknowledged.add(choice["id"])
                return
            self.acknowledged.add(choice["id"])


@pytest.mark.parametrize("number", [1, 2, 3])
def test_stopping_under_load_keeps_what_was_acknowledged_and_nothing_else(house: House, number: int) -> None:
    made = house.run("brand", "create", "dealer", "--name", f"Dealer {number}")
    house.run("catalogue", "publish", house.file(STARTER), "--brand", "dealer")
    server = house.start("serve", "--port", "0")
    load = Load(server.url(), minter(made).backend_token())

    asyncio.run(load.run(lambda: server.popen.send_signal(signal.SIGTERM)))
    assert server.popen.wait(STOPPED_WITHIN) == 0
    assert "Traceback" not in server.err
    export = house.start("export", "--brand", "dealer")
    assert export.popen.wait(STOPPED_WITHIN) == 0, export.err
    kept = [change["id"] for line in export.out.splitlines() for change in json.loads(line)["changes"]]
    assert len(kept) == len(set(kept))
    assert len(load.acknowledged) >= 16
    assert len(load.not_acknowledged) == 16
    assert set(kept) == load.acknowledged


# --- dev -------------------------------------------------------------------------------------------------------


def test_dev_prints_three_exports_and_publishes_the_file_on_each_save(house: House) -> None:
    path = house.file(STARTER)
    dev = house.start("dev", "--port", "0", "--catalogue", path, "--origin", "http://localhost:3000/")
    dev.until(lambda: dev.out.count("\n") == 3)
    exports = dict(re.fullmatch(r"export (\w+)=(\S+)", line).groups() for line in dev.out.splitlines())  # type: ignore[union-attr]
    assert list(exports) == ["SAYSO_URL", "SAYSO_KEY_ID", "SAYSO_SECRET"]
    url = exports["SAYSO_URL"]
    assert url.startswith("http://127.0.0.1:")
    token = TokenMinter(exports["SAYSO_KEY_ID"], exports["SAYSO_SECRET"]).backend_token()
    assert call(url, "GET", "/v1/catalogue", token)[1]["revision"] == 1
    dev.until(lambda: "import asyncio, sayso" in dev.err)
    database = re.search(r"export SAYSO_DATABASE=(\S+)", dev.err)
    assert database is not None
    link = house.run("staff", "invite", "ann", "--brand", "dev", "--role", "auditor", "--database", database[1])
    assert link["url"].startswith(f"{url}/invite/dev.")

    status, problem = call(url, "POST", "/v1/choices", token, {"choices": [refusal("cust-42", "channel:smss")]})
    assert (status, problem["code"]) == (422, "unknown_topic")
    assert "did you mean channel:sms?" in problem["errors"][0]["message"]

    house.file(STARTER.replace('"channel:sms"]\nbasis = "consent"', '"channel:sms"]\nbasis = "contract"'))
    dev.until(lambda: '[topics."channel:sms"] basis: contract leaves no choice' in dev.err)
    assert call(url, "GET", "/v1/catalogue", token)[1]["revision"] == 1
    house.file(STARTER.replace("channel:sms", "channel:smss"))
    dev.until(lambda: "Revision 2 is published" in dev.err)
    assert call(url, "POST", "/v1/choices", token, {"choices": [refusal("cust-42", "channel:smss")]})[0] == 201

    assert dev.stop(signal.SIGINT) == 0
    assert list(house.temporary.iterdir()) == []
    assert dev.out.count("\n") == 3
    assert exports["SAYSO_SECRET"] not in dev.err


def test_dev_starts_with_a_catalogue_that_can_be_edited_and_ignores_a_real_servers_settings(house: House) -> None:
    real = house.folder / "real.db"
    dev = house.start(
        "dev", "--port", "0", SAYSO_DATABASE=f"sqlite:///{real}", SAYSO_KEYS=f"{real}.keys", SAYSO_HOST="192.0.2.1"
    )
    dev.until(lambda: dev.out.count("\n") == 3)
    found = re.search(r"^Its catalogue is (\S+),", dev.err, re.MULTILINE)
    assert found is not None
    copy = Path(found[1])
    assert copy.read_text("utf-8") == STARTER
    assert copy.is_relative_to(house.temporary)
    assert f"  cp {copy} catalogue.toml\n  sayso-server dev --catalogue catalogue.toml\n" in dev.err

    copy.write_text(STARTER.replace("Offers and news", "Offers"), "utf-8")
    dev.until(lambda: "Revision 2 is published" in dev.err)
    assert dev.stop() == 0
    assert list(house.temporary.iterdir()) == []
    assert not list(house.folder.glob("real.db*"))


# --- demo ------------------------------------------------------------------------------------------------------


def test_a_demo_tells_a_program_all_it_needs_in_one_line_and_ends_when_that_program_is_gone(house: House) -> None:
    demo = house.start("demo", "--json", "--until-stdin-closes", stdin=subprocess.PIPE)
    demo.until(lambda: demo.out.endswith("\n"))
    told = json.loads(demo.out)

    members = ["url", "brand", "key_id", "secret", "admin_key_id", "admin_secret", "catalogue", "officer_url"]
    assert list(told) == members
    assert told["officer_url"].startswith(f"{told['url']}/invite/demo.")
    assert told["brand"] == "demo"
    token = minter(told).backend_token()
    assert call(told["url"], "GET", "/v1/catalogue", token)[1]["revision"] == 1
    catalogue = {"languages": ["en"]}
    assert call(told["url"], "PUT", "/v1/catalogue", token, catalogue)[1]["code"] == "scope"
    admin = TokenMinter(told["admin_key_id"], told["admin_secret"]).backend_token("admin")
    assert call(told["url"], "PUT", "/v1/catalogue", admin, catalogue)[1]["code"] == "catalogue_invalid"

    assert demo.popen.stdin is not None
    demo.popen.stdin.close()
    assert demo.popen.wait(STOPPED_WITHIN) == 0
    assert list(house.temporary.iterdir()) == []


def test_two_demos_share_nothing_and_each_ends_on_its_signal(house: House) -> None:
    demos = [house.start("demo", "--json", "--catalogue", house.file(STARTER)) for _ in range(2)]
    told = []
    for demo in demos:
        demo.until(lambda demo=demo: demo.out.endswith("\n"))
        told.append(json.loads(demo.out))

    assert told[0]["url"] != told[1]["url"]
    assert len({told[0]["secret"], told[1]["secret"], told[0]["admin_secret"], told[1]["admin_secret"]}) == 4
    assert call(told[1]["url"], "GET", "/v1/catalogue", minter(told[0]).backend_token())[0] == 401
    assert [demo.stop() for demo in demos] == [0, 0]
    assert list(house.temporary.iterdir()) == []


def test_a_demo_refuses_a_catalogue_that_can_not_be_published_and_leaves_nothing_behind(house: House) -> None:
    demo = house.start("demo", "--json", "--catalogue", house.file('languages = ["en"]\n'))

    assert demo.popen.wait(STOPPED_WITHIN) == 2
    assert demo.out == ""
    assert "[topics]: is empty" in demo.err
    assert "Traceback" not in demo.err
    assert list(house.temporary.iterdir()) == []
