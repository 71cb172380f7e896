"""One consumer: everything a brand's code records about them and asks for them."""

import difflib
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, overload

from sayso.client.asker import CHECK_TIME_BOX, Check
from sayso.client.awaiting import Allows
from sayso.client.choice import Choice
from sayso.client.decision import Decision
from sayso.client.faults import checked_device_id, checked_micros, invalid, reading
from sayso.client.history import PastChoice, read_history
from sayso.client.memory import EVERY_TOPIC
from sayso.client.parts import Parts
from sayso.client.recorded import Recorded
from sayso.client.reported import AgeReported, DeviceReported, Linked, Published, SignalReported
from sayso.client.snapshot import Preferences
from sayso.errors import Error
from sayso.model.age import AgeSource
from sayso.model.choice import Actor, Answer, Detail, Evidence, Method, Notice
from sayso.model.instant import format_micros
from sayso.model.signal import SignalName, SignalSource
from sayso.model.topic import Flow
from sayso.rules.gpc import dnt, gpc
from sayso.transport.codec import dumps
from sayso.wire import Code

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


class Consumer:
    """A handle on one consumer, from `privacy.consumer("cust-42")`. Cheap: it holds no data and opens nothing.

    Commands (`grant`, `withdraw`, `report_device`, …) return once the server has it on disk and raise from
    `sayso.Error`. Checks (`allows`, `decide`) never raise for an outage: they answer no within a second. What they do
    raise for is a key that the server doesn't accept, since no waiting mends that.

    Attributes:
        id: The brand's own id of the consumer.
    """

    __slots__ = ("_asker", "_clock", "_memory", "_recorder", "_transport", "id")

    def __init__(self, consumer_id: str, parts: Parts) -> None:
        """Take a checked id and what does the work; made by `Client.consumer`."""
        self.id = consumer_id
        self._transport, self._recorder, self._asker, self._memory, self._clock = parts

    # --- choices ---

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
            await self._refusal_of(topic),
            method=method,
            made_at=made_at,
            evidence=evidence,
            device=device,
            detail=detail,
            jurisdiction=jurisdiction,
            actor=actor,
        )
        return (await self._recorder.record([choice]))[0]

    async def withdraw_all(self, *, method: Method | str = Method.API, made_at: datetime | None = None) -> Recorded:
        """Record that the consumer takes everything back: no topic that rests on a choice is allowed from then on.

        Raises:
            Error: It may not have been recorded; the class says why.
        """
        choice = Choice(self.id, EVERY_TOPIC, Answer.WITHDRAWN, method=method, made_at=made_at)
        return (await self._recorder.record([choice]))[0]

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
            flow: `share`, `receive` or `combine`; None for all that the catalogue has for the partner.
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
        choices = [
            Choice(self.id, topic, await self._refusal_of(topic), method=method, made_at=made_at) for topic in topics
        ]
        return await self._recorder.record(choices)

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

    # --- reports ---

    async def report_device(
        self,
        device_id: str,
        states: Mapping[str, Any],
        *,
        vocabulary: str,
        observed_at: datetime | None = None,
    ) -> DeviceReported:
        """Record what a phone or browser says about its permissions. Never a consent; a denial always wins.

        Args:
            device_id: The brand's own id of the device.
            states: Exactly what the library reports.
            vocabulary: Which library that is: `ios`, `android`, `web`, `react-native-permissions`, `react-native`,
                `flutter`, `capacitor` or `expo`.
            observed_at: When the device said it, with a zone; now by default.

        Returns:
            The states in normal form, and what no table lists.

        Raises:
            Error: It may not have been recorded; the class says why.
        """
        path = f"{self._path}/devices/{checked_device_id(device_id)}"
        observed = self._clock.now() if observed_at is None else checked_micros("/observed_at", observed_at)
        body = {"vocabulary": vocabulary, "observed_at": format_micros(observed), "states": dict(states)}
        answer = await self._transport.call("PUT", path, dumps(body))
        with reading():
            reported = DeviceReported.from_wire(answer.data)
        self._memory.saw_version(self.id, reported.version)
        return reported

    async def report_signal(
        self,
        name: SignalName | str,
        *,
        device: str | None = None,
        source: SignalSource | str = SignalSource.HEADER,
        observed_at: datetime | None = None,
    ) -> SignalReported:
        """Record that a signal is on. There is no way to report one off: absence never withdraws.

        Args:
            name: `gpc` or `dnt`.
            device: The device or browser it was seen on.
            source: `header`, `navigator` or `app`.
            observed_at: When it was seen, with a zone; when the server gets it by default.

        Raises:
            Error: It may not have been recorded; the class says why.
        """
        body = {"name": str(name), "source": str(source)}
        if device is not None:
            body["device_id"] = checked_device_id(device)
        if observed_at is not None:
            body["observed_at"] = format_micros(checked_micros("/observed_at", observed_at))
        answer = await self._transport.call("POST", f"{self._path}/signals", dumps(body))
        with reading():
            reported = SignalReported.from_wire(str(name), answer.data)
        self._memory.saw_version(self.id, reported.version)
        return reported

    async def report_signals(self, headers: Headers, *, device: str | None = None) -> tuple[SignalReported, ...]:
        """Record the signals that a request of the consumer's browser carries: `Sec-GPC: 1` and `DNT: 1`.

        Args:
            headers: The request's headers, repeated ones repeated: aiohttp's `request.headers`, or pairs.
            device: The browser it came from.

        Returns:
            What was reported. Empty if no signal is on, which says nothing: nothing is sent then.

        Raises:
            Error: It may not have been recorded; the class says why.
        """
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        on = [name for name, seen in ((SignalName.GPC, gpc(pairs)), (SignalName.DNT, dnt(pairs))) if seen]
        return tuple([await self.report_signal(name, device=device) for name in on])

    async def report_age(
        self,
        *,
        source: AgeSource | str,
        lower: int | None = None,
        upper: int | None = None,
        method: str | None = None,
        observed_at: datetime | None = None,
    ) -> AgeReported:
        """Record evidence of the consumer's age: a band, never a birth date.

        Args:
            source: Where it comes from: `self`, `os_signal`, `brand`, `guardian`, `verified` or `unknown`.
            lower: At least so many completed years.
            upper: At most so many.
            method: How it was found out, in a few words.
            observed_at: When, with a zone; when the server gets it by default.

        Raises:
            Error: It may not have been recorded; the class says why.
        """
        observed = None if observed_at is None else format_micros(checked_micros("/observed_at", observed_at))
        members = {"source": str(source), "lower": lower, "upper": upper, "method": method, "observed_at": observed}
        body = {name: value for name, value in members.items() if value is not None}
        answer = await self._transport.call("PUT", f"{self._path}/age", dumps(body))
        with reading():
            reported = AgeReported.from_wire(answer.data)
        self._memory.saw_version(self.id, reported.version)
        return reported

    async def link(self, anonymous_id: str, token: str | None = None) -> Linked:
        """Record that an anonymous visitor is this consumer. Doing it again changes nothing.

        Args:
            anonymous_id: The visitor's `anon_…` id.
            token: A live consumer token of that visitor, which shows that it really was them. Without it
                their refusals carry over, their grants don't.

        Raises:
            ConflictError: The visitor is linked to another consumer (`already_linked`).
            Error: It may not have been recorded; the class says why.
        """
        body = {"anonymous_id": anonymous_id}
        if token is not None:
            body["anonymous_token"] = token
        answer = await self._transport.call("POST", f"{self._path}/links", dumps(body))
        with reading():
            linked = Linked.from_wire(answer.data)
        self._memory.forget(anonymous_id)
        self._memory.saw_version(linked.consumer_id, linked.version)
        return linked

    # --- questions ---

    def allows(self, topic: str, device: str | None = None) -> Allows:
        """Ask whether something may be done now: `if await ann.allows("purpose:marketing"):`.

        In an outage the answer is False, within a second. For why, use `decide`; for many topics at once,
        `preferences`.

        A forgotten `await` raises TypeError where the answer is used as a truth value (`if`, `while`, `not`, `and`,
        `or`, `bool()`). It can't be caught where it isn't: `answer = ann.allows(...)` that nobody looks at, a
        comparison such as `ann.allows(...) != False`, or handing it on as an object, as in
        `{"may": ann.allows(...)}`.

        Args:
            topic: Such as `purpose:marketing`. Nothing unknown is allowed.
            device: The device it would happen on; permissions need one.

        Raises:
            NotAuthenticatedError, ForbiddenError: When awaited: the key is not accepted.
        """

        async def ask() -> bool:
            return (await self.decide(topic, device)).allowed

        return Allows(ask)

    async def decide(self, topic: str, device: str | None = None, as_of: datetime | None = None) -> Decision:
        """Ask whether something may be done, and why.

        Args:
            topic: Such as `partner:vinsolutions:share`.
            device: The device it would happen on; permissions need one.
            as_of: A past moment, with a zone: what the answer would have been then.

        Returns:
            Always a decision: `unknown_topic` for an unknown topic, `unavailable` in an outage, within a second.

        Raises:
            InvalidError: `as_of` is naive.
            NotAuthenticatedError, ForbiddenError: The key is not accepted.
        """
        return (await self._asker.decide([Check(self.id, topic, device, as_of)]))[0]

    async def preferences(self, *, at_least: int | None = None, as_of: datetime | None = None) -> Preferences:
        """Fetch a snapshot, whose checks are plain and synchronous. It holds for seconds: see `Preferences`.

        Args:
            at_least: Wait up to 2 seconds for this version.
            as_of: A past moment, with a zone, instead of now.

        Raises:
            ConflictError: The server did not reach `at_least` in time.
            UnavailableError: No answer, or only one older than this client has seen.
        """
        return await self._asker.preferences(self.id, at_least=at_least, as_of=as_of)

    def history(self, limit: int | None = None) -> AsyncIterator[PastChoice]:
        """Go through every choice ever recorded, newest first: `async for choice in ann.history():`.

        Args:
            limit: At most so many; None for all. Pages are fetched as they are needed.

        Raises:
            Error: While iterating; the class says why.
        """
        return read_history(self._transport, self.id, limit)

    def __repr__(self) -> str:
        return "<Consumer>"  # ids stay out of logs

    @property
    def _path(self) -> str:
        return f"/v1/consumers/{self.id}"

    async def _look(self) -> Preferences | None:
        """Learn what the server has, or go without if that takes long: recording must not wait for it."""
        try:
            return await self._asker.preferences(self.id, time_box=CHECK_TIME_BOX)
        except Error:
            return None

    async def _refusal_of(self, topic: str) -> Answer:
        granted = self._memory.grant_stands(self.id, topic)
        if granted is None:
            preferences = await self._look()
            granted = preferences is None or preferences.answers.get(topic) == Answer.GRANTED
        return Answer.WITHDRAWN if granted else Answer.DENIED

    async def _flows(self, partner: str) -> tuple[str, ...]:
        answer = await self._transport.call("GET", "/v1/catalogue")
        with reading():
            catalogue = Published.from_wire(answer.data)
        topics = catalogue.flows(partner)
        if not topics:
            near = difflib.get_close_matches(partner, catalogue.partners, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise invalid("/topic", Code.UNKNOWN_TOPIC, f"the catalogue has no such partner{hint}")
        return topics


def _partner_topic(partner: str, flow: Flow | str) -> str:
    return f"partner:{partner}:{flow}"
