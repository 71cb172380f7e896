"""What there is to do about minors: `privacy.minors`."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sayso.client.erasing import Erased
from sayso.client.faults import invalid, reading
from sayso.client.guardians import AgeHold
from sayso.client.history import next_query
from sayso.model.choice import Evidence
from sayso.transport.codec import dumps
from sayso.transport.http import Transport
from sayso.wire import Code, Role

_DOUBTS = "/v1/age-doubts"
_REQUESTS = "/v1/guardian-requests"
_ID = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class GuardianRequest:
    """What a guardian is asked and has not answered yet.

    Attributes:
        consumer_id: The minor.
        state: `asked`: the minor has named somebody, and you make the link. `open`: it is out. `waiting`: something was
            allowed, and from `confirm_from` on you make the second link. `confirming`: that is out.
        topics: What is to be allowed.
        contact: `email` or `phone` of the guardian, if it is kept.
        contact_from: `child`, `brand` or `verified`.
        language: What they read.
        asked_at: When.
        confirm_from: When the second link can be made, or None.
    """

    consumer_id: str
    state: str
    topics: tuple[str, ...]
    contact: Mapping[str, str]
    contact_from: str
    language: str
    asked_at: datetime
    confirm_from: datetime | None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read one request."""
        confirm_from = data.get("confirm_from")
        return cls(
            data["consumer_id"],
            data["state"],
            tuple(data.get("chosen") or data["topics"]),
            data["contact"],
            data["contact_from"],
            data["language"],
            datetime.fromisoformat(data["asked_at"]),
            None if confirm_from is None else datetime.fromisoformat(confirm_from),
        )

    def __repr__(self) -> str:
        return f"<GuardianRequest {self.state}>"  # addresses and ids stay out of logs


class Minors:
    """Goes through what waits for the brand's backend and its privacy officers."""

    def __init__(self, transport: Transport) -> None:
        """Take what sends; made by `Client.minors`."""
        self._transport = transport

    async def guardian_requests(self, state: str | None = None) -> AsyncIterator[GuardianRequest]:
        """Go through what guardians are asked and have not answered, the one that is due next first.

        Args:
            state: `asked`, `open`, `waiting` or `confirming`; all of them by default.
        """
        query = "" if state is None else f"state={state}"
        async for entry in self._pages(_REQUESTS, query, "requests", Role.BACKEND):
            with reading():
                request = GuardianRequest.from_wire(entry)
            yield request

    async def held(self) -> AsyncIterator[AgeHold]:
        """Go through those who are believed to be under age, the oldest first. Needs the role `privacy_officer`."""
        async for entry in self._pages(_DOUBTS, "", "doubts", Role.PRIVACY_OFFICER):
            with reading():
                hold = AgeHold.from_wire(entry)
            yield hold

    async def clear(self, hold_id: str, *, evidence: Evidence | Mapping[str, Any]) -> AgeHold:
        """End a hold: they are old enough after all. Needs the role `privacy_officer`.

        Args:
            hold_id: Which.
            evidence: What shows it, such as `{"kind": "id_document"}`; its kind is kept in the audit.

        Raises:
            NotFoundError: There is no such hold.
            Error: It may not be ended; the class says why.
        """
        shown = evidence.model_dump(exclude_none=True) if isinstance(evidence, Evidence) else dict(evidence)
        path = f"{_DOUBTS}/{_checked(hold_id)}/clear"
        scope = Role.PRIVACY_OFFICER.value
        answer = await self._transport.call("POST", path, dumps({"evidence": shown}), scope=scope)
        with reading():
            return AgeHold.from_wire(answer.data)

    async def confirm(self, hold_id: str) -> Erased:
        """Erase whoever is held: the doubt was right. Needs the role `privacy_officer`.

        Raises:
            NotFoundError: There is no such hold, or not any more.
            Error: Nobody knows whether they are erased; the class says why.
        """
        path = f"{_DOUBTS}/{_checked(hold_id)}/confirm"
        scope = Role.PRIVACY_OFFICER.value
        answer = await self._transport.call("POST", path, scope=scope, single_use=True)
        with reading():
            return Erased.from_wire(answer.data)

    async def _pages(self, path: str, query: str, member: str, role: Role) -> AsyncIterator[Mapping[str, Any]]:
        following: str | None = query
        while following is not None:
            asked = f"{path}?{following}" if following else path
            answer = await self._transport.call("GET", asked, scope=role.value)
            with reading():
                entries = list(answer.data[member])
                before, following = following, next_query(answer.headers.get("Link", ""))
                if following is not None and following == before:
                    raise ValueError("pages that never end")
            for entry in entries:
                yield entry

    def __repr__(self) -> str:
        return "<Minors>"


def _checked(hold_id: str) -> str:
    if not _ID.fullmatch(hold_id):
        raise invalid("/id", Code.INVALID_ID, "a hold's id is a UUID; take it from held() or hold_for_age()")
    return hold_id
