"""What a minor's own record says about a grant: a minor can only refuse, and a guardian never overrides that."""

from collections.abc import Mapping
from typing import Final

from sayso.errors import Problem
from sayso.model.age import AgeEvidence
from sayso.model.catalogue import Catalogue, UnknownAge
from sayso.model.choice import Actor, Choice
from sayso.model.instant import Micros
from sayso.model.preferences import TopicFold
from sayso.model.recorded import BY_GUARDIAN, BY_PERSON
from sayso.model.topic import EVERY_TOPIC
from sayso.rules.fold import NOTHING, merge
from sayso.rules.majority import counts_as_minor
from sayso.wire import Code
from sayso_server.services.admission import lifts_only
from sayso_server.services.state import State

_MINOR: Final = (
    "the consumer counts as under age: they can refuse, withdraw, file requests and ask for a parent or guardian, who "
    "can grant it by a link from POST /v1/consumers/{id}/guardian-requests"
)
_GROWN_UP: Final = "the consumer doesn't count as under age, so they answer for themselves: ask them"
_REFUSED: Final = "the minor has refused this themselves, and that stands; leave it out"


def about_minor(
    at: str, choice: Choice, actor: Actor, *, state: State, catalogue: Catalogue, now: Micros
) -> list[Problem]:
    """Find what the consumer's age has against a grant.

    Args:
        at: Where the choice stands in the batch.
        choice: A grant.
        actor: Who made it.
        state: What is known of the consumer.
        catalogue: The brand's.
        now: Server time in microseconds.
    """
    by_guardian = actor is Actor.GUARDIAN
    if not by_guardian and not state.age and catalogue.unknown_age is not UnknownAge.MINOR:
        return []  # as nearly everybody's
    topic = catalogue.topic(choice.topic)
    minor = is_minor_now(state, catalogue, now, sale=topic is not None and topic.sale_or_share)
    if not by_guardian:
        # START answers no notice and allows nothing new: it only takes back a STOP of their own.
        return [Problem(f"{at}/answer", Code.MINOR.value, _MINOR)] if minor and not lifts_only(choice) else []
    if not minor:
        return [Problem(f"{at}/actor", Code.NOT_A_MINOR.value, _GROWN_UP)]
    if has_refused(state.topics, choice.topic):
        return [Problem(f"{at}/topic", Code.REFUSED_BY_MINOR.value, _REFUSED)]
    return []


def is_minor_now(state: State, catalogue: Catalogue, now: Micros, *, sale: bool = False) -> bool:
    """Tell whether a consumer counts as a minor, for what is sold or shared or for all else."""
    return counts_as_minor([AgeEvidence(*piece) for piece in state.age], catalogue, now, sale=sale)[0]


def has_refused(topics: Mapping[str, TopicFold], topic: str) -> bool:
    """Tell whether the consumer has refused a topic, or everything, and has not granted it themselves since.

    What a guardian refused, a guardian can grant again.
    """
    own, everything = topics.get(topic, NOTHING), topics.get(EVERY_TOPIC, NOTHING)
    if not any(refusal.origin != BY_GUARDIAN for fold in (own, everything) for refusal in fold.refusals):
        return False
    grants = merge(own, everything._replace(grants=(), by_brand=None)).grants
    return not any(grant.origin == BY_PERSON for grant in grants)
