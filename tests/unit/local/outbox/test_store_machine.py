"""Whatever is kept, sent, parked, lost half-way or opened again, in any order: every entry is there exactly once."""

import secrets
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sayso.local.outbox.file import FileStore
from sayso.local.outbox.pick import Pick
from sayso.local.outbox.row import Row, Seal
from sayso.local.outbox.store import PARKED, PENDING, Done

NOW = 1_795_460_400_000_000
SEAL = Seal([secrets.token_urlsafe(32)], "dealer", "https://a.example")


class Machine(RuleBasedStateMachine):
    """Two processes share a file; either may die at any moment and come back."""

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "outbox.db")
        self.made = 0
        self.there: dict[str, tuple[int, str, int | None]] = {}
        self.stores = [self.opened(), self.opened()]

    def opened(self) -> FileStore:
        store = FileStore(self.path, "dealer", "https://a.example", SEAL, lambda: NOW)
        found = store.open()
        assert found.missing == 0
        assert {kept.row.choice_id: kept.state for kept in found.kept} == {
            name: state for name, (_, state, _) in self.there.items()
        }
        return store

    @rule(who=st.integers(0, 1), answers=st.lists(st.sampled_from(["granted", "denied"]), min_size=1, max_size=4))
    def append(self, who: int, answers: list[str]) -> None:
        rows = []
        for answer in answers:
            self.made += 1
            seen = max((number for number, _, _ in self.there.values()), default=0) if answer == "granted" else 0
            rows.append(Row("choice", "cust-42", b"{}", NOW, 1.0, "b", 0, f"c{self.made}", "t", answer, seen_row=seen))
        for row, number in zip(rows, self.stores[who].append(rows), strict=True):
            self.there[row.choice_id] = number, PENDING, None

    @precondition(lambda self: self.there)
    @rule(who=st.integers(0, 1), version=st.integers(1, 99))
    def send(self, who: int, version: int) -> None:
        batch = self.stores[who].batch(Pick(3, 10**6))
        assert batch.tampered == []
        assert all(self.there[row.choice_id][:2] == (row.id, PENDING) for row in batch.rows)
        self.stores[who].settle([Done(row, version) for row in batch.rows])
        for row in batch.rows:
            del self.there[row.choice_id]

    @precondition(lambda self: self.there)
    @rule(who=st.integers(0, 1), data=st.data(), state=st.sampled_from([PARKED, PENDING]))
    def park(self, who: int, data: Any, state: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.there)))
        number = self.there[name][0]
        self.stores[who].mark([number], state, "unknown_topic")
        self.there[name] = number, state, None

    @rule(who=st.integers(0, 1))
    def die_and_come_back(self, who: int) -> None:
        self.stores[who].close()
        self.stores[who] = self.opened()

    @rule(who=st.integers(0, 1))
    def die_while_writing(self, who: int) -> None:
        store = self.stores[who]
        connection = store.connected()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM row")
        connection.execute("UPDATE outbox SET settled = appended")
        store.close()
        self.stores[who] = self.opened()

    @invariant()
    def each_is_there_once(self) -> None:
        if not hasattr(self, "stores"):
            return
        rows = self.stores[0].connected().execute("SELECT id, state FROM row ORDER BY id").fetchall()
        assert rows == sorted((number, state) for number, state, _ in self.there.values())

    def teardown(self) -> None:
        for store in getattr(self, "stores", []):
            store.close()
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestStore = Machine.TestCase
TestStore.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
