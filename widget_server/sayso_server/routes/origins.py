"""Which pages each brand registered."""

from sayso_server.storage.base import Storage


class Origins:
    """Registered origins by brand; `refresh` follows what any process changed."""

    def __init__(self, storage: Storage) -> None:
        """Start empty; call `refresh` before use."""
        self._storage = storage
        self._by_brand: dict[str, frozenset[str]] = {}
        self._all: frozenset[str] = frozenset()

    def of(self, brand_id: str) -> frozenset[str]:
        """Give a brand's origins."""
        return self._by_brand.get(brand_id, frozenset())

    def is_known(self, origin: str) -> bool:
        """Tell whether any brand registered an origin; a preflight carries no token, so no brand either."""
        return origin in self._all

    async def refresh(self) -> None:
        """Read them again."""
        by_brand: dict[str, set[str]] = {}
        for brand_id, origin in await self._storage.origins():
            by_brand.setdefault(brand_id, set()).add(origin)
        self._by_brand = {brand_id: frozenset(origins) for brand_id, origins in by_brand.items()}
        self._all = frozenset().union(*self._by_brand.values())
