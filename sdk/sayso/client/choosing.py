"""What a consumer chose: granted, denied, withdrawn."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sayso.client.choice import Choice
from sayso.client.handle import Handle
from sayso.client.memory import EVERY_TOPIC
from sayso.client.probe import CHECK_TIME_BOX
from sayso.client.recorded import Recorded
from sayso.client.snapshot import Preferences
from sayso.errors import Error
from sayso.model.choice import Actor, Answer, Detail, Evidence, Method, Notice


class Choosing(Handle):
    """Records the consumer's choices."""

    __slots__ = ()

    async def grant(
        self,
        topic: str,
        *,
        shown: str | Notice,
        notice_version: int | None = None,
        method: Method | str = Method.API,
        made_at: datetime | None = None,
        expires_after: timedelta | None = None,
        expires_at: datetime | None = None,
        evidence: Evidence | Mapping[str, Any] | None = None,
        device: str | None = None,
        overrides: str | tuple[str, ...] = (),
        detail: Detail | Mapping[str, Any] | None = None,
        jurisdiction: str | None = None,
        actor: Actor | str | None = None,
    ) -> Recorded:
        """Record that the consumer allows something.

        Args:
            topic: Such as `purpose:transcript.training`.
            shown: The notice they saw: its language, such as `en`, or a `Notice`. Consent without a notice is none
                (GDPR Art. 7).
            notice_version: The notice's version; the current one by default.
            method: How they said it: `widget`, `chat`, `sms`, `email`, `phone`, `agent`, `api`, `import` or `paper`.
            made_at: When, with a zone; now by default.
            expires_after: How long it lasts; the catalogue's default if neither this nor `expires_at` is given.
            expires_at: When it ends.
            evidence: What is kept to show that it was made.
            device: The device it was made on.
            overrides: Signals that they knowingly override, such as `("gpc",)`.
            detail: What belongs to one kind of topic, such as `{"precision": "city"}`.
            jurisdiction: Where the consumer is, such as `US-CA`.
            actor: `brand` if the brand and not the consumer decided.

        Returns:
            `recorded.stands` tells whether it decides now: a refusal it hasn't seen outdoes it.

        Raises:
            InvalidError: The server refused it as written; `pointer` names the member.
            UnavailableError: It may or may not have been recorded.
        """
        if made_at is None and self._memory.version(self.id) is None:
            await self._look()
        choice = Choice(
            self.id,
            topic,
            Answer.GRANTED,
            shown=shown,
            notice_version=notice_version,
            method=method,
            made_at=made_at,
            expires_after=expires_after,
            expires_at=expires_at,
            evidence=evidence,
            device=device,
            overrides=overrides,
            detail=detail,
            jurisdiction=jurisdiction,
            actor=actor,
        )
        return (await self._recorder.record([choice]))[0]

    async def deny(
        self,
        topic: str,
        *,
        method: Method | str = Method.API,
        shown: str | Notice | None = None,
        made_at: datetime | None = None,
        evidence: Evidence | Mapping[str, Any] | None = None,
        device: str | None = None,
        detail: Detail | Mapping[str, Any] | None = None,
        jurisdiction: str | None = None,
        actor: Actor | str | None = None,
    ) -> Recorded:
        """Record that the consumer said no when asked.

        Args:
            topic: Such as `purpose:marketing`.
            method: How they said it.
            shown: The notice they saw, if any.
            made_at: When, with a zone; now by default. The server never refuses a refusal for its clock.
            evidence: What is kept to show that it was made.
            device: The device it was made on.
            detail: What belongs to one kind of topic.
            jurisdiction: Where the consumer is.
            actor: `brand` if the brand and not the consumer decided.

        Raises:
            Error: It may not have been recorded; the class says why.
        """
        choice = Choice(
            self.id,
            topic,
            Answer.DENIED,
            shown=shown,
            method=method,
            made_at=made_at,
            evidence=evidence,
            device=device,
            detail=detail,
            jurisdiction=jurisdiction,
            actor=actor,
        )
        return (await self._recorder.record([choice]))[0]

    async def withdraw(
        self,
        topic: str,
        *,
        method: Method | str = Method.API,
        made_at: datetime | None = None,
        evidence: Evidence | Mapping[str, Any] | None = None,
        device: str | None = None,
        detail: Detail | Mapping[str, Any] | None = None,
        jurisdiction: str | None = None,
        actor: Actor | str | None = None,
    ) -> Recorded:
        """Record that the consumer takes a permission back, or objects to something that needed none.

        Writes `withdrawn` where a grant stands and `denied` where none does; in doubt `withdrawn`. Both refuse alike.

        Args:
            topic: Such as `channel:sms`.
            method: How they said it.
            made_at: When, with a zone; now by default.
            evidence: What is kept to show that it was made.
            device: The device it was made on.
            detail: What belongs to one kind of topic, such as the sender that a STOP went to.
            jurisdiction: Where the consumer is.
            actor: `brand` if the brand and not the consumer decided.

        Raises:
            Error: It may not have been recorded; the class says why.
        """
        choice = Choice(
            self.id,
            topic,
            Answer.WITHDRAWN,
            method=method,
            made_at=made_at,
            evidence=evidence,
            device=device,
            detail=detail,
            jurisdiction=jurisdiction,
            actor=actor,
        )
        return (await self._refuse([choice]))[0]

    async def withdraw_all(self, *, method: Method | str = Method.API, made_at: datetime | None = None) -> Recorded:
        """Record that the consumer takes everything back: no topic that rests on a choice is allowed from then on.

        Raises:
            Error: It may not have been recorded; the class says why.
        """
        choice = Choice(self.id, EVERY_TOPIC, Answer.WITHDRAWN, method=method, made_at=made_at)
        return (await self._recorder.record([choice]))[0]

    async def _look(self) -> Preferences | None:
        """Learn what the server has, or go without if that takes long: recording must not wait for it."""
        if self._recorder.offline.is_down:
            return None
        try:
            return await self._asker.recorded(self.id, CHECK_TIME_BOX)
        except Error:
            return None

    async def _refuse(self, choices: Sequence[Choice]) -> list[Recorded]:
        """Record refusals: `withdrawn` where a grant stands, `denied` where none does, in doubt `withdrawn`."""
        granted = {choice.topic: self._memory.grant_stands(self.id, choice.topic) for choice in choices}
        if None in granted.values():
            with self._recorder.counted(choices):  # from now on, not only once somebody was asked
                preferences = await self._look()
            for topic in granted:
                granted[topic] = preferences is None or preferences.answers.get(topic) == Answer.GRANTED
        for choice in choices:
            choice.answer = Answer.WITHDRAWN if granted[choice.topic] else Answer.DENIED
        return await self._recorder.record(choices)
