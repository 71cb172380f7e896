"""Sayso's line of the loss table: a real server, a client process with an outbox, and what is on the server in the end.

As a program it is that client; its arguments: `exit`, `killed`, `fork` or `flush`, how many, URL, key id, secret, the
outbox, a file for the ids of the receipts, a file to make when all are given.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import sayso

LONGEST = 600.0
_AT_ONCE = 64


def sayso_lost(how: str, count: int, *, up: bool) -> int:
    """Run one column; give how many of those given are not on the server in the end."""
    return asyncio.run(_lost(how, count, up=up))


async def _lost(how: str, count: int, *, up: bool) -> int:
    from loss_sink import Sink
    from servers import BRAND, Served

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Served("real", folder / "bench.db") as served:
            # An outbox belongs to one address, so that a server that answers 503 stands in the real one's place.
            away = None if up else Sink(up=False)
            relay = _Relay(served.port)
            try:
                await relay.start(None if away is None else int(away.url.rpartition(":")[2]))
                key = (served.key_id, served.secret, str(folder / "outbox"))
                words = [how, str(count), relay.url, *key, str(folder / "receipts"), str(folder / "ready")]
                await asyncio.to_thread(_run, words, folder / "ready")
                relay.to = served.port
                async with sayso.Client(relay.url, *key[:2], outbox=key[2], live=False) as privacy:
                    await privacy.flush(timedelta(seconds=LONGEST))
            finally:
                relay.stop()
                if away is not None:
                    away.close()
        environment = {**os.environ, "SAYSO_DATABASE": f"sqlite:///{folder}/bench.db"}
        command = [sys.executable, "-m", "sayso_server", "export", "--brand", BRAND]
        export = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: ASYNC221
        kept = {change["id"] for line in export.stdout.splitlines() for change in json.loads(line)["changes"]}
        promised = (folder / "receipts").read_text().split()
        return count - len(kept.intersection(promised))


def _run(words: list[str], ready: Path) -> None:
    with subprocess.Popen([sys.executable, __file__, *words]) as process:
        try:
            if words[0] == "killed":
                while not ready.exists() and process.poll() is None:
                    time.sleep(0.005)
                time.sleep(0.05)
                process.kill()
            process.wait(LONGEST)
        finally:
            if process.poll() is None:
                process.kill()


class _Relay:
    """One address on loopback, behind which now one server stands and now another."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.url = ""

    async def start(self, first: int | None) -> None:
        self.to = self.to if first is None else first
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        self._server.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            answers, there = await asyncio.open_connection("127.0.0.1", self.to)
            await asyncio.gather(_copy(reader, there), _copy(answers, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def _record(privacy: sayso.Client, count: int, receipts: Path) -> None:
    numbers = iter(range(count))
    with receipts.open("w", buffering=1) as file:

        async def some() -> None:
            for number in numbers:
                recorded = await privacy.consumer(f"cust-{number // 3}").deny(
                    ("purpose:marketing", "channel:sms", "channel:email")[number % 3], method="chat"
                )
                file.write(f"{recorded.choice_id}\n")

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(some())


def main() -> None:
    """Be the client."""
    how, count, url, key_id, secret, outbox, receipts, ready = sys.argv[1:]
    privacy = sayso.Client(url, key_id, secret, outbox=outbox, live=False)
    if how == "fork":
        child = os.fork()
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    async def run() -> None:
        await privacy.start()
        await _record(privacy, int(count), Path(receipts))
        if how == "flush":
            await privacy.flush(timedelta(seconds=5))

    asyncio.run(run())
    Path(ready).touch()
    if how == "flush":
        os._exit(0)
    if how == "killed":
        time.sleep(60)


if __name__ == "__main__":
    main()
