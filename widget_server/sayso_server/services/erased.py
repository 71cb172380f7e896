"""Who was erased: asked only about those who aren't known, and only in brands that have erased anybody."""

from http import HTTPStatus

from sayso.model.instant import Micros
from sayso.wire import Code
from sayso_server.services.marks import Marks
from sayso_server.services.refusals import RefusedError
from sayso_server.storage.base import Storage, StoredTombstone


class Erased:
    """Looks up tombstones."""

    def __init__(self, storage: Storage, marks: Marks) -> None:
        """Take what it works with."""
        self._storage = storage
        self._marks = marks

    async def tombstone(self, brand_id: str, consumer_id: str) -> StoredTombstone | None:
        """Give what stays of somebody erased; None for everybody else. They may have come back since."""
        if not await self._storage.last_erasure(brand_id):
            return None
        return await self._storage.tombstone(brand_id, self._marks.erased(brand_id, consumer_id))

    async def check_token(self, brand_id: str, consumer_id: str, issued_at: Micros) -> None:
        """Refuse a consumer's token that was signed before they were erased.

        Raises:
            RefusedError: 410 `erased`.
        """
        # Tokens last minutes: nobody is looked up unless somebody was erased in these.
        if issued_at >= await self._storage.last_erasure(brand_id):
            return
        tombstone = await self.tombstone(brand_id, consumer_id)
        if tombstone is not None and issued_at < tombstone.erased_at:
            message = "this token is from before the consumer was erased; ask the brand for a new one"
            raise RefusedError(HTTPStatus.GONE, Code.ERASED, message)
