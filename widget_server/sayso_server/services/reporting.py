"""Recording what is no choice: device reports, signals, evidence of age and restrictions."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sayso.model.age import DOUBT, AgeEvidence, AgeReport, AgeSource
from sayso.model.instant import Micros, format_micros, to_micros
from sayso.model.signal import SignalReport, SignalSeen
from sayso.rules.age import lower_band
from sayso.rules.devices import UnknownVocabularyError, newest, normalise
from sayso.rules.effective import is_from_the_future
from sayso.rules.gpc import device_to_note
from sayso.wire import Code, TokenClass
from sayso_server.clock import Clock
from sayso_server.jsonio import dumps
from sayso_server.services.caller import Caller
from sayso_server.services.device_report import DeviceReportBody
from sayso_server.services.device_room import make_room
from sayso_server.services.identity import LinkedMeanwhileError, resolve
from sayso_server.services.marks import Marks
from sayso_server.services.refusals import refuse_member
from sayso_server.services.replay import apply_outcome
from sayso_server.services.returning import Returning
from sayso_server.services.state import State, dated_states, pack_device, without_doubts, write_state
from sayso_server.storage.base import Found, Storage, StoredChange, StoredConsumer, Wanted, Write

Answer = dict[str, Any]
Decide = Callable[[State, int, Micros], tuple[dict[str, Any] | None, Answer]]
"""Given the state, the next version and the time: the outcome to record (None for nothing new) and the answer."""


class Reporting:
    """Records device reports, signals, evidence of age and restrictions."""

    def __init__(self, storage: Storage, clock: Clock, marks: Marks) -> None:
        """Take what it works with."""
        self._marks = marks
        self._storage = storage
        self._clock = clock

    async def device(self, caller: Caller, consumer_id: str, device_id: str, report: DeviceReportBody) -> Answer:
        """Record what a device says about its permissions; what was reported before and is not named now stays.

        Each capability has its newest word, and of one moment the most cautious (see `rules.devices.newest`). The
        same report again changes nothing and is not recorded twice; one without a time is of the time it comes.

        Raises:
            RefusedError: 422, also `too_many` for a device beyond those that `services.device_room` keeps.
        """
        try:
            known = normalise(report.vocabulary, report.states)
        except UnknownVocabularyError as error:
            raise refuse_member("/vocabulary", Code.UNKNOWN_VOCABULARY, str(error)) from None
        observed_at = to_micros(report.observed_at) if report.observed_at is not None else self._clock.now()
        self._refuse_future("/observed_at", observed_at)

        sent = {"vocabulary": report.vocabulary, "observed_at": format_micros(observed_at), "states": report.states}
        fingerprint = hashlib.sha256(dumps(sent)).hexdigest()[:32]

        def decide(state: State, version: int, now: Micros) -> tuple[dict[str, Any] | None, Answer]:
            before = state.devices.get(device_id)
            again = before is not None and before[2:] == [fingerprint]
            states = dated_states(before) if before is not None else {}
            outcome = None
            if not again:
                dropped = make_room(state.devices, device_id, now)
                states = newest(states, known, min(observed_at, now))
                outcome = {"device_id": device_id, "device": pack_device(report.vocabulary, states, fingerprint)}
                if dropped is not None:
                    outcome["dropped"] = dropped
            answer: Answer = {
                "version": version - 1 if again else version,
                "states": {name.value: device.to_json() for name, (device, _) in without_doubts(states).items()},
                "unknown": [{"name": unknown.name, "value": unknown.value} for unknown in known.unknown],
            }
            return outcome, answer

        told_at = None if report.observed_at is None else observed_at
        return await self._record(caller, consumer_id, "device", sent, decide, observed_at=told_at)

    async def signal(self, caller: Caller, consumer_id: str, report: SignalReport) -> Answer:
        """Record the first sight of a signal on a device; seeing it again changes nothing.

        Where a consumer has more devices than are kept apart, it is recorded without one. Whether that sight is the
        first on its device can't be told then, so it counts anew once something was granted in spite of the last.
        """
        observed_at = to_micros(report.observed_at) if report.observed_at is not None else None
        if observed_at is not None:
            self._refuse_future("/observed_at", observed_at)
        device_id = report.device_id or ""

        def decide(state: State, version: int, now: Micros) -> tuple[dict[str, Any] | None, Answer]:
            known = [SignalSeen(*seen) for seen in state.signals]
            noted = device_to_note(known, report.name.value, device_id)
            pair = (report.name.value, noted)
            earlier = next((seen for seen in known if (seen.name, seen.device_id) == pair), None)
            if earlier is not None and (noted == device_id or not _is_overridden(earlier, state)):
                return None, {"version": version - 1, "signals": signals_json(known), "replayed": True}
            effective = now if observed_at is None else min(observed_at, now)
            seen = SignalSeen(*pair, version, effective, report.source.value)
            others = [other for other in known if other != earlier]
            answer = {"version": version, "signals": signals_json([*others, seen]), "replayed": False}
            return {"seen": list(seen)}, answer

        sent = report.model_dump(mode="json", exclude_none=True)
        return await self._record(caller, consumer_id, "signal", sent, decide, observed_at=observed_at)

    async def age(self, caller: Caller, consumer_id: str, report: AgeReport) -> Answer:
        """Record evidence of age; the newest of each source counts, and of one moment the lower band.

        Evidence that changes nothing, such as the same once more, is not recorded. What names no band, such as a
        shared age that was declined, takes nothing from the band that its source gave before.
        """
        if caller.token_class is TokenClass.CONSUMER and report.source is not AgeSource.SELF:
            raise refuse_member("/source", Code.ACTOR_NOT_YOURS, "a consumer's own statement has source self")
        observed_at = to_micros(report.observed_at) if report.observed_at is not None else None
        if observed_at is not None:
            self._refuse_future("/observed_at", observed_at)

        def decide(state: State, version: int, now: Micros) -> tuple[dict[str, Any] | None, Answer]:
            moment = now if observed_at is None else min(observed_at, now)
            piece = AgeEvidence(
                report.source.value, report.lower, report.upper, moment, report.method, report.jurisdiction
            )
            pieces = [AgeEvidence(*known) for known in state.age]
            earlier = next((known for known in pieces if known.source == piece.source), None)
            if earlier is not None and earlier.observed_at == moment:
                piece = lower_band(earlier, piece)
            told_before = earlier is not None and _has_band(earlier) and not _has_band(piece)
            if told_before or (earlier is not None and (earlier == piece or earlier.observed_at > moment)):
                return None, {"version": version - 1, "age": age_json(pieces)}
            pieces = [*(known for known in pieces if known != earlier), piece]
            return {"age": [list(known) for known in pieces]}, {"version": version, "age": age_json(pieces)}

        sent = report.model_dump(mode="json", exclude_none=True)
        return await self._record(caller, consumer_id, "age", sent, decide, observed_at=observed_at)

    async def doubt(self, caller: Caller, consumer_id: str, *, below: int | None) -> Answer:
        """Have somebody count as a minor whatever else says how old they are, or end that again; twice is once.

        Args:
            caller: Who does it.
            consumer_id: Who is believed to be under age.
            below: Under which age; None ends the doubt.
        """

        def decide(state: State, version: int, now: Micros) -> tuple[dict[str, Any] | None, Answer]:
            others = [known for known in state.age if known[0] != DOUBT]
            if (len(others) < len(state.age)) == (below is not None):
                return None, {"version": version - 1}
            if below is not None:
                others.append(list(AgeEvidence(DOUBT, None, max(0, below - 1), now)))
            return {"age": others}, {"version": version}

        return await self._record(caller, consumer_id, "age", {"source": DOUBT, "on": below is not None}, decide)

    async def restriction(self, caller: Caller, consumer_id: str, request_id: str, *, on: bool) -> Answer:
        """Restrict what is done with a consumer's data, or lift that again (GDPR Art. 18); twice is once.

        Args:
            caller: Who does it.
            consumer_id: Whose data.
            request_id: The rights request that it rests on; restrictions that rest on others stay.
            on: Whether it is put on or lifted.
        """

        def decide(state: State, version: int, _: Micros) -> tuple[dict[str, Any] | None, Answer]:
            restricted = [known for known in state.restricted if known != request_id]
            if on:
                restricted.append(request_id)
            answer = {"version": version, "restricted": bool(restricted)}
            if (request_id in state.restricted) == on:
                return None, {**answer, "version": version - 1}
            return {"restricted": restricted}, answer

        sent = {"request": request_id, "restricted": on}
        return await self._record(caller, consumer_id, "restriction", sent, decide)

    def _refuse_future(self, pointer: str, moment: Micros) -> None:
        if is_from_the_future(recorded_at=self._clock.now(), sent_at=None, made_at=moment):
            raise refuse_member(
                pointer, Code.FROM_THE_FUTURE, "this lies more than 5 minutes ahead; check the sender's clock"
            )

    async def _record(
        self,
        caller: Caller,
        consumer_id: str,
        kind: str,
        sent: Mapping[str, Any],
        decide: Decide,
        *,
        observed_at: Micros | None = None,
    ) -> Answer:
        returning = Returning(self._marks, caller)
        while True:
            target = await resolve(self._storage, caller.brand_id, consumer_id)

            def plan(found: Mapping[str, Found], now: Micros, target: str = target) -> tuple[list[Write], Answer]:
                state, known, recorded_at, latest, begun = returning.begin(target, found[target], now)
                if state.linked_to is not None:
                    raise LinkedMeanwhileError
                returning.check(state.erased_at, observed_at)
                version = known + 1
                outcome, answer = decide(state, version, recorded_at)
                if outcome is None:
                    return [], {**answer, "version": version - 1 - len(begun)}
                apply_outcome(state, kind, outcome)
                body = dumps({"sent": sent, "outcome": outcome, "recorded_by": caller.stamp()})
                change = StoredChange(version, kind, recorded_at, recorded_at, latest, None, b"", body)
                stored = StoredConsumer(version, recorded_at, latest, write_state(state))
                return [Write(target, stored, (*begun, change))], answer

            wanted = Wanted(target, mark=returning.mark(target))
            try:
                return await self._storage.record(caller.brand_id, [wanted], plan)
            except LinkedMeanwhileError:
                continue


def signals_json(
    signals: list[SignalSeen] | tuple[SignalSeen, ...], honoured: Collection[str] | None = None
) -> dict[str, Any]:
    """Give signals as the wire has them: per signal, when each device first sent it.

    Args:
        signals: First sights.
        honoured: The signals that decide; None leaves unsaid which.
    """
    answer: dict[str, Any] = {}
    for seen in signals:
        entry = answer.setdefault(seen.name, {"on": True, "devices": {}})
        if honoured is not None:
            entry["honoured"] = seen.name in honoured
        entry["devices"][seen.device_id] = {"first_seen": format_micros(seen.effective_at), "source": seen.source}
    return answer


def age_json(pieces: list[AgeEvidence] | tuple[AgeEvidence, ...]) -> dict[str, Any]:
    """Give evidence of age as the wire has it, by source."""
    return {
        piece.source: {
            "lower": piece.lower,
            "upper": piece.upper,
            "method": piece.method,
            "observed_at": format_micros(piece.observed_at),
            **({} if piece.jurisdiction is None else {"jurisdiction": piece.jurisdiction}),
        }
        for piece in pieces
    }


def _has_band(piece: AgeEvidence) -> bool:
    return piece.lower is not None or piece.upper is not None


def _is_overridden(seen: SignalSeen, state: State) -> bool:
    return any(
        seen.name in grant.overrides and grant.version > seen.version
        for fold in state.topics.values()
        for grant in fold.grants
    )
