"""Links that are sent to a consumer: to unsubscribe from one topic (RFC 8058), or to see and refuse what stands.

Whoever holds a link needs no sign-in, so it can only refuse. It names nobody, outlives every key of the brand, and dies
with the erasure of its consumer.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from sayso.errors import Problem
from sayso.model.choice import Answer, Choice, ChoiceBatch, ConsumerId, Detail, Method
from sayso.model.ids import new_choice_id
from sayso.model.instant import Micros, span_micros
from sayso.model.topic import EVERY_TOPIC, LegalBasis, TopicKind
from sayso.rules.fold import DOUBT, standing
from sayso.rules.senders import scope_of
from sayso.wire import MAX_LINKS, Code
from sayso_server.clock import Clock
from sayso_server.jsonio import dumps, loads
from sayso_server.services.batch_entry import LARGEST_NUMBER
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.identity import resolve
from sayso_server.services.link_tokens import LEAST_BITS, new_link_token, read_link_token
from sayso_server.services.recording import Recording
from sayso_server.services.refusals import RefusedError, refuse_members
from sayso_server.services.state import read_state
from sayso_server.storage.base import DocumentKey, DocumentWrites, Storage, StoredDocument

PAGE_LASTS: Final = timedelta(days=90)
"""A preferences link shows what somebody chose to whoever has the message it came in, so it ends."""
_LIVE: Final = "live"
_SAME_CLICK: Final = span_micros(DOUBT)


class LinkKind(StrEnum):
    """What a link opens."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"


class WantedLink(BaseModel):
    """One link to make.

    Attributes:
        consumer_id: Whose choices it can refuse.
        kind: What it opens.
        topic: What an unsubscribe link refuses.
        sender: For a channel: only what this sender sends.
        language: The language of the page, where the browser names none that there is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    consumer_id: ConsumerId
    kind: LinkKind = LinkKind.UNSUBSCRIBE
    topic: Annotated[str, Field(min_length=1, max_length=160)] = "channel:email"
    sender: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)] | None = None


class LinkBatch(BaseModel):
    """The body of `POST /v1/unsubscribe-links`: 1 to 500."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    links: Annotated[tuple[WantedLink, ...], Field(min_length=1, max_length=MAX_LINKS)]


class OpenLink(NamedTuple):
    """A link that somebody holds.

    Attributes:
        brand_id: Whose.
        kind: What it opens.
        consumer_id: Whose choices.
        topic: What it refuses; empty for a preferences link.
        sender: Only from there, or None.
        language: The page's, or None.
        opened_at: When it was looked up.
    """

    brand_id: str
    kind: LinkKind
    consumer_id: str
    topic: str
    sender: str | None
    language: str | None
    opened_at: Micros


class ConsumerLinks:
    """Makes links and carries out what their holders ask."""

    def __init__(self, storage: Storage, catalogues: Catalogues, recording: Recording, clock: Clock) -> None:
        """Take what it works with."""
        self._storage = storage
        self._catalogues = catalogues
        self._recording = recording
        self._clock = clock

    async def make(self, caller: Caller, batch: LinkBatch) -> list[tuple[WantedLink, str]]:
        """Make links, all or none; give each with the token that nobody can be told again.

        Raises:
            RefusedError: 422 for a topic that there isn't or that nobody can refuse.
        """
        self._check(caller.brand_id, batch.links)
        now = self._clock.now()
        made: list[tuple[WantedLink, str]] = []
        documents: list[StoredDocument] = []
        for wanted in batch.links:
            token, document_id = new_link_token(caller.brand_id, LEAST_BITS)
            documents.append(_document(wanted, document_id, now))
            made.append((wanted, token))

        def plan(_: Mapping[DocumentKey, StoredDocument], __: Micros) -> tuple[DocumentWrites, None]:
            return DocumentWrites(put=documents), None

        await self._storage.change_documents(caller.brand_id, (), plan)
        return made

    async def open(self, kind: LinkKind, token: str) -> OpenLink:
        """Give what a token opens; this changes nothing.

        Raises:
            RefusedError: 404; it opens nothing, or nothing any more.
        """
        place = read_link_token(token)
        now = self._clock.now()
        document = None if place is None else await self._storage.document(place[0], kind.value, place[1])
        expired = document is not None and document.expires_at is not None and document.expires_at <= now
        if place is None or document is None or document.consumer_id is None or expired:
            raise RefusedError(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "this link opens nothing, or nothing any more")
        body = loads(document.body)
        return OpenLink(
            place[0], kind, document.consumer_id, body.get("topic", ""), body.get("sender"), body.get("language"), now
        )

    async def refuse(self, link: OpenLink, topic: str | None = None) -> None:
        """Record the refusal that a link's holder asks for; doing it again at once changes nothing.

        It has seen everything recorded so far: what the consumer did last is to refuse. A later click says so anew, for
        a grant that was made since the first may still be on its way.

        Args:
            link: What they hold.
            topic: For a preferences link: what to refuse, `*` for everything.

        Raises:
            RefusedError: 422 for a topic that there isn't or that nobody can refuse, 410 `erased`.
        """
        key = link.topic or topic or ""
        if await self._stands(link, key):
            return
        choice = Choice(
            id=new_choice_id(),
            consumer_id=link.consumer_id,
            topic=key,
            answer=Answer.WITHDRAWN,
            method=Method.EMAIL if link.kind is LinkKind.UNSUBSCRIBE else Method.WIDGET,
            based_on=LARGEST_NUMBER,
            detail=Detail(sender=link.sender) if link.sender is not None else None,
        )
        caller = Caller.by_link(link.brand_id, link.kind.value, since=link.opened_at)
        await self._recording.record(caller, ChoiceBatch(choices=(choice,)))

    async def _stands(self, link: OpenLink, topic: str) -> bool:
        """Tell whether just this was refused a moment ago."""
        target = await resolve(self._storage, link.brand_id, link.consumer_id)
        fold = read_state(await self._storage.consumer(link.brand_id, target)).topics.get(topic)
        if fold is not None and link.sender is not None:
            fold = dict(fold.scoped).get(scope_of(link.sender))
        stands = None if fold is None else standing(fold)
        return stands is not None and stands.is_refusal and stands.effective_at >= link.opened_at - _SAME_CLICK

    def _check(self, brand_id: str, links: Sequence[WantedLink]) -> None:
        catalogue = self._catalogues.of(brand_id).catalogue
        problems: list[Problem] = []
        for place, wanted in enumerate(links):
            if wanted.kind is LinkKind.PREFERENCES:
                continue
            at = f"/links/{place}"
            topic = catalogue.topic(wanted.topic)
            if topic is None and wanted.topic != EVERY_TOPIC:
                nearest = catalogue.nearest(wanted.topic)
                hint = f"; did you mean {nearest}?" if nearest else "; see GET /v1/catalogue for the topics there are"
                message = f"the catalogue has no topic {wanted.topic[:64]!r}{hint}"
                problems.append(Problem(f"{at}/topic", Code.UNKNOWN_TOPIC.value, message))
            elif topic is not None and topic.basis in (LegalBasis.CONTRACT, LegalBasis.LEGAL_OBLIGATION):
                message = f"{topic.key} can't be refused, so no link can"
                problems.append(Problem(f"{at}/topic", Code.NOT_REFUSABLE.value, message))
            if wanted.sender is not None and (topic is None or topic.kind is not TopicKind.CHANNEL):
                message = "sender belongs to channel topics only"
                problems.append(Problem(f"{at}/sender", Code.INVALID_VALUE.value, message))
        if problems:
            raise refuse_members(problems)


def _document(wanted: WantedLink, document_id: str, now: Micros) -> StoredDocument:
    body: dict[str, Any] = {}
    if wanted.kind is LinkKind.UNSUBSCRIBE:
        body = {"topic": wanted.topic, "sender": wanted.sender}
    body["language"] = wanted.language
    return StoredDocument(
        kind=wanted.kind.value,
        document_id=document_id,
        consumer_id=wanted.consumer_id,
        state=_LIVE,
        created_at=now,
        due_at=0,
        expires_at=now + span_micros(PAGE_LASTS) if wanted.kind is LinkKind.PREFERENCES else None,
        marks=(),
        body=dumps({name: value for name, value in body.items() if value is not None}),
    )
