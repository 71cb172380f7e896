"""Whatever is delayed, lost or asked again: a cached yes never outlives `max_staleness` after a withdrawal.

The server, the stream, the question for the head and the fetching of snapshots are each delayed at will. What decides,
the cache, the freshness and the floor, is the client's own.
"""

from collections import deque
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from sayso.local.cache import Cache
from sayso.local.floor import Floor
from sayso.local.freshness import Freshness, Head
from sayso.local.live import Live
from sayso.local.overlay import Overlay
from sayso.local.own_loop import OwnLoop
from sayso.local.status import StatusBoard

from .conftest import etag_of, make_snapshot

SMS = "channel:sms"
BOUND = 5.0


class SetClock:
    def __init__(self) -> None:
        self.up = 1000.0

    def now(self) -> int:
        return round(self.up * 1_000_000)

    def boot(self) -> float:
        return self.up


class Server:
    """What was recorded, and when the last withdrawal was acknowledged."""

    def __init__(self) -> None:
        self.granted = False
        self.log: list[tuple[str, int]] = []
        self.withdrawn_at: float | None = None

    def record(self, granted: bool, now: float) -> None:
        self.granted = granted
        self.log.append(("cust-42", len(self.log) + 1))
        self.withdrawn_at = None if granted else now if self.withdrawn_at is None else self.withdrawn_at

    def snapshot(self) -> dict[str, Any]:
        return make_snapshot(version=len(self.log), granted=[SMS] if self.granted else [])


class NoLoop(OwnLoop):
    """Does nothing by itself."""

    def once(self, name: str, coroutine: Any) -> None:
        coroutine.close()


class Machine(RuleBasedStateMachine):
    freshness_class: type[Freshness] = Freshness

    def __init__(self) -> None:
        super().__init__()
        self.clock = SetClock()
        board = StatusBoard(self.clock)
        self.floor = Floor(None, "dealer", board)
        self.cache = Cache(self.clock, Overlay(), consumers=10, max_bytes=100_000)
        bound = timedelta(seconds=BOUND)
        self.live = Live(None, self.cache, self.floor, board, self.clock, max_staleness=bound)
        self.live._own = NoLoop(self.live._forget)
        self.live._freshness = self.freshness_class(bound)
        self.server = Server()
        self.wire: deque[tuple[Any, ...]] | None = None
        self.told = 0
        self.cursor: int | None = None
        self.heads: deque[dict[str, Any]] = deque()
        self.fetches: list[dict[str, Any]] = []

    # --- what happens elsewhere ---

    @rule()
    def somebody_withdraws(self) -> None:
        self.server.record(False, self.clock.up)

    @rule()
    def somebody_grants_and_this_client_asks(self) -> None:
        self.server.record(True, self.clock.up)
        self.the_stream_flows()
        self.the_head_is_proved()
        self.a_snapshot_is_fetched()

    @rule(seconds=st.sampled_from([0.4, 2.5, 4.999]))
    def time_passes(self, seconds: float) -> None:
        self.clock.up += seconds

    # --- what goes well ---

    @rule()
    def the_stream_flows(self) -> None:
        if self.wire is None:
            self.the_stream_opens(forgotten=False)
        self.the_server_sends()
        while self.wire:
            self.the_stream_delivers(4)

    @rule()
    def the_head_is_proved(self) -> None:
        self.the_head_is_asked_for()
        while self.heads:
            self.the_server_reads_the_head()
            self.the_head_arrives()

    @rule()
    def a_snapshot_is_fetched(self) -> None:
        self.a_snapshot_is_asked_for()
        self.fetches[-1]["data"] = self.server.snapshot()
        self.a_snapshot_arrives(-1)

    # --- the stream ---

    @precondition(lambda self: self.wire is None)
    @rule(forgotten=st.booleans())
    def the_stream_opens(self, forgotten: bool) -> None:
        resumed = self.cursor is not None and not forgotten
        start = self.cursor if resumed else len(self.server.log)
        self.wire = deque([("open", start)])
        if self.cursor is not None and not resumed:
            self.wire.append(("reset", start))
        self.told = start

    @precondition(lambda self: self.wire is not None)
    @rule()
    def the_server_sends(self) -> None:
        for position in range(self.told, len(self.server.log)):
            consumer_id, version = self.server.log[position]
            self.wire += [("change", consumer_id, version), ("position", position + 1)]
        self.told = len(self.server.log)

    @precondition(lambda self: self.wire)
    @rule(count=st.integers(1, 4))
    def the_stream_delivers(self, count: int) -> None:
        for _ in range(min(count, len(self.wire))):
            match self.wire.popleft():
                case "open", position:
                    self.cursor = position
                    self.live.opened(Head("store-1", position, self.clock.up))
                case "reset", position:
                    self.live.reset(Head("store-1", position, self.clock.up))
                case "change", consumer_id, version:
                    self.live.changed(consumer_id, version)
                case "position", position:
                    self.cursor = position
                    self.live.delivered_to(position)

    @precondition(lambda self: self.wire is not None)
    @rule()
    def the_stream_breaks(self) -> None:
        self.wire = None
        self.live.broken()

    # --- the head ---

    @rule()
    def the_head_is_asked_for(self) -> None:
        self.heads.append({"asked_at": self.clock.up, "seen": self.floor.position, "position": None})

    @precondition(lambda self: self.heads)
    @rule()
    def the_server_reads_the_head(self) -> None:
        for head in self.heads:
            if head["position"] is None:
                head["position"] = len(self.server.log)
                return

    @precondition(lambda self: self.heads and self.heads[0]["position"] is not None)
    @rule()
    def the_head_arrives(self) -> None:
        head = self.heads.popleft()
        self.live.answered(Head("store-1", head["position"], head["asked_at"]), head["seen"])

    # --- snapshots ---

    @rule()
    def a_snapshot_is_asked_for(self) -> None:
        self.fetches.append({"flight": self.cache.begin("cust-42"), "data": None})

    @precondition(lambda self: any(fetch["data"] is None for fetch in self.fetches))
    @rule()
    def the_server_reads_a_snapshot(self) -> None:
        next(fetch for fetch in self.fetches if fetch["data"] is None)["data"] = self.server.snapshot()

    @precondition(lambda self: any(fetch["data"] is not None for fetch in self.fetches))
    @rule(which=st.integers(0, 5))
    def a_snapshot_arrives(self, which: int) -> None:
        ready = [fetch for fetch in self.fetches if fetch["data"] is not None]
        fetch = ready[which % len(ready)]
        self.fetches.remove(fetch)
        self.cache.store(fetch["flight"], fetch["data"], etag_of(fetch["data"]))
        self.cache.end(fetch["flight"])

    # --- what must never be ---

    @invariant()
    def a_check_answers_no_yes_that_is_too_old(self) -> None:
        vouched = self.cache.vouched.answers.get("cust-42")
        quick = vouched is not None and self.clock.up < vouched[0] and SMS in vouched[1]
        if quick or self.cache.allows("cust-42", SMS):
            since = self.server.withdrawn_at
            assert since is None or self.clock.up <= since + BOUND


SETTINGS = settings(max_examples=300, stateful_step_count=40, deadline=None)


def test_a_cached_yes_never_outlives_the_bound() -> None:
    run_state_machine_as_test(Machine, settings=SETTINGS)


class Hasty(Freshness):
    """Believes that silence means nothing has changed."""

    def asked(self, head: Head) -> None:
        if self.delivered is not None:
            self._prove(head.asked_at)


class HastyMachine(Machine):
    freshness_class = Hasty


def test_the_check_above_notices_a_bound_that_is_not_proved() -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            HastyMachine,
            settings=settings(SETTINGS, max_examples=3000, derandomize=True, database=None, phases=[Phase.generate]),
        )
