"""Erasure: everything about a consumer goes, at once and for good (GDPR Art. 17, CCPA §1798.105).

What stays is a tombstone for each of their ids: a keyed mark, the version, the time, and, sealed, which refusals go on.
Silence would allow what rests on a legitimate interest, and whoever objected to it has not been silent.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from sayso.model.catalogue import Catalogue
from sayso.model.instant import Micros, format_micros
from sayso.model.topic import EVERY_TOPIC, LegalBasis
from sayso.rules.decide import covering_signal, decide
from sayso.rules.fold import standing
from sayso_server.jsonio import dumps
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.identity import LinkedMeanwhileError, resolve
from sayso_server.services.marks import Marks
from sayso_server.services.re_erasing import Journal
from sayso_server.services.reading import Reading
from sayso_server.services.request_moves import left_of_requests
from sayso_server.services.returning import Refused, sealed
from sayso_server.services.state import State, preferences_of, read_state
from sayso_server.storage.base import Erasure, ErasureFound, Storage, StoredDocument, StoredTombstone


class Erasing:
    """Erases consumers."""

    def __init__(
        self, storage: Storage, catalogues: Catalogues, reading: Reading, marks: Marks, journal: Journal | None
    ) -> None:
        """Take what it works with; without a journal a restored backup brings the erased back."""
        self._storage = storage
        self._catalogues = catalogues
        self._reading = reading
        self._marks = marks
        self._journal = journal

    async def erase(
        self,
        caller: Caller,
        consumer_id: str,
        *,
        reason: str,
        still: Callable[[Iterable[StoredDocument]], None] | None = None,
    ) -> dict[str, Any]:
        """Erase a consumer and the visitors they were; it is on disk when it returns.

        Somebody never seen is erased as well: nothing from before can be recorded about them any more. Doing it again
        only moves the time.

        Args:
            caller: Who does it.
            consumer_id: Whom.
            reason: For the audit, without a name: `api`, or `request:` and the id of a request.
            still: Given every document about them in the same transaction, raises if they are not to be erased after
                all; then nothing is.

        Returns:
            `consumer_id`, `version` and `erased_at`.
        """
        brand_id = caller.brand_id
        catalogue = self._catalogues.of(brand_id).catalogue
        while True:
            target = await resolve(self._storage, brand_id, consumer_id)
            linked = read_state(await self._storage.consumer(brand_id, target)).linked_from
            ids = {whose: self._marks.erased(brand_id, whose) for whose in (target, *linked)}

            def plan(
                found: ErasureFound, now: Micros, target: str = target, ids: dict[str, bytes] = ids
            ) -> tuple[Erasure, dict[str, StoredTombstone]]:
                state = read_state(found.consumers.get(target))
                if state.linked_to is not None or {target, *state.linked_from} != ids.keys():
                    raise LinkedMeanwhileError
                if still is not None:
                    still(found.documents)
                known = found.consumers.values()
                erased_at = max([now, *(each.recorded_at for each in known)])
                refused = list(_refused(target, state, catalogue, erased_at))
                tombstones = {
                    whose: self._tombstone(brand_id, whose, mark, found, refused=refused, erased_at=erased_at)
                    for whose, mark in ids.items()
                }
                line = {"event": "consumer.erased", "reason": reason, "by": caller.stamp(), "at": format_micros(now)}
                stays = left_of_requests(found.documents, reason)
                return Erasure(tombstones, documents=stays, audit=(dumps(line),)), tombstones

            try:
                left = await self._storage.erase(brand_id, ids, plan, consumer_id=target)
            except LinkedMeanwhileError:
                continue
            break
        self._reading.forget(brand_id, ids)
        if self._journal is not None:
            await asyncio.to_thread(self._journal.add, brand_id, list(left.values()))
        own = left[target]
        return {"consumer_id": target, "version": own.version, "erased_at": format_micros(own.erased_at)}

    def _tombstone(
        self,
        brand_id: str,
        consumer_id: str,
        mark: bytes,
        found: ErasureFound,
        *,
        refused: list[Refused],
        erased_at: Micros,
    ) -> StoredTombstone:
        consumer, before = found.consumers.get(consumer_id), found.tombstones.get(mark)
        if consumer is None and before is not None:
            return before._replace(erased_at=max(erased_at, before.erased_at))  # they never came back
        version = consumer.version + 1 if consumer is not None else 1
        return StoredTombstone(mark, version, erased_at, sealed(self._marks, brand_id, consumer_id, refused))


def _refused(consumer_id: str, state: State, catalogue: Catalogue, now: Micros) -> Iterator[Refused]:
    """Give the refusals that go on: of everything, of what silence would allow, and of single senders."""
    preferences = replace(preferences_of(consumer_id, 1, state), restricted=False)
    for key, topic in catalogue.topics.items():
        if topic.basis is LegalBasis.LEGITIMATE_INTEREST and not topic.retired:
            said = decide(preferences, catalogue, key, now).choice  # where a grant has lapsed, the refusal before it
            refuses = said is not None and said in state.topics.fold_of(key).refusals
            # The signal goes with the device that sent it; what it forbade must not be allowed for that.
            if refuses or (topic.sale_or_share and covering_signal(preferences, catalogue, said) is not None):
                yield Refused(key)
    for key, fold in state.topics.items():
        if key == EVERY_TOPIC or (key in catalogue.topics and catalogue.topics[key].retired):
            said = standing(fold)
            if said is not None and said in fold.refusals:
                yield Refused(key)
        for scope, part in fold.scoped:
            stop = standing(part)
            if stop is not None and stop.is_refusal:
                yield Refused(key, scope)
