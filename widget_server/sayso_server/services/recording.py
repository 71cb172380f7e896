"""Recording choices: read, decide and write in one transaction, and say what stands now."""

from collections.abc import Iterable

from sayso.model.as_written import known
from sayso.model.choice import Choice, ChoiceBatch
from sayso.model.ids import is_anonymous
from sayso.model.instant import to_micros
from sayso.wire import Code
from sayso_server.clock import Clock
from sayso_server.jsonio import dumps
from sayso_server.services.admission import problems_of
from sayso_server.services.batch_entry import entry_of
from sayso_server.services.batch_plan import BatchPlan
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.identity import LinkedMeanwhileError, resolve
from sayso_server.services.marks import Marks
from sayso_server.services.recorded_body import Answer
from sayso_server.services.refusals import refuse_members
from sayso_server.services.returning import Returning
from sayso_server.storage.base import Storage

# The catalogue or the clock may have moved on since a choice was acknowledged; its repetition is answered as before.
_ONLY_IF_NEW = frozenset(
    {
        Code.FROM_THE_FUTURE,
        Code.UNKNOWN_TOPIC,
        Code.NOT_REFUSABLE,
        Code.NOTICE_UNKNOWN,
        Code.NOTICE_STALE,
        Code.EVIDENCE_REQUIRED,
    }
)


class Recording:
    """Records choices."""

    def __init__(self, storage: Storage, catalogues: Catalogues, clock: Clock, marks: Marks) -> None:
        """Take what it works with."""
        self._marks = marks
        self._storage = storage
        self._catalogues = catalogues
        self._clock = clock

    async def record(self, caller: Caller, batch: ChoiceBatch) -> list[Answer]:
        """Record a batch whole, or refuse it whole.

        Returns:
            One answer per choice, in the order sent, after everything is on disk.

        Raises:
            RefusedError: Nothing was recorded.
        """
        published = self._catalogues.of(caller.brand_id)
        sent = known(batch.sent_at)
        sent_at = to_micros(sent) if sent is not None else None
        problems = problems_of(batch.choices, published, caller, sent_at=sent_at, now=self._clock.now())
        if not all(problem.code in _ONLY_IF_NEW for problem in problems):
            raise refuse_members(problems)
        stamp = dumps(caller.stamp())
        returning = Returning(self._marks, caller)
        while True:
            links = await self._links(caller.brand_id, batch.choices)
            entries = [entry_of(caller, place, choice, links) for place, choice in enumerate(batch.choices)]
            plan = BatchPlan(entries, published, stamp, sent_at, problems, returning=returning)
            try:
                return await self._storage.record(caller.brand_id, plan.wanted(), plan)
            except LinkedMeanwhileError:
                continue

    async def _links(self, brand_id: str, choices: Iterable[Choice]) -> dict[str, str]:
        """Give the known consumers that anonymous ids of a batch were linked to."""
        links: dict[str, str] = {}
        for consumer_id in {choice.consumer_id for choice in choices}:
            if is_anonymous(consumer_id):
                linked = await resolve(self._storage, brand_id, consumer_id)
                if linked != consumer_id:
                    links[consumer_id] = linked
        return links
