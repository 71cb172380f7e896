"""Authorized agents of the Data Rights Protocol: who they are, and the tokens that they show.

An agent belongs to a brand, as a key does. Of its bearer token only a digest is stored; of its signing key only
the public half was ever here.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sayso.exports.drp_message import Verify
from sayso.model.instant import Micros, format_micros
from sayso_server.jsonio import dumps, loads
from sayso_server.services.link_tokens import new_link_token, read_link_token
from sayso_server.storage.base import DocumentKey, DocumentWrites, Storage, StoredDocument

AGENT: Final = "drp-agent"
TOKEN: Final = "drp-token"
"""The kinds of document: an agent by its id, and the digest of its token, which leads to it."""

AGENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
TOKEN_BITS: Final = 256
_KEY_BYTES = 32
_LONGEST_NAME = 200
_MOST = 1000


class Agent(NamedTuple):
    """An authorized agent as one brand knows it.

    Attributes:
        brand_id: Which brand.
        agent_id: What the directory calls the agent.
        name: What people call it.
        verify_key: Its public Ed25519 key, base64 of 32 bytes, as in the directory.
        business_id: What the directory calls the brand.
        token_id: The digest of its bearer token; None until it has one.
        set_up_at: When the message was made that its last token was asked for with.
        added_at: When it was registered.
    """

    brand_id: str
    agent_id: str
    name: str
    verify_key: str
    business_id: str
    token_id: str | None
    set_up_at: Micros
    added_at: Micros


Change = Callable[[Agent | None], Agent | None]
"""Given an agent as it was, if it was, how it is to be; None to leave it."""


class Agents:
    """Registers agents and finds them."""

    def __init__(self, storage: Storage) -> None:
        """Take what it works with."""
        self._storage = storage

    async def add(self, agent: Agent, *, by: Mapping[str, str]) -> str:
        """Register an agent, or give one that is registered another key; its earlier token ends.

        Args:
            agent: Whom; `token_id` is made here.
            by: Who does it, for the audit.

        Returns:
            Its bearer token, which is kept nowhere.

        Raises:
            ValueError: The id or the key won't do.
        """
        if not AGENT_ID.fullmatch(agent.agent_id):
            raise ValueError("an agent's id has 1 to 64 of A-Z, a-z, 0-9, '_', '.' and '-', such as AN_AGENT")
        if not 0 < len(agent.name) <= _LONGEST_NAME:
            raise ValueError(f"an agent's name has 1 to {_LONGEST_NAME} characters")
        verifier_of(agent.verify_key)

        def added(before: Agent | None) -> Agent:
            # Registered again, with another key or not: what was used up before stays used up.
            return agent if before is None else agent._replace(set_up_at=before.set_up_at, added_at=before.added_at)

        token = await self._with_token(agent, added, "drp-agent.added", by)
        if token is None:
            raise RuntimeError("an agent that is added gets a token")
        return token

    async def renew(self, agent: Agent, *, set_up_at: Micros, by: Mapping[str, str]) -> str | None:
        """Give an agent another token; its earlier one ends.

        Args:
            agent: Whom.
            set_up_at: When its message was made. One not newer than the last is a repetition.
            by: Who asks, for the audit.

        Returns:
            The token, or None for a repetition.
        """

        def renewed(before: Agent | None) -> Agent | None:
            return None if before is None or set_up_at <= before.set_up_at else before._replace(set_up_at=set_up_at)

        return await self._with_token(agent, renewed, "drp-agent.set-up", by)

    async def remove(self, brand_id: str, agent_id: str, *, by: Mapping[str, str], now: Micros) -> bool:
        """Take an agent and its token away; its requests stay. False if there was none."""
        key = DocumentKey(AGENT, agent_id)

        def plan(found: Mapping[DocumentKey, StoredDocument], _: Micros) -> tuple[DocumentWrites, bool]:
            stored = found.get(key)
            if stored is None:
                return DocumentWrites(), False
            agent = _read(brand_id, stored)
            line = _audit("drp-agent.removed", agent, by, now)
            return DocumentWrites(delete=(key, *_token_of(agent)), audit=(line,)), True

        return await self._storage.change_documents(brand_id, [key], plan)

    async def find(self, brand_id: str, agent_id: str) -> Agent | None:
        """Give an agent of a brand."""
        if not AGENT_ID.fullmatch(agent_id):
            return None
        stored = await self._storage.document(brand_id, AGENT, agent_id)
        return None if stored is None else _read(brand_id, stored)

    async def every(self, brand_id: str) -> list[Agent]:
        """Give every agent of a brand, by when it was registered."""
        return [_read(brand_id, stored) for stored in await self._storage.documents(brand_id, AGENT, limit=_MOST)]

    async def by_token(self, token: str) -> Agent | None:
        """Give the agent that a bearer token belongs to."""
        read = read_link_token(token)
        stored = None if read is None else await self._storage.document(read[0], TOKEN, read[1])
        return None if read is None or stored is None else await self.find(read[0], loads(stored.body)["agent_id"])

    async def _with_token(self, agent: Agent, change: Change, event: str, by: Mapping[str, str]) -> str | None:
        token, token_id = new_link_token(agent.brand_id, TOKEN_BITS)
        key = DocumentKey(AGENT, agent.agent_id)

        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, str | None]:
            before = _read(agent.brand_id, found[key]) if key in found else None
            after = change(before)
            if after is None:
                return DocumentWrites(), None
            after = after._replace(token_id=token_id)
            put = (_document(after), _stored(TOKEN, token_id, now, {"agent_id": agent.agent_id}))
            delete = () if before is None else _token_of(before)
            return DocumentWrites(put=put, delete=delete, audit=(_audit(event, after, by, now),)), token

        return await self._storage.change_documents(agent.brand_id, [key], plan)


def verifier_of(verify_key: str) -> Verify:
    """Give what tells whether a signature was made with an agent's key.

    Args:
        verify_key: Base64 of the 32 bytes of a public Ed25519 key (RFC 8032), as the directory has it.

    Raises:
        ValueError: It is none.
    """
    # Part of the `server` extra. The test kit runs this server without it.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        raw = base64.b64decode(verify_key, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise ValueError("an agent's key is the base64 of 32 bytes: its verify_key in the directory")
    key = Ed25519PublicKey.from_public_bytes(raw)

    def verify(signature: bytes, content: bytes) -> bool:
        try:
            key.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    return verify


def _token_of(agent: Agent) -> tuple[DocumentKey, ...]:
    return () if agent.token_id is None else (DocumentKey(TOKEN, agent.token_id),)


def _document(agent: Agent) -> StoredDocument:
    body = agent._asdict()
    del body["brand_id"], body["agent_id"]
    return _stored(AGENT, agent.agent_id, agent.added_at, body)


def _read(brand_id: str, stored: StoredDocument) -> Agent:
    return Agent(brand_id=brand_id, agent_id=stored.document_id, **loads(stored.body))


def _stored(kind: str, document_id: str, now: Micros, body: dict[str, Any]) -> StoredDocument:
    return StoredDocument(kind, document_id, None, "active", now, now, None, (), dumps(body))


def _audit(event: str, agent: Agent, by: Mapping[str, str], now: Micros) -> bytes:
    return dumps({"event": event, "agent": agent.agent_id, "by": dict(by), "at": format_micros(now)})
