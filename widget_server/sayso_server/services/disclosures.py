"""Hand-overs to and from partners: recorded once, and shown to the brand and to whom they are about."""

import hashlib
from collections.abc import Sequence
from typing import Any

from sayso.errors import Problem
from sayso.model.disclosure import Disclosure, DisclosureBatch
from sayso.model.instant import Micros, format_micros, to_micros
from sayso.wire import PAGE_SIZE, Code
from sayso_server.clock import Clock
from sayso_server.jsonio import dumps, loads
from sayso_server.services.caller import Caller
from sayso_server.services.identity import resolve
from sayso_server.services.marks import Marks
from sayso_server.services.refusals import refuse_members
from sayso_server.services.state import read_state
from sayso_server.storage.base import NewDisclosure, ReusedIdError, Storage, StoredDisclosure

_ALWAYS = {"fields_sent", "fields_held_back"}
_REUSED = "this id was used for this consumer with other content; make a new one for each hand-over"


class Disclosures:
    """Records and gives hand-overs.

    What happened is recorded whether or not the catalogue still has the partner and the consumer has said anything.
    What happened before an erasure and is told only now is recorded without a name.
    """

    def __init__(self, storage: Storage, clock: Clock, marks: Marks) -> None:
        """Take what it works with."""
        self._marks = marks
        self._storage = storage
        self._clock = clock

    async def record(self, caller: Caller, batch: DisclosureBatch) -> list[dict[str, Any]]:
        """Record a batch whole, or refuse it whole. The same disclosure again is answered as `replayed`.

        Raises:
            RefusedError: 422 `id_reused` or `duplicate_id`; nothing was recorded.
        """
        # Under the id as it was sent, linked or not: the same disclosure sent again is then found again.
        new = [self._new(caller, each) for each in batch.disclosures]
        _check_ids(new)
        try:
            known = await self._storage.disclose(caller.brand_id, new, now=self._clock.now())
        except ReusedIdError as error:
            raise refuse_members(
                [Problem(f"/disclosures/{place}/id", Code.ID_REUSED.value, _REUSED) for place in error.places]
            ) from None
        return [{"id": each.disclosure_id, "replayed": replayed} for each, replayed in zip(new, known, strict=True)]

    async def page(
        self, brand_id: str, consumer_id: str, *, before: Micros | None = None
    ) -> tuple[list[dict[str, Any]], Micros | None]:
        """Give a page of a consumer's hand-overs, newest first, and where to go on, or None at the end.

        Those of before they signed in are among them, of however many visits: to whom one's data went is told whole
        (GDPR Art. 15(1)(c)). The storage reads hundreds of ids at once, so that a visitor at each login costs little.
        """
        target = await resolve(self._storage, brand_id, consumer_id)
        visitors = read_state(await self._storage.consumer(brand_id, target)).linked_from
        ids = (target, *visitors)
        found = await self._storage.disclosures(brand_id, ids, before=before, limit=PAGE_SIZE + 1)
        page = [_shown(target, stored) for stored in found[:PAGE_SIZE]]
        return page, found[PAGE_SIZE - 1].recorded_at if len(found) > PAGE_SIZE else None

    async def all(self, brand_id: str, consumer_id: str) -> list[dict[str, Any]]:
        """Give every hand-over of a consumer, newest first."""
        shown: list[dict[str, Any]] = []
        before: Micros | None = None
        while True:
            page, before = await self.page(brand_id, consumer_id, before=before)
            shown += page
            if before is None:
                return shown

    def _new(self, caller: Caller, disclosure: Disclosure) -> NewDisclosure:
        new = _new(caller, disclosure)
        mark = self._marks.later(caller.brand_id, disclosure.consumer_id)
        return new._replace(mark=mark, at=to_micros(disclosure.at))


def _new(caller: Caller, disclosure: Disclosure) -> NewDisclosure:
    content = disclosure.model_dump(mode="json", exclude_none=True, exclude={"id", "consumer_id", "at"})
    content |= {name: getattr(disclosure, name) for name in _ALWAYS}
    content["at"] = format_micros(to_micros(disclosure.at))
    fingerprint = hashlib.sha256(dumps(dict(sorted(content.items())))).digest()
    body: dict[str, Any] = {"said": content, "recorded_by": caller.stamp()}
    return NewDisclosure(disclosure.consumer_id, disclosure.id, fingerprint, dumps(body))


def _check_ids(new: Sequence[NewDisclosure]) -> None:
    seen: set[tuple[str, str]] = set()
    problems = []
    for place, each in enumerate(new):
        if (each.consumer_id, each.disclosure_id) in seen:
            message = "this id stands in the batch twice; send each disclosure once"
            problems.append(Problem(f"/disclosures/{place}/id", Code.DUPLICATE_ID.value, message))
        seen.add((each.consumer_id, each.disclosure_id))
    if problems:
        raise refuse_members(problems)


def _shown(consumer_id: str, stored: StoredDisclosure) -> dict[str, Any]:
    body = loads(stored.body)
    shown = {
        "id": stored.disclosure_id,
        "consumer_id": consumer_id,
        **body["said"],
        "recorded_at": format_micros(stored.recorded_at),
        "recorded_by": body["recorded_by"],
    }
    if stored.consumer_id != consumer_id:
        shown["linked_from"] = stored.consumer_id
    return shown
