"""What recording one batch reads and writes."""

from collections.abc import Mapping, Sequence

from sayso.errors import Problem
from sayso.model.instant import Micros
from sayso.rules.link import copy_id
from sayso_server.services.batch_entry import BatchEntry
from sayso_server.services.catalogues import Published
from sayso_server.services.consumer_plan import ConsumerPlan
from sayso_server.services.recorded_body import Answer
from sayso_server.services.refusals import refuse_members
from sayso_server.services.returning import Returning
from sayso_server.storage.base import Found, Wanted, Write


class BatchPlan:
    """What recording one batch reads and writes; pure, so the storage may call it again."""

    def __init__(
        self,
        entries: Sequence[BatchEntry],
        published: Published,
        stamp: bytes,
        sent_at: Micros | None,
        if_new: Sequence[Problem],
        *,
        returning: Returning,
    ) -> None:
        self._published = published
        self._returning = returning
        self._if_new: dict[int, list[Problem]] = {}
        for problem in if_new:
            self._if_new.setdefault(_place(problem), []).append(problem)
        self._stamp = stamp
        self._sent_at = sent_at
        self._by_consumer: dict[str, list[BatchEntry]] = {}
        for entry in entries:
            self._by_consumer.setdefault(entry.consumer_id, []).append(entry)

    def wanted(self) -> list[Wanted]:
        """Give whom to read: the consumers, and the linked ids that they were called by."""
        wanted: list[Wanted] = []
        called: dict[str, list[str]] = {}
        for consumer_id, entries in self._by_consumer.items():
            ids: list[str] = []
            seen: set[int] = set()
            for entry in entries:
                choice = entry.choice
                ids.append(choice.id)
                if entry.based_on:
                    seen.add(entry.based_on)
                if choice.consumer_id != consumer_id:
                    called.setdefault(choice.consumer_id, []).append(choice.id)
                    ids.append(copy_id(choice.consumer_id, choice.id))
            wanted.append(Wanted(consumer_id, tuple(ids), tuple(seen), mark=self._returning.mark(consumer_id)))
        if called:
            wanted += [Wanted(sent_under, tuple(ids)) for sent_under, ids in called.items()]
        return wanted

    def __call__(self, found: Mapping[str, Found], now: Micros) -> tuple[list[Write], list[Answer]]:
        """Decide what to write and what to answer.

        Raises:
            RefusedError: Something is wrong with an entry, so nothing is written.
        """
        problems: list[Problem] = []
        writes: list[Write] = []
        answers: dict[int, Answer] = {}
        for consumer_id, entries in self._by_consumer.items():
            one = ConsumerPlan(consumer_id, found, now, self._published, self._returning)
            one.record(entries, self._sent_at, self._stamp, self._if_new, problems)
            if not problems:
                write = one.write()
                if write is not None:
                    writes.append(write)
                answers.update(one.answers)
        if problems:
            raise refuse_members(sorted(problems, key=_place))
        return writes, [answers[place] for place in sorted(answers)]


def _place(problem: Problem) -> int:
    """Give which entry of the batch a problem is about."""
    return int(problem.pointer.split("/")[2])
