"""A rights request as it is stored, and as the wire shows it."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Final

from sayso.model.deadline import RequestKind
from sayso.model.instant import Micros, format_micros, span_micros
from sayso.model.request import OPEN_STATES, RequestState
from sayso.rules.requests import EFFECTIVE_AT_ONCE, RESULT_FOR, RESULT_KINDS, Facts, Party, legal, state_at
from sayso.wire import TokenClass
from sayso_server.jsonio import dumps, loads
from sayso_server.services.caller import Caller
from sayso_server.storage.base import DocumentKey, StoredDocument

REQUEST: Final = "request"
"""The kind of document."""
KEPT_FOR: Final = timedelta(days=731)
"""How long a closed request is kept unless the catalogue's retention class `requests` says: 24 months (11 CCR 7101)."""
_DAY: Final = span_micros(timedelta(days=1))
_DATES = ("acknowledge_by", "respond_by", "extend_by", "extended_until")
_OF_STAFF = ("staff",)


@dataclass(slots=True)
class Record:
    """One request. Times are microseconds since 1970.

    Attributes:
        request_id: Its id.
        consumer_id: Whose, if known.
        state: As of its last transition; `now_in` considers the time.
        kind: What is asked for.
        channel: The way it came in.
        jurisdiction: Where the person lives, as they or the brand say.
        language: What the answer is written in.
        held_by: Who works on it: `brand` or `platform`.
        received_at: From when the clock runs.
        filed_at: When it was entered here.
        filed_by: Who entered it.
        fingerprint: SHA-256 of what was sent, in hex.
        clock: Its dates, and which laws set them, as of filing.
        verified: How, when and by whom it was made sure who asks; None until then.
        verify_until: When it expires unless they show it.
        contact: How the person can be reached.
        detail: What belongs to the kind; `urls` by address.
        effects: What took effect at once: topics refused, whether processing is restricted.
        extension: Why, when and until when it was extended.
        answer: What the consumer was told when it was fulfilled.
        denial: Reason, grounds and recourse.
        closed_at: When it was closed.
        events: Every transition, oldest first.
    """

    request_id: str
    consumer_id: str | None
    state: RequestState
    kind: RequestKind
    channel: str
    jurisdiction: str | None
    language: str
    held_by: str
    received_at: Micros
    filed_at: Micros
    filed_by: dict[str, str]
    fingerprint: str
    clock: dict[str, Any]
    verified: dict[str, Any] | None = None
    verify_until: Micros | None = None
    contact: dict[str, str] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    effects: dict[str, Any] = field(default_factory=dict)
    extension: dict[str, Any] | None = None
    answer: str | None = None
    denial: dict[str, Any] | None = None
    closed_at: Micros | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    def now_in(self, now: Micros) -> RequestState:
        """Give the state with time considered."""
        return state_at(self.state, self.verify_until, now)

    @property
    def by_own_token(self) -> bool:
        """Whether a consumer's own token is all that shows who asks."""
        return self.verified is not None and self.verified["by"].get("class") == TokenClass.CONSUMER

    @property
    def due_at(self) -> Micros:
        """By when the next thing is due: confirming receipt, answering, or answering after an extension."""
        if self.extension is not None:
            return int(self.extension["until"])
        respond_by = int(self.clock["respond_by"])
        acknowledge_by = self.clock.get("acknowledge_by")
        return min(acknowledge_by, respond_by) if self.state is RequestState.RECEIVED and acknowledge_by else respond_by

    @property
    def listed_at(self) -> Micros:
        """Where it stands in the list. What is to stop waits for nothing but a name, so it is due from receipt on."""
        waits = self.kind in EFFECTIVE_AT_ONCE and self.consumer_id is None and self.state in OPEN_STATES
        return self.received_at if waits else self.due_at

    @property
    def result_until(self) -> Micros | None:
        """Until when what is held can be fetched as its answer; None if it has none."""
        if self.kind in RESULT_KINDS and self.state is RequestState.FULFILLED and self.closed_at is not None:
            return self.closed_at + span_micros(RESULT_FOR)
        return None

    def facts(self, now: Micros) -> Facts:
        """Give what the rules need to know."""
        return Facts(
            kind=self.kind,
            state=self.now_in(now),
            verified=self.verified is not None,
            verifiable=bool(self.clock["verification"]),
            identified=self.consumer_id is not None or bool(self.effects.get("erased")),
            extended=self.extension is not None,
            extend_by=self.clock.get("extend_by"),
            restricted=bool(self.effects.get("restricted")),
        )


def key_of(request_id: str) -> DocumentKey:
    """Give where a request is stored."""
    return DocumentKey(REQUEST, request_id)


def read_record(stored: StoredDocument) -> Record:
    """Unpack a stored request."""
    body = loads(stored.body)
    return Record(
        **{
            **body,
            "request_id": stored.document_id,
            "consumer_id": stored.consumer_id,
            "state": RequestState(stored.state),
            "kind": RequestKind(body["kind"]),
        }
    )


def write_record(record: Record, marks: tuple[bytes, ...], kept_for: timedelta) -> StoredDocument:
    """Pack a request for storing.

    Args:
        record: The request.
        marks: The digests it is found by.
        kept_for: How long it is kept once it is closed. What a restriction in force rests on is kept until it is
            lifted, however long that takes.
    """
    closed = record.closed_at
    if closed is None and record.state is RequestState.AWAITING_VERIFICATION:
        closed = record.verify_until  # nobody may ever touch it again
    expires = None if closed is None or record.effects.get("restricted") else closed + span_micros(kept_for)
    return StoredDocument(
        kind=REQUEST,
        document_id=record.request_id,
        consumer_id=record.consumer_id,
        state=record.state.value,
        created_at=record.filed_at,
        due_at=record.listed_at,
        expires_at=expires,
        marks=marks,
        body=packed_body(record),
    )


def packed_body(record: Record) -> bytes:
    """Pack what of a request is not beside its body."""
    body = asdict(record)
    for name in ("request_id", "consumer_id", "state"):
        del body[name]
    return dumps(body)


def show(
    record: Record, caller: Caller, parties: Collection[Party], now: Micros, recourse: Mapping[str, Any]
) -> dict[str, Any]:
    """Give a request as the wire has it.

    Args:
        record: The request.
        caller: Who looks: a consumer sees no names of staff and none of their remarks.
        parties: Their roles.
        now: The time.
        recourse: Whom the consumer can turn to, which is shown before anything is denied.
    """
    facts = record.facts(now)
    is_open = facts.state in OPEN_STATES
    shown: dict[str, Any] = {
        "id": record.request_id,
        "consumer_id": record.consumer_id,
        "kind": record.kind.value,
        "state": facts.state.value,
        "channel": record.channel,
        "jurisdiction": record.jurisdiction,
        "language": record.language,
        "held_by": record.held_by,
        "received_at": format_micros(record.received_at),
        "filed_at": format_micros(record.filed_at),
        "filed_by": _by(record.filed_by, caller),
        "verified": _verified(record.verified, caller),
        "verify_until": _time(record.verify_until),
        "deadlines": {
            **{name: _time(record.clock.get(name)) for name in _DATES},
            "laws": record.clock["laws"],
            "set_by": record.clock["set_by"],
        },
        "due_at": format_micros(record.due_at) if is_open else None,
        "days_left": (record.due_at - now) // _DAY if is_open else None,
        "contact": record.contact,
        "detail": record.detail,
        "effects": record.effects,
        "extension": _timed(record.extension, "at", "until"),
        "answer": record.answer,
        "denial": _denial(record.denial, caller),
        "closed_at": _time(record.verify_until if facts.state is RequestState.EXPIRED else record.closed_at),
        "result_until": _time(record.result_until),
        "recourse": recourse,
        "events": [_event(event, caller) for event in _events(record, facts.state)],
        "legal": [transition.value for transition in legal(facts, parties, now)],
    }
    return {name: value for name, value in shown.items() if value is not None or name in _ALWAYS}


_ALWAYS = frozenset({"consumer_id", "jurisdiction", "due_at", "days_left"})


def _events(record: Record, state: RequestState) -> list[dict[str, Any]]:
    if state is record.state:
        return record.events
    return [*record.events, expiry_of(record)]


def expiry_of(record: Record) -> dict[str, Any]:
    """Give the event by which a request expires: time alone did it, nobody else."""
    before, after = record.state.value, RequestState.EXPIRED.value
    return {"at": record.verify_until, "transition": "expire", "from": before, "to": after, "by": {"class": "time"}}


def _event(event: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    own = caller.token_class is TokenClass.CONSUMER
    shown = {name: value for name, value in event.items() if not (own and name == "note")}
    return {**shown, "at": format_micros(event["at"]), "by": _by(event["by"], caller)}


def _by(stamp: Mapping[str, str], caller: Caller) -> dict[str, str]:
    own = caller.token_class is TokenClass.CONSUMER
    return {name: value for name, value in stamp.items() if not (own and name in _OF_STAFF)}


def _verified(verified: Mapping[str, Any] | None, caller: Caller) -> dict[str, Any] | None:
    if verified is None:
        return None
    return {**verified, "at": format_micros(verified["at"]), "by": _by(verified["by"], caller)}


def _denial(denial: Mapping[str, Any] | None, caller: Caller) -> dict[str, Any] | None:
    if denial is None:
        return None
    # Where a law bars giving the grounds, the reason would give them away; so it would to whoever asks in their name.
    barred = "barred_by" in denial and caller.token_class in (TokenClass.CONSUMER, None)
    return {name: value for name, value in denial.items() if not (barred and name == "reason")}


def _timed(value: Mapping[str, Any] | None, *names: str) -> dict[str, Any] | None:
    return None if value is None else {**value, **{name: format_micros(value[name]) for name in names}}


def _time(moment: Micros | None) -> str | None:
    return None if moment is None else format_micros(moment)
