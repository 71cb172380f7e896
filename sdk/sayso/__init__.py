"""Sayso keeps a consumer's say-so: record choices once, ask "may I?" anywhere, explain the answer.

::

    import sayso

    async with sayso.Client.from_env() as privacy:
        ann = privacy.consumer("cust-42")
        await ann.grant("purpose:marketing", shown="en", method="chat")
        if await ann.allows("purpose:marketing"):
            ...

Everything a brand's code needs is here, flat. Nothing is imported before it is used: rules and snapshots don't pay for
aiohttp.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sayso.catalogue import read_catalogue
    from sayso.client.check import Check
    from sayso.client.choice import Choice
    from sayso.client.client import Client
    from sayso.client.consumer import Consumer
    from sayso.client.decision import Decision
    from sayso.client.disclosures import PastDisclosure
    from sayso.client.erasing import Erased
    from sayso.client.guard import Outgoing
    from sayso.client.guardians import AgeHold, GuardianLink
    from sayso.client.history import PastChoice
    from sayso.client.inbound_sms import InboundSms, SmsQuestion
    from sayso.client.may_ask import MayAsk
    from sayso.client.minors import GuardianRequest
    from sayso.client.noticing import ShownNotice
    from sayso.client.recorded import Recorded
    from sayso.client.reported import (
        AgeReported,
        CataloguePublished,
        DeviceReported,
        Linked,
        LinkedChoice,
        Published,
        SignalReported,
        UnknownState,
    )
    from sayso.client.rights import RightsRequest
    from sayso.client.snapshot import Preferences
    from sayso.client.sync import SyncClient, SyncConsumer
    from sayso.errors import (
        CatalogueError,
        CatalogueProblem,
        ConfigurationError,
        ConflictError,
        ErasedError,
        Error,
        ForbiddenError,
        InvalidError,
        NotAllowedError,
        NotAuthenticatedError,
        NotFoundError,
        OutboxFullError,
        Problem,
        RateLimitedError,
        UnavailableError,
    )
    from sayso.local.outbox.notices import Loss, Parked
    from sayso.local.status import Status
    from sayso.model.age import AgeSource
    from sayso.model.catalogue import Catalogue
    from sayso.model.choice import Actor, Answer, Detail, Evidence, Method, Notice, Precision
    from sayso.model.decision import Reason
    from sayso.model.device import DeviceState
    from sayso.model.disclosure import GuardAnswer
    from sayso.model.guardian import ContactFrom, DoubtReason
    from sayso.model.ids import new_anonymous_id, new_choice_id, pseudonym
    from sayso.model.signal import SignalName, SignalSource
    from sayso.model.topic import Flow, LegalBasis
    from sayso.rules.location import Coordinates, coarsen
    from sayso.rules.sms import SmsAnswer

_HOMES = {
    "sayso.catalogue": ("read_catalogue",),
    "sayso.client.check": ("Check",),
    "sayso.client.choice": ("Choice",),
    "sayso.client.client": ("Client",),
    "sayso.client.consumer": ("Consumer",),
    "sayso.client.decision": ("Decision",),
    "sayso.client.inbound_sms": ("InboundSms", "SmsQuestion"),
    "sayso.client.disclosures": ("PastDisclosure",),
    "sayso.client.erasing": ("Erased",),
    "sayso.client.guard": ("Outgoing",),
    "sayso.client.guardians": ("AgeHold", "GuardianLink"),
    "sayso.client.history": ("PastChoice",),
    "sayso.client.may_ask": ("MayAsk",),
    "sayso.client.minors": ("GuardianRequest",),
    "sayso.client.noticing": ("ShownNotice",),
    "sayso.client.recorded": ("Recorded",),
    "sayso.client.reported": (
        "AgeReported",
        "CataloguePublished",
        "DeviceReported",
        "Linked",
        "LinkedChoice",
        "Published",
        "SignalReported",
        "UnknownState",
    ),
    "sayso.client.rights": ("RightsRequest",),
    "sayso.client.snapshot": ("Preferences",),
    "sayso.client.sync": ("SyncClient", "SyncConsumer"),
    "sayso.errors": (
        "CatalogueError",
        "CatalogueProblem",
        "ConfigurationError",
        "ConflictError",
        "ErasedError",
        "Error",
        "ForbiddenError",
        "InvalidError",
        "NotAllowedError",
        "NotAuthenticatedError",
        "NotFoundError",
        "OutboxFullError",
        "Problem",
        "RateLimitedError",
        "UnavailableError",
    ),
    "sayso.local.outbox.notices": ("Loss", "Parked"),
    "sayso.local.status": ("Status",),
    "sayso.model.age": ("AgeSource",),
    "sayso.model.catalogue": ("Catalogue",),
    "sayso.model.choice": ("Actor", "Answer", "Detail", "Evidence", "Method", "Notice", "Precision"),
    "sayso.model.decision": ("Reason",),
    "sayso.model.device": ("DeviceState",),
    "sayso.model.disclosure": ("GuardAnswer",),
    "sayso.model.guardian": ("ContactFrom", "DoubtReason"),
    "sayso.model.ids": ("new_anonymous_id", "new_choice_id", "pseudonym"),
    "sayso.model.signal": ("SignalName", "SignalSource"),
    "sayso.model.topic": ("Flow", "LegalBasis"),
    "sayso.rules.location": ("Coordinates", "coarsen"),
    "sayso.rules.sms": ("SmsAnswer",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__version__ = "0.1.0"
__all__ = [  # written out: type checkers and linters read it, a computed one they can't
    "Actor",
    "AgeHold",
    "AgeReported",
    "AgeSource",
    "Answer",
    "Catalogue",
    "CatalogueError",
    "CatalogueProblem",
    "CataloguePublished",
    "Check",
    "Choice",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "Consumer",
    "ContactFrom",
    "Coordinates",
    "Decision",
    "Detail",
    "DeviceReported",
    "DeviceState",
    "DoubtReason",
    "Erased",
    "ErasedError",
    "Error",
    "Evidence",
    "Flow",
    "ForbiddenError",
    "GuardAnswer",
    "GuardianLink",
    "GuardianRequest",
    "InboundSms",
    "InvalidError",
    "LegalBasis",
    "Linked",
    "LinkedChoice",
    "Loss",
    "MayAsk",
    "Method",
    "NotAllowedError",
    "NotAuthenticatedError",
    "NotFoundError",
    "Notice",
    "OutboxFullError",
    "Outgoing",
    "Parked",
    "PastChoice",
    "PastDisclosure",
    "Precision",
    "Preferences",
    "Problem",
    "Published",
    "RateLimitedError",
    "Reason",
    "Recorded",
    "RightsRequest",
    "ShownNotice",
    "SignalName",
    "SignalReported",
    "SignalSource",
    "SmsAnswer",
    "SmsQuestion",
    "Status",
    "SyncClient",
    "SyncConsumer",
    "UnavailableError",
    "UnknownState",
    "coarsen",
    "new_anonymous_id",
    "new_choice_id",
    "pseudonym",
    "read_catalogue",
]


if not TYPE_CHECKING:  # a checker that saw this would take any misspelt name for granted

    def __getattr__(name: str) -> Any:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module 'sayso' has no attribute {name!r}")
        value = getattr(import_module(home), name)
        globals()[name] = value  # from now on without this function
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
