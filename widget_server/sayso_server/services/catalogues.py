"""The catalogues of every brand, kept in memory and read again when anyone publishes."""

from bisect import bisect_right
from dataclasses import dataclass

from sayso.model.catalogue import Catalogue
from sayso.model.instant import Micros
from sayso_server.storage.base import Storage, StoredCatalogue


@dataclass(frozen=True)
class Published:
    """A brand's catalogue: the current revision and what came before.

    Attributes:
        revision: The current revision; 0 while nothing is published.
        catalogue: The current catalogue; one without topics while nothing is published.
        history: Every revision, oldest first.
    """

    revision: int
    catalogue: Catalogue
    history: tuple[StoredCatalogue, ...] = ()

    def at(self, moment: Micros) -> tuple[int, Catalogue]:
        """Give the revision that was in force at a moment."""
        place = bisect_right([stored.published_at for stored in self.history], moment)
        if place == len(self.history):
            return self.revision, self.catalogue
        if place == 0:
            return 0, EMPTY
        stored = self.history[place - 1]
        return stored.revision, Catalogue.from_json(stored.body)


EMPTY = Catalogue(languages=("en",), default_language="en", topics={}, partners={})
NOTHING_PUBLISHED = Published(0, EMPTY)


class Catalogues:
    """Gives each brand's catalogue; `refresh` follows what any process published."""

    def __init__(self, storage: Storage) -> None:
        """Start empty; call `refresh` before use."""
        self._storage = storage
        self._by_brand: dict[str, Published] = {}

    def of(self, brand_id: str) -> Published:
        """Give a brand's catalogue."""
        return self._by_brand.get(brand_id, NOTHING_PUBLISHED)

    async def refresh(self) -> None:
        """Read again whatever has a newer revision."""
        for brand in await self._storage.brands():
            history = await self._storage.catalogues(brand.brand_id)
            if history and history[-1].revision > self.of(brand.brand_id).revision:
                newest = history[-1]
                self._by_brand[brand.brand_id] = Published(
                    newest.revision, Catalogue.from_json(newest.body), tuple(history)
                )
