"""A consumer's rights requests: filing one, looking at them, taking one back."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from sayso.client.faults import checked_micros, invalid, reading
from sayso.client.handle import Handle
from sayso.model.choice import Answer
from sayso.model.deadline import RequestKind
from sayso.model.ids import new_choice_id
from sayso.model.instant import format_micros
from sayso.model.request import Fault, RequestChannel
from sayso.transport.codec import dumps
from sayso.transport.http import Transport
from sayso.wire import Code

PATH = "/v1/requests"
_ID = re.compile(r"[0-9A-Fa-f-]{36}")


@dataclass(frozen=True, slots=True)
class RightsRequest:
    """A rights request, as of when it was read.

    Attributes:
        id: Its id.
        consumer_id: Whose; None while nobody knows, and after an erasure.
        kind: What is asked for.
        state: How far it has come.
        held_by: Who works on it: `brand` or `platform`.
        received_at: From when the clock runs.
        due_at: By when the next thing is due: confirming receipt, or answering; None once it is closed.
        days_left: Whole days until then, below zero once they are over.
        laws: The names of everything that sets a date, as in the catalogue.
        verified: It is known who asks.
        legal: What whoever read it may do with it now.
        refused: The topics that it refused at once; `*` is everything.
        restricted: Processing is restricted by it.
        answer: What the consumer was told when it was fulfilled.
        denial: Reason, grounds, words and recourse, once it was denied.
        recourse: Whom the consumer can turn to, in words.
        events: Everything that was done with it, oldest first.
        raw: All that the server sent.
    """

    id: str
    consumer_id: str | None
    kind: str
    state: str
    held_by: str
    received_at: datetime
    due_at: datetime | None
    days_left: int | None
    laws: tuple[str, ...]
    verified: bool
    legal: tuple[str, ...]
    refused: tuple[str, ...]
    restricted: bool
    answer: str | None
    denial: Mapping[str, Any] | None
    recourse: str
    events: tuple[Mapping[str, Any], ...] = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read one request."""
        due = data.get("due_at")
        effects = data.get("effects") or {}
        return cls(
            id=data["id"],
            consumer_id=data.get("consumer_id"),
            kind=data["kind"],
            state=data["state"],
            held_by=data["held_by"],
            received_at=datetime.fromisoformat(data["received_at"]),
            due_at=None if due is None else datetime.fromisoformat(due),
            days_left=data.get("days_left"),
            laws=tuple(data["deadlines"]["laws"]),
            verified=data.get("verified") is not None,
            legal=tuple(data.get("legal") or ()),
            refused=tuple(effects.get("refused") or ()),
            restricted=effects.get("restricted") is True,
            answer=data.get("answer"),
            denial=data.get("denial"),
            recourse=(data.get("recourse") or {}).get("words", ""),
            events=tuple(data.get("events") or ()),
            raw=data,
        )

    @property
    def is_open(self) -> bool:
        """Whether the clock runs."""
        return self.due_at is not None


def filing(
    kind: RequestKind | str,
    *,
    consumer_id: str | None,
    id: str | None = None,
    channel: RequestChannel | str | None = None,
    received_at: datetime | None = None,
    held_by: str | None = None,
    jurisdiction: str | None = None,
    language: str | None = None,
    contact: Mapping[str, str | None] | None = None,
    topics: Iterable[str] = (),
    about: str | None = None,
    fault: Fault | str | None = None,
    answer: Answer | str | None = None,
    urls: Iterable[str] = (),
    text: str | None = None,
) -> bytes:
    """Give the body with which a request is filed. Its id is made here, once, before anything is sent.

    Raises:
        InvalidError: `received_at` is naive.
    """
    detail = _given(
        topics=list(topics),
        about=about,
        fault=None if fault is None else str(fault),
        answer=None if answer is None else str(answer),
        urls=list(urls),
        text=text,
    )
    received = None if received_at is None else format_micros(checked_micros("/received_at", received_at))
    body = _given(
        id=id or new_choice_id(),
        kind=str(kind),
        consumer_id=consumer_id,
        channel=None if channel is None else str(channel),
        received_at=received,
        held_by=held_by,
        jurisdiction=jurisdiction,
        language=language,
        contact=_given(**(contact or {})),
        detail=detail,
    )
    return dumps(body)


async def sent(
    transport: Transport, method: str, path: str, body: bytes | None = None, *, scope: str = "backend"
) -> RightsRequest:
    """Send one call about a request, and read the request that it answers.

    Raises:
        Error: The class says why.
    """
    answer = await transport.call(method, path, body, scope=scope)
    with reading():
        return RightsRequest.from_wire(answer.data)


class Rights(Handle):
    """Files a consumer's rights requests. It never costs them anything."""

    __slots__ = ()

    async def request(
        self,
        kind: RequestKind | str,
        *,
        topics: Iterable[str] = (),
        about: str | None = None,
        fault: Fault | str | None = None,
        answer: Answer | str | None = None,
        urls: Iterable[str] = (),
        text: str | None = None,
        name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        address: str | None = None,
        jurisdiction: str | None = None,
        language: str | None = None,
        channel: RequestChannel | str = RequestChannel.API,
        id: str | None = None,
    ) -> RightsRequest:
        """File a rights request. The clock runs from now; what it stops has stopped when this returns.

        `withdraw-all` refuses everything, `object` the topics named or all that rest on a legitimate interest,
        `restrict` suspends all but what the law demands, and the opt-outs what they name: nobody waits for an officer.

        Args:
            kind: `access`, `correct`, `delete`, `transfer`, `copy`, `withdraw-all`, `object`, `restrict`,
                `minor-content-removal`, `sale-opt-out`, `sms-opt-out` or `email-opt-out`.
            topics: `object`: which topics; all that rest on a legitimate interest by default.
            about: `correct`: the field or topic that is wrong.
            fault: `correct`: `inaccurate`, `incomplete`, `ambiguous` or `unauthorised`.
            answer: `correct` of a topic: the refusal that should stand there.
            urls: `minor-content-removal`: the public address of each piece.
            text: The person's own words.
            name: Of whom the answer is for.
            email: Where to answer.
            phone: Where to answer.
            address: Where to answer.
            jurisdiction: Where the person lives, such as `US-CA`; unknown counts as the strictest.
            language: What the answer is written in.
            channel: The way it came in: `api`, `widget`, `chat`, `email`, `phone`, `post` or `in_person`.
            id: A UUID of your own, so that filing the same again files nothing twice.

        Raises:
            InvalidError: Something is missing for the kind; `pointer` says what.
            Error: It may not have been filed; the class says why. Nothing is kept in the outbox: file it again with the
                same `id`. In an outage `withdraw` and `withdraw_all` are kept and count at once.
        """
        body = filing(
            kind,
            consumer_id=self.id,
            id=id,
            channel=channel,
            jurisdiction=jurisdiction,
            language=language,
            contact={"name": name, "email": email, "phone": phone, "address": address},
            topics=topics,
            about=about,
            fault=fault,
            answer=answer,
            urls=urls,
            text=text,
        )
        filed = await sent(self._transport, "POST", PATH, body)
        version = (filed.raw.get("effects") or {}).get("version")
        if isinstance(version, int):
            # From now on nothing older is answered from here: what was stopped has stopped.
            self._memory.saw_version(filed.consumer_id or self.id, version)
        return filed

    async def requests(self) -> list[RightsRequest]:
        """Give the consumer's rights requests, newest first.

        Raises:
            Error: The class says why.
        """
        answer = await self._transport.call("GET", f"{PATH}?consumer={self.id.replace('+', '%2B')}")
        with reading():
            return [RightsRequest.from_wire(entry) for entry in answer.data["requests"]]

    async def revoke_request(self, request_id: str, *, note: str | None = None) -> RightsRequest:
        """Take a request back. What it refused stays refused until it is granted; a restriction ends.

        Raises:
            NotFoundError: There is no such request.
            ConflictError: It is closed; `legal` says what can be done.
        """
        path = f"{PATH}/{checked_request_id(request_id)}/revoke"
        return await sent(self._transport, "POST", path, dumps({} if note is None else {"note": note}))


def checked_request_id(request_id: str) -> str:
    """Give the id back if it may name a request.

    Raises:
        InvalidError: It is no UUID.
    """
    if not _ID.fullmatch(request_id):
        raise invalid("/id", Code.INVALID_ID, "a request's id is a UUID")
    return request_id


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, [], {})}
