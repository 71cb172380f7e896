"""Whatever ends or splits a process, what it said was kept is kept, and sent once."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sayso

START = """
import asyncio, os, sys, threading, time
from datetime import timedelta
import sayso
URL, SECRET, OUTBOX = sys.argv[1:4]

def client(**named):
    named = {"outbox": OUTBOX, "live": False, "time_box": timedelta(milliseconds=300)} | named
    return sayso.Client(URL, "dealer.k1", SECRET, **named)

def said(recorded):
    os.write(1, f"{recorded.choice_id} {recorded.status}\\n".encode())  # whole, whichever threads do it
"""
FOR_EVER = """
async def main():
    privacy = client()
    await privacy.start()
    for number in range(100_000):
        said(await privacy.consumer(f"cust-{number % 7}").deny("channel:sms"))
asyncio.run(main())
"""
AND_OUT = """
async def main():
    privacy = client()
    for number in range(20):
        said(await privacy.consumer(f"cust-{number}").deny("channel:sms"))
asyncio.run(main())
"""
SYNCHRONOUS = """
privacy = client().sync()
for number in range(20):
    said(privacy.consumer(f"cust-{number}").deny("channel:sms"))
"""
FORKED = """
privacy = client().sync()
said(privacy.consumer("cust-1").deny("channel:sms"))
children = []
for child in range(3):
    pid = os.fork()
    if not pid:
        for number in range(5):
            said(privacy.consumer(f"child-{child}-{number}").deny("channel:sms"))
        assert privacy.pending >= 5, privacy.pending
        sys.exit(0)
    children.append(pid)
for number in range(5):
    said(privacy.consumer(f"parent-{number}").deny("channel:sms"))
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
"""
FORKED_WHILE_BUSY = """
privacy = client().sync()
said(privacy.consumer("cust-1").deny("channel:sms"))
stop = threading.Event()

def keep_busy(name):
    number = 0
    while not stop.is_set():
        number += 1
        said(privacy.consumer(f"{name}-{number}").deny("channel:sms"))

threads = [threading.Thread(target=keep_busy, args=(name,)) for name in ("a", "b")]
for thread in threads:
    thread.start()
for child in range(10):
    time.sleep(0.02)
    pid = os.fork()
    if not pid:
        said(privacy.consumer(f"child-{child}").deny("channel:sms"))
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for thread in threads:
    thread.join()
"""
FORKED_IN_MEMORY = """
privacy = client(outbox=None).sync()
said(privacy.consumer("cust-1").deny("channel:sms"))
pid = os.fork()
if not pid:
    assert privacy.pending == 0, privacy.pending
    said(privacy.consumer("cust-2").deny("channel:sms"))
    assert privacy.pending == 1, privacy.pending
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert privacy.pending == 1, privacy.pending
"""


def run_python(code: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", START + code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address at which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def outbox(tmp_path: Path) -> str:
    tmp_path.chmod(0o700)
    return str(tmp_path / "outbox.db")


@pytest.fixture
def read(nowhere: str, secret: str, outbox: str) -> Callable[[], Any]:
    """Reads what is in the outbox as the next process finds it."""

    async def read_all() -> list[str]:
        async with sayso.Client(nowhere, "dealer.k1", secret, outbox=outbox, live=False) as privacy:
            kept = privacy._outbox.overlay.by_row().values()
            return sorted(one.choice_id for _, one in kept)

    return read_all


def pending_ids(output: str) -> list[str]:
    lines = [line.split() for line in output.splitlines()]
    assert all(len(line) == 2 and line[1] == "pending" for line in lines[:-1])
    return sorted(line[0] for line in lines if len(line) == 2)


@pytest.mark.parametrize("seed", range(4))
async def test_a_killed_process_loses_nothing_that_it_said_was_kept(
    nowhere: str, secret: str, outbox: str, read: Any, seed: int
) -> None:
    process = run_python(FOR_EVER, nowhere, secret, outbox)
    assert process.stdout is not None
    first = process.stdout.readline()
    await asyncio.sleep(random.Random(seed).uniform(0.0, 0.3))
    process.send_signal(signal.SIGKILL)
    output, _ = process.communicate()

    said, kept = pending_ids(first + output), await read()
    assert len(said) > 0
    assert set(said) <= set(kept)
    assert len(kept) - len(said) <= 1  # kept, and killed before it could say so
    assert len(kept) == len(set(kept))


@pytest.mark.parametrize("code", [AND_OUT, SYNCHRONOUS, FORKED, FORKED_WHILE_BUSY])
@pytest.mark.timeout(120)
async def test_a_process_that_just_ends_or_forks_loses_nothing(
    nowhere: str, secret: str, outbox: str, read: Any, code: str
) -> None:
    process = run_python(code, nowhere, secret, outbox)
    output, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (0, "")
    assert pending_ids(output) == await read()
    assert len(output.splitlines()) >= 20


def test_a_forked_child_starts_with_an_empty_memory_and_the_parent_keeps_its_own(
    nowhere: str, secret: str, outbox: str
) -> None:
    process = run_python(FORKED_IN_MEMORY, nowhere, secret, outbox)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 0, errors
    assert "1 entries were not sent and are in memory only" in errors


def test_the_end_of_the_interpreter_does_not_wait_long_for_a_server_that_never_answers(
    secret: str, outbox: str
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = run_python(SYNCHRONOUS + "print('x y', flush=True)", url, secret, outbox)
        assert process.stdout is not None
        while process.stdout.readline() != "x y\n":
            assert process.poll() is None
        began = time.monotonic()
        process.communicate(timeout=30)

    assert process.returncode == 0
    assert time.monotonic() - began < 6.0
    assert os.path.getsize(outbox) > 0
