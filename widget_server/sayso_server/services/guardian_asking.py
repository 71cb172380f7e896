"""Asking a minor's guardian: the brand's side. Links go to the brand's backend alone, and there is one at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from sayso.errors import Problem
from sayso.model.guardian import ContactFrom, GuardianRequest, OwnGuardianRequest
from sayso.model.instant import Micros, format_micros, span_micros
from sayso.rules.guardians import (
    LINK_BITS,
    LINK_LASTS,
    UNANSWERED_LASTS,
    comes_from_child,
    needs_confirming,
    topic_problems,
)
from sayso.wire import PAGE_SIZE, Code
from sayso_server.clock import Clock
from sayso_server.services.admission_minor import has_refused, is_minor_now
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.guardian_case import (
    ASKED,
    CASE,
    CONFIRMING,
    LINK,
    OPEN,
    TO_ASK,
    TO_CONFIRM,
    WAITING,
    Case,
    audit_line,
    case_json,
    link_document,
    read_case,
    write_case,
)
from sayso_server.services.identity import resolve
from sayso_server.services.link_tokens import new_link_token
from sayso_server.services.marks import Marks
from sayso_server.services.refusals import RefusedError, refuse_members
from sayso_server.services.state import State, read_state
from sayso_server.storage.base import DocumentKey, DocumentWrites, Storage, StoredDocument

Shown = dict[str, Any]


class GuardianAsking:
    """Takes what minors ask for, and makes the links that a brand sends to guardians."""

    def __init__(self, storage: Storage, catalogues: Catalogues, marks: Marks, clock: Clock) -> None:
        """Take what it works with."""
        self._storage = storage
        self._catalogues = catalogues
        self._marks = marks
        self._clock = clock

    async def note(self, caller: Caller, consumer_id: str, own: OwnGuardianRequest) -> Shown:
        """Keep whom a minor has named. They get no link; the brand's backend does, once it asks for one.

        What the guardian is being asked already goes on as it is.

        Raises:
            RefusedError: 409 `not_a_minor` or `refused_by_minor`, 422 for topics.
        """
        target, (key, *_) = await self._checked(caller.brand_id, consumer_id, own.topics, None)

        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, Case]:
            before = read_case(found.get(key), now)
            if before is not None and before.state != ASKED:
                return DocumentWrites(), before
            contact = own.contact.model_dump(exclude_none=True)
            again = before is not None and before.contact == contact
            case = Case(
                key.document_id,
                target,
                ASKED,
                now,
                now,
                before.expires_at if before is not None and again else now + span_micros(UNANSWERED_LASTS),
                own.topics,
                own.language,
                ContactFrom.CHILD,
                contact,
            )
            return DocumentWrites(put=(write_case(case),), audit=(audit_line("guardian.named", caller, now),)), case

        case = await self._storage.change_documents(caller.brand_id, [key], plan)
        return {"state": case.state, "topics": list(case.topics), "deleted_at": format_micros(case.expires_at)}

    async def ask(self, caller: Caller, consumer_id: str, body: GuardianRequest) -> tuple[Shown, str]:
        """Make a link; the one that was out before opens nothing any more.

        Returns:
            What is asked, and the link's token, which nobody can be told again.

        Raises:
            RefusedError: 409 `not_a_minor` or `refused_by_minor`, 422 for topics, among them `verification_needed`.
        """
        brand_id = caller.brand_id
        target, keys = await self._checked(brand_id, consumer_id, body.topics, body.contact_from)
        token, link_id = new_link_token(brand_id, LINK_BITS)
        key = keys[0]

        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, Case]:
            before = next((case for each in keys if (case := read_case(found.get(each), now)) is not None), None)
            contact = {} if body.contact is None else body.contact.model_dump(exclude_none=True)
            contact_from, expires_at = body.contact_from, now + span_micros(UNANSWERED_LASTS)
            if before is not None and comes_from_child(contact_from, contact, before.contact_from, before.contact):
                contact_from = ContactFrom.CHILD
            if not contact and before is not None and before.contact_from is contact_from:
                contact = before.contact
                if contact:
                    expires_at = before.expires_at  # asking again keeps nobody's address any longer
            case = Case(
                key.document_id,
                target,
                OPEN,
                now,
                now,
                expires_at,
                body.topics,
                body.language,
                contact_from,
                contact,
                {} if body.evidence is None else body.evidence.model_dump(exclude_none=True),
                link_id,
            )
            line = audit_line(
                "guardian.asked", caller, now, contact_from=case.contact_from.value, topics=list(case.topics)
            )
            put = (write_case(case), link_document(link_id, case, TO_ASK, now))
            cancelled = [link for each in keys for link in _open_link(read_case(found.get(each), now))]
            return DocumentWrites(put=put, delete=(*keys[1:], *cancelled), audit=(line,)), case

        case = await self._storage.change_documents(brand_id, keys, plan)
        return self._out(case), token

    async def confirm(self, caller: Caller, consumer_id: str) -> tuple[Shown, str]:
        """Make the second link, by which a guardian confirms what they allowed a day before.

        Raises:
            RefusedError: 404 if nothing is to be confirmed, 409 `too_early` before the day is over.
        """
        brand_id = caller.brand_id
        target = await resolve(self._storage, brand_id, consumer_id)
        keys = self._keys(brand_id, target, read_state(await self._storage.consumer(brand_id, target)))
        token, link_id = new_link_token(brand_id, LINK_BITS)

        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, Case]:
            cases = [case for key in keys if (case := read_case(found.get(key), now)) is not None]
            before = next((case for case in cases if case.state in (WAITING, CONFIRMING)), None)
            if before is None:
                message = "no guardian has allowed anything that is to be confirmed"
                raise RefusedError(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, message)
            if now < before.due_at:
                message = "a guardian is asked once more a day after they answered, so that a child can't do it alone"
                members = {"confirm_from": format_micros(before.due_at)}
                raise RefusedError(HTTPStatus.CONFLICT, Code.TOO_EARLY, message, members=members)
            case = replace(before, state=CONFIRMING, link=link_id, claim=None)
            line = audit_line("guardian.asked_again", caller, now, topics=list(case.chosen))
            put = (write_case(case), link_document(link_id, case, TO_CONFIRM, now))
            return DocumentWrites(put=put, delete=_open_link(before), audit=(line,)), case

        case = await self._storage.change_documents(brand_id, keys, plan)
        return self._out(case), token

    async def page(
        self, caller: Caller, states: Sequence[str], *, after: tuple[Micros, str] | None = None
    ) -> tuple[list[Shown], tuple[Micros, str] | None]:
        """Give a page of what is asked of guardians and not answered yet, and where to go on, or None at the end."""
        found = await self._storage.documents(caller.brand_id, CASE, states=states, after=after, limit=PAGE_SIZE + 1)
        now = self._clock.now()
        cases = [read_case(stored, now) for stored in found[:PAGE_SIZE]]
        last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
        page = [case_json(case) for case in cases if case is not None]
        return page, None if last is None else (last.due_at, last.document_id)

    def _out(self, case: Case) -> Shown:
        """Give what is told about a link that has just been made."""
        return {
            "consumer_id": case.consumer_id,
            "state": case.state,
            "topics": list(case.asked_about),
            "expires_at": format_micros(min(self._clock.now() + span_micros(LINK_LASTS), case.expires_at)),
            "confirmed_later": case.state == OPEN and needs_confirming(case.contact_from),
        }

    def _keys(self, brand_id: str, consumer_id: str, state: State) -> list[DocumentKey]:
        """Give under what a minor's case is stored, and those of the visitors that they were."""
        ids = (consumer_id, *state.linked_from)
        return [DocumentKey(CASE, self._marks.of(brand_id, "guardian", each).hex()) for each in ids]

    async def _checked(
        self, brand_id: str, consumer_id: str, topics: Sequence[str], contact_from: ContactFrom | None
    ) -> tuple[str, list[DocumentKey]]:
        """Give the minor and under what their case is stored.

        It is made sure that there is something that their guardian can be asked.
        """
        catalogue = self._catalogues.of(brand_id).catalogue
        target = await resolve(self._storage, brand_id, consumer_id)
        state = read_state(await self._storage.consumer(brand_id, target))
        problems = list(topic_problems(topics, catalogue, contact_from))
        if problems:
            raise refuse_members(problems)
        now = self._clock.now()
        sale = any(topic is not None and topic.sale_or_share for topic in map(catalogue.topic, topics))
        if not is_minor_now(state, catalogue, now, sale=sale):
            message = "the consumer doesn't count as under age: report evidence of their age first, or ask them"
            raise RefusedError(HTTPStatus.CONFLICT, Code.NOT_A_MINOR, message)
        check_not_refused(state, topics)
        return target, self._keys(brand_id, target, state)


def check_not_refused(state: State, topics: Sequence[str]) -> None:
    """Refuse to have a guardian allow what the minor has refused.

    Raises:
        RefusedError: 409 `refused_by_minor`, naming the `topics`.
    """
    refused = [topic for topic in topics if has_refused(state.topics, topic)]
    if refused:
        message = "the minor has refused this themselves, and that stands; leave it out"
        problems = [Problem("/topics", Code.REFUSED_BY_MINOR.value, f"{message}: {topic}") for topic in refused]
        raise RefusedError(
            HTTPStatus.CONFLICT, Code.REFUSED_BY_MINOR, message, problems=problems, members={"topics": refused}
        )


def _open_link(case: Case | None) -> tuple[DocumentKey, ...]:
    return () if case is None or case.link is None else (DocumentKey(LINK, case.link),)
