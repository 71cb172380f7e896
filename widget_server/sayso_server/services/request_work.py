"""Working a rights request: one transition, with all that it does elsewhere."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sayso.model.choice import Answer
from sayso.model.instant import Micros
from sayso.model.request import NoteBody, RequestChannel, RequestDetail, StartBody, Transition
from sayso.rules.recourse import Recourse
from sayso.rules.requests import Party, Refusal, legal, refusal
from sayso.wire import Code, TokenClass
from sayso_server.clock import Clock
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.erasure import Erasing
from sayso_server.services.identity import resolve
from sayso_server.services.refusals import RefusedError, refuse_members
from sayso_server.services.request_effects import Filed, RequestEffects
from sayso_server.services.request_moves import body_problems, erases, lifts, move
from sayso_server.services.request_parties import parties_of, refused
from sayso_server.services.request_record import REQUEST, Record, key_of, read_record
from sayso_server.services.request_recourse import recourse_at
from sayso_server.services.request_store import RequestStore, Shown, audit_line, no_request
from sayso_server.storage.base import DocumentKey, DocumentWrites, Storage, StoredDocument

Still = Callable[[Iterable[StoredDocument]], None]
"""Given everything about a consumer, raises unless what is to be done to them still may be."""

_TO_STAFF = frozenset({RequestChannel.POST, RequestChannel.PHONE, RequestChannel.EMAIL, RequestChannel.IN_PERSON})


class RequestWork:
    """Makes transitions."""

    def __init__(
        self,
        storage: Storage,
        catalogues: Catalogues,
        *,
        store: RequestStore,
        effects: RequestEffects,
        erasing: Erasing,
        clock: Clock,
    ) -> None:
        """Take what it works with."""
        self._storage = storage
        self._catalogues = catalogues
        self._store = store
        self._effects = effects
        self._erasing = erasing
        self._clock = clock

    async def act(self, caller: Caller, request_id: str, transition: Transition, body: NoteBody) -> Shown:
        """Make a transition; see `Requests.act`.

        What it does elsewhere (an erasure, the end of a restriction) comes first, and does no harm twice: if the
        server dies in between, the request is still open, and doing it again finishes it. Where somebody else was
        faster, it is put right again; an erasure, which can't be, looks at the request in its own transaction.
        """
        brand_id, parties, now = caller.brand_id, parties_of(caller), self._clock.now()
        record = await self._store.read(caller, request_id)
        recourse = recourse_at(record.jurisdiction, self._catalogues.of(brand_id).catalogue, now)
        if isinstance(body, StartBody) and body.consumer_id is not None:
            whose = await resolve(self._storage, brand_id, body.consumer_id)
            body = body.model_copy(update={"consumer_id": whose})

        def newest_of(stored: StoredDocument) -> Record:
            newest = read_record(stored)
            if record.verified is None and newest.by_own_token:
                newest.verified = None  # a visitor's, who has become a consumer
            _check(newest, parties, transition, body, recourse=recourse, now=now)
            return newest

        def still(documents: Iterable[StoredDocument]) -> None:
            own = [each for each in documents if (each.kind, each.document_id) == key_of(request_id)]
            if not own:
                raise refused(Refusal(Code.TRANSITION_ILLEGAL, "somebody else is carrying it out"), ())
            newest_of(own[0])

        _check(record, parties, transition, body, recourse=recourse, now=now)
        taken = await self._do(caller, record, transition, body, still)
        stamp = caller.stamp()

        def plan(found: Mapping[DocumentKey, StoredDocument], _: Micros) -> tuple[DocumentWrites, Record]:
            stored = found.get(key_of(request_id))
            if stored is None:  # its consumer was erased meanwhile: nothing of what was read may come back
                raise no_request()
            newest = newest_of(stored)
            newest.effects |= taken
            event = move(newest, transition, body, recourse=recourse, stamp=stamp, now=now)
            line = audit_line(newest, f"request.{transition.value}", stamp, now, event["from"])
            return DocumentWrites(put=(self._store.packed(brand_id, newest),), audit=(line,)), newest

        try:
            changed = await self._storage.change_documents(brand_id, [key_of(request_id)], plan)
        except RefusedError:
            if lifts(record, transition) or "restricted" in taken:
                await self._restrict_as_stored(caller, record)
            raise
        return self._store.shown(caller, changed, now)

    async def _do(
        self, caller: Caller, record: Record, transition: Transition, body: NoteBody, still: Still
    ) -> dict[str, Any]:
        """Do what a transition does outside the request itself; give the effects that it has taken."""
        if isinstance(body, StartBody) and record.consumer_id is None and body.consumer_id is not None:
            record.consumer_id = body.consumer_id
            return await self._effects.take(caller, record.consumer_id, _filed(record))
        if record.consumer_id is not None and lifts(record, transition):
            await self._effects.restrict(caller, _reached(caller, record.consumer_id), record.request_id, on=False)
        if record.consumer_id is not None and erases(record, transition):
            reason = f"request:{record.request_id}"
            await self._erasing.erase(caller, record.consumer_id, reason=reason, still=still)
        return {}

    async def _restrict_as_stored(self, caller: Caller, record: Record) -> None:
        """Somebody else was faster: what they made of the request says whether the restriction rests on it."""
        if record.consumer_id is None:
            return
        stored = await self._storage.document(caller.brand_id, REQUEST, record.request_id)
        newest = None if stored is None else read_record(stored)
        on = newest is not None and newest.consumer_id == record.consumer_id and bool(newest.effects.get("restricted"))
        await self._effects.restrict(caller, _reached(caller, record.consumer_id), record.request_id, on=on)


def _reached(caller: Caller, consumer_id: str) -> str:
    # A consumer's own token reaches its subject alone, and not what they were before they signed in.
    own = caller.subject if caller.token_class is TokenClass.CONSUMER else None
    return own or consumer_id


def _check(
    record: Record,
    parties: frozenset[Party],
    transition: Transition,
    body: NoteBody,
    *,
    recourse: Recourse,
    now: Micros,
) -> None:
    facts = record.facts(now)
    wrong = refusal(facts, parties, transition, now)
    if wrong is not None:
        raise refused(wrong, tuple(one.value for one in legal(facts, parties, now)))
    problems = list(body_problems(record, transition, body, recourse))
    if problems:
        raise refuse_members(problems)


def _filed(record: Record) -> Filed:
    """Give what the effects of a request follow from, when it turns out late whose it is."""
    channel = RequestChannel(record.channel)
    answer = record.detail.get("answer")
    detail = RequestDetail(
        topics=tuple(record.detail.get("topics", ())),
        about=record.detail.get("about"),
        answer=None if answer is None else Answer(answer),
    )
    # Staff record what came in writing, whichever page or program brought it.
    return Filed(record.request_id, record.kind, channel if channel in _TO_STAFF else RequestChannel.POST, detail)
