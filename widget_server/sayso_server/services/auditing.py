"""The audit: who did what with cases, links and people's records. No line names a consumer."""

from typing import Any

from sayso.model.instant import Micros, format_micros
from sayso.wire import PAGE_SIZE
from sayso_server.jsonio import loads
from sayso_server.storage.base import Storage


class Auditing:
    """Gives a brand's audit."""

    def __init__(self, storage: Storage) -> None:
        """Take what it works with."""
        self._storage = storage

    async def page(self, brand_id: str, *, before: Micros | None = None) -> tuple[list[dict[str, Any]], Micros | None]:
        """Give a page of lines, newest first, and where to go on, or None at the end."""
        found = await self._storage.audit(brand_id, before=before, limit=PAGE_SIZE + 1)
        page = [{**loads(line.body), "recorded_at": format_micros(line.recorded_at)} for line in found[:PAGE_SIZE]]
        return page, found[PAGE_SIZE - 1].recorded_at if len(found) > PAGE_SIZE else None
