"""Forks while other threads are in the middle of something."""

import ctypes
import os
import signal
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from sayso.client.memory import Memory
from sayso.client.probe import Probe
from sayso.errors import UnavailableError
from sayso.local import forks
from sayso.local.outbox.memory import MemoryStore
from sayso.local.outbox.outbox import Outbox
from sayso.local.outbox.row import Row
from sayso.local.outbox.worker import Worker
from sayso.local.overlay import Overlay, PendingChoice


def in_a_child(work: Callable[[], object], fork: Callable[[], int] = os.fork) -> int:
    """Fork, do something in the child for five seconds at most, and give how that ended: 0 for well."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the threads, which are the point
        child = fork()
    if child == 0:
        try:
            signal.alarm(5)
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def holding(lock: Any) -> Callable[[], None]:
    """Have another thread hold a lock; give what ends that."""
    held, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            enough.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)

    def end() -> None:
        enough.set()
        thread.join()

    return end


def test_a_child_does_not_wait_for_locks_that_the_parent_s_threads_held() -> None:
    memory, overlay = Memory(), Overlay()
    ends = [holding(memory._lock), holding(overlay._lock)]

    def use() -> None:
        memory.saw_version("cust-42", 1)
        overlay.add("cust-42", PendingChoice("a", "channel:sms", "denied", 0))

    try:
        assert in_a_child(use) == 0
    finally:
        for end in ends:
            end()


def test_a_child_forked_under_a_hammering_thread_goes_on() -> None:
    memory = Memory()
    enough = threading.Event()

    def hammer() -> None:
        number = 0
        while not enough.is_set():
            number += 1
            memory.saw_answers(f"cust-{number % 500}", number, {"channel:sms": True})

    thread = threading.Thread(target=hammer)
    thread.start()
    try:
        assert [in_a_child(lambda: memory.saw_version("cust-x", 1)) for _ in range(30)] == [0] * 30
    finally:
        enough.set()
        thread.join()


async def test_a_child_asks_though_the_parent_was_finding_out_whether_the_server_is_back(clock: Any) -> None:
    probe = Probe(None, None, clock)  # type: ignore[arg-type]
    probe.down = probe._probing = True
    with pytest.raises(UnavailableError):
        async with probe.question():
            pytest.fail("somebody is finding out")

    probe.after_fork_in_child()

    async with probe.question():
        pass
    assert probe.down is False


class Resting(forks.Renewed):
    def __init__(self, name: str, said: list[str]) -> None:
        self.name, self.said = name, said

    def before_fork(self) -> None:
        self.said.append(self.name)

    def after_fork_in_child(self) -> None:
        self.said.append(f"{self.name} afresh")


def test_what_others_write_into_comes_to_rest_after_them() -> None:
    said: list[str] = []
    things = [Resting(f"{number}", said) for number in range(8)]
    for thing in things:
        forks.watch(thing, last=thing.name in "0246")

    assert in_a_child(lambda: None) == 0
    assert (sorted(said[:4]), sorted(said[4:])) == (["1", "3", "5", "7"], ["0", "2", "4", "6"])


def test_a_child_starts_afresh_though_only_its_own_hook_was_called() -> None:
    said: list[str] = []
    thing = Resting("one", said)
    forks.watch(thing)

    def embedded() -> int:
        child: int = ctypes.PyDLL(None).fork()
        if child == 0:
            ctypes.pythonapi.PyOS_AfterFork_Child()
        return child

    def look() -> None:
        assert said == ["one afresh"]

    assert in_a_child(look, embedded) == 0
    assert said == []


def test_a_worker_that_finds_itself_in_another_process_starts_a_thread_there() -> None:
    worker = Worker()
    assert worker.do(lambda: 1).result(5) == 1
    thread, end = worker._thread, holding(worker.busy)

    def use() -> None:
        future: Future[int] = worker.do(lambda: 2)
        assert (future.result(4), worker._thread is not thread) == (2, True)

    try:
        assert in_a_child(use) == 0
    finally:
        end()
        worker.stop(1)


def test_an_entry_handed_in_after_a_fork_that_told_nobody_is_kept() -> None:
    outbox = Outbox(lambda _: MemoryStore(), None)
    entry = Row("choice", "cust-42", b"{}", 0, 1.0, "", choice_id="a", topic="channel:sms", answer="denied")
    assert outbox.hand_in([entry]).result(5) == [1]

    def use() -> None:
        assert outbox.hand_in([entry]).result(4) == [2]

    assert in_a_child(use, ctypes.PyDLL(None).fork) == 0


def test_what_is_made_while_a_fork_is_prepared_waits_for_it() -> None:
    made = threading.Event()

    def make() -> None:
        Overlay()
        made.set()

    thread = threading.Thread(target=make)
    forks._before()
    try:
        thread.start()
        assert made.wait(0.2) is False
    finally:
        forks._in_parent()
    thread.join(5)
    assert made.is_set()
