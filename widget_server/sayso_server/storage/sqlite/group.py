"""One transaction's worth of jobs: read for all of them, let each decide, write for all of them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import apsw

from sayso.model.instant import Micros
from sayso_server.clock import Clock
from sayso_server.storage.base import Found, Plan, StoredChange, StoredConsumer, Wanted, Write
from sayso_server.storage.sqlite import statements

Key = tuple[str, str]
"""Brand and consumer."""


class Record:
    """A change of consumers: what it needs to see, and the plan that decides.

    Attributes:
        answer: What the plan answered.
        error: What the plan raised; such a job wrote nothing.
    """

    __slots__ = ("answer", "brand_id", "error", "future", "plan", "wanted")

    def __init__(self, brand_id: str, wanted: Sequence[Wanted], plan: Plan[Any], future: Any) -> None:
        self.brand_id = brand_id
        self.wanted = wanted
        self.plan = plan
        self.future = future
        self.answer: Any = None
        self.error: Exception | None = None


class Task:
    """Any other write: a function that checks before it writes, so that one that raises has written nothing."""

    __slots__ = ("answer", "error", "future", "work")

    def __init__(self, work: Callable[[apsw.Cursor], Any], future: Any) -> None:
        self.work = work
        self.future = future
        self.answer: Any = None
        self.error: Exception | None = None


Job = Record | Task


def run(cursor: apsw.Cursor, jobs: Sequence[Job], clock: Clock) -> None:
    """Run jobs inside the open transaction, each seeing what the ones before it wrote.

    Raises:
        apsw.Error: Reading or writing failed, for whichever of them; nothing of this transaction may be kept.
    """
    ahead = _first_of_each_consumer(jobs)
    seen = dict(zip(ahead, find(cursor, ahead), strict=True))
    pending = _Pending(cursor)
    for job in jobs:
        job.answer = job.error = None  # it may have run before, in a transaction that was rolled back
        try:
            if isinstance(job, Task):
                job.answer = job.work(cursor)
                continue
            found = seen.get(job)
            if found is None:
                pending.flush()
                (found,) = find(cursor, [job])
            writes, job.answer = job.plan(found, clock.now())
        except apsw.Error:
            raise
        except Exception as error:  # noqa: BLE001 - belongs to the job's caller, who gets it
            job.error = error
        else:
            pending.add(job.brand_id, writes)
    pending.flush()


def find(cursor: apsw.Cursor, jobs: Sequence[Record]) -> list[dict[str, Found]]:
    """Give each job what it wants to see. No two of the jobs may want the same consumer."""
    by_brand: defaultdict[str, list[Wanted]] = defaultdict(list)
    for job in jobs:
        by_brand[job.brand_id].extend(job.wanted)
    found = {brand_id: _find_in_brand(cursor, brand_id, wanted) for brand_id, wanted in by_brand.items()}
    return [{wanted.consumer_id: found[job.brand_id][wanted.consumer_id] for wanted in job.wanted} for job in jobs]


def _first_of_each_consumer(jobs: Sequence[Job]) -> list[Record]:
    """Pick the jobs that can be read for ahead: none wants a consumer that a job before it may write."""
    claimed: set[Key] = set()
    picked = []
    for job in jobs:
        if isinstance(job, Record):
            keys = {(job.brand_id, wanted.consumer_id) for wanted in job.wanted}
            if claimed.isdisjoint(keys):
                picked.append(job)
            claimed |= keys
    return picked


def _find_in_brand(cursor: apsw.Cursor, brand_id: str, wanted: Sequence[Wanted]) -> dict[str, Found]:
    consumers: dict[str, StoredConsumer] = {}
    for count, ids in statements.padded([each.consumer_id for each in wanted], 1):
        for consumer_id, *row in statements.rows(cursor, statements.consumers(count), (brand_id, *ids)):
            consumers[consumer_id] = StoredConsumer._make(row)
    # Nothing is looked up for consumers never seen, and the newest version's maximum stands in the consumer's own row.
    known = [(each, consumers[each.consumer_id]) for each in wanted if each.consumer_id in consumers]
    choices = _choices(cursor, brand_id, [(each.consumer_id, one) for each, _ in known for one in each.choice_ids])
    maxima = _maxima(
        cursor,
        brand_id,
        [(each.consumer_id, at) for each, now in known for at in each.at_versions if at != now.version],
    )
    for each, now in known:
        if now.version in each.at_versions:
            maxima[each.consumer_id][now.version] = now.effective_max
    return {
        each.consumer_id: Found(
            consumer=consumers.get(each.consumer_id),
            choices=choices.get(each.consumer_id, {}),
            effective_max=maxima.get(each.consumer_id, {}),
            history=_history(cursor, brand_id, each.consumer_id) if each.whole_history else (),
        )
        for each in wanted
    }


def _choices(
    cursor: apsw.Cursor, brand_id: str, pairs: Sequence[tuple[str, str]]
) -> Mapping[str, dict[str, StoredChange]]:
    found: defaultdict[str, dict[str, StoredChange]] = defaultdict(dict)
    flat = [value for consumer_id, choice_id in pairs for value in (consumer_id, statements.pack(choice_id))]
    for count, values in statements.padded(flat, 2):
        for consumer_id, *row in statements.rows(cursor, statements.choices(count), (*values, brand_id)):
            change = statements.change(row)
            if change.choice_id is not None:
                found[consumer_id][change.choice_id] = change
    return found


def _maxima(
    cursor: apsw.Cursor, brand_id: str, pairs: Sequence[tuple[str, int]]
) -> defaultdict[str, dict[int, Micros]]:
    found: defaultdict[str, dict[int, Micros]] = defaultdict(dict)
    flat = [value for pair in pairs for value in pair]
    for count, values in statements.padded(flat, 2):
        for consumer_id, version, maximum in statements.rows(cursor, statements.maxima(count), (*values, brand_id)):
            found[consumer_id][version] = maximum
    return found


def _history(cursor: apsw.Cursor, brand_id: str, consumer_id: str) -> tuple[StoredChange, ...]:
    rows = statements.rows(cursor, statements.WHOLE_HISTORY, (brand_id, consumer_id))
    return tuple(statements.change(row) for row in rows)


class _Pending:
    """What the jobs of this transaction decided and the database doesn't know yet."""

    def __init__(self, cursor: apsw.Cursor) -> None:
        self._cursor = cursor
        self._consumers: list[Any] = []
        self._changes: list[Any] = []

    def add(self, brand_id: str, writes: Sequence[Write]) -> None:
        for write in writes:
            self._consumers += (brand_id, write.consumer_id, *write.consumer)
            for version, kind, recorded_at, effective_at, effective_max, choice_id, fingerprint, body in write.changes:
                self._changes += (
                    brand_id,
                    write.consumer_id,
                    version,
                    kind,
                    recorded_at,
                    effective_at,
                    effective_max,
                    statements.pack(choice_id),
                    fingerprint,
                    body,
                )

    def flush(self) -> None:
        for count, values in statements.exact(self._consumers, 6):
            self._cursor.execute(statements.put_consumers(count), values)
        for count, values in statements.exact(self._changes, 10):
            self._cursor.execute(statements.insert_changes(count), values)
        self._consumers.clear()
        self._changes.clear()
