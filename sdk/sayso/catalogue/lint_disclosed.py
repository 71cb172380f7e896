"""Whether everything is in that a notice has to disclose (GDPR Art. 13 and 14)."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from sayso.catalogue.finding import Finding, dotted, error, no_topic, table_of, warning
from sayso.model.catalogue import Catalogue
from sayso.model.retention import OWN_RECORDS
from sayso.model.topic import LegalBasis, TopicKind
from sayso.model.transfer import Transfer, TransferBasis


def retention(catalogue: Catalogue) -> Iterator[Finding]:
    """Find data classes without a retention period, and periods for nothing."""
    used: set[str] = set()
    tables = [
        *((table_of(topic), topic.data_classes) for topic in catalogue.topics.values() if not topic.retired),
        *((dotted("sources", name), source.data_classes) for name, source in catalogue.sources.items()),
    ]
    for table, classes in tables:
        used.update(classes)
        for name in classes:
            if name not in catalogue.retention:
                remedy = f"add [{dotted('retention', name)}] with period, start and ground"
                yield error(table, "data_classes", f"nothing says how long {name!r} is kept; {remedy}")
    for name in catalogue.retention:
        if name not in used and name not in OWN_RECORDS:
            yield warning(dotted("retention", name), "", "is used by no topic and no source")


def sources(catalogue: Catalogue) -> Iterator[Finding]:
    """Find sources and cookies that nobody decides about, and lists passed off as consent."""
    for name, source in catalogue.sources.items():
        table = dotted("sources", name)
        if not source.topics:
            yield error(table, "topics", "is empty; name the topics that decide about this source")
        for key in source.topics:
            topic = catalogue.topic(key)
            if topic is None:
                yield error(table, "topics", no_topic(catalogue, key))
            elif source.never_consent and topic.basis is LegalBasis.CONSENT:
                yield error(
                    table,
                    "topics",
                    f"{key!r} rests on consent, which this source is not; use an opt-out",
                )
    for name, cookie in catalogue.cookies.items():
        topic = catalogue.topic(cookie.topic)
        if topic is None:
            yield error(dotted("cookies", name), "topic", no_topic(catalogue, cookie.topic))
        elif topic.kind is not TopicKind.COOKIE:
            yield error(dotted("cookies", name), "topic", f"{cookie.topic!r} is not a cookie topic")


def transfers(catalogue: Catalogue, today: date | None) -> Iterator[Finding]:
    """Find transfers that rest on nothing but consent, lack their module, or are overdue for review."""
    ways: dict[tuple[str, str, str], list[tuple[str, Transfer]]] = defaultdict(list)
    for name, transfer in catalogue.transfers.items():
        table = dotted("transfers", name)
        ways[transfer.importer, transfer.origin, transfer.destination].append((name, transfer))
        if transfer.legal_basis is TransferBasis.CONTRACTUAL_CLAUSES and transfer.module is None:
            yield error(table, "module", "is missing: say which module of the clauses, 1 to 4")
        if transfer.partner is not None and transfer.partner not in catalogue.partners:
            yield error(table, "partner", f"{transfer.partner!r} is no partner of this catalogue")
        if today is not None and transfer.review_by < today:
            yield warning(table, "review_by", f"was {transfer.review_by}: look at this transfer again")
    for way in ways.values():
        if all(transfer.legal_basis is TransferBasis.EXPLICIT_CONSENT for _, transfer in way):
            yield warning(
                dotted("transfers", way[0][0]),
                "legal_basis",
                "rests on explicit consent alone, which GDPR Art. 49 keeps for exceptions; add a safeguard",
            )


def deadlines(catalogue: Catalogue) -> Iterator[Finding]:
    """Find a catalogue without deadlines of its own, and extensions that nobody would be told of in time."""
    if not catalogue.deadlines:
        yield warning("deadlines", "", "is empty: only those that are shipped hold; have them checked for your brand")
    for name, deadline in catalogue.deadlines.items():
        table = dotted("deadlines", name)
        if deadline.extension_notice is not None and deadline.extension is None:
            yield error(table, "extension_notice", "is for an `extension`, and there is none")


def contacts(catalogue: Catalogue) -> Iterator[Finding]:
    """Find offices that a notice has to name and does not."""
    named = catalogue.contacts
    if named.controller is None:
        yield error("contacts.controller", "", "is missing: name, address and email of who answers for it all")
    for key, role in (
        ("data_protection_officer", "the data protection officer"),
        ("eu_representative", "the representative in the Union"),
        ("uk_representative", "the representative in the United Kingdom"),
    ):
        if getattr(named, key) is None:
            yield warning(dotted("contacts", key), "", f"is missing; fine if the brand needs no {role[4:]}")
    if not named.authorities:
        yield warning("contacts.authorities", "", "is missing: nobody is told where to complain")
