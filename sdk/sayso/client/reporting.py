"""What is seen of a consumer: device states, signals, evidence of age, and whose visits were theirs."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Literal

from sayso.client.faults import checked_device_id, checked_micros, invalid, reading
from sayso.client.handle import Handle
from sayso.client.reported import AgeReported, DeviceReported, Linked, SignalReported
from sayso.local.outbox.row import Kind
from sayso.model.age import AgeSource
from sayso.model.signal import SignalName, SignalSource
from sayso.rules.age_signals import read_age_signal
from sayso.rules.gpc import dnt, gpc
from sayso.transport.codec import dumps
from sayso.wire import Code

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


class Reporting(Handle):
    """Records what was seen of the consumer. None of it is a choice."""

    __slots__ = ()

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
            The states in normal form, and what no table lists. `status` is `pending` while the server can't be
            reached: the report is kept, and no permission on that device is allowed until it is sent.

        Raises:
            Error: It may not have been recorded; the class says why.
        """
        device = checked_device_id(device_id)
        observed = self._clock.now() if observed_at is None else checked_micros("/observed_at", observed_at)
        reported = await self._recorder.reports.send(
            Kind.DEVICE,
            self.id,
            f"devices/{device}",
            {"vocabulary": vocabulary, "states": dict(states)},
            DeviceReported.from_wire,
            observed=observed,
            target=device,
        )
        return reported or DeviceReported(None, {}, (), "pending")

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
        observed = None if observed_at is None else checked_micros("/observed_at", observed_at)
        read = partial(SignalReported.from_wire, str(name))
        reported = await self._recorder.reports.send(Kind.SIGNAL, self.id, "signals", body, read, observed=observed)
        return reported or SignalReported(str(name), None, {}, False, "pending")

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

    signals_from = report_signals

    async def report_age(
        self,
        *,
        source: AgeSource | str,
        lower: int | None = None,
        upper: int | None = None,
        method: str | None = None,
        observed_at: datetime | None = None,
        jurisdiction: str | None = None,
    ) -> AgeReported:
        """Record evidence of the consumer's age: a band, never a birth date.

        A band across majority counts as a minor's, and the consumer's own word never raises what another source says.

        Args:
            source: Where it comes from: `self`, `os_signal`, `brand`, `guardian`, `verified` or `unknown`.
            lower: At least so many completed years.
            upper: At most so many.
            method: How it was found out, in a few words.
            observed_at: When, with a zone; when the server gets it by default.
            jurisdiction: Where they live, such as `DE` or `US-CA`, if that is known: some places have ages of their
                own.

        Raises:
            Error: It may not have been recorded; the class says why.
        """
        observed = None if observed_at is None else checked_micros("/observed_at", observed_at)
        members = {"source": str(source), "lower": lower, "upper": upper, "method": method}
        members["jurisdiction"] = jurisdiction
        body = {name: value for name, value in members.items() if value is not None}
        reported = await self._recorder.reports.send(
            Kind.AGE, self.id, "age", body, AgeReported.from_wire, observed=observed
        )
        return reported or AgeReported(None, {}, "pending")

    async def report_age_signal(
        self,
        platform: Literal["apple", "google", "ab1043"],
        payload: Mapping[str, Any] | str | None,
        *,
        observed_at: datetime | None = None,
        jurisdiction: str | None = None,
    ) -> AgeReported:
        """Record what an operating system or shop says about the consumer's age, read here into a band.

        Nothing else of the payload is sent. Somebody who shares nothing is as if nothing had been asked: a band that
        was known before stays.

        Args:
            platform: `apple` (Declared Age Range), `google` (Play Age Signals) or `ab1043` (California's brackets).
            payload: What the app got, as `rules.age_signals.read_age_signal` has it.
            observed_at: When, with a zone; when the server gets it by default.
            jurisdiction: Where they live, if that is known.

        Raises:
            InvalidError: It is no such payload.
            Error: It may not have been recorded; the class says why.
        """
        try:
            band = read_age_signal(platform, payload)
        except ValueError as error:
            raise invalid("/payload", Code.INVALID_VALUE, str(error)) from None
        return await self.report_age(
            source=AgeSource.OS_SIGNAL,
            lower=band.lower,
            upper=band.upper,
            method=band.method,
            observed_at=observed_at,
            jurisdiction=jurisdiction,
        )

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
        answer = await self._transport.call("POST", f"/v1/consumers/{self.id}/links", dumps(body))
        with reading():
            linked = Linked.from_wire(answer.data)
        self._asker.linked(anonymous_id, linked.consumer_id)
        self._memory.forget(anonymous_id)
        self._memory.saw_version(linked.consumer_id, linked.version)
        return linked
