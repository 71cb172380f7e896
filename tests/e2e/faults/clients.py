"""Client processes: programs of this folder, each with a log, that can be told to stop or killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.faults.logs import Line, read_log

import sayso

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from tests.e2e.faults.house import House

PROGRAMS = Path(__file__).parent / "programs"
STARTED_WITHIN = 20.0


async def drain(url: str, house: House, outbox: Path) -> None:
    """Do what the next process does that opens an outbox, by the same URL: send what is in it."""
    async with sayso.Client(url, house.key_id, house.secret, live=False, outbox=outbox) as privacy:
        assert await privacy.flush(timedelta(minutes=2)) == 0


class Program:
    """One running program, for `with`: it is ended by its id on the way out, whatever happened.

    Attributes:
        popen: The process.
        err: What it has said on standard error.
    """

    def __init__(self, house: House, name: str, log: Path, /, *, url: str | None = None, **settings: object) -> None:
        """Start it.

        Args:
            house: Whose server it talks to.
            name: Of the file under `programs`.
            log: Where it writes its lines; several may write into one.
            url: Instead of the server's own address.
            settings: What it reads as `FAULT_…`.
        """
        self.log = log
        self._err_path = log.with_name(f"{log.name}.{time.monotonic_ns()}.err")
        key = {"SAYSO_URL": url or house.url, "SAYSO_KEY_ID": house.key_id, "SAYSO_SECRET": house.secret}
        told = {f"FAULT_{word.upper()}": str(value) for word, value in settings.items()}
        with self._err_path.open("wb") as err:
            self.popen = subprocess.Popen(
                [sys.executable, "-W", "error", str(PROGRAMS / f"{name}.py"), str(log)],
                env={**house.env, **key, **told},
                stdin=subprocess.DEVNULL,
                stdout=err,
                stderr=err,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()

    @property
    def err(self) -> str:
        return self._err_path.read_text("utf-8")

    def lines(self) -> list[Line]:
        """Give what it, and whoever shares its log, has written down."""
        return read_log(self.log)

    def until(self, holds: Callable[[], bool], within: float = STARTED_WITHIN) -> None:
        """Wait until something holds, as long as the program runs."""
        end = time.monotonic() + within
        while not holds():
            assert self.popen.poll() is None, f"ended with {self.popen.returncode}: {self.err}"
            assert time.monotonic() < end, f"not within {within} s: {self.err}"
            time.sleep(0.02)

    def stop(self, within: float = 60.0) -> None:
        """Tell it to stop and wait for its good end."""
        self.tell()
        self.wait(within)

    def wait(self, within: float = 60.0) -> None:
        """Wait for its good end."""
        assert self.popen.wait(within) == 0, self.err

    def tell(self) -> None:
        """Tell it to stop, and don't wait."""
        self.popen.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it without any warning."""
        self.popen.kill()
        self.popen.wait()
