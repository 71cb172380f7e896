"""Which choices may be recorded at all: what can be told from the choice, the catalogue and the caller alone.

A refusal is never turned away for its clock, its notice or a retired topic; a grant is, where it would not be lawful.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from sayso.errors import Problem
from sayso.model.choice import Actor, Choice, Method
from sayso.model.instant import Micros, to_micros
from sayso.model.topic import EVERY_TOPIC, LegalBasis, TopicKind
from sayso.rules.effective import LATEST_GRANT_AHEAD, is_from_the_future
from sayso.rules.senders import scopes_of
from sayso.wire import Code, TokenClass
from sayso_server.services.admission_notice import about_evidence, about_notice
from sayso_server.services.caller import GUARDIAN_LINK, Caller
from sayso_server.services.catalogues import Published

WHERE_TO_LOOK = "; see GET /v1/catalogue for the topics there are"
TWO_STEPS = timedelta(seconds=2)
"""Nobody reads and confirms two questions within them."""
_NOT_IN_PERSON = frozenset({Method.IMPORT, Method.AGENT, Method.PHONE, Method.PAPER})
_IN_PERSON = frozenset({Actor.CONSUMER, Actor.GUARDIAN})
_REQUIRED = frozenset({LegalBasis.CONTRACT, LegalBasis.LEGAL_OBLIGATION})
_BY_CONSUMER = frozenset({Method.WIDGET, Method.CHAT})
_BY_STAFF = frozenset({Method.AGENT, Method.PHONE, Method.EMAIL, Method.PAPER})


def problems_of(
    choices: Sequence[Choice], published: Published, caller: Caller, *, sent_at: Micros | None, now: Micros
) -> list[Problem]:
    """List what keeps a batch from being recorded; empty when nothing does.

    Args:
        choices: The batch.
        published: The brand's catalogue.
        caller: Whose token it came with.
        sent_at: The sender's time of sending, if given.
        now: The server's time.
    """
    problems: list[Problem] = []
    seen: set[tuple[str, str]] = set()
    at_once = _overriding_at_once(choices)
    for place, choice in enumerate(choices):
        at = f"/choices/{place}"
        identity = (choice.consumer_id, choice.id)
        if identity in seen:
            problems.append(
                Problem(f"{at}/id", Code.DUPLICATE_ID, "this id is in the batch twice; every choice has its own")
            )
        seen.add(identity)
        not_theirs = list(_about_caller(at, choice, caller))
        problems.extend(not_theirs)
        problems.extend(_about_shape(at, choice))
        if place in at_once:
            message = "a signal is overridden for one named topic at a time; ask about each by itself"
            problems.append(Problem(f"{at}/overrides", Code.INVALID_VALUE, message))
        if choice.is_refusal:
            problems.extend(_about_refusal(at, choice, published))
        else:
            problems.extend(_about_grant(at, choice, published, sent_at, now))
            actor = actor_of(choice, caller)
            # Nearly every grant is the consumer's own word, which needs no evidence and has none.
            if not not_theirs and (actor not in _IN_PERSON or choice.method in _NOT_IN_PERSON or choice.evidence):
                problems.extend(about_evidence(at, choice, actor, now))
    return problems


def speaks_against_signals(choice: Choice) -> bool:
    """Tell whether a grant may say that it overrides a signal: nobody else can for the consumer (11 CCR 7025(c)(4))."""
    return choice.actor in (None, Actor.CONSUMER) and choice.method not in _NOT_IN_PERSON


def _overriding_at_once(choices: Sequence[Choice]) -> frozenset[int]:
    """Give the places of grants that override signals for several topics of a consumer in one go.

    What waited somewhere and comes in one batch was said at different times.
    """
    by_consumer: dict[str, list[tuple[float, int]]] = {}
    for place, choice in enumerate(choices):
        if choice.overrides:
            moment = choice.made_at.timestamp() if choice.made_at is not None else 0.0
            by_consumer.setdefault(choice.consumer_id, []).append((moment, place))
    found: set[int] = set()
    for said in by_consumer.values():
        for (earlier, one), (later, other) in pairwise(sorted(said)):
            if choices[one].topic != choices[other].topic and later - earlier < TWO_STEPS.total_seconds():
                found |= {one, other}
    return frozenset(found)


def lifts_only(choice: Choice) -> bool:
    """Tell whether a grant only lifts what was refused of a sender: START answers no notice, and allows nothing new."""
    return choice.notice is None and choice.method is Method.SMS and bool(scopes_of(choice.detail))


def actor_of(choice: Choice, caller: Caller) -> Actor:
    """Give who made an admitted choice."""
    if caller.token_class is TokenClass.STAFF:
        return Actor.AGENT
    return choice.actor or Actor.CONSUMER


def _about_caller(at: str, choice: Choice, caller: Caller) -> Iterator[Problem]:
    allowed: tuple[Actor | None, ...]
    match caller.token_class:
        case TokenClass.CONSUMER:
            allowed = (None, Actor.CONSUMER)
            if choice.method not in _BY_CONSUMER:
                yield Problem(f"{at}/method", Code.ACTOR_NOT_YOURS, "a consumer's own choice comes by widget or chat")
            for name in ("expires_at", "evidence", "jurisdiction"):
                if getattr(choice, name) is not None:
                    yield Problem(f"{at}/{name}", Code.ACTOR_NOT_YOURS, f"only the brand's backend may set {name}")
        case TokenClass.STAFF:
            allowed = (None, Actor.AGENT)
            if choice.method not in _BY_STAFF:
                yield Problem(
                    f"{at}/method", Code.ACTOR_NOT_YOURS, "staff record what came by agent, phone, email or paper"
                )
        case TokenClass.BACKEND:
            allowed = (None, Actor.CONSUMER, Actor.BRAND)
        case None:
            guardian = caller == Caller.by_link(caller.brand_id, GUARDIAN_LINK)
            allowed = (Actor.GUARDIAN,) if guardian else (None, Actor.CONSUMER)
            if not (guardian or choice.is_refusal):
                yield Problem(f"{at}/answer", Code.ACTOR_NOT_YOURS, "a link that needs no sign-in can only refuse")
    if choice.actor not in allowed:
        names = " or ".join(actor.value for actor in allowed if actor is not None)
        yield Problem(
            f"{at}/actor", Code.ACTOR_NOT_YOURS, f"this token may say actor {names}; leave it out or say that"
        )


def _about_shape(at: str, choice: Choice) -> Iterator[Problem]:
    if choice.is_refusal:
        for name in ("expires_at", "overrides"):
            if getattr(choice, name):
                yield Problem(
                    f"{at}/{name}", Code.INVALID_VALUE, f"only a grant has {name}; a refusal holds until a grant"
                )
    if choice.overrides and not speaks_against_signals(choice):
        yield Problem(
            f"{at}/overrides",
            Code.ACTOR_NOT_YOURS,
            "only the consumer's own grant, made with the signal on screen, overrides it",
        )
    detail = choice.detail
    if detail is not None:
        kind = choice.topic.partition(":")[0]
        if detail.precision is not None and choice.topic != "permission:location":
            yield Problem(f"{at}/detail/precision", Code.INVALID_VALUE, "precision belongs to permission:location only")
        for name in ("sender", "controller"):
            if getattr(detail, name) is not None and kind != TopicKind.CHANNEL:
                yield Problem(f"{at}/detail/{name}", Code.INVALID_VALUE, f"{name} belongs to channel topics only")


def _about_refusal(at: str, choice: Choice, published: Published) -> Iterator[Problem]:
    if choice.topic == EVERY_TOPIC:
        return
    topic = published.catalogue.topic(choice.topic)
    if topic is None:
        yield _unknown_topic(at, choice.topic, published)
    elif topic.basis in _REQUIRED and not topic.retired:
        yield Problem(
            f"{at}/topic",
            Code.NOT_REFUSABLE,
            f"{choice.topic} rests on {topic.basis.value.replace('_', ' ')} and can't be refused; "
            "file a rights request of kind object, restrict or delete instead",
        )


def _about_grant(
    at: str, choice: Choice, published: Published, sent_at: Micros | None, now: Micros
) -> Iterator[Problem]:
    if choice.topic == EVERY_TOPIC:
        yield Problem(
            f"{at}/topic", Code.NOT_GRANTABLE, "everything can be refused at once, but grants name a topic each"
        )
        return
    made_at = to_micros(choice.made_at) if choice.made_at is not None else None
    if is_from_the_future(recorded_at=now, sent_at=sent_at, made_at=made_at):
        minutes = LATEST_GRANT_AHEAD // timedelta(minutes=1)
        yield Problem(
            f"{at}/made_at",
            Code.FROM_THE_FUTURE,
            f"the grant is dated more than {minutes} minutes after it was sent; check the sender's clock",
        )
    topic = published.catalogue.topic(choice.topic)
    if topic is None or topic.retired:
        yield _unknown_topic(at, choice.topic, published)
        return
    if lifts_only(choice):
        return
    yield from about_notice(at, choice, topic, published.catalogue)


def _unknown_topic(at: str, key: str, published: Published) -> Problem:
    if not published.revision:
        return Problem(
            f"{at}/topic",
            Code.UNKNOWN_TOPIC,
            "no catalogue is published; run sayso-server catalogue publish FILE --brand ID",
        )
    nearest = published.catalogue.nearest(key)
    hint = f"; did you mean {nearest}?" if nearest else WHERE_TO_LOOK
    return Problem(f"{at}/topic", Code.UNKNOWN_TOPIC, f"the catalogue has no topic {key[:64]!r}{hint}")
