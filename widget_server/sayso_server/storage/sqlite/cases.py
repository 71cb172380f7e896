"""The part of `SqliteStorage` that is about cases: documents, the audit, and erasure."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sayso.model.instant import Micros
from sayso_server.clock import Clock
from sayso_server.storage import base
from sayso_server.storage.base import (
    DocumentKey,
    DocumentPlan,
    ErasurePlan,
    StoredAudit,
    StoredDocument,
    StoredTombstone,
)
from sayso_server.storage.sqlite import documents, erasing
from sayso_server.storage.sqlite.database import Database
from sayso_server.storage.sqlite.erased_names import ErasedNames
from sayso_server.storage.sqlite.writer import Writer

T = TypeVar("T")
_NEWEST = 2**63 - 1
_BEFORE_ALL: tuple[Micros, str] = (-1, "")


class SqliteCases:
    """Documents, audit and erasure on the database of the class that this is a part of."""

    def __init__(self, clock: Clock, *, accept_loss: bool) -> None:
        """Take what plans get as the storage's time, and whether another key of marks is to be accepted."""
        self._clock = clock
        self._accept_loss = accept_loss
        self._named = ErasedNames(clock)
        self._last: dict[str, Micros] = {}

    if TYPE_CHECKING:  # the class that this is a part of has them

        @property
        def _open(self) -> Database: ...

        @property
        def _writing(self) -> Writer: ...

        def _ring(self, brands: Collection[str]) -> None: ...

        async def config_version(self) -> int: ...  # noqa: D102

    async def change_documents(self, brand_id: str, wanted: Sequence[DocumentKey], plan: DocumentPlan[T]) -> T:
        """Read documents, decide and write in one transaction; return only after it is on disk.

        Raises:
            StorageUnavailableError: Nothing was written.
        """
        work = partial(documents.change, brand_id=brand_id, wanted=wanted, plan=plan, clock=self._clock)
        answer: T = await self._writing.task(work)
        return answer

    async def document(self, brand_id: str, kind: str, document_id: str) -> StoredDocument | None:
        """Give a document, or None."""
        rows = self._open.readers.point(documents.ONE, (brand_id, kind, document_id))
        return documents.stored(rows[0]) if rows else None

    async def documents(
        self,
        brand_id: str,
        kind: str,
        *,
        states: Collection[str] = (),
        consumer_id: str | None = None,
        mark: bytes | None = None,
        after: tuple[Micros, str] | None = None,
        limit: int,
    ) -> list[StoredDocument]:
        """Give up to `limit` documents of a kind by (`due_at`, id)."""
        values = [brand_id, kind, *(after or _BEFORE_ALL)]
        values += [value for value in (consumer_id, mark) if value is not None]
        sql = documents.page(len(states), of_consumer=consumer_id is not None, marked=mark is not None)
        rows = await self._open.readers.rows(sql, (*values, *states, limit))
        return [documents.stored(row) for row in rows]

    async def documented_ids(self, brand_id: str, *, after: str, limit: int) -> list[str]:
        """Give the ids of the brand's consumers with documents after one, in byte order."""
        rows = await self._open.readers.rows(documents.CONSUMER_IDS, (brand_id, after, limit))
        return [consumer_id for (consumer_id,) in rows]

    async def delete_expired(self, now: Micros, limit: int) -> int:
        """Remove up to `limit` documents of all brands whose `expires_at` has come; give how many."""
        gone: int = await self._writing.task(partial(documents.delete_expired, now=now, limit=limit))
        return gone

    async def add_audit(self, brand_id: str, lines: Sequence[bytes]) -> None:
        """Append lines to a brand's audit; return only after they are on disk."""
        await self._writing.task(
            lambda cursor: documents.add_audit(cursor, brand_id, lines, self._clock.now()),
        )

    async def audit(self, brand_id: str, *, before: Micros | None, limit: int) -> list[StoredAudit]:
        """Give up to `limit` lines recorded before a moment, newest first."""
        below = _NEWEST if before is None else before
        rows = await self._open.readers.rows(documents.AUDIT, (brand_id, below, limit))
        return [documents.audit_line(row) for row in rows]

    async def erase(
        self, brand_id: str, ids: Mapping[str, bytes], plan: ErasurePlan[T], *, consumer_id: str | None = None
    ) -> T:
        """Remove every trace of some ids of one person, in one transaction; return only after it is on disk.

        Raises:
            StorageUnavailableError: Nothing was written.
        """
        noted: list[int] = []

        def named(position: int, erased: Mapping[str, StoredTombstone]) -> None:
            # On the writer's thread and before the commit, so that whoever reads of it afterwards finds the name.
            if consumer_id is not None:
                noted.append(position)
                self._named.note(brand_id, position, erased)

        work = partial(erasing.erase, brand_id=brand_id, ids=ids, plan=plan, clock=self._clock, named=named)
        try:
            answer: T = await self._writing.erasure(work)
        except Exception:
            for position in noted:
                self._named.take_back(brand_id, position)
            raise
        asyncio.get_running_loop().call_later(base.ERASED_NAMED_FOR.total_seconds() + 1, self._named.forget)
        self._last.clear()
        self._ring((brand_id,))
        return answer

    async def tombstone(self, brand_id: str, mark: bytes) -> StoredTombstone | None:
        """Give what stays of somebody erased; None for everybody else."""
        rows = self._open.readers.point(erasing.ONE, (brand_id, mark))
        return erasing.stored(rows[0]) if rows else None

    async def tombstones(self, brand_id: str, *, after: bytes, limit: int) -> list[StoredTombstone]:
        """Give the brand's tombstones after a mark, by mark."""
        rows = await self._open.readers.rows(erasing.PAGE, (brand_id, after, limit))
        return [erasing.stored(row) for row in rows]

    async def mark_check(self) -> bytes | None:
        """Give the check value of the key that marks are made with; None before the first, and to accept its loss."""
        check: bytes | None = self._open.readers.point(erasing.MARK_CHECK, ())[0][0]
        return None if self._accept_loss else check

    async def keep_mark_check(self, check: bytes) -> None:
        """Keep that value in place of the one before."""
        await self._writing.task(lambda cursor: erasing.keep_mark_check(cursor, check))

    async def last_erasure(self, brand_id: str) -> Micros:
        """Give when anybody of the brand was erased last; 0 for never.

        It is read once, and again only after an erasure, which `config_version` notices.
        """
        await self.config_version()
        last = self._last.get(brand_id)
        if last is None:
            last = self._last[brand_id] = self._open.readers.point(erasing.LAST, (brand_id,))[0][0]
        return last

    def _somebody_was_erased(self) -> None:
        """By this process or another; the other's names and pages of the write-ahead log are to go too."""
        self._last.clear()
        self._writing.truncate_soon()
