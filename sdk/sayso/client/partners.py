"""What a consumer chose about a partner: opted out, opted in."""

import difflib
from datetime import datetime, timedelta
from typing import overload

from sayso.client.choice import Choice
from sayso.client.choosing import Choosing
from sayso.client.faults import invalid, reading
from sayso.client.recorded import Recorded
from sayso.client.reported import Published
from sayso.errors import RateLimitedError, UnavailableError
from sayso.model.choice import Answer, Method, Notice
from sayso.model.topic import Flow
from sayso.wire import Code


class ChoosingPartners(Choosing):
    """Records choices about partners, whose topics are named by partner and flow."""

    __slots__ = ()

    @overload
    async def opt_out(
        self, partner: str, flow: Flow | str, *, method: Method | str = ..., made_at: datetime | None = ...
    ) -> Recorded: ...

    @overload
    async def opt_out(
        self, partner: str, flow: None = None, *, method: Method | str = ..., made_at: datetime | None = ...
    ) -> list[Recorded]: ...

    async def opt_out(
        self,
        partner: str,
        flow: Flow | str | None = None,
        *,
        method: Method | str = Method.API,
        made_at: datetime | None = None,
    ) -> Recorded | list[Recorded]:
        """Record that the consumer's data is to stay away from a partner.

        Args:
            partner: Its key in the catalogue, such as `vinsolutions`.
            flow: `share`, `receive` or `combine`; None for all that the catalogue has for the partner, or for each of
                the three while the server can't be asked.
            method: How they said it.
            made_at: When, with a zone; now by default.

        Returns:
            What was recorded; a list, all or nothing, if no flow was named.

        Raises:
            InvalidError: The catalogue has no such partner.
            Error: It may not have been recorded; the class says why.
        """
        if flow is not None:
            return await self.withdraw(_partner_topic(partner, flow), method=method, made_at=made_at)
        topics = await self._flows(partner)
        choices = [Choice(self.id, topic, Answer.WITHDRAWN, method=method, made_at=made_at) for topic in topics]
        return await self._refuse(choices)

    async def opt_in(
        self,
        partner: str,
        flow: Flow | str = Flow.SHARE,
        *,
        shown: str | Notice,
        notice_version: int | None = None,
        method: Method | str = Method.API,
        made_at: datetime | None = None,
        expires_after: timedelta | None = None,
        overrides: str | tuple[str, ...] = (),
    ) -> Recorded:
        """Record that the consumer lets data go to or come from a partner.

        Args:
            partner: Its key in the catalogue, such as `vinsolutions`.
            flow: `share`, `receive` or `combine`: each is a choice of its own.
            shown: The notice they saw: its language or a `Notice`.
            notice_version: The notice's version; the current one by default.
            method: How they said it.
            made_at: When, with a zone; now by default.
            expires_after: How long it lasts.
            overrides: Signals that they knowingly override.

        Raises:
            Error: It may not have been recorded; the class says why.
        """
        return await self.grant(
            _partner_topic(partner, flow),
            shown=shown,
            notice_version=notice_version,
            method=method,
            made_at=made_at,
            expires_after=expires_after,
            overrides=overrides,
        )

    async def _flows(self, partner: str) -> tuple[str, ...]:
        offline = self._recorder.offline
        try:
            answer = await self._transport.call("GET", "/v1/catalogue", time_box=offline.patience)
            with reading():
                catalogue = Published.from_wire(answer.data)
        except (UnavailableError, RateLimitedError):
            if not offline.keeps:
                raise
            # Which flows there are can't be asked now, and opting out can't wait: those there aren't get parked.
            return tuple(_partner_topic(partner, flow) for flow in Flow)
        topics = catalogue.flows(partner)
        if not topics:
            near = difflib.get_close_matches(partner, catalogue.partners, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise invalid("/topic", Code.UNKNOWN_TOPIC, f"the catalogue has no such partner{hint}")
        return topics


def _partner_topic(partner: str, flow: Flow | str) -> str:
    return f"partner:{partner}:{flow}"
