"""What a guardian's answer can carry, by how they were found. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from sayso.errors import Problem
from sayso.model.catalogue import Catalogue
from sayso.model.guardian import ContactFrom
from sayso.model.topic import Topic, TopicKind
from sayso.rules.senders import scope_of
from sayso.wire import Code

LINK_BITS: Final = 256
LINK_LASTS: Final = timedelta(hours=72)
CONFIRM_AFTER: Final = timedelta(hours=24)
"""After so long whoever answered at an address that a child typed is asked once more (16 CFR 312.5(b)(2)(vi))."""
UNANSWERED_LASTS: Final = timedelta(days=14)
"""How long the address of somebody who doesn't answer is kept."""


def needs_confirming(contact_from: ContactFrom) -> bool:
    """Tell whether a grant counts only once it has been confirmed by a second link, a day later."""
    return contact_from is ContactFrom.CHILD


def comes_from_child(
    said: ContactFrom, contact: Mapping[str, str], before: ContactFrom, known: Mapping[str, str]
) -> bool:
    """Tell whether a link goes where the child said: whoever passes on their address doesn't know it any better.

    Args:
        said: Where the address comes from, by who asks for the link.
        contact: That address; empty where it is not told, and then it may be the one that is known.
        before: Where the address comes from that is known of an earlier request.
        known: That address.
    """
    if said is not ContactFrom.BRAND or before is not ContactFrom.CHILD:
        return said is ContactFrom.CHILD
    named = {scope_of(address) for address in contact.values()}
    return not named or not named.isdisjoint(scope_of(address) for address in known.values())


def is_first_party(topic: Topic) -> bool:
    """Tell whether a topic keeps data with the brand: nothing of it goes to a partner, is sold or is shared."""
    return topic.kind is not TopicKind.PARTNER and not topic.sale_or_share


def topic_problems(topics: Iterable[str], catalogue: Catalogue, contact_from: ContactFrom | None) -> Iterator[Problem]:
    """List the topics that no guardian can be asked about in this way.

    Args:
        topics: As they stand in the body's `topics`.
        catalogue: The brand's.
        contact_from: Where the guardian's address comes from; None while that is open.
    """
    for place, key in enumerate(topics):
        at, topic = f"/topics/{place}", catalogue.topic(key)
        if topic is None or topic.retired:
            near = catalogue.nearest(key)
            hint = f"; did you mean {near}?" if near else "; see GET /v1/catalogue for the topics there are"
            yield Problem(at, Code.UNKNOWN_TOPIC.value, f"the catalogue has no topic {key[:64]!r}{hint}")
        elif not topic.refusable:
            message = f"{key} rests on {topic.basis.value.replace('_', ' ')}, so nobody is asked about it"
            yield Problem(at, Code.NOT_GRANTABLE.value, message)
        elif contact_from not in (None, ContactFrom.VERIFIED) and not is_first_party(topic):
            message = f"{key} lets data out to others: that takes evidence that this is the guardian (verified)"
            yield Problem(at, Code.VERIFICATION_NEEDED.value, message)
