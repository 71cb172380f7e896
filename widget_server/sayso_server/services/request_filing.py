"""Filing a rights request: what has to be there, and the record that it becomes."""

import hashlib
from collections.abc import Collection, Iterator
from datetime import UTC
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from sayso.errors import Problem
from sayso.model.catalogue import Catalogue
from sayso.model.deadline import RequestKind
from sayso.model.instant import Micros, from_micros, to_micros
from sayso.model.request import NewRequest, RequestChannel, RequestState, UrlState
from sayso.rules.deadlines import Due, due
from sayso.rules.default_deadlines import with_defaults
from sayso.rules.effective import is_from_the_future
from sayso.rules.requests import EFFECTIVE_AT_ONCE, Party, Refusal, channel_of, detail_problems
from sayso.wire import Code
from sayso_server.jsonio import dumps
from sayso_server.services.caller import Caller
from sayso_server.services.holidays import is_business_day
from sayso_server.services.refusals import RefusedError, refuse_members
from sayso_server.services.request_record import Record

_MEMBERS_OF_CHANNEL = (Code.MISSING_MEMBER, Code.INVALID_VALUE)


def check_filing(
    new: NewRequest, parties: Collection[Party], catalogue: Catalogue, *, subject: str | None, now: Micros
) -> RequestChannel:
    """Refuse what can't be filed, and give by which way it came.

    Args:
        new: What was sent.
        parties: The part that the caller plays.
        catalogue: The brand's.
        subject: The consumer of a consumer's token.
        now: The server's time.

    Raises:
        RefusedError: 403 `not_yours` for who files nothing, else 422 naming each member at fault.
    """
    channel = channel_of(parties, new.channel)
    if isinstance(channel, Refusal) and channel.code not in _MEMBERS_OF_CHANNEL:
        raise RefusedError(HTTPStatus.FORBIDDEN, channel.code, channel.message, members={"legal": []})
    problems = [*detail_problems(new.kind, new.detail), *_problems(new, parties, catalogue, subject, now)]
    if isinstance(channel, Refusal):
        problems.insert(0, Problem("/channel", channel.code.value, channel.message))
    if problems or isinstance(channel, Refusal):
        raise refuse_members(problems)
    return channel


def _problems(
    new: NewRequest, parties: Collection[Party], catalogue: Catalogue, subject: str | None, now: Micros
) -> Iterator[Problem]:
    contact = new.contact
    if new.consumer_id is None and subject is None:
        if not {Party.OFFICER, Party.AGENT, Party.LINK} & set(parties):
            yield Problem("/consumer_id", Code.MISSING_MEMBER.value, "say whose request it is")
        elif contact.email is None and contact.phone is None and contact.address is None:
            message = "name the consumer, or an e-mail address, phone number or postal address to answer to"
            yield Problem("/contact", Code.MISSING_MEMBER.value, message)
    if new.received_at is not None:
        if Party.OFFICER not in parties:
            message = "only a privacy officer enters what was received earlier; leave it out"
            yield Problem("/received_at", Code.ACTOR_NOT_YOURS.value, message)
        if is_from_the_future(recorded_at=now, sent_at=None, made_at=to_micros(new.received_at)):
            message = "this lies more than 5 minutes ahead; nothing has been received yet"
            yield Problem("/received_at", Code.FROM_THE_FUTURE.value, message)
        if to_micros(new.received_at) < 0:
            yield Problem("/received_at", Code.INVALID_VALUE.value, "this lies before 1970; check the year")
    for place, key in enumerate(new.detail.topics):
        if catalogue.topic(key) is None:
            yield _unknown(f"/detail/topics/{place}", key, catalogue)
    about = new.detail.about
    if new.detail.answer is not None and about is not None and catalogue.topic(about) is None:
        yield _unknown("/detail/about", about, catalogue)


def _unknown(pointer: str, key: str, catalogue: Catalogue) -> Problem:
    near = catalogue.nearest(key)
    hint = f"; did you mean {near}?" if near else "; see GET /v1/catalogue for the topics there are"
    return Problem(pointer, Code.UNKNOWN_TOPIC.value, f"the catalogue has no topic {key[:64]!r}{hint}")


def fingerprint_of(new: NewRequest, consumer_id: str | None) -> str:
    """Give the digest by which the same request sent again is known; its id is no part of it."""
    content = new.model_dump(mode="json", exclude_none=True, exclude={"id", "consumer_id"})
    return hashlib.sha256(dumps({**content, "consumer_id": consumer_id})).hexdigest()


def record_of(
    new: NewRequest,
    caller: Caller,
    parties: Collection[Party],
    catalogue: Catalogue,
    *,
    request_id: str,
    consumer_id: str | None,
    channel: RequestChannel,
    effects: dict[str, Any],
    fingerprint: str,
    now: Micros,
) -> Record:
    """Make the record of a new request. Its dates are fixed here: a law that changes later does not move them."""
    received_at = now if new.received_at is None else min(to_micros(new.received_at), now)
    stamp = caller.stamp()
    how = _verified_by(parties) if consumer_id is not None else None
    detail = new.detail.model_dump(mode="json", exclude_defaults=True)
    if new.detail.urls:
        detail["urls"] = dict.fromkeys(new.detail.urls, UrlState.OPEN.value)
    return Record(
        request_id=request_id,
        consumer_id=consumer_id,
        state=RequestState.RECEIVED,
        kind=new.kind,
        channel=channel.value,
        jurisdiction=new.jurisdiction,
        language=new.language,
        held_by=new.held_by.value,
        received_at=received_at,
        filed_at=now,
        filed_by=stamp,
        fingerprint=fingerprint,
        clock=_clock_of(new.kind, new.jurisdiction, received_at, catalogue),
        verified={"how": how, "at": now, "by": stamp} if how is not None else None,
        contact=new.contact.model_dump(mode="json", exclude_none=True),
        detail=detail,
        effects=effects,
        events=[{"at": now, "transition": "file", "from": None, "to": RequestState.RECEIVED.value, "by": stamp}],
    )


def _verified_by(parties: Collection[Party]) -> str | None:
    if Party.CONSUMER in parties:
        return "the consumer's own token"
    if Party.BACKEND in parties and Party.OFFICER not in parties:
        return "the brand's backend"
    return None


def dates_of(kind: RequestKind, jurisdiction: str | None, received_at: Micros, catalogue: Catalogue) -> Due:
    """Give the dates of a request, counted in the brand's calendar."""
    # When one is filed, it was looked up on the disk by then, beside the loop.
    zone = UTC if catalogue.time_zone is None else ZoneInfo(catalogue.time_zone)
    laws = with_defaults(catalogue.deadlines)
    return due(kind, jurisdiction, from_micros(received_at), laws, zone=zone, business_day=is_business_day)


def _clock_of(kind: RequestKind, jurisdiction: str | None, received_at: Micros, catalogue: Catalogue) -> dict[str, Any]:
    dates = dates_of(kind, jurisdiction, received_at, catalogue)

    def micros(name: str) -> Micros | None:
        moment = getattr(dates, name)
        return None if moment is None else to_micros(moment)

    return {
        **{name: micros(name) for name in ("acknowledge_by", "respond_by", "extend_by", "extended_until")},
        "laws": list(dates.laws),
        "set_by": dates.set_by,
        "verification": dates.verification and kind not in EFFECTIVE_AT_ONCE,
    }
