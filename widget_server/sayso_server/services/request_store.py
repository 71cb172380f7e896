"""Rights requests in storage: read for whoever asks, packed with the marks they are found by, shown."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from sayso.model.instant import Micros, format_micros
from sayso.rules.senders import scope_of
from sayso.wire import Code, TokenClass
from sayso_server.jsonio import dumps
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.identity import resolve
from sayso_server.services.marks import Marks
from sayso_server.services.refusals import RefusedError
from sayso_server.services.request_parties import parties_of
from sayso_server.services.request_record import KEPT_FOR, REQUEST, Record, read_record, show, write_record
from sayso_server.services.request_recourse import recourse_at, recourse_json
from sayso_server.services.state import read_state
from sayso_server.storage.base import Storage, StoredDocument

Shown = dict[str, Any]

_TAIL = 9


class RequestStore:
    """Reads, packs and shows requests."""

    def __init__(self, storage: Storage, catalogues: Catalogues, marks: Marks) -> None:
        """Take what it works with."""
        self._storage = storage
        self._catalogues = catalogues
        self._marks = marks

    async def read(self, caller: Caller, request_id: str) -> Record:
        """Give a request; a consumer finds only their own.

        Raises:
            RefusedError: 404.
        """
        stored = await self._storage.document(caller.brand_id, REQUEST, request_id)
        own = caller.token_class is TokenClass.CONSUMER
        if stored is not None and own:
            ids = await self.ids(caller.brand_id, caller.subject or "")
            stored = stored if stored.consumer_id in ids else None
        if stored is None:
            raise no_request()
        record = read_record(stored)
        if not own and await self._is_outgrown(caller.brand_id, record):
            record.verified = None
        return record

    async def _is_outgrown(self, brand_id: str, record: Record) -> bool:
        """Tell whether who asked was known by a visitor's own token alone, and the visitor has become a consumer.

        Whoever had that browser before somebody signed in there says nothing for the account.
        """
        whose = record.consumer_id
        return whose is not None and record.by_own_token and await resolve(self._storage, brand_id, whose) != whose

    async def ids(self, brand_id: str, consumer_id: str) -> list[str]:
        """Give every id that a consumer had: what they filed before they signed in is theirs."""
        target = await resolve(self._storage, brand_id, consumer_id)
        return [target, *read_state(await self._storage.consumer(brand_id, target)).linked_from]

    def shown(self, caller: Caller, record: Record, now: Micros) -> Shown:
        """Give a request as the wire has it, with what the caller may do and whom the consumer can turn to."""
        recourse = self.recourse(caller.brand_id, record.jurisdiction, record.language, now)
        return show(record, caller, parties_of(caller), now, recourse)

    def recourse(self, brand_id: str, jurisdiction: str | None, language: str, now: Micros) -> Shown:
        """Give whom a consumer can turn to, in one language."""
        return recourse_json(recourse_at(jurisdiction, self._catalogues.of(brand_id).catalogue, now), language)

    def packed(self, brand_id: str, record: Record) -> StoredDocument:
        """Give a request as it is stored."""
        kept = self._catalogues.of(brand_id).catalogue.retention.get("requests")
        marks = self.marks_of(brand_id, record.contact)
        return write_record(record, tuple(marks), KEPT_FOR if kept is None else kept.period)

    def can_pack(self, brand_id: str) -> bool:
        """Tell whether a brand's requests can be stored now: its catalogue says for how long."""
        try:
            self._catalogues.of(brand_id)
        except RefusedError:
            return False
        return True

    def marks_of(self, brand_id: str, contact: Mapping[str, str]) -> list[bytes]:
        """Give the marks of an `email` and a `phone`, the surest first.

        A number has one more, of its last nine digits: one that was written without its country code is found, too.
        """
        marks = []
        if "email" in contact:
            marks.append(self._marks.of(brand_id, "email", scope_of(contact["email"])))
        if "phone" in contact:
            digits = scope_of(contact["phone"])
            marks.append(self._marks.of(brand_id, "phone", digits))
            marks.append(self._marks.of(brand_id, "phone-end", digits[-_TAIL:]))
        return marks


def no_request() -> RefusedError:
    """Make the answer to an id under which there is nothing."""
    return RefusedError(HTTPStatus.NOT_FOUND, Code.NO_REQUEST, "there is no such request; check its id")


def audit_line(record: Record, event: str, by: Mapping[str, str], now: Micros, before: str | None = None) -> bytes:
    """Give the line of the audit about an event: ids and states, nobody's words and no address."""
    line: dict[str, Any] = {"event": event, "request": record.request_id, "kind": record.kind.value}
    line |= {"from": before, "to": record.state.value, "held_by": record.held_by}
    return dumps({**line, "by": by, "at": format_micros(now)})
