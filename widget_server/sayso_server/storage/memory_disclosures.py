"""Disclosures in dictionaries."""

import secrets
from collections.abc import Collection, Sequence

from sayso.model.instant import Micros
from sayso_server.storage.base import NOBODY, NewDisclosure, ReusedIdError, StoredDisclosure


class MemoryDisclosures:
    """Every brand's disclosures, by consumer in the order in which they were recorded."""

    def __init__(self) -> None:
        self._newest: dict[str, Micros] = {}
        self._of: dict[tuple[str, str], list[StoredDisclosure]] = {}
        self._fingerprints: dict[tuple[str, str, str], bytes] = {}

    def record(self, brand_id: str, new: Sequence[NewDisclosure], now: Micros) -> list[bool]:
        """Append disclosures, and tell for each whether it was there already.

        Raises:
            ReusedIdError: An id stands for something else; nothing was appended.
        """
        known = [self._fingerprints.get((brand_id, each.consumer_id, each.disclosure_id)) for each in new]
        reused = [place for place, each in enumerate(new) if known[place] not in (None, each.fingerprint)]
        if reused:
            raise ReusedIdError(reused)
        for each, before in zip(new, known, strict=True):
            if before is None:
                at = self._newest[brand_id] = max(now, self._newest.get(brand_id, 0) + 1)
                self._fingerprints[brand_id, each.consumer_id, each.disclosure_id] = each.fingerprint
                kept = self._of.setdefault((brand_id, each.consumer_id), [])
                kept.append(StoredDisclosure(at, each.consumer_id, each.disclosure_id, each.body))
        return [before is not None for before in known]

    def forget(self, brand_id: str, ids: Collection[str]) -> None:
        """Take the name from some consumers' disclosures: those stay, about nobody."""
        nobody = self._of.setdefault((brand_id, NOBODY), [])
        for whose in ids:
            for each in self._of.pop((brand_id, whose), ()):
                fingerprint = self._fingerprints.pop((brand_id, whose, each.disclosure_id))
                new_id = each.disclosure_id
                if (brand_id, NOBODY, new_id) in self._fingerprints:
                    new_id = secrets.token_hex(16)  # two people's had one id
                self._fingerprints[brand_id, NOBODY, new_id] = fingerprint
                nobody.append(each._replace(consumer_id=NOBODY, disclosure_id=new_id))
        nobody.sort(key=lambda each: each.recorded_at)

    def page(
        self, brand_id: str, consumer_ids: Sequence[str], before: Micros | None, limit: int
    ) -> list[StoredDisclosure]:
        """Give up to `limit` disclosures of some consumers recorded before a moment, newest first."""
        kept = [each for whose in consumer_ids for each in self._of.get((brand_id, whose), ())]
        kept.sort(key=lambda each: each.recorded_at, reverse=True)
        return [each for each in kept if before is None or each.recorded_at < before][:limit]

    def consumer_ids(self, brand_id: str, after: str, limit: int) -> list[str]:
        """Give the ids of consumers with disclosures after one, in byte order."""
        return sorted(whose for brand, whose in self._of if brand == brand_id and whose > after)[:limit]
