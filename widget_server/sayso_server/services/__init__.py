"""What the server can do. No aiohttp here: routes translate, services decide."""

from dataclasses import dataclass

from sayso_server.clock import Clock
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.disclosures import Disclosures
from sayso_server.services.feed import Feed
from sayso_server.services.linking import Linking
from sayso_server.services.publishing import Publishing
from sayso_server.services.reading import Reading
from sayso_server.services.recording import Recording
from sayso_server.services.reporting import Reporting
from sayso_server.storage.base import Storage


@dataclass(frozen=True, slots=True)
class Services:
    """Every service over one storage."""

    storage: Storage
    catalogues: Catalogues
    recording: Recording
    reporting: Reporting
    linking: Linking
    reading: Reading
    publishing: Publishing
    disclosures: Disclosures
    feed: Feed


def make_services(storage: Storage, clock: Clock) -> Services:
    """Put the services together."""
    catalogues = Catalogues(storage)
    disclosures = Disclosures(storage, clock)
    return Services(
        storage=storage,
        catalogues=catalogues,
        recording=Recording(storage, catalogues, clock),
        reporting=Reporting(storage, clock),
        linking=Linking(storage, catalogues),
        reading=Reading(storage, catalogues, disclosures, clock),
        publishing=Publishing(storage, catalogues, clock),
        disclosures=disclosures,
        feed=Feed(storage, clock),
    )
