"""What a guardian does by a link: look, allow, refuse; later withdraw, and have everything deleted.

Looking changes nothing. An answer uses the link up: it is claimed first, then recorded under ids that follow from the
link, then closed. Whoever comes with the link of an answer that broke off in between finishes that one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

from sayso.model.choice import Actor, Answer, Choice, ChoiceBatch, Evidence, Method, SentNotice
from sayso.model.deadline import RequestKind
from sayso.model.ids import new_choice_id
from sayso.model.instant import Micros, from_micros, span_micros
from sayso.model.recorded import BY_GUARDIAN, GRANTED
from sayso.model.request import NewRequest, RequestChannel
from sayso.model.table import text_in
from sayso.rules.fold import standing_for
from sayso.rules.guardians import CONFIRM_AFTER, LINK_BITS, UNANSWERED_LASTS, needs_confirming
from sayso.rules.link import copy_id
from sayso.wire import Code
from sayso_server.clock import Clock
from sayso_server.jsonio import loads
from sayso_server.services.admission_minor import has_refused, is_minor_now
from sayso_server.services.batch_entry import LARGEST_NUMBER
from sayso_server.services.caller import GUARDIAN_LINK, Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.guardian_asking import check_not_refused
from sayso_server.services.guardian_case import (
    CASE,
    LINK,
    TO_ASK,
    TO_MANAGE,
    USED,
    WAITING,
    Case,
    audit_line,
    link_document,
    read_case,
    write_case,
)
from sayso_server.services.identity import resolve
from sayso_server.services.link_tokens import new_link_token, read_link_token
from sayso_server.services.recording import Recording
from sayso_server.services.refusals import RefusedError
from sayso_server.services.requests import Requests
from sayso_server.services.state import State, read_state
from sayso_server.storage.base import DocumentKey, DocumentPlan, DocumentWrites, Storage, StoredDocument

T = TypeVar("T")


class OpenedLink(NamedTuple):
    """A link that a guardian holds.

    Attributes:
        brand_id: Whose.
        link_id: Its digest.
        purpose: `ask`, `confirm` or `manage`.
        consumer_id: The minor.
        language: What the guardian reads, where their browser names nothing that the pages speak.
        case: What is asked; None for `manage`.
        topics: What it is about: what is asked, or what a guardian has allowed.
        opened_at: When it was looked up.
    """

    brand_id: str
    link_id: str
    purpose: str
    consumer_id: str
    language: str
    case: Case | None
    topics: tuple[str, ...]
    opened_at: Micros


class Answered(NamedTuple):
    """What came of an answer.

    Attributes:
        granted: What is allowed now.
        waiting: What is to be confirmed by a second link before it is.
        token: Of the link by which the guardian can look and withdraw from now on.
    """

    granted: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    token: str | None = None


class GuardianAnswering:
    """Carries out what the holders of guardians' links want."""

    def __init__(
        self, storage: Storage, catalogues: Catalogues, recording: Recording, requests: Requests, clock: Clock
    ) -> None:
        """Take what it works with."""
        self._storage = storage
        self._catalogues = catalogues
        self._recording = recording
        self._requests = requests
        self._clock = clock

    async def open(self, token: str) -> OpenedLink:
        """Give what a token opens; this changes nothing.

        Raises:
            RefusedError: 404, or 410 `link_used`, `link_expired` or, once the minor has come of age, `not_a_minor`.
        """
        place, now = read_link_token(token), self._clock.now()
        stored = None if place is None else await self._storage.document(place[0], LINK, place[1])
        if place is None or stored is None or stored.consumer_id is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "this link opens nothing, or nothing any more")
        brand_id, link_id = place
        if stored.state == USED:
            raise RefusedError(HTTPStatus.GONE, Code.LINK_USED, "this link was used before; each works once")
        if stored.expires_at is not None and stored.expires_at <= now:
            raise _expired()
        body = loads(stored.body)
        purpose = body["purpose"]
        target, state = await self._state(brand_id, stored.consumer_id)
        catalogue = self._catalogues.of(brand_id).catalogue
        if not is_minor_now(state, catalogue, now, sale=True):
            message = "the person has come of age and decides alone now"
            raise RefusedError(HTTPStatus.GONE, Code.NOT_A_MINOR, message)
        if purpose == TO_MANAGE:
            granted = tuple(key for key in catalogue.topics if _granted_by_guardian(state, key))
            return OpenedLink(brand_id, link_id, purpose, target, body["language"], None, granted, now)
        case = read_case(await self._storage.document(brand_id, CASE, body["case"]), now)
        if case is None or case.link != link_id:
            raise _expired()
        return OpenedLink(brand_id, link_id, purpose, target, case.language, case, case.asked_about, now)

    async def answer(self, link: OpenedLink, chosen: Mapping[str, int | None], language: str) -> Answered:
        """Record what a guardian allows, or refuse all that was asked if that is nothing. The link is used up.

        Where the address was typed by the child, what they allow is kept until they have confirmed it by a second link.

        Args:
            link: What they hold.
            chosen: The topics that they allow, each with the version of the notice that they read.
            language: In which they read it.

        Raises:
            RefusedError: 403 `scope` for a topic that was not asked, 409 `refused_by_minor` with the `topics`, 409
                `notice_stale`, 410. The link is not used up by these.
        """
        case = link.case
        if case is None:
            raise _expired()
        outside = [topic for topic in chosen if topic not in link.topics]
        if outside:
            message = "this link asks about other topics; only those can be allowed by it"
            raise RefusedError(HTTPStatus.FORBIDDEN, Code.SCOPE, message, members={"topics": outside})
        _, state = await self._state(link.brand_id, link.consumer_id)
        if case.claim is None:
            check_not_refused(state, tuple(chosen))
        if chosen and link.purpose == TO_ASK and needs_confirming(case.contact_from) and case.claim is None:
            return await self._wait(link, case, tuple(chosen))
        claimed = await self._claim(link, await self._claimed(link, chosen, language))
        return await self._carry_out(link, claimed)

    async def withdraw(self, link: OpenedLink, topics: Collection[str]) -> None:
        """Take back what a guardian has allowed; of what they haven't, nothing."""
        choices = tuple(
            Choice(
                id=new_choice_id(),
                consumer_id=link.consumer_id,
                topic=topic,
                answer=Answer.WITHDRAWN,
                method=Method.WIDGET,
                actor=Actor.GUARDIAN,
                based_on=LARGEST_NUMBER,
            )
            for topic in link.topics
            if topic in topics
        )
        if choices:
            await self._recording.record(_caller(link), ChoiceBatch(choices=choices))

    async def delete(self, link: OpenedLink) -> dict[str, Any]:
        """File a request to delete everything about the minor; the same link files one a day."""
        day = from_micros(self._clock.now()).date()
        new = NewRequest(
            id=copy_id(link.link_id, f"delete {day}"),
            kind=RequestKind.DELETE,
            channel=RequestChannel.PAGE,
            consumer_id=link.consumer_id,
            language=link.language,
        )
        return await self._requests.file(_caller(link), new)

    async def _state(self, brand_id: str, consumer_id: str) -> tuple[str, State]:
        target = await resolve(self._storage, brand_id, consumer_id)
        return target, read_state(await self._storage.consumer(brand_id, target))

    async def _claimed(self, link: OpenedLink, chosen: Mapping[str, int | None], language: str) -> dict[str, Any]:
        """Give what is to be recorded, in a form that says the same whenever it is."""
        catalogue = self._catalogues.of(link.brand_id).catalogue
        notices: dict[str, list[Any]] = {}
        for key, version in chosen.items():
            topic = catalogue.topic(key)
            found = None if topic is None else text_in(topic.notice, language, catalogue.default_language)
            tongue = catalogue.default_language if found is None else found[0]
            notices[key] = [tongue, version or (1 if topic is None else topic.version)]
        version = await self._storage.version(link.brand_id, link.consumer_id)
        return {"consumer_id": link.consumer_id, "granted": notices, "based_on": version}

    async def _claim(self, link: OpenedLink, claim: dict[str, Any]) -> Case:
        """Take the link's one answer, unless one has been taken that broke off: then that one goes on."""

        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, Case]:
            case = _still_open(found, link, now)
            if case.claim is not None:
                return DocumentWrites(), case
            claimed = replace(case, claim=claim)
            return DocumentWrites(put=(write_case(claimed),)), claimed

        return await self._change(link, plan)

    async def _carry_out(self, link: OpenedLink, case: Case) -> Answered:
        claim = case.claim or {}
        granted: dict[str, list[Any]] = claim["granted"]
        choices = self._grants(link, case) if granted else await self._denials(link, case)
        try:
            if choices:
                await self._recording.record(_caller(link), ChoiceBatch(choices=tuple(choices)))
        except RefusedError as refused:
            await self._change(link, lambda found, now: _unclaimed(found, link, now))
            raise _told(refused, choices) from None
        token, lasting = new_link_token(link.brand_id, LINK_BITS)

        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, None]:
            here = _still_open(found, link, now)
            used = link_document(link.link_id, here, link.purpose, now, state=USED)
            put = [used]
            if granted:
                put.append(link_document(lasting, here, TO_MANAGE, now, lasts=True))
            event = "guardian.granted" if granted else "guardian.refused"
            line = audit_line(event, _caller(link), now, contact_from=here.contact_from.value, topics=list(granted))
            return DocumentWrites(put=put, delete=(here.key,), audit=(line,)), None

        await self._change(link, plan)
        return Answered(granted=tuple(granted), token=token if granted else None)

    async def _wait(self, link: OpenedLink, case: Case, chosen: tuple[str, ...]) -> Answered:
        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, None]:
            here = _still_open(found, link, now)
            waiting = replace(
                here,
                state=WAITING,
                due_at=now + span_micros(CONFIRM_AFTER),
                expires_at=now + span_micros(UNANSWERED_LASTS),
                link=None,
                chosen=chosen,
            )
            used = link_document(link.link_id, here, link.purpose, now, state=USED)
            line = audit_line("guardian.answered", _caller(link), now, topics=list(chosen))
            return DocumentWrites(put=(write_case(waiting), used), audit=(line,)), None

        await self._change(link, plan)
        return Answered(waiting=chosen)

    async def _change(self, link: OpenedLink, plan: DocumentPlan[T]) -> T:
        case = link.case
        wanted = [DocumentKey(LINK, link.link_id), *(() if case is None else (case.key,))]
        return await self._storage.change_documents(link.brand_id, wanted, plan)

    def _grants(self, link: OpenedLink, case: Case) -> list[Choice]:
        claim = case.claim or {}
        known = case.evidence
        shown = f"{known['kind']} {known.get('ref', '')}".strip() if known else f"contact from {case.contact_from}"
        evidence = Evidence(kind="guardian-link", ref=shown[:256], sha256=known.get("sha256"))
        return [
            Choice(
                id=copy_id(link.link_id, topic),
                consumer_id=claim["consumer_id"],
                topic=topic,
                answer=Answer.GRANTED,
                method=Method.WIDGET,
                actor=Actor.GUARDIAN,
                based_on=claim["based_on"],
                notice=SentNotice(language=language, version=version),
                evidence=evidence,
            )
            for topic, (language, version) in claim["granted"].items()
        ]

    async def _denials(self, link: OpenedLink, case: Case) -> list[Choice]:
        """Give the refusals of a guardian who allows nothing; what the minor has refused needs none."""
        _, state = await self._state(link.brand_id, link.consumer_id)
        catalogue = self._catalogues.of(link.brand_id).catalogue
        topics = [catalogue.topic(key) for key in case.asked_about]
        return [
            Choice(
                id=copy_id(link.link_id, topic.key),
                consumer_id=(case.claim or {})["consumer_id"],
                topic=topic.key,
                answer=Answer.DENIED,
                method=Method.WIDGET,
                actor=Actor.GUARDIAN,
                based_on=LARGEST_NUMBER,
            )
            for topic in topics
            if topic is not None and topic.refusable and not has_refused(state.topics, topic.key)
        ]


def _caller(link: OpenedLink) -> Caller:
    return Caller.by_link(link.brand_id, GUARDIAN_LINK, since=link.opened_at)


def _expired() -> RefusedError:
    return RefusedError(HTTPStatus.GONE, Code.LINK_EXPIRED, "this link no longer works; ask the brand for another")


def _still_open(found: Mapping[DocumentKey, StoredDocument], link: OpenedLink, now: Micros) -> Case:
    stored = found.get(DocumentKey(LINK, link.link_id))
    case = None if link.case is None else read_case(found.get(link.case.key), now)
    if stored is not None and stored.state == USED:
        raise RefusedError(HTTPStatus.GONE, Code.LINK_USED, "this link was used before; each works once")
    if stored is None or case is None or case.link != link.link_id:
        raise _expired()
    return case


def _unclaimed(
    found: Mapping[DocumentKey, StoredDocument], link: OpenedLink, now: Micros
) -> tuple[DocumentWrites, None]:
    case = _still_open(found, link, now)
    return DocumentWrites(put=(write_case(replace(case, claim=None)),)), None


def _granted_by_guardian(state: State, topic: str) -> bool:
    choice = standing_for(state.topics, topic)
    return choice is not None and choice.answer == GRANTED and choice.origin == BY_GUARDIAN


def _told(refused: RefusedError, choices: Sequence[Choice]) -> RefusedError:
    """Give a refusal of the record as the holder of a link is told it: by topic."""
    by_minor = [problem for problem in refused.problems if problem.code == Code.REFUSED_BY_MINOR]
    if not by_minor:
        return refused
    topics = [choices[int(problem.pointer.split("/")[2])].topic for problem in by_minor]
    message = "the minor has refused this themselves, and that stands; leave it out"
    return RefusedError(
        HTTPStatus.CONFLICT, Code.REFUSED_BY_MINOR, message, problems=by_minor, members={"topics": topics}
    )
