"""The catalogues of every brand: what is in force is kept in memory, and read again when anyone publishes.

One brand's trouble stays its own: a catalogue that this server can't read leaves the last one that it could in force,
and where there is none, that brand alone is unavailable.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from sayso.model.catalogue import Catalogue
from sayso.model.instant import Micros
from sayso.wire import Code
from sayso_server.services.published import Published
from sayso_server.services.refusals import RefusedError
from sayso_server.storage.base import Storage, StoredCatalogue

__all__ = ["Catalogues", "Published"]

_log = logging.getLogger(__name__)

PAST_KEPT = 8
"""Earlier revisions kept ready for `as_of`: reading a large one takes some 50 ms, and keeping it some megabytes."""
_EMPTY = Catalogue(languages=("en",), default_language="en", topics={}, partners={})
_COME_AGAIN_SECONDS = 5


class Revision(NamedTuple):
    """One published revision, without its content."""

    revision: int
    published_at: Micros


class Catalogues:
    """Gives each brand's catalogue; `refresh` follows what any process published."""

    def __init__(self, storage: Storage) -> None:
        """Start empty; call `refresh` before use."""
        self._storage = storage
        self._in_force: dict[str, Published] = {}
        self._revisions: dict[str, Sequence[Revision]] = {}
        self._past: OrderedDict[tuple[str, int], Published] = OrderedDict()
        self._unreadable: set[tuple[str, int]] = set()

    def of(self, brand_id: str) -> Published:
        """Give a brand's catalogue; one without topics while nothing is published.

        Raises:
            RefusedError: 503; there is one, but this server can't read it and has none from before.
        """
        published = self._in_force.get(brand_id)
        if published is None:
            if brand_id in self._revisions:
                raise _unreadable()
            published = self._in_force[brand_id] = Published(0, _EMPTY, brand_id)
        return published

    def newest(self, brand_id: str) -> Published:
        """Give a brand's catalogue for publishing the next one after it.

        Raises:
            RefusedError: 503; this server can't read the newest one, so it can't tell what would change.
        """
        published = self.of(brand_id)
        if published.revision < self.newest_revision(brand_id):
            raise _unreadable()
        return published

    def newest_revision(self, brand_id: str) -> int:
        """Give the number of the newest revision, readable or not; 0 while nothing is published."""
        revisions = self._revisions.get(brand_id)
        return revisions[-1].revision if revisions else 0

    def in_force(self, brand_id: str) -> int:
        """Give the number of the revision that `of` gives; 0 while there is none, or none that can be read."""
        published = self._in_force.get(brand_id)
        return published.revision if published is not None else 0

    async def at(self, brand_id: str, moment: Micros) -> Published:
        """Give the catalogue that was in force at a moment.

        Raises:
            RefusedError: 503; this server can't read it.
        """
        # Newest first: should the clock have been set back between two, the later revision is the one in force.
        revisions = reversed(self._revisions.get(brand_id, ()))
        revision = next((each.revision for each in revisions if each.published_at <= moment), None)
        if revision is None:
            return Published(0, _EMPTY, brand_id)
        current = self._in_force.get(brand_id)
        if current is not None and current.revision == revision:
            return current
        key = (brand_id, revision)
        past = self._past.get(key)
        if past is None:
            past = await self._read(brand_id, revision)
            if past is None:
                raise _unreadable()
            self._past[key] = past
        self._past.move_to_end(key)
        while len(self._past) > PAST_KEPT:
            self._past.popitem(last=False)
        return past

    def take(self, published: Published) -> None:
        """Put in force what this process has just published as the next revision; nothing has to be read again."""
        brand_id = published.brand_id
        if published.revision == self.newest_revision(brand_id) + 1:
            made = Revision(published.revision, published.published_at)
            self._revisions[brand_id] = [*self._revisions.get(brand_id, ()), made]
            self._in_force[brand_id] = published

    async def refresh(self) -> None:
        """Read again whatever has a newer revision."""
        found: dict[str, list[Revision]] = {}
        for brand_id, revision, published_at in await self._storage.revisions():
            found.setdefault(brand_id, []).append(Revision(revision, published_at))
        for brand_id, revisions in found.items():
            revision = revisions[-1].revision
            if revision <= self.newest_revision(brand_id):
                continue
            published = await self._read(brand_id, revision)
            # Somebody else may have read a still newer one meanwhile.
            if revision <= self.newest_revision(brand_id):
                continue
            self._revisions[brand_id] = revisions
            if published is not None:
                self._in_force[brand_id] = published
            elif not self.in_force(brand_id):
                self._in_force.pop(brand_id, None)

    async def _read(self, brand_id: str, revision: int) -> Published | None:
        """Read one revision; None if this server can't."""
        if (brand_id, revision) in self._unreadable:
            return None
        (stored,) = await self._storage.catalogues(brand_id, revision=revision)
        try:
            # A large one takes tens of milliseconds, in which others are to be answered.
            catalogue = await asyncio.to_thread(_parse, stored)
        except (ValueError, RecursionError) as error:
            self._unreadable.add((brand_id, revision))
            in_force = self.in_force(brand_id)
            _log.error(
                "the catalogue of brand %s, revision %d, can't be read (%s): %s; a newer server may have written it",
                brand_id,
                revision,
                type(error).__name__,  # its own text quotes the catalogue
                f"revision {in_force} stays in force" if in_force else "the brand is unavailable",
            )
            return None
        return Published(revision, catalogue, brand_id, stored.published_at, stored.body)


def _parse(stored: StoredCatalogue) -> Catalogue:
    return Catalogue.from_json(stored.body)


def _unreadable() -> RefusedError:
    return RefusedError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        Code.UNAVAILABLE,
        "this brand's catalogue can't be read now; its operator finds why in the log",
        retry_after=_COME_AGAIN_SECONDS,
    )
