"""Somebody is believed to be under age: nothing is allowed from that moment on, until an officer has looked.

The officer has them erased, or clears the doubt. The audit says so either way, and names nobody.
"""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from sayso.model.guardian import AgeDoubt, DoubtCleared
from sayso.model.ids import new_choice_id
from sayso.model.instant import Micros, format_micros, span_micros
from sayso.wire import PAGE_SIZE, Code
from sayso_server.clock import Clock
from sayso_server.jsonio import dumps, loads
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.erasure import Erasing
from sayso_server.services.guardian_case import audit_line
from sayso_server.services.identity import resolve
from sayso_server.services.refusals import RefusedError
from sayso_server.services.reporting import Reporting
from sayso_server.services.state import read_state
from sayso_server.storage.base import DocumentKey, DocumentWrites, Storage, StoredDocument

KIND: Final = "age-doubt"
HELD: Final = "held"
CLEARED: Final = "cleared"
_CLEARED_LASTS: Final = timedelta(days=30)

Shown = dict[str, Any]


class AgeDoubts:
    """Holds, and carries out what officers decide."""

    def __init__(
        self, storage: Storage, catalogues: Catalogues, reporting: Reporting, erasing: Erasing, clock: Clock
    ) -> None:
        """Take what it works with."""
        self._storage = storage
        self._catalogues = catalogues
        self._reporting = reporting
        self._erasing = erasing
        self._clock = clock

    async def hold(self, caller: Caller, consumer_id: str, body: AgeDoubt) -> Shown:
        """Hold: the consumer counts as a minor from now on, whatever else says how old they are. Twice is once.

        What a guardian has allowed goes on: it was allowed for a minor.
        """
        brand_id = caller.brand_id
        target = await resolve(self._storage, brand_id, consumer_id)
        majority = self._catalogues.of(brand_id).catalogue.majority
        version = (await self._reporting.doubt(caller, target, below=majority))["version"]
        state = read_state(await self._storage.consumer(brand_id, target))
        for one in (target, *state.linked_from):  # who may have been held before they signed in
            known = await self._storage.documents(brand_id, KIND, states=(HELD,), consumer_id=one, limit=1)
            if known:
                return {**_shown(known[0]), "version": version, "replayed": True}
        doubt_id = new_choice_id()

        def plan(_: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, StoredDocument]:
            body_of = dumps({"reason": body.reason.value, "by": caller.stamp()})
            doubt = StoredDocument(KIND, doubt_id, target, HELD, now, now, None, (), body_of)
            line = audit_line("age_doubt.held", caller, now, doubt=doubt_id, reason=body.reason.value)
            return DocumentWrites(put=(doubt,), audit=(line,)), doubt

        made = await self._storage.change_documents(brand_id, (), plan)
        return {**_shown(made), "version": version, "replayed": False}

    async def page(
        self, caller: Caller, *, after: tuple[Micros, str] | None = None
    ) -> tuple[list[Shown], tuple[Micros, str] | None]:
        """Give a page of those who are held, the oldest first, and where to go on, or None at the end."""
        found = await self._storage.documents(caller.brand_id, KIND, states=(HELD,), after=after, limit=PAGE_SIZE + 1)
        last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
        return [_shown(each) for each in found[:PAGE_SIZE]], None if last is None else (last.due_at, last.document_id)

    async def clear(self, caller: Caller, doubt_id: str, body: DoubtCleared) -> Shown:
        """End a hold: they are old enough after all, and what they chose counts again. Twice is once.

        Raises:
            RefusedError: 404.
        """
        doubt = await self._find(caller, doubt_id)
        consumer_id = doubt.consumer_id or ""
        if doubt.state != HELD:  # they may be held again since, for another reason
            target = await resolve(self._storage, caller.brand_id, consumer_id)
            return {**_shown(doubt), "version": await self._storage.version(caller.brand_id, target)}
        answer = await self._reporting.doubt(caller, consumer_id, below=None)
        key = DocumentKey(KIND, doubt_id)

        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, StoredDocument]:
            here = found.get(key)
            if here is None:
                raise _no_doubt()
            if here.state != HELD:
                return DocumentWrites(), here
            cleared = here._replace(state=CLEARED, expires_at=now + span_micros(_CLEARED_LASTS))
            line = audit_line("age_doubt.cleared", caller, now, doubt=doubt_id, evidence=body.evidence.kind)
            return DocumentWrites(put=(cleared,), audit=(line,)), cleared

        cleared = await self._storage.change_documents(caller.brand_id, [key], plan)
        return {**_shown(cleared), "version": answer["version"]}

    async def confirm(self, caller: Caller, doubt_id: str) -> Shown:
        """Erase whoever is held: the doubt was right.

        Raises:
            RefusedError: 404; also for one that was cleared, or confirmed before.
        """
        doubt = await self._find(caller, doubt_id)
        if doubt.state != HELD:
            raise _no_doubt()
        line = audit_line("age_doubt.confirmed", caller, self._clock.now(), doubt=doubt_id)
        await self._storage.add_audit(caller.brand_id, [line])  # first: the erasure takes the case with it
        erased = await self._erasing.erase(caller, doubt.consumer_id or "", reason=f"{KIND}:{doubt_id}")
        return {"id": doubt_id, "state": "erased", **erased}

    async def _find(self, caller: Caller, doubt_id: str) -> StoredDocument:
        found = await self._storage.document(caller.brand_id, KIND, doubt_id)
        if found is None or found.consumer_id is None:
            raise _no_doubt()
        return found


def _no_doubt() -> RefusedError:
    return RefusedError(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "nobody is held under this id; check it")


def _shown(doubt: StoredDocument) -> Shown:
    body = loads(doubt.body)
    return {
        "id": doubt.document_id,
        "consumer_id": doubt.consumer_id,
        "state": doubt.state,
        "reason": body["reason"],
        "held_at": format_micros(doubt.created_at),
        "held_by": body["by"],
    }
