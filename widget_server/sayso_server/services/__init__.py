"""What the server can do. No aiohttp here: routes translate, services decide."""

from dataclasses import dataclass
from typing import Protocol

from sayso_server.clock import Clock
from sayso_server.services.age_doubts import AgeDoubts
from sayso_server.services.auditing import Auditing
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.consumer_links import ConsumerLinks
from sayso_server.services.disclosures import Disclosures
from sayso_server.services.drp import DataRights
from sayso_server.services.drp_agents import Agents
from sayso_server.services.erased import Erased
from sayso_server.services.erasure import Erasing
from sayso_server.services.feed import Feed
from sayso_server.services.guardian_answering import GuardianAnswering
from sayso_server.services.guardian_asking import GuardianAsking
from sayso_server.services.linking import Linking
from sayso_server.services.marks import MarkKey, Marks
from sayso_server.services.notices import Notices
from sayso_server.services.publishing import Publishing
from sayso_server.services.re_erasing import Journal
from sayso_server.services.reading import Reading
from sayso_server.services.recording import Recording
from sayso_server.services.reporting import Reporting
from sayso_server.services.requests import Requests
from sayso_server.services.rights_page import RightsPage
from sayso_server.services.signals import Signals
from sayso_server.services.staff import Staff
from sayso_server.services.staff_roll import StaffRoll
from sayso_server.storage.base import Storage


class Beside(MarkKey, Protocol):
    """What is kept outside the database, so that a copy of it says less and a restored one is put right."""

    def erasure_journal(self) -> Journal | None:
        """Give where erasures are noted; None for nowhere."""
        ...


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
    notices: Notices
    disclosures: Disclosures
    feed: Feed
    marks: Marks
    signals: Signals
    consumer_links: ConsumerLinks
    erased: Erased
    erasing: Erasing
    auditing: Auditing
    journal: Journal | None
    requests: Requests
    guardian_asking: GuardianAsking
    guardian_answering: GuardianAnswering
    age_doubts: AgeDoubts
    agents: Agents
    data_rights: DataRights
    staff: Staff
    staff_roll: StaffRoll
    rights_page: RightsPage


def make_services(storage: Storage, clock: Clock, beside: Beside | None = None) -> Services:
    """Put the services together.

    Args:
        storage: The database.
        clock: The time.
        beside: What is kept outside the database. Without it marks last as long as the services: for tests and trials.
    """
    journal = beside.erasure_journal() if beside is not None else None
    marks = Marks(beside, seals=journal is not None)
    catalogues = Catalogues(storage)
    disclosures = Disclosures(storage, clock, marks)
    erased = Erased(storage, marks)
    reading = Reading(storage, catalogues, disclosures, erased, clock)
    recording, reporting = Recording(storage, catalogues, clock, marks), Reporting(storage, clock, marks)
    erasing = Erasing(storage, catalogues, reading, marks, journal)
    requests = Requests(
        storage,
        catalogues,
        recording=recording,
        reporting=reporting,
        reading=reading,
        erasing=erasing,
        marks=marks,
        clock=clock,
    )
    agents = Agents(storage)
    return Services(
        storage=storage,
        catalogues=catalogues,
        recording=recording,
        reporting=reporting,
        linking=Linking(storage, catalogues, marks),
        reading=reading,
        publishing=Publishing(storage, catalogues, clock),
        notices=Notices(storage, catalogues),
        disclosures=disclosures,
        feed=Feed(storage, clock),
        marks=marks,
        signals=Signals(storage, reporting),
        consumer_links=ConsumerLinks(storage, catalogues, recording, clock),
        erased=erased,
        erasing=erasing,
        auditing=Auditing(storage),
        journal=journal,
        requests=requests,
        guardian_asking=GuardianAsking(storage, catalogues, marks, clock),
        guardian_answering=GuardianAnswering(storage, catalogues, recording, requests, clock),
        age_doubts=AgeDoubts(storage, catalogues, reporting, erasing, clock),
        agents=agents,
        data_rights=DataRights(storage, requests, agents, clock),
        staff=Staff(storage, clock),
        staff_roll=StaffRoll(storage),
        rights_page=RightsPage(storage, catalogues, requests, clock),
    )
