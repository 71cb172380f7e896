"""What the page `/rights` needs to know: whom one can ask, and what comes of it."""

from typing import Any, NamedTuple

from sayso.model.contacts import Contact
from sayso.model.deadline import RequestKind
from sayso.model.request import NewRequest
from sayso.rules.deadlines import Due
from sayso.rules.requests import EFFECTIVE_AT_ONCE
from sayso_server.clock import Clock
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.request_filing import dates_of
from sayso_server.services.requests import Requests
from sayso_server.storage.base import Storage

_LINK = "rights"


class Prospect(NamedTuple):
    """What comes of a request that is not filed yet.

    Attributes:
        due: Its dates.
        verification: Whether its answer may wait for proof of who asks.
        recourse: Whom the person can turn to, as the wire has it.
        contact: The brand's own office.
    """

    due: Due
    verification: bool
    recourse: dict[str, Any]
    contact: Contact | None


class RightsPage:
    """Answers people without an account."""

    def __init__(self, storage: Storage, catalogues: Catalogues, requests: Requests, clock: Clock) -> None:
        """Take what it works with."""
        self._storage = storage
        self._catalogues = catalogues
        self._requests = requests
        self._clock = clock

    async def brands(self) -> list[tuple[str, str]]:
        """Give id and name of every brand that has published a catalogue, by name."""
        known = [(brand.brand_id, brand.name) for brand in await self._storage.brands()]
        return sorted(
            (one for one in known if self._catalogues.newest_revision(one[0])), key=lambda one: one[1].lower()
        )

    async def offices(self) -> list[tuple[str, Contact]]:
        """Give each brand's name and its own office, as far as it says where that is."""
        named = [(name, self._catalogues.of(brand_id).catalogue.contacts) for brand_id, name in await self.brands()]
        return [(name, contacts.controller) for name, contacts in named if contacts.controller is not None]

    def prospect(self, brand_id: str, kind: RequestKind, place: str | None, language: str) -> Prospect:
        """Say what comes of a request that would be filed now."""
        catalogue = self._catalogues.of(brand_id).catalogue
        dates = dates_of(kind, place, self._clock.now(), catalogue)
        return Prospect(
            due=dates,
            verification=dates.verification and kind not in EFFECTIVE_AT_ONCE,
            recourse=self._requests.recourse(brand_id, place, language),
            contact=catalogue.contacts.controller,
        )

    async def file(self, brand_id: str, new: NewRequest) -> dict[str, Any]:
        """File a request of somebody who is not known yet.

        Raises:
            RefusedError: As `Requests.file`.
        """
        return await self._requests.file(Caller.by_link(brand_id, _LINK), new)
