"""A real server process with a brand in it, that can be killed and started again at the same address."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from tests.e2e.faults.checkers import Kept

if TYPE_CHECKING:
    from collections.abc import Iterator

READY_WITHIN = 20.0
ENDED_WITHIN = 30.0
BRAND = "dealer"
CATALOGUE = (resources.files("sayso_server") / "starter.toml").read_text("utf-8")


def free_port() -> int:
    """Give a port on which nothing listens, below those from which connections are made.

    A client that keeps on connecting to a port of the upper range while nobody listens there may meet itself.
    """
    while True:
        port = SystemRandom().randrange(20_000, 30_000)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port


class House:
    """A folder with a server's database. `start` and `kill` are for the server, at the same port each time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {name: value for name, value in os.environ.items() if not name.startswith("SAYSO_")}
        self.env = {**settings, "SAYSO_DATABASE": f"sqlite:///{folder}/sayso.db"}
        self._furnish(folder.parents[1] / "furnished")
        self._server: subprocess.Popen[bytes] | None = None
        self._log = (folder / "server.log").open("ab")

    def _furnish(self, template: Path) -> None:
        """Put a brand into the house: made once in a run of pytest, and copied."""
        made = template / "made.json"
        if not made.exists():
            template.mkdir()
            made.write_text(self.command("brand", "create", BRAND, "--name", "Dealer", "--json"), "utf-8")
            (template / "catalogue.toml").write_text(CATALOGUE, "utf-8")
            self.command("catalogue", "publish", f"{template}/catalogue.toml", "--brand", BRAND)
            for path in self.folder.glob("sayso.db*"):
                shutil.copy2(path, template / path.name)
        for path in template.glob("sayso.db*"):
            shutil.copy2(path, self.folder / path.name)
        key = json.loads(made.read_text("utf-8"))
        self.key_id, self.secret = key["key_id"], key["secret"]

    def command(self, *words: str) -> str:
        """Run a `sayso-server` command to its successful end; gives what it printed."""
        command = [sys.executable, "-m", "sayso_server", *words]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=ENDED_WITHIN, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *words: str) -> None:
        """Start the server and wait until it answers."""
        command = [sys.executable, "-m", "sayso_server", "serve", "--port", str(self.port), *words]
        self._server = subprocess.Popen(
            command, env=self.env, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )
        end = time.monotonic() + READY_WITHIN
        while not self._answers():
            assert self._server.poll() is None, f"ended with {self._server.returncode}: {self.log()}"
            assert time.monotonic() < end, f"not ready within {READY_WITHIN} s: {self.log()}"
            time.sleep(0.02)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the server, by default without any warning, and wait until it is gone. Does nothing if none runs."""
        if self._server is not None:
            if self._server.poll() is None:
                self._server.send_signal(number)
            self._server.wait(ENDED_WITHIN)
            self._server = None

    def close(self) -> None:
        """Leave nothing running."""
        self.kill()
        self._log.close()

    def log(self) -> str:
        """Give what the server processes have said on stdout and stderr."""
        return (self.folder / "server.log").read_text("utf-8")

    def kept(self) -> list[Kept]:
        """Give every choice that the server has, from its own export."""
        lines = self.command("export", "--brand", BRAND).splitlines()
        return [
            Kept(change["id"], consumer["consumer_id"], change["version"])
            for consumer in map(json.loads, lines)
            for change in consumer["changes"]
        ]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:  # noqa: S310 - our own address
                return answer.status == 200
        except OSError:
            return False


@contextmanager
def opened(folder: Path, *, serving: bool = True) -> Iterator[House]:
    """Give a house whose server runs, and leave nothing running."""
    house = House(folder)
    try:
        if serving:
            house.start()
        yield house
    finally:
        house.close()
