"""One transaction's worth of jobs: read for all of them, let each decide, write for all of them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import apsw

from sayso.model.instant import Micros
from sayso_server.clock import Clock
from sayso_server.storage.base import Found, Plan, StoredChange, StoredConsumer, Wanted, Write
from sayso_server.storage.sqlite import erasing, feed, statements

Name = tuple[str, str]
"""Brand and consumer."""

_NEVER_SEEN = Found(None)


class Record:
    """A change of consumers: what it needs to see, and the plan that decides.

    Attributes:
        answer: What the plan answered.
        error: What the plan raised; such a job wrote nothing.
    """

    __slots__ = ("answer", "brand_id", "error", "future", "plan", "wanted")
    alone = False

    def __init__(self, brand_id: str, wanted: Sequence[Wanted], plan: Plan[Any], future: Any) -> None:
        self.brand_id = brand_id
        self.wanted = wanted
        self.plan = plan
        self.future = future
        self.answer: Any = None
        self.error: Exception | None = None


class Task:
    """Any other write: a function that checks before it writes, so that one that raises has written nothing.

    Attributes:
        alone: It touches what records do, so it gets a transaction of its own.
    """

    __slots__ = ("alone", "answer", "error", "future", "work")

    def __init__(self, work: Callable[[apsw.Cursor], Any], future: Any, *, alone: bool = False) -> None:
        self.work = work
        self.future = future
        self.alone = alone
        self.answer: Any = None
        self.error: Exception | None = None


Job = Record | Task


def run(cursor: apsw.Cursor, jobs: Sequence[Job], clock: Clock) -> Collection[str]:
    """Run jobs inside the open transaction, each seeing what the ones before it wrote.

    Returns:
        The brands of whose consumers something was recorded.

    Raises:
        apsw.Error: Reading or writing failed, for whichever of them; nothing of this transaction may be kept.
    """
    keys = Keys()
    now = clock.now()  # after the write lock was had, so not before anything that was committed
    ahead = _first_of_each_consumer(jobs)
    seen = dict(zip(ahead, find(cursor, ahead, keys), strict=True))
    pending = _Pending(cursor, keys)
    for job in jobs:
        job.answer = job.error = None  # it may have run before, in a transaction that was rolled back
        try:
            if isinstance(job, Task):
                job.answer = job.work(cursor)
                continue
            found = seen.get(job)
            if found is None:
                pending.flush()
                (found,) = find(cursor, [job], keys)
            writes, job.answer = job.plan(found, now)
        except apsw.Error:
            raise
        except Exception as error:  # noqa: BLE001 - belongs to the job's caller, who gets it
            job.error = error
        else:
            pending.add(job.brand_id, writes)
    pending.flush()
    return pending.announce(now)


class Keys:
    """The keys of this transaction's consumers. Nobody else writes, so a new one can be given out before its row."""

    def __init__(self) -> None:
        self._known: dict[Name, int] = {}
        self._last = 0

    def learn(self, name: Name, key: int) -> None:
        """Take the key that a row has."""
        self._known[name] = key

    def learn_last(self, key: int) -> None:
        """Take the largest key that any row has."""
        self._last = max(self._last, key)

    def of(self, name: Name) -> int:
        """Give a consumer's key; a new one for a consumer that was looked for and not found."""
        key = self._known.get(name)
        if key is None:
            key = self._last = self._known[name] = self._last + 1
        return key


def find(cursor: apsw.Cursor, jobs: Sequence[Record], keys: Keys) -> list[dict[str, Found]]:
    """Give each job what it wants to see. No two of the jobs may want the same consumer."""
    by_brand: defaultdict[str, list[Wanted]] = defaultdict(list)
    for job in jobs:
        by_brand[job.brand_id].extend(job.wanted)
    found = {brand_id: _find_in_brand(cursor, brand_id, wanted, keys) for brand_id, wanted in by_brand.items()}
    return [{wanted.consumer_id: found[job.brand_id][wanted.consumer_id] for wanted in job.wanted} for job in jobs]


def _first_of_each_consumer(jobs: Sequence[Job]) -> list[Record]:
    """Pick the jobs that can be read for ahead: none wants a consumer that a job before it may write."""
    claimed: set[Name] = set()
    picked = []
    for job in jobs:
        if isinstance(job, Record):
            names = [(job.brand_id, wanted.consumer_id) for wanted in job.wanted]
            if claimed.isdisjoint(names):
                picked.append(job)
            claimed.update(names)
    return picked


def _find_in_brand(cursor: apsw.Cursor, brand_id: str, wanted: Sequence[Wanted], keys: Keys) -> dict[str, Found]:
    found = {each.consumer_id: _NEVER_SEEN for each in wanted}
    consumers: dict[str, tuple[int, StoredConsumer]] = {}
    anybody_erased = False
    for count, ids in statements.padded([each.consumer_id for each in wanted], 1):
        for consumer_id, key, *row in statements.rows(cursor, statements.consumers(count), (brand_id, *ids)):
            if consumer_id is None:
                keys.learn_last(key)
                anybody_erased = bool(row[0])
            else:
                consumers[consumer_id] = (key, StoredConsumer._make(row))
                keys.learn((brand_id, consumer_id), key)
    if anybody_erased:
        found |= _returning(cursor, brand_id, [each for each in wanted if each.consumer_id not in consumers])
    # Nothing is looked up for consumers never seen, and the newest version's maximum stands in the consumer's own row.
    known = [(each, *consumers[each.consumer_id]) for each in wanted if each.consumer_id in consumers]
    choices = _choices(cursor, [(key, one) for each, key, _ in known for one in each.choice_ids])
    maxima = _maxima(cursor, [(key, at) for each, key, now in known for at in each.at_versions if at != now.version])
    for each, key, now in known:
        if now.version in each.at_versions:
            maxima[key][now.version] = now.effective_max
        found[each.consumer_id] = Found(
            consumer=now,
            choices=choices.get(key, {}),
            effective_max=maxima.get(key, {}),
            history=_history(cursor, brand_id, each.consumer_id) if each.whole_history else (),
        )
    return found


def _returning(cursor: apsw.Cursor, brand_id: str, unknown: Sequence[Wanted]) -> dict[str, Found]:
    """Find those of the unknown consumers who were erased."""
    marks = {each.mark(): each.consumer_id for each in unknown if each.mark is not None}
    there = erasing.find(cursor, brand_id, list(marks))
    return {marks[mark]: Found(None, tombstone=tombstone) for mark, tombstone in there.items()}


def _choices(cursor: apsw.Cursor, pairs: Sequence[tuple[int, str]]) -> Mapping[int, dict[str, StoredChange]]:
    found: defaultdict[int, dict[str, StoredChange]] = defaultdict(dict)
    flat = [value for key, choice_id in pairs for value in (key, statements.pack(choice_id))]
    for count, values in statements.padded(flat, 2):
        for key, *row in statements.rows(cursor, statements.choices(count), values):
            change = statements.change(row)
            if change.choice_id is not None:
                found[key][change.choice_id] = change
    return found


def _maxima(cursor: apsw.Cursor, pairs: Sequence[tuple[int, int]]) -> defaultdict[int, dict[int, Micros]]:
    found: defaultdict[int, dict[int, Micros]] = defaultdict(dict)
    flat = [value for pair in pairs for value in pair]
    for count, values in statements.padded(flat, 2):
        for key, version, maximum in statements.rows(cursor, statements.maxima(count), values):
            found[key][version] = maximum
    return found


def _history(cursor: apsw.Cursor, brand_id: str, consumer_id: str) -> tuple[StoredChange, ...]:
    rows = statements.rows(cursor, statements.WHOLE_HISTORY, (brand_id, consumer_id))
    return tuple(statements.change(row) for row in rows)


class _Pending:
    """What the jobs of this transaction decided and the database doesn't know yet."""

    def __init__(self, cursor: apsw.Cursor, keys: Keys) -> None:
        self._cursor = cursor
        self._keys = keys
        self._consumers: list[Any] = []
        self._changes: list[Any] = []
        self._count = 0
        self._last_change = 0
        self._ranges: dict[str, tuple[int, int]] = {}

    def add(self, brand_id: str, writes: Sequence[Write]) -> None:
        for write in writes:
            key = self._keys.of((brand_id, write.consumer_id))
            self._consumers += (key, brand_id, write.consumer_id, *write.consumer)
            for version, kind, recorded_at, effective_at, effective_max, choice_id, fingerprint, body in write.changes:
                self._changes += (
                    key,
                    version,
                    kind,
                    recorded_at,
                    effective_at,
                    effective_max,
                    statements.pack(choice_id),
                    fingerprint,
                    body,
                )
            if write.changes:
                first, _ = self._ranges.get(brand_id, (self._count + 1, 0))
                self._count += len(write.changes)
                self._ranges[brand_id] = (first, self._count)

    def announce(self, now: Micros) -> Collection[str]:
        """Append to the feed of each brand what was flushed, and give the brands."""
        # Nobody else writes, so that all of this transaction's changes stand side by side.
        before = self._last_change - self._count
        for brand_id, (first, last) in self._ranges.items():
            feed.changed(self._cursor, brand_id, before + first, before + last, now)
        return self._ranges

    def flush(self) -> None:
        for count, values in statements.padded(self._consumers, 7):
            self._cursor.execute(statements.put_consumers(count), values)
        for count, values in statements.padded(self._changes, 9):
            self._cursor.execute(statements.insert_changes(count), values)
        if self._changes:
            self._last_change = self._cursor.connection.last_insert_rowid()
        self._consumers.clear()
        self._changes.clear()
