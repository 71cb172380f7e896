"""Rights requests: who may do what with one in which state. Two tables, and what follows from them.

The brand decides and the platform assists; a consumer files and takes back. Nobody can put a request that is closed
back to work: another one is filed, with a clock of its own.
"""

from collections.abc import Collection, Iterator
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from sayso.errors import Problem
from sayso.model.catalogue import Catalogue
from sayso.model.choice import Answer
from sayso.model.deadline import RequestKind
from sayso.model.instant import Micros
from sayso.model.request import OPEN_STATES, DenialReason, RequestChannel, RequestDetail, RequestState, Transition
from sayso.model.topic import EVERY_TOPIC, LegalBasis
from sayso.rules.deadlines import OPT_OUTS
from sayso.wire import Code

RESULT_KINDS: Final = frozenset({RequestKind.ACCESS, RequestKind.TRANSFER, RequestKind.COPY})
"""Kinds that are answered with everything held."""
RESULT_FOR: Final = timedelta(days=30)
"""How long the answer can be fetched once the request is fulfilled."""
EFFECTIVE_AT_ONCE: Final = OPT_OUTS | {RequestKind.RESTRICT}
"""Kinds that take effect when they are filed. Nobody has to show who they are to stop something."""
_WITHOUT_CONSUMER = frozenset({RequestKind.MINOR_CONTENT_REMOVAL, RequestKind.SMS_OPT_OUT, RequestKind.EMAIL_OPT_OUT})


class Party(StrEnum):
    """Who deals with a request."""

    CONSUMER = "consumer"
    BACKEND = "backend"
    AGENT = "agent"
    OFFICER = "privacy_officer"
    AUDITOR = "auditor"
    ADMIN = "admin"
    LINK = "link"
    """A route that takes no token, such as the page `/rights`."""


_S = RequestState
_T = Transition
_P = Party

FROM: Final = MappingProxyType(
    {
        _T.ACKNOWLEDGE: frozenset({_S.RECEIVED}),
        _T.VERIFY: frozenset({_S.RECEIVED, _S.ACKNOWLEDGED, _S.IN_PROGRESS, _S.EXTENDED}),
        _T.START: frozenset({_S.RECEIVED, _S.ACKNOWLEDGED, _S.AWAITING_VERIFICATION}),
        _T.EXTEND: frozenset({_S.RECEIVED, _S.ACKNOWLEDGED, _S.AWAITING_VERIFICATION, _S.IN_PROGRESS}),
        _T.FULFIL: frozenset({_S.RECEIVED, _S.ACKNOWLEDGED, _S.IN_PROGRESS, _S.EXTENDED}),
        _T.DENY: frozenset(OPEN_STATES),
        _T.REVOKE: frozenset(OPEN_STATES),
        _T.HAND_OVER: frozenset(OPEN_STATES),
        _T.NOTE: frozenset(OPEN_STATES),
        _T.LIFT: frozenset({_S.FULFILLED}),
    }
)
"""From which states each transition starts."""

TO: Final = MappingProxyType(
    {
        _T.ACKNOWLEDGE: _S.ACKNOWLEDGED,
        _T.VERIFY: _S.AWAITING_VERIFICATION,
        _T.START: _S.IN_PROGRESS,
        _T.EXTEND: _S.EXTENDED,
        _T.FULFIL: _S.FULFILLED,
        _T.DENY: _S.DENIED,
        _T.REVOKE: _S.REVOKED,
    }
)
"""Where each transition leads; what is missing leaves the state as it is."""

BY: Final = MappingProxyType(
    {
        _T.ACKNOWLEDGE: frozenset({_P.BACKEND, _P.OFFICER}),
        _T.VERIFY: frozenset({_P.BACKEND, _P.OFFICER}),
        _T.START: frozenset({_P.BACKEND, _P.OFFICER}),
        _T.EXTEND: frozenset({_P.OFFICER}),
        _T.FULFIL: frozenset({_P.BACKEND, _P.OFFICER}),
        _T.DENY: frozenset({_P.OFFICER}),
        _T.REVOKE: frozenset({_P.CONSUMER, _P.BACKEND, _P.OFFICER, _P.LINK}),
        _T.HAND_OVER: frozenset({_P.OFFICER}),
        _T.NOTE: frozenset({_P.BACKEND, _P.OFFICER}),
        _T.LIFT: frozenset({_P.OFFICER}),
    }
)
"""Who may do it. Extending, denying, handing over and lifting are decisions that a person takes."""

FILED_BY: Final = MappingProxyType(
    {
        _P.CONSUMER: frozenset({RequestChannel.WIDGET, RequestChannel.CHAT, RequestChannel.API}),
        _P.BACKEND: frozenset(RequestChannel) - {RequestChannel.DRP, RequestChannel.PAGE},
        _P.AGENT: frozenset({RequestChannel.PHONE}),
        _P.OFFICER: frozenset(
            {RequestChannel.POST, RequestChannel.PHONE, RequestChannel.EMAIL, RequestChannel.IN_PERSON}
        ),
        _P.LINK: frozenset({RequestChannel.PAGE, RequestChannel.DRP}),
    }
)
"""By which way what may have come that somebody files; who is missing files nothing."""

READ_BY: Final = frozenset({_P.CONSUMER, _P.BACKEND, _P.OFFICER, _P.AUDITOR, _P.LINK})
"""Who may look at a request; a consumer at their own."""


class Facts(NamedTuple):
    """What the rules need to know of a request.

    Attributes:
        kind: What is asked for.
        state: How far it has come, time considered (see `state_at`).
        verified: It is known who asks.
        verifiable: The answer may wait for that.
        identified: It is known which consumer it is about.
        extended: It was extended before.
        extend_by: Until when it can be, in microseconds; None if no law allows it.
        restricted: It is what a restriction in force rests on.
    """

    kind: RequestKind
    state: RequestState
    verified: bool
    verifiable: bool
    identified: bool
    extended: bool
    extend_by: Micros | None
    restricted: bool


class Refusal(NamedTuple):
    """Why a transition can't be made."""

    code: Code
    message: str


def state_at(state: RequestState, verify_until: Micros | None, now: Micros) -> RequestState:
    """Give the state with time considered: what nobody has verified in time has expired."""
    if state is _S.AWAITING_VERIFICATION and verify_until is not None and now >= verify_until:
        return _S.EXPIRED
    return state


def needs_identity(kind: RequestKind) -> bool:
    """Tell whether a kind is carried out on what is held of a consumer, so that it has to be known whose."""
    return kind not in _WITHOUT_CONSUMER


def legal(facts: Facts, parties: Collection[Party], now: Micros) -> tuple[Transition, ...]:
    """List what may be done with a request now, in the order of `Transition`.

    Args:
        facts: The request.
        parties: Every role of whoever asks.
        now: The time.
    """
    return tuple(transition for transition in Transition if refusal(facts, parties, transition, now) is None)


def refusal(facts: Facts, parties: Collection[Party], transition: Transition, now: Micros) -> Refusal | None:
    """Say why a transition can't be made, or None if it can.

    Args:
        facts: The request.
        parties: Every role of whoever asks.
        transition: What they want.
        now: The time.

    Returns:
        `not_yours` for what the role may never do, `verification_needed`, or `transition_illegal`.
    """
    if not BY[transition] & set(parties):
        return Refusal(Code.NOT_YOURS, f"{transition} takes {_either(sorted(BY[transition]))}")
    if facts.state not in FROM[transition]:
        return Refusal(Code.TRANSITION_ILLEGAL, f"a request that is {_plain(facts.state)} has no {transition}")
    match transition:
        case _T.VERIFY if not facts.verifiable:
            return Refusal(Code.TRANSITION_ILLEGAL, f"{facts.kind} needs no proof of who is asking; carry it out")
        case _T.FULFIL if facts.verifiable and not facts.verified:
            return Refusal(
                Code.VERIFICATION_NEEDED, "nobody has made sure yet who is asking: start it, saying how that was done"
            )
        case _T.FULFIL if needs_identity(facts.kind) and not facts.identified:
            return Refusal(
                Code.VERIFICATION_NEEDED, "nobody knows yet whose request this is: start it, naming the consumer"
            )
        case _T.EXTEND if facts.extended:
            return Refusal(Code.TRANSITION_ILLEGAL, "it was extended before, and that is done once")
        case _T.EXTEND if facts.extend_by is None:
            return Refusal(Code.TRANSITION_ILLEGAL, "a law that applies here allows no extension")
        case _T.EXTEND if facts.extend_by is not None and now > facts.extend_by:
            return Refusal(Code.TRANSITION_ILLEGAL, "the time in which the consumer can be told of one is over")
        case _T.LIFT if not facts.restricted:
            return Refusal(Code.TRANSITION_ILLEGAL, "no restriction rests on it")
    return None


def reason_problem(kind: RequestKind, reason: DenialReason) -> str | None:
    """Say why a request of a kind can't be denied for a reason, or None if it can."""
    if reason is DenialReason.INSUF_VERIFICATION and kind in EFFECTIVE_AT_ONCE:
        return f"{kind} needs no proof of who is asking, so a lack of it is no reason"
    return None


def channel_of(parties: Collection[Party], channel: RequestChannel | None) -> RequestChannel | Refusal:
    """Give by which way a request came in, or why it can't have come in like that.

    Args:
        parties: Every role of whoever files it.
        channel: What they say; None leaves it to the role, where that has only one usual way.
    """
    possible = {one for party in parties for one in FILED_BY.get(party, ())}
    if not possible:
        return Refusal(Code.NOT_YOURS, f"filing takes {_either(sorted(FILED_BY))}")
    if channel is None:
        usual = {_P.CONSUMER: RequestChannel.WIDGET, _P.BACKEND: RequestChannel.API, _P.AGENT: RequestChannel.PHONE}
        channel = next((way for party, way in usual.items() if party in parties and _P.OFFICER not in parties), None)
        if channel is None:
            return Refusal(Code.MISSING_MEMBER, f"say by which way it came: {_either(sorted(possible))}")
    if channel not in possible:
        return Refusal(Code.INVALID_VALUE, f"what is filed with this token came by {_either(sorted(possible))}")
    return channel


def detail_problems(kind: RequestKind, detail: RequestDetail) -> Iterator[Problem]:
    """List what is missing from a request's detail, and what doesn't belong to its kind."""
    home = {
        "topics": RequestKind.OBJECT,
        "about": RequestKind.CORRECT,
        "fault": RequestKind.CORRECT,
        "answer": RequestKind.CORRECT,
        "urls": RequestKind.MINOR_CONTENT_REMOVAL,
    }
    for name, owner in home.items():
        if getattr(detail, name) and kind is not owner:
            yield Problem(f"/detail/{name}", Code.INVALID_VALUE, f"{name} belongs to {owner} only")
    if kind is RequestKind.CORRECT:
        if detail.about is None:
            yield Problem("/detail/about", Code.MISSING_MEMBER, "say which field or topic is wrong")
        if detail.fault is None:
            faults = "inaccurate, incomplete, ambiguous or unauthorised"
            yield Problem("/detail/fault", Code.MISSING_MEMBER, f"say what is wrong with it: {faults}")
        if detail.answer is Answer.GRANTED:
            yield Problem(
                "/detail/answer",
                Code.NOT_GRANTABLE,
                "a correction can say that there was no consent; consent itself is granted by answering its notice",
            )
    if kind is RequestKind.MINOR_CONTENT_REMOVAL and not detail.urls:
        yield Problem("/detail/urls", Code.MISSING_MEMBER, "name the public address of each piece")


def refused_by(kind: RequestKind, detail: RequestDetail, catalogue: Catalogue) -> tuple[str, ...]:
    """List the topics that filing a request refuses at once.

    An objection refuses what it names, else everything that rests on a legitimate interest; what rests on a contract
    or the law can't be refused by a click, and is left to whoever works the request. A refusal of every topic also
    covers those that the catalogue gets later.

    Args:
        kind: What is filed.
        detail: What belongs to it.
        catalogue: The brand's.
    """
    live = [topic for topic in catalogue.topics.values() if not topic.retired and topic.refusable]
    match kind:
        case RequestKind.WITHDRAW_ALL:
            return (EVERY_TOPIC,)
        case RequestKind.OBJECT if detail.topics:
            named = (catalogue.topic(key) for key in detail.topics)
            return tuple(topic.key for topic in named if topic is not None and topic.refusable)
        case RequestKind.OBJECT:
            return tuple(topic.key for topic in live if topic.basis is LegalBasis.LEGITIMATE_INTEREST)
        case RequestKind.SALE_OPT_OUT:
            return tuple(topic.key for topic in live if topic.sale_or_share)
        case RequestKind.SMS_OPT_OUT:
            return tuple(topic.key for topic in live if _is_channel(topic.key, "channel:sms"))
        case RequestKind.EMAIL_OPT_OUT:
            return tuple(topic.key for topic in live if _is_channel(topic.key, "channel:email"))
        case RequestKind.CORRECT if detail.answer is not None and detail.about is not None:
            topic = catalogue.topic(detail.about)
            return () if topic is None or not topic.refusable else (topic.key,)
    return ()


def _is_channel(key: str, channel: str) -> bool:
    return key == channel or key.startswith(channel + ".")


def _either(names: list[Party] | list[RequestChannel]) -> str:
    words = [name.value for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _plain(state: RequestState) -> str:
    return state.value.replace("_", " ")
