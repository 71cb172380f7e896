"""The server of the demo: a process of its own with a temporary SQLite database, gone when the demo ends."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import IO

START = timedelta(seconds=30)
STOP = timedelta(seconds=10)


class ServerError(Exception):
    """The server does not start; the message carries its own words."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the server is and the key that the dealer's backend uses."""

    url: str
    key_id: str
    secret: str = field(repr=False)


@asynccontextmanager
async def running_server(catalogue: Path) -> AsyncIterator[Access]:
    """Run `sayso-server demo` while the context lasts.

    The server stops when its standard input closes, so it can't outlive the demo, whatever ends that.

    Raises:
        ServerError: It did not say within 30 seconds where it is.
    """
    with tempfile.TemporaryFile() as complaints:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "sayso_server", "demo", "--json", "--port", "0", "--until-stdin-closes"),
            *("--catalogue", str(catalogue)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
            # A real server's settings are none of the demo's business.
            env={name: value for name, value in os.environ.items() if not name.startswith("SAYSO_")},
            start_new_session=True,  # Ctrl-C is for the demo, which then ends the server in good order
        )
        try:
            yield await _access(process, complaints)
        finally:
            await _stop(process)


async def _access(process: asyncio.subprocess.Process, complaints: IO[bytes]) -> Access:
    line = b""
    if process.stdout is not None:
        with suppress(TimeoutError):
            line = await asyncio.wait_for(process.stdout.readline(), START.total_seconds())
    try:
        said = json.loads(line)
        return Access(said["url"], said["key_id"], said["secret"])
    except (ValueError, KeyError, TypeError):
        await _stop(process)
        complaints.seek(0)
        words = complaints.read().decode(errors="replace").strip().splitlines()
        raise ServerError("the server did not start: " + (" ".join(words[-3:]) or "it said nothing")) from None


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), STOP.total_seconds())
    except TimeoutError:
        process.kill()
        await process.wait()
