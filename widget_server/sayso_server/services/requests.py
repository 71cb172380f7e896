"""Rights requests: filed, found, worked and answered. What is allowed is decided in `sayso.rules.requests`."""

import asyncio
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, Final
from zoneinfo import ZoneInfo

from sayso.model.deadline import RequestKind
from sayso.model.ids import new_choice_id
from sayso.model.instant import Micros
from sayso.model.request import OPEN_STATES, FindBody, NewRequest, NoteBody, RequestState, Transition
from sayso.rules.requests import Party
from sayso.wire import PAGE_SIZE, Code, TokenClass
from sayso_server.clock import Clock
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.erasure import Erasing
from sayso_server.services.identity import resolve
from sayso_server.services.marks import Marks
from sayso_server.services.reading import Reading
from sayso_server.services.recording import Recording
from sayso_server.services.refusals import RefusedError, refuse_member
from sayso_server.services.reporting import Reporting
from sayso_server.services.request_effects import Filed, RequestEffects
from sayso_server.services.request_expiry import expire_unverified
from sayso_server.services.request_filing import check_filing, fingerprint_of, record_of
from sayso_server.services.request_page import Names
from sayso_server.services.request_parties import check_reader, parties_of
from sayso_server.services.request_record import REQUEST, Record, key_of, read_record
from sayso_server.services.request_result import make_result
from sayso_server.services.request_store import RequestStore, Shown, audit_line
from sayso_server.services.request_work import RequestWork
from sayso_server.storage.base import DocumentKey, DocumentWrites, Storage, StoredDocument

MOST_OPEN: Final = 100
"""Open requests of one consumer: a page gone wrong must not bury an officer."""
OPEN: Final = "open"
CLOSED: Final = "closed"
STATES: Final = (OPEN, CLOSED, *(state.value for state in RequestState))
"""What a list may be asked for."""


class Requests:
    """Files, shows and works rights requests."""

    def __init__(
        self,
        storage: Storage,
        catalogues: Catalogues,
        *,
        recording: Recording,
        reporting: Reporting,
        reading: Reading,
        erasing: Erasing,
        marks: Marks,
        clock: Clock,
    ) -> None:
        """Take what it works with."""
        self._storage = storage
        self._catalogues = catalogues
        self._reading = reading
        self._clock = clock
        self._store = RequestStore(storage, catalogues, marks)
        self._effects = RequestEffects(recording, reporting, catalogues)
        self._work = RequestWork(
            storage, catalogues, store=self._store, effects=self._effects, erasing=erasing, clock=clock
        )

    async def file(self, caller: Caller, new: NewRequest) -> Shown:
        """File a request; what it stops has stopped when this returns. The same one again is answered as `replayed`.

        Args:
            caller: Who files: a consumer for themselves, a backend or staff for one, a link's holder for nobody known.
            new: What is filed.

        Returns:
            The request as the wire has it, and `replayed`.

        Raises:
            RefusedError: 403 `not_yours`, 422 naming the members at fault (`id_reused` for an id of other content,
                `too_many` beyond 100 open ones, where what it stops has stopped all the same; not so a `restrict`).
        """
        now, parties = self._clock.now(), parties_of(caller)
        subject = caller.subject if caller.token_class is TokenClass.CONSUMER else None
        catalogue = self._catalogues.of(caller.brand_id).catalogue
        if catalogue.time_zone is not None:
            await asyncio.to_thread(ZoneInfo, catalogue.time_zone)
        channel = check_filing(new, parties, catalogue, subject=subject, now=now)
        named = subject or new.consumer_id
        consumer_id = await resolve(self._storage, caller.brand_id, named) if named is not None else None
        request_id = new.id or new_choice_id()
        fingerprint = fingerprint_of(new, consumer_id)
        before = await self._storage.document(caller.brand_id, REQUEST, request_id)
        if before is not None:
            return self._replayed(caller, before, fingerprint)
        effects: dict[str, Any] = {}
        if consumer_id is not None and new.kind is RequestKind.RESTRICT:
            # A restriction that no request rests on could never be lifted.
            await self._check_room(caller.brand_id, consumer_id, "take one back first")
        if consumer_id is not None:
            effects = await self._effects.take(caller, consumer_id, Filed(request_id, new.kind, channel, new.detail))
            await self._check_room(caller.brand_id, consumer_id, "what this one stops has stopped")
        record = record_of(
            new,
            caller,
            parties,
            catalogue,
            request_id=request_id,
            consumer_id=consumer_id,
            channel=channel,
            effects=effects,
            fingerprint=fingerprint,
            now=now,
        )
        stored = self._store.packed(caller.brand_id, record)
        line = audit_line(record, "request.filed", caller.stamp(), now)

        def plan(
            found: Mapping[DocumentKey, StoredDocument], _: Micros
        ) -> tuple[DocumentWrites, StoredDocument | None]:
            there = found.get(key_of(request_id))
            return (DocumentWrites(put=(stored,), audit=(line,)), None) if there is None else (DocumentWrites(), there)

        there = await self._storage.change_documents(caller.brand_id, [key_of(request_id)], plan)
        if there is not None:
            return self._replayed(caller, there, fingerprint)
        return {**self._store.shown(caller, record, now), "replayed": False}

    async def show(self, caller: Caller, request_id: str) -> Shown:
        """Give one request; a consumer has only their own.

        Raises:
            RefusedError: 403 `not_yours` for roles that don't look at requests, 404.
        """
        check_reader(parties_of(caller))
        return self._store.shown(caller, await self._store.read(caller, request_id), self._clock.now())

    async def page(
        self,
        caller: Caller,
        *,
        state: str = OPEN,
        consumer_id: str | None = None,
        after: tuple[Micros, str] | None = None,
    ) -> tuple[list[Shown], tuple[Micros, str] | None]:
        """Give a page of the brand's requests by when they are due, and where to go on, or None at the end.

        Args:
            caller: Who asks; never a consumer (`own`).
            state: One of `STATES`.
            consumer_id: Only this consumer's.
            after: Where the page before ended.

        Raises:
            RefusedError: 403 `not_yours`.
        """
        check_reader(parties_of(caller))
        now = self._clock.now()
        wanted = _states(state)
        stored = await self._storage.documents(
            caller.brand_id,
            REQUEST,
            # What nobody has verified in time is stored as awaiting it: only the time tells that it has expired.
            states=sorted({*wanted, RequestState.AWAITING_VERIFICATION.value}),
            consumer_id=consumer_id,
            after=after,
            limit=PAGE_SIZE + 1,
        )
        records = [read_record(each) for each in stored[:PAGE_SIZE]]
        page = [self._store.shown(caller, record, now) for record in records if record.now_in(now).value in wanted]
        last = stored[PAGE_SIZE - 1] if len(stored) > PAGE_SIZE else None
        return page, None if last is None else (last.due_at, last.document_id)

    async def own(self, caller: Caller, consumer_id: str | None = None) -> list[Shown]:
        """Give a consumer's requests, newest first: of each id that was theirs up to 100 open and 100 closed ones.

        Args:
            caller: The consumer, or a backend that asks about one.
            consumer_id: Whose; the consumer's own by default.
        """
        check_reader(parties_of(caller))
        now = self._clock.now()
        records: list[Record] = []
        for one in await self._store.ids(caller.brand_id, consumer_id or caller.subject or ""):
            for state in (OPEN, CLOSED):
                found = await self._storage.documents(
                    caller.brand_id, REQUEST, states=sorted(_states(state)), consumer_id=one, limit=PAGE_SIZE
                )
                records += map(read_record, found)
        records.sort(key=lambda record: (record.received_at, record.request_id), reverse=True)
        return [self._store.shown(caller, record, now) for record in records]

    async def find(self, caller: Caller, body: FindBody) -> list[Shown]:
        """Give the requests of whoever has an e-mail address or phone number; only its keyed digest is looked for.

        A number that is found under no country code of its own is looked for by its last nine digits, so that
        one written without its country code is found too.

        Raises:
            RefusedError: 403 `not_yours`, except for privacy officers.
        """
        parties = parties_of(caller)
        if Party.OFFICER not in parties:
            message = "only a privacy officer looks for people by an address"
            raise RefusedError(HTTPStatus.FORBIDDEN, Code.NOT_YOURS, message)
        now, brand_id = self._clock.now(), caller.brand_id
        for mark in self._store.marks_of(brand_id, body.model_dump(exclude_none=True)):
            found = await self._storage.documents(brand_id, REQUEST, mark=mark, limit=PAGE_SIZE)
            if found:
                return [self._store.shown(caller, read_record(each), now) for each in found]
        return []

    async def act(self, caller: Caller, request_id: str, transition: Transition, body: NoteBody) -> Shown:
        """Make a transition.

        Args:
            caller: Who.
            request_id: With which request.
            transition: What.
            body: As `TRANSITION_BODIES` has it for the transition.

        Raises:
            RefusedError: 409 `transition_illegal` or `verification_needed` and 403 `not_yours`, each with `legal`, the
                transitions that this caller could make now; 404; 422 naming members.
        """
        return await self._work.act(caller, request_id, transition, body)

    async def expire(self) -> int:
        """Close what nobody has verified in time, each with a line in the audit; give how many of all brands.

        It counts as expired from its time on whether or not this has come by.
        """
        return await expire_unverified(self._storage, self._store, self._clock.now())

    async def result(self, caller: Caller, request_id: str) -> bytes:
        """Give everything held as a zip: JSON, CSV and a page to read. It is made anew each time, in memory.

        Raises:
            RefusedError: 404 while the request isn't fulfilled, 30 days after, and for kinds that have no such answer.
        """
        check_reader(parties_of(caller))
        record = await self._store.read(caller, request_id)
        until = record.result_until
        # To whom a visitor's answer goes was never made sure of for the account that the visitor has become since.
        own = caller.token_class is TokenClass.CONSUMER
        unsure = record.clock["verification"] and record.verified is None and not own
        if until is None or self._clock.now() >= until or record.consumer_id is None or unsure:
            message = "there is nothing to fetch: it is there for 30 days once a request for a copy is fulfilled"
            raise RefusedError(HTTPStatus.NOT_FOUND, Code.NO_RESULT, message)
        # A consumer's own token reaches its subject alone, and not what they were before they signed in.
        whose = caller.subject if own and caller.subject is not None else record.consumer_id
        export = await self._reading.export(caller.brand_id, whose)
        catalogue = self._catalogues.of(caller.brand_id).catalogue
        names = Names(
            {key: topic.title for key, topic in catalogue.topics.items()},
            {key: partner.title for key, partner in catalogue.partners.items()},
        )
        return await asyncio.to_thread(make_result, export, language=record.language, names=names)

    def recourse(self, brand_id: str, jurisdiction: str | None, language: str) -> Shown:
        """Give whom a consumer can turn to, as it is shown before anything is filed."""
        return self._store.recourse(brand_id, jurisdiction, language, self._clock.now())

    async def _check_room(self, brand_id: str, consumer_id: str, so: str) -> None:
        states = [state.value for state in OPEN_STATES]
        found = await self._storage.documents(
            brand_id, REQUEST, states=states, consumer_id=consumer_id, limit=MOST_OPEN
        )
        if len(found) >= MOST_OPEN:
            raise refuse_member("", Code.TOO_MANY, f"{MOST_OPEN} requests of this consumer are open already; {so}")

    def _replayed(self, caller: Caller, stored: StoredDocument, fingerprint: str) -> Shown:
        record = read_record(stored)
        if record.fingerprint != fingerprint:
            raise refuse_member("/id", Code.ID_REUSED, "this id was used for another request; make a new one")
        return {**self._store.shown(caller, record, self._clock.now()), "replayed": True}


def _states(state: str) -> Collection[str]:
    if state == OPEN:
        return {one.value for one in OPEN_STATES}
    if state == CLOSED:
        return {one.value for one in RequestState if one not in OPEN_STATES}
    return {state}
