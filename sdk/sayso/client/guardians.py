"""A minor's guardian: having them asked, and holding somebody who is believed to be under age."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from sayso.client.faults import reading
from sayso.client.handle import Handle
from sayso.model.choice import Evidence
from sayso.model.guardian import ContactFrom, DoubtReason
from sayso.transport.codec import dumps
from sayso.wire import Role


@dataclass(frozen=True, slots=True)
class GuardianLink:
    """A link that the brand sends to a minor's guardian, and to nobody else.

    Attributes:
        consumer_id: The minor.
        url: The link. It is as good as the guardian's signature: it belongs into no log, and into no hand of the
            minor's.
        topics: What it asks about.
        expires_at: Until when it opens anything.
        confirmed_later: What is allowed by it counts only once it was confirmed: see `Consumer.confirm_guardian`.
    """

    consumer_id: str
    url: str = field(repr=False)
    topics: tuple[str, ...]
    expires_at: datetime
    confirmed_later: bool

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read the answer."""
        return cls(
            data["consumer_id"],
            data["url"],
            tuple(data["topics"]),
            datetime.fromisoformat(data["expires_at"]),
            data["confirmed_later"] is True,
        )


@dataclass(frozen=True, slots=True)
class AgeHold:
    """Somebody is believed to be under age and held, or was.

    Attributes:
        id: By which an officer clears or confirms it.
        consumer_id: Who.
        state: `held` or `cleared`.
        reason: Why they are believed to be.
        held_at: Since when.
    """

    id: str
    consumer_id: str
    state: str
    reason: str
    held_at: datetime

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read one hold."""
        return cls(
            data["id"], data["consumer_id"], data["state"], data["reason"], datetime.fromisoformat(data["held_at"])
        )


class AskingGuardians(Handle):
    """Has a minor's guardian asked."""

    __slots__ = ()

    async def ask_guardian(
        self,
        *topics: str,
        contact_from: ContactFrom | str = ContactFrom.BRAND,
        email: str | None = None,
        phone: str | None = None,
        evidence: Evidence | Mapping[str, Any] | None = None,
        language: str | None = None,
    ) -> GuardianLink:
        """Make the link by which a parent or guardian answers for this minor. A new one cancels the one before.

        Send it to the guardian yourself, at once: nobody can be told it again, and it opens nothing after 72 hours.

        Args:
            topics: What is to be allowed.
            contact_from: Where the guardian's address comes from. `child`: the minor typed it; then what is allowed
                counts only once it was confirmed a day later, and nothing that leaves the brand can be. `brand`: you
                knew it; after the minor has named somebody, only another address than theirs is yours. `verified`:
                `evidence` shows that this is the guardian, which topics that let data out to others take.
            email: The address, if Sayso is to keep it for 14 days or until there is an answer.
            phone: The same.
            evidence: What shows that it is the guardian, such as `{"kind": "id_check", "ref": "2026/17"}`.
            language: What the guardian reads, where their browser names nothing that the pages speak.

        Raises:
            ConflictError: The minor has refused one of the topics, and that stands (`refused_by_minor`); or they don't
                count as under age (`not_a_minor`).
            InvalidError: There is no such topic, or it takes verified evidence (`verification_needed`).
            Error: It may not have been made; the class says why.
        """
        body: dict[str, Any] = {"topics": list(topics), "contact_from": str(contact_from)}
        contact = {name: value for name, value in (("email", email), ("phone", phone)) if value is not None}
        if contact:
            body["contact"] = contact
        if evidence is not None:
            shown = evidence.model_dump(exclude_none=True) if isinstance(evidence, Evidence) else dict(evidence)
            body["evidence"] = shown
        if language is not None:
            body["language"] = language
        answer = await self._transport.call("POST", f"/v1/consumers/{self.id}/guardian-requests", dumps(body))
        with reading():
            return GuardianLink.from_wire(answer.data)

    async def confirm_guardian(self) -> GuardianLink:
        """Make the second link, by which a guardian confirms what they allowed at an address that the minor typed.

        Raises:
            ConflictError: A day isn't over yet (`too_early`).
            NotFoundError: No guardian has allowed anything that is to be confirmed.
            Error: It may not have been made; the class says why.
        """
        answer = await self._transport.call("POST", f"/v1/consumers/{self.id}/guardian-requests/confirmation")
        with reading():
            return GuardianLink.from_wire(answer.data)

    async def hold_for_age(self, reason: DoubtReason | str = DoubtReason.OTHER) -> AgeHold:
        """Hold: the consumer is believed to be under age, so nothing is allowed until an officer has looked.

        Whatever else says how old they are counts for nothing meanwhile. `privacy.minors` has the officer's side.

        Args:
            reason: `said_so`, `parent_said_so`, `content`, `account` or `other`.

        Raises:
            Error: They may not be held; the class says why.
        """
        body = dumps({"reason": str(reason)})
        path = f"/v1/consumers/{self.id}/age-doubts"
        answer = await self._transport.call("POST", path, body, scope=Role.BACKEND.value)
        with reading():
            held, version = AgeHold.from_wire(answer.data), int(answer.data["version"])
        self._memory.saw_version(self.id, version)  # from now on nothing older is answered from here
        return held
