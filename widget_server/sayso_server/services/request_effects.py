"""What a rights request does at once: refusals and restrictions count from filing, whoever works on the rest."""

import uuid
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sayso.model.choice import Answer, Choice, ChoiceBatch, Evidence, Method
from sayso.model.deadline import RequestKind
from sayso.model.request import RequestChannel, RequestDetail
from sayso.rules.requests import refused_by
from sayso.wire import TokenClass
from sayso_server.services.batch_entry import LARGEST_NUMBER
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.recording import Recording
from sayso_server.services.reporting import Reporting

_METHODS: Final = {
    RequestChannel.WIDGET: Method.WIDGET,
    RequestChannel.CHAT: Method.CHAT,
    RequestChannel.EMAIL: Method.EMAIL,
    RequestChannel.PHONE: Method.PHONE,
    RequestChannel.POST: Method.PAPER,
    RequestChannel.IN_PERSON: Method.AGENT,
}


class Filed(NamedTuple):
    """What of a request its effects follow from."""

    request_id: str
    kind: RequestKind
    channel: RequestChannel
    detail: RequestDetail


class RequestEffects:
    """Records what filing a request changes."""

    def __init__(self, recording: Recording, reporting: Reporting, catalogues: Catalogues) -> None:
        """Take what it works with."""
        self._recording = recording
        self._reporting = reporting
        self._catalogues = catalogues

    async def take(self, caller: Caller, consumer_id: str, filed: Filed) -> dict[str, Any]:
        """Let a request take effect; once more changes nothing, since every choice's id follows from the request's.

        Returns:
            `refused`, the topics; `restricted`, if processing is; the consumer's `version` that this made. Empty where
            the kind waits for whoever works on it.
        """
        effects: dict[str, Any] = {}
        topics = refused_by(filed.kind, filed.detail, self._catalogues.of(caller.brand_id).catalogue)
        if topics:
            refusals = _refusals(caller, consumer_id, filed, topics)
            recorded = await self._recording.record(caller, ChoiceBatch(choices=refusals))
            effects |= {"refused": list(topics), "version": max(answer["version"] for answer in recorded)}
        if filed.kind is RequestKind.RESTRICT:
            answer = await self._reporting.restriction(caller, consumer_id, filed.request_id, on=True)
            effects |= {"restricted": True, "version": answer["version"]}
        return effects

    async def restrict(self, caller: Caller, consumer_id: str, request_id: str, *, on: bool) -> None:
        """Have a restriction rest on a request, or end it; twice is once."""
        await self._reporting.restriction(caller, consumer_id, request_id, on=on)


def _refusals(caller: Caller, consumer_id: str, filed: Filed, topics: Sequence[str]) -> tuple[Choice, ...]:
    own = caller.token_class is TokenClass.CONSUMER
    method = _METHODS.get(filed.channel, Method.WIDGET if own else Method.API)
    said = filed.detail.answer or (Answer.WITHDRAWN if filed.kind is RequestKind.WITHDRAW_ALL else Answer.DENIED)
    return tuple(
        Choice(
            id=str(uuid.uuid5(uuid.UUID(filed.request_id), topic)),
            consumer_id=consumer_id,
            topic=topic,
            answer=said,
            method=method,
            # It has seen whatever was said before: recording clips this to the consumer's version.
            based_on=LARGEST_NUMBER,
            evidence=None if own else Evidence(kind="rights-request", ref=filed.request_id),
        )
        for topic in topics
    )
