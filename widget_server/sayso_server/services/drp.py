"""The Data Rights Protocol 1.0 over the brand's own rights requests: what agents file, ask about and take back.

A request that came from an agent is a request like any other: same clock, same queue, same officers. What is kept
beside it is which agent sent it, under what id of its own, and where it wants to hear of news.
"""

import hashlib
import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from sayso.exports.drp import DrpError, agent_request_id, status_callback, to_request, to_status
from sayso.exports.drp_message import NotAcceptedError, Step, check_claims, issued_at, open_message, peek
from sayso.model.instant import Micros
from sayso.model.request import NoteBody, RequestState, Transition
from sayso.wire import Code
from sayso_server.clock import Clock
from sayso_server.jsonio import dumps, loads
from sayso_server.services.caller import Caller
from sayso_server.services.drp_agents import Agent, Agents, verifier_of
from sayso_server.services.refusals import RefusedError
from sayso_server.services.requests import Requests
from sayso_server.storage.base import DocumentKey, DocumentWrites, Storage, StoredDocument

log = logging.getLogger(__name__)

DRP_REQUEST: Final = "drp-request"
"""The kind of document that says which agent a request came from; it names no consumer."""
_KEPT: Final[Micros] = 3 * 366 * 24 * 3600 * 1_000_000
_NAMESPACE: Final = uuid.UUID("5f0c6f0e-8a53-5d0c-9c1b-2f4b9a7e0d61")
_LONGEST_REASON = 1000


class DataRights:
    """What the protocol's five endpoints do."""

    def __init__(self, storage: Storage, requests: Requests, agents: Agents, clock: Clock) -> None:
        """Take what it works with."""
        self._storage = storage
        self._requests = requests
        self._agents = agents
        self._clock = clock

    async def exercise(self, token: str, body: bytes, *, verification_url: str) -> dict[str, Any]:
        """File a request. The same message again, or another with the same `agent-request-id`, files nothing twice.

        Args:
            token: The bearer token.
            body: The signed message.
            verification_url: A page on which the consumer can show who they are.

        Returns:
            The Exercise Status.

        Raises:
            NotAcceptedError: A check failed; the answer is 403 without a body.
            DrpError: The message is good and asks for what can't be done: 400.
            RefusedError: The brand's own rules refuse it.
        """
        agent = await self._agent(token)
        claims = open_message(body, verifier_of(agent.verify_key))
        check_claims(claims, agent_id=agent.agent_id, business_id=agent.business_id, now=self._clock.now())
        theirs, callback = agent_request_id(claims), status_callback(claims)
        sent = theirs if theirs is not None else hashlib.sha256(body.strip()).hexdigest()
        request_id = str(uuid.uuid5(_NAMESPACE, "\n".join((agent.brand_id, agent.agent_id, sent))))
        shown = await self._requests.file(_caller(agent), to_request(claims, request_id))
        kept = {"agent_id": agent.agent_id, "agent_request_id": theirs, "status_callback": callback}
        await self._keep(agent.brand_id, request_id, kept)
        return to_status(shown, agent_request_id=theirs, verification_url=verification_url)

    async def status(self, token: str, request_id: str, *, verification_url: str) -> dict[str, Any]:
        """Give the Exercise Status of one of the agent's own requests.

        Raises:
            NotAcceptedError: It is nobody's token, or not this agent's request (section 2.02.1: 403).
        """
        agent = await self._agent(token)
        theirs = await self._own(agent, request_id)
        shown = await self._requests.show(_caller(agent), request_id)
        return to_status(shown, agent_request_id=theirs, verification_url=verification_url)

    async def revoke(self, token: str, request_id: str, body: bytes, *, verification_url: str) -> dict[str, Any]:
        """Take a request back; once more changes nothing.

        Raises:
            NotAcceptedError: As in `exercise` and `status`. The protocol asks for no more than a signed reason here;
                what else the message says of itself has to be right.
            RefusedError: 409 for a request that is closed in another way.
        """
        agent = await self._agent(token)
        claims = open_message(body, verifier_of(agent.verify_key))
        if any(claim in claims for claim in (Step.AGENT, Step.BUSINESS, Step.ISSUED, Step.EXPIRES)):
            check_claims(claims, agent_id=agent.agent_id, business_id=agent.business_id, now=self._clock.now())
        theirs = await self._own(agent, request_id)
        shown = await self._requests.show(_caller(agent), request_id)
        if shown["state"] != RequestState.REVOKED:
            reason = claims.get("reason")
            said = reason[:_LONGEST_REASON] if isinstance(reason, str) and reason else None
            shown = await self._requests.act(_caller(agent), request_id, Transition.REVOKE, NoteBody(note=said))
        return to_status(shown, agent_request_id=theirs, verification_url=verification_url)

    async def set_up(self, agent_id: str, body: bytes) -> dict[str, str]:
        """Give a registered agent another bearer token (section 2.05).

        Raises:
            NotAcceptedError: A check failed, or the message, or a newer one, was used before.
        """
        claimed = peek(body).get(Step.BUSINESS)
        for agent in await self._of_every_brand(agent_id):
            if agent.business_id != claimed:
                continue
            claims = open_message(body, verifier_of(agent.verify_key))
            check_claims(claims, agent_id=agent_id, business_id=agent.business_id, now=self._clock.now())
            token = await self._agents.renew(agent, set_up_at=issued_at(claims), by=_caller(agent).stamp())
            if token is None:
                raise NotAcceptedError(Step.ISSUED)
            return {"agent-id": agent_id, "token": token}
        raise NotAcceptedError(Step.BUSINESS)

    async def greet(self, token: str, agent_id: str) -> None:
        """Make sure that a token is still an agent's (section 2.06).

        Raises:
            NotAcceptedError: It is another's, or nobody's.
        """
        agent = await self._agent(token)
        if agent.agent_id != agent_id:
            raise NotAcceptedError(Step.AGENT)

    async def _agent(self, token: str) -> Agent:
        agent = await self._agents.by_token(token)
        if agent is None:
            raise NotAcceptedError(Step.AGENT)
        return agent

    async def _of_every_brand(self, agent_id: str) -> list[Agent]:
        # The address names no brand. A server has few, and an agent asks for a token once.
        found = [await self._agents.find(brand.brand_id, agent_id) for brand in await self._storage.brands()]
        return [agent for agent in found if agent is not None]

    async def _own(self, agent: Agent, request_id: str) -> str | None:
        stored = await self._storage.document(agent.brand_id, DRP_REQUEST, request_id)
        kept = {} if stored is None else loads(stored.body)
        if kept.get("agent_id") != agent.agent_id:
            # Whether there is such a request is none of another agent's business.
            raise NotAcceptedError(Step.AGENT)
        theirs: str | None = kept["agent_request_id"]
        return theirs

    async def _keep(self, brand_id: str, request_id: str, kept: dict[str, str | None]) -> None:
        now = self._clock.now()
        stored = StoredDocument(DRP_REQUEST, request_id, None, "kept", now, 0, now + _KEPT, (), dumps(kept))
        key = DocumentKey(DRP_REQUEST, request_id)

        def plan(found: Mapping[DocumentKey, StoredDocument], _: Micros) -> tuple[DocumentWrites, None]:
            return DocumentWrites(put=() if key in found else (stored,)), None

        await self._storage.change_documents(brand_id, [key], plan)


def _caller(agent: Agent) -> Caller:
    return Caller.by_link(agent.brand_id, f"drp:{agent.agent_id}")


def error_of(error: DrpError | RefusedError) -> tuple[HTTPStatus, dict[str, str]]:
    """Give the error state of what was asked for and can't be done (section 3.06)."""
    status = HTTPStatus.BAD_REQUEST if isinstance(error, DrpError) else error.status
    if isinstance(error, RefusedError) and error.code is Code.ID_REUSED:
        message = "agent-request-id: this one was used for another request"
    else:
        message = str(error)
    return status, {"code": str(status.value), "message": message}
