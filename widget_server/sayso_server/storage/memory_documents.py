"""Documents, audit and tombstones in dictionaries."""

from collections.abc import Collection, Mapping, Sequence

from sayso.model.instant import Micros
from sayso_server.storage.base import DocumentKey, StoredAudit, StoredDocument, StoredTombstone


class MemoryDocuments:
    """Every brand's documents."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, DocumentKey], StoredDocument] = {}

    def get(self, brand_id: str, key: DocumentKey) -> StoredDocument | None:
        """Give a document, or None."""
        return self._kept.get((brand_id, key))

    def put(self, brand_id: str, documents: Sequence[StoredDocument]) -> None:
        """Add or replace documents."""
        for document in documents:
            self._kept[brand_id, DocumentKey(document.kind, document.document_id)] = document

    def delete(self, brand_id: str, keys: Sequence[DocumentKey]) -> None:
        """Remove documents, if they are there."""
        for key in keys:
            self._kept.pop((brand_id, key), None)

    def of_consumers(self, brand_id: str, ids: Collection[str]) -> list[StoredDocument]:
        """Give every document about one of some consumers, by kind and id."""
        return sorted(each for (brand, _), each in self._kept.items() if brand == brand_id and each.consumer_id in ids)

    def consumer_ids(self, brand_id: str, after: str, limit: int) -> list[str]:
        """Give the ids of consumers with documents after one, in byte order."""
        ids = {each.consumer_id for (brand, _), each in self._kept.items() if brand == brand_id}
        return sorted(whose for whose in ids if whose is not None and whose > after)[:limit]

    def page(
        self,
        brand_id: str,
        kind: str,
        *,
        states: Collection[str],
        consumer_id: str | None,
        mark: bytes | None,
        after: tuple[Micros, str] | None,
        limit: int,
    ) -> list[StoredDocument]:
        """Give up to `limit` documents of a kind by (`due_at`, id)."""
        found = [
            each
            for (brand, _), each in self._kept.items()
            if (brand, each.kind) == (brand_id, kind)
            and (not states or each.state in states)
            and consumer_id in (None, each.consumer_id)
            and (mark is None or mark in each.marks)
            and (after is None or (each.due_at, each.document_id) > after)
        ]
        return sorted(found, key=lambda each: (each.due_at, each.document_id))[:limit]

    def delete_expired(self, now: Micros, limit: int) -> int:
        """Remove up to `limit` documents whose time has come; give how many."""
        gone = [at for at, each in self._kept.items() if each.expires_at is not None and each.expires_at <= now][:limit]
        for at in gone:
            del self._kept[at]
        return len(gone)


class MemoryAudit:
    """Every brand's audit."""

    def __init__(self) -> None:
        self._of: dict[str, list[StoredAudit]] = {}

    def add(self, brand_id: str, lines: Sequence[bytes], now: Micros) -> None:
        """Append lines, each at a time of its own."""
        kept = self._of.setdefault(brand_id, [])
        for line in lines:
            kept.append(StoredAudit(max(now, kept[-1].recorded_at + 1) if kept else now, line))

    def page(self, brand_id: str, before: Micros | None, limit: int) -> list[StoredAudit]:
        """Give up to `limit` lines recorded before a moment, newest first."""
        kept = self._of.get(brand_id, [])
        return [each for each in reversed(kept) if before is None or each.recorded_at < before][:limit]


class MemoryTombstones:
    """What stays of every brand's erased consumers."""

    def __init__(self) -> None:
        self._of: dict[str, dict[bytes, StoredTombstone]] = {}
        self._last: dict[str, Micros] = {}

    def put(self, brand_id: str, tombstones: Mapping[str, StoredTombstone]) -> None:
        """Add tombstones, each in place of an earlier one of its mark."""
        kept = self._of.setdefault(brand_id, {})
        for each in tombstones.values():
            kept[each.mark] = each
            self._last[brand_id] = max(self._last.get(brand_id, 0), each.erased_at)

    def get(self, brand_id: str, mark: bytes) -> StoredTombstone | None:
        """Give a tombstone, or None."""
        return self._of.get(brand_id, {}).get(mark)

    def has_any(self, brand_id: str) -> bool:
        """Tell whether anybody of the brand was erased."""
        return brand_id in self._of

    def last(self, brand_id: str) -> Micros:
        """Give when anybody was erased last; 0 for never."""
        return self._last.get(brand_id, 0)

    def page(self, brand_id: str, after: bytes, limit: int) -> list[StoredTombstone]:
        """Give up to `limit` tombstones after a mark, by mark."""
        return sorted(each for mark, each in self._of.get(brand_id, {}).items() if mark > after)[:limit]
