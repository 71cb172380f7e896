"""Requests that expire: who was asked to show who they are, and never did."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from sayso.model.instant import Micros
from sayso.model.request import RequestState
from sayso_server.services.request_record import REQUEST, expiry_of, key_of, read_record
from sayso_server.services.request_store import RequestStore, audit_line
from sayso_server.storage.base import DocumentKey, DocumentWrites, Storage, StoredDocument

_PAGE = 100


async def expire_unverified(storage: Storage, store: RequestStore, now: Micros) -> int:
    """Close the requests of all brands that nobody has verified in time; give how many."""
    closed = 0
    for brand in await storage.brands():
        if not store.can_pack(brand.brand_id):
            continue  # its catalogue can't be read now; what has expired counts as expired all the same
        after: tuple[Micros, str] | None = None
        while True:
            page = await storage.documents(
                brand.brand_id, REQUEST, states=[RequestState.AWAITING_VERIFICATION.value], after=after, limit=_PAGE
            )
            for stored in page:
                if read_record(stored).now_in(now) is RequestState.EXPIRED:
                    key = key_of(stored.document_id)
                    plan = partial(_expire, store, brand.brand_id, key, now)
                    closed += await storage.change_documents(brand.brand_id, [key], plan)
            if len(page) < _PAGE:
                break
            after = page[-1].due_at, page[-1].document_id
    return closed


def _expire(
    store: RequestStore,
    brand_id: str,
    key: DocumentKey,
    now: Micros,
    found: Mapping[DocumentKey, StoredDocument],
    _: Micros,
) -> tuple[DocumentWrites, int]:
    stored = found.get(key)
    record = None if stored is None else read_record(stored)
    # Somebody may have answered, or gone, since it was looked at.
    if record is None or record.state is not RequestState.AWAITING_VERIFICATION or record.now_in(now) is record.state:
        return DocumentWrites(), 0
    event: dict[str, Any] = expiry_of(record)
    record.events.append(event)
    record.state, record.closed_at = RequestState.EXPIRED, event["at"]
    line = audit_line(record, "request.expire", event["by"], now, event["from"])
    return DocumentWrites(put=(store.packed(brand_id, record),), audit=(line,)), 1
