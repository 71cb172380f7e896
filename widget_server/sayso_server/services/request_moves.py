"""What each transition does to a request's record. Pure: deciding whether it may happen is `sayso.rules.requests`'."""

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

from sayso.errors import Problem
from sayso.model.deadline import RequestKind
from sayso.model.instant import Micros, span_micros
from sayso.model.request import (
    OPEN_STATES,
    DenyBody,
    ExtendBody,
    FulfilBody,
    HandOverBody,
    LiftBody,
    NoteBody,
    RequestState,
    StartBody,
    Transition,
    UrlState,
    VerifyBody,
)
from sayso.rules.denials import denial_in_words
from sayso.rules.recourse import Recourse
from sayso.rules.requests import TO, reason_problem
from sayso.wire import Code
from sayso_server.services.request_record import KEPT_FOR, REQUEST, Record, packed_body, read_record, write_record
from sayso_server.services.request_recourse import recourse_json
from sayso_server.storage.base import StoredDocument


def body_problems(record: Record, transition: Transition, body: NoteBody, recourse: Recourse) -> Iterator[Problem]:
    """List what is wrong with a transition's body, given the request."""
    known = record.detail.get("urls", {})
    for url in body.urls:
        if url not in known:
            yield Problem("/urls", Code.INVALID_VALUE.value, "this address is none of the request's")
            break
    match transition, body:
        case Transition.START, StartBody():
            yield from _about_start(record, body)
        case Transition.FULFIL, _ if any(state == UrlState.OPEN for state in {**known, **body.urls}.values()):
            yield Problem("/urls", Code.MISSING_MEMBER.value, "say of each address whether it was removed or kept")
        case Transition.DENY, DenyBody():
            yield from _about_denial(record, body)
            if not recourse.offices:
                message = (
                    "nobody is known whom the consumer could turn to; name an authority in the catalogue's contacts"
                )
                yield Problem("", Code.MISSING_MEMBER.value, message)


def _about_start(record: Record, body: StartBody) -> Iterator[Problem]:
    if record.clock["verification"] and record.verified is None and body.verified is None:
        yield Problem("/verified", Code.VERIFICATION_NEEDED.value, "say how it was made sure who is asking")
    if body.consumer_id is not None and record.consumer_id not in (None, body.consumer_id):
        yield Problem("/consumer_id", Code.INVALID_VALUE.value, "the request is another consumer's")


def _about_denial(record: Record, body: DenyBody) -> Iterator[Problem]:
    wrong = reason_problem(record.kind, body.reason)
    if wrong is not None:
        yield Problem("/reason", Code.INVALID_VALUE.value, wrong)
    if body.grounds is None and body.barred_by is None:
        message = "give the grounds in words, or in their place the law that bars giving them, as barred_by"
        yield Problem("/grounds", Code.MISSING_MEMBER.value, message)
    elif body.grounds is not None and body.barred_by is not None:
        yield Problem("/barred_by", Code.INVALID_VALUE.value, "grounds that are given are not barred; leave one out")


def move(
    record: Record,
    transition: Transition,
    body: NoteBody,
    *,
    recourse: Recourse,
    stamp: dict[str, str],
    now: Micros,
) -> dict[str, Any]:
    """Make a legal transition; the record changes in place.

    Args:
        record: The request.
        transition: Which.
        body: What was sent with it, without fault.
        recourse: Whom the consumer can turn to.
        stamp: Who does it.
        now: The time.

    Returns:
        The event that was added.
    """
    before, after = record.state, TO.get(transition, record.state)
    if before is RequestState.AWAITING_VERIFICATION and after is not before:
        record.verify_until = None
    event: dict[str, Any] = {"at": now, "transition": transition.value, "from": before.value, "to": after.value}
    event |= {"by": stamp, **_said(record, body, recourse, stamp, now)}
    if body.note is not None:
        event["note"] = body.note
    if body.urls:
        record.detail["urls"] |= {url: state.value for url, state in body.urls.items()}
    if lifts(record, transition):
        record.effects["restricted"] = False
    record.state = after
    if after not in OPEN_STATES and record.closed_at is None:
        record.closed_at = now
    record.events.append(event)
    if erases(record, transition):
        without_content(record)
    return event


def _said(record: Record, body: NoteBody, recourse: Recourse, stamp: dict[str, str], now: Micros) -> dict[str, str]:
    """Take what a transition's own body says into the record; give what of it belongs to the event."""
    match body:
        case VerifyBody():
            record.verified = None
            record.verify_until = now + span_micros(timedelta(days=body.within_days))
            return {} if body.ask is None else {"ask": body.ask}
        case StartBody():
            record.consumer_id = record.consumer_id or body.consumer_id
            if body.verified is None:
                return {}
            record.verified = {"how": body.verified, "at": now, "by": stamp}
            return {"verified": body.verified}
        case ExtendBody():
            record.extension = {"reason": body.reason, "at": now, "until": record.clock["extended_until"]}
            return {"reason": body.reason}
        case FulfilBody():
            record.answer = body.answer
            return {}
        case DenyBody():
            record.denial = _denial(body, recourse, record.language)
            return {}
        case HandOverBody():
            record.held_by = body.to.value
            return {"held_by": body.to.value}
        case LiftBody():
            return {"told": body.told}
    return {}


def without_content(record: Record) -> None:
    """Take out of a request whatever tells about the person: what stays says that it was carried out, and when."""
    record.consumer_id = None
    record.effects = {"erased": True}
    record.contact, record.detail, record.answer, record.denial = {}, {}, None, None
    # A digest of what was sent could be tried out by whoever has a guess at it.
    record.fingerprint = ""
    if record.verified is not None:
        record.verified = {**record.verified, "how": "erased"}
    record.events = [
        {name: value for name, value in event.items() if name in _KEPT_OF_EVENTS} for event in record.events
    ]


def left_of_requests(documents: Iterable[StoredDocument], reason: str) -> tuple[StoredDocument, ...]:
    """Give what stays of an erased person's requests: of those that are closed, and of the one that is carried out.

    That they were answered has to be shown for two years (11 CCR 7101); what was in them is gone.

    Args:
        documents: Everything about the person.
        reason: Why they are erased: `request:` and an id, where a request says so.
    """
    left = []
    for document in documents:
        carried_out = reason == f"{REQUEST}:{document.document_id}"
        if document.kind == REQUEST and (carried_out or document.state not in OPEN_STATES):
            record = read_record(document)
            without_content(record)
            # What a restriction rested on was kept without an end.
            end = document.expires_at or write_record(record, (), KEPT_FOR).expires_at
            left.append(document._replace(consumer_id=None, marks=(), expires_at=end, body=packed_body(record)))
    return tuple(left)


_KEPT_OF_EVENTS: Final = frozenset({"at", "transition", "from", "to", "by"})


def lifts(record: Record, transition: Transition) -> bool:
    """Tell whether a transition ends the restriction that rests on a request."""
    return bool(record.effects.get("restricted")) and transition in _LIFTING


def erases(record: Record, transition: Transition) -> bool:
    """Tell whether a transition carries out an erasure."""
    return record.kind is RequestKind.DELETE and transition is Transition.FULFIL


_LIFTING: Final[Collection[Transition]] = frozenset({Transition.DENY, Transition.REVOKE, Transition.LIFT})


def _denial(body: DenyBody, recourse: Recourse, language: str) -> dict[str, Any]:
    said = {"reason": body.reason.value, "grounds": body.grounds, "barred_by": body.barred_by}
    words = denial_in_words(body.reason, recourse, language, grounds=body.grounds, barred_by=body.barred_by)
    return {
        **{name: value for name, value in said.items() if value is not None},
        "words": words,
        "recourse": recourse_json(recourse, language),
    }
