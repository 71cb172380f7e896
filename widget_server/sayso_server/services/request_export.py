"""A consumer's rights requests as an export has them."""

from collections.abc import Iterable
from typing import Any

from sayso.model.instant import Micros
from sayso.wire import PAGE_SIZE, TokenClass
from sayso_server.services.caller import Caller
from sayso_server.services.request_record import REQUEST, read_record, show
from sayso_server.storage.base import Storage

_OF_THE_MOMENT = frozenset({"recourse", "legal", "days_left"})


async def held_requests(storage: Storage, brand_id: str, ids: Iterable[str], now: Micros) -> list[dict[str, Any]]:
    """Give every request of some ids, by when it was due: what is held, and nothing that follows from the moment."""
    reader = Caller(brand_id, "export", TokenClass.BACKEND)
    held: list[dict[str, Any]] = []
    for consumer_id in ids:
        after: tuple[Micros, str] | None = None
        while page := await storage.documents(brand_id, REQUEST, consumer_id=consumer_id, after=after, limit=PAGE_SIZE):
            after = page[-1].due_at, page[-1].document_id
            for stored in page:
                shown = show(read_record(stored), reader, frozenset(), now, {})
                held.append({name: value for name, value in shown.items() if name not in _OF_THE_MOMENT})
    return held
