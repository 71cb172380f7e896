"""The officers' side of rights requests: `privacy.requests`."""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime

from sayso.client.faults import reading
from sayso.client.history import next_query
from sayso.client.rights import PATH, RightsRequest, checked_request_id, filing, sent
from sayso.model.choice import Answer
from sayso.model.deadline import RequestKind
from sayso.model.request import DenialReason, Fault, Holder, RequestChannel, RequestState, Transition, UrlState
from sayso.transport.codec import dumps
from sayso.transport.http import Transport
from sayso.wire import Role


class Requests:
    """Works rights requests as a privacy officer; the client's key needs that role.

    A key with the role `backend` alone uses `privacy.requests.as_backend`: it acknowledges, verifies, starts, fulfils
    and revokes, and leaves extending, denying, handing over and lifting to a person.
    """

    def __init__(self, transport: Transport, role: Role = Role.PRIVACY_OFFICER) -> None:
        """Take what sends; made by `Client.requests`."""
        self._transport = transport
        self._scope = role.value

    @property
    def as_backend(self) -> "Requests":
        """The same with the role `backend`."""
        return Requests(self._transport, Role.BACKEND)

    async def file(
        self,
        kind: RequestKind | str,
        *,
        channel: RequestChannel | str,
        consumer: str | None = None,
        received_at: datetime | None = None,
        held_by: Holder | str = Holder.BRAND,
        name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        address: str | None = None,
        topics: Iterable[str] = (),
        about: str | None = None,
        fault: Fault | str | None = None,
        answer: Answer | str | None = None,
        urls: Iterable[str] = (),
        text: str | None = None,
        jurisdiction: str | None = None,
        language: str | None = None,
        id: str | None = None,
    ) -> RightsRequest:
        """Enter what came by post, phone or mail. The members that `Consumer.request` has mean the same.

        Args:
            kind: What is asked for.
            channel: `post`, `phone`, `email` or `in_person`.
            consumer: Whose, if known; else there has to be an address to answer to.
            received_at: When it was received, with a zone; the clock runs from then. Now by default.
            held_by: Who works on it: `brand` or `platform`.
            name: Who wrote.
            email: Where to answer, and by what they are found again.
            phone: The same.
            address: Where to answer.
            topics: As for `Consumer.request`.
            about: The same.
            fault: The same.
            answer: The same.
            urls: The same.
            text: The same.
            jurisdiction: The same.
            language: The same.
            id: The same.

        Raises:
            Error: The class says why.
        """
        body = filing(
            kind,
            consumer_id=consumer,
            id=id,
            channel=channel,
            received_at=received_at,
            held_by=str(held_by),
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
        return await sent(self._transport, "POST", PATH, body, scope=self._scope)

    async def show(self, request_id: str) -> RightsRequest:
        """Give one request.

        Raises:
            NotFoundError: There is none of that id.
        """
        return await sent(self._transport, "GET", f"{PATH}/{checked_request_id(request_id)}", scope=self._scope)

    async def find(self, *, email: str | None = None, phone: str | None = None) -> tuple[RightsRequest, ...]:
        """Give the requests of whoever has an e-mail address or a phone number: say one of them.

        Raises:
            InvalidError: It is neither, or both were given.
        """
        body = dumps({name: value for name, value in (("email", email), ("phone", phone)) if value is not None})
        answer = await self._transport.call("POST", f"{PATH}/find", body, scope=self._scope)
        with reading():
            return tuple(RightsRequest.from_wire(entry) for entry in answer.data["requests"])

    async def acknowledge(self, request_id: str, *, note: str | None = None) -> RightsRequest:
        """Confirm receipt."""
        return await self._act(request_id, Transition.ACKNOWLEDGE, note=note)

    async def verify(
        self, request_id: str, *, ask: str | None = None, within_days: int = 30, note: str | None = None
    ) -> RightsRequest:
        """Ask who is asking. Unanswered for so many days, the request expires; the clock goes on meanwhile."""
        return await self._act(request_id, Transition.VERIFY, ask=ask, within_days=within_days, note=note)

    async def start(
        self, request_id: str, *, verified: str | None = None, consumer: str | None = None, note: str | None = None
    ) -> RightsRequest:
        """Begin the work: it is known who asks.

        Args:
            request_id: Which.
            verified: How they showed who they are; needed where nothing else did.
            consumer: Whose request it turned out to be, if that wasn't known.
            note: A remark for the file.
        """
        return await self._act(request_id, Transition.START, verified=verified, consumer_id=consumer, note=note)

    async def extend(self, request_id: str, *, reason: str, note: str | None = None) -> RightsRequest:
        """Put the answer off, once, within the time in which the law lets the consumer be told; say why."""
        return await self._act(request_id, Transition.EXTEND, reason=reason, note=note)

    async def fulfil(
        self,
        request_id: str,
        *,
        answer: str | None = None,
        urls: Mapping[str, UrlState | str] | None = None,
        note: str | None = None,
    ) -> RightsRequest:
        """Say that it is done; a request to delete is carried out by this.

        Args:
            request_id: Which.
            answer: What the consumer is told.
            urls: `minor-content-removal`: what became of each address, `removed` or `kept`.
            note: A remark for the file.
        """
        return await self._act(request_id, Transition.FULFIL, answer=answer, urls=_urls(urls), note=note)

    async def deny(
        self,
        request_id: str,
        reason: DenialReason | str,
        *,
        grounds: str | None = None,
        barred_by: str | None = None,
        note: str | None = None,
    ) -> RightsRequest:
        """Deny it. Recourse and authority are put in by the server.

        Args:
            request_id: Which.
            reason: `suspected_fraud`, `insuf_verification`, `no_match`, `claim_not_covered`, `outside_jurisdiction`,
                `too_many_requests` or `other`.
            grounds: Why, in words.
            barred_by: The law that bars giving the grounds, in their place.
            note: A remark for the file.
        """
        return await self._act(
            request_id, Transition.DENY, reason=str(reason), grounds=grounds, barred_by=barred_by, note=note
        )

    async def revoke(self, request_id: str, *, note: str | None = None) -> RightsRequest:
        """Close it because the consumer took it back."""
        return await self._act(request_id, Transition.REVOKE, note=note)

    async def hand_over(self, request_id: str, to: Holder | str, *, note: str | None = None) -> RightsRequest:
        """Give it to the `brand` or to the `platform`; the clock goes on."""
        return await self._act(request_id, Transition.HAND_OVER, to=str(to), note=note)

    async def note(
        self, request_id: str, note: str | None = None, *, urls: Mapping[str, UrlState | str] | None = None
    ) -> RightsRequest:
        """Add a remark, or what became of single addresses. Consumers don't see remarks."""
        return await self._act(request_id, Transition.NOTE, urls=_urls(urls), note=note)

    async def lift(self, request_id: str, *, told: str, note: str | None = None) -> RightsRequest:
        """End a restriction, the consumer having been told beforehand: say how (GDPR Art. 18(3))."""
        return await self._act(request_id, Transition.LIFT, told=told, note=note)

    async def result(self, request_id: str) -> bytes:
        """Fetch everything held as a zip: JSON, CSV and a page to read, for 30 days once it is fulfilled.

        Raises:
            NotFoundError: There is nothing to fetch yet, or no longer.
        """
        path = f"{PATH}/{checked_request_id(request_id)}/result"
        return (await self._transport.call("GET", path, scope=self._scope)).raw

    async def list(self, state: RequestState | str = "open") -> AsyncIterator[RightsRequest]:
        """Go through the brand's requests, the one that is due next first.

        Args:
            state: `open`, `closed` or one state.
        """
        query: str | None = f"state={state}"
        while query is not None:
            answer = await self._transport.call("GET", f"{PATH}?{query}", scope=self._scope)
            with reading():
                page = [RightsRequest.from_wire(entry) for entry in answer.data["requests"]]
                following = next_query(answer.headers.get("Link", ""))
                if following is not None and following == query:
                    raise ValueError("pages that never end")
            query = following
            for request in page:
                yield request

    async def _act(self, request_id: str, transition: Transition, **members: object) -> RightsRequest:
        body = dumps({name: value for name, value in members.items() if value is not None})
        return await sent(
            self._transport, "POST", f"{PATH}/{checked_request_id(request_id)}/{transition}", body, scope=self._scope
        )

    def __repr__(self) -> str:
        return "<Requests>"


def _urls(urls: Mapping[str, UrlState | str] | None) -> dict[str, str] | None:
    return None if not urls else {url: str(state) for url, state in urls.items()}
