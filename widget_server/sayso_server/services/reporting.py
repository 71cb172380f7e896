"""Recording what is no choice: device reports, signals and evidence of age."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from sayso.model.age import AgeEvidence, AgeReport, AgeSource
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
from sayso_server.services.refusals import refuse_member
from sayso_server.services.replay import apply_outcome
from sayso_server.services.state import State, dated_states, pack_device, read_state, without_doubts, write_state
from sayso_server.storage.base import Found, Storage, StoredChange, StoredConsumer, Wanted, Write

Answer = dict[str, Any]
Decide = Callable[[State, int, Micros], tuple[dict[str, Any] | None, Answer]]
"""Given the state, the next version and the time: the outcome to record (None for nothing new) and the answer."""


class Reporting:
    """Records device reports, signals and evidence of age."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        """Take what it works with."""
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

        return await self._record(caller, consumer_id, "device", sent, decide)

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
        return await self._record(caller, consumer_id, "signal", sent, decide)

    async def age(self, caller: Caller, consumer_id: str, report: AgeReport) -> Answer:
        """Record evidence of age; the newest of each source counts, and of one moment the lower band.

        Evidence that changes nothing, such as the same once more, is not recorded.
        """
        if caller.token_class is TokenClass.CONSUMER and report.source is not AgeSource.SELF:
            raise refuse_member("/source", Code.ACTOR_NOT_YOURS, "a consumer's own statement has source self")
        observed_at = to_micros(report.observed_at) if report.observed_at is not None else None
        if observed_at is not None:
            self._refuse_future("/observed_at", observed_at)

        def decide(state: State, version: int, now: Micros) -> tuple[dict[str, Any] | None, Answer]:
            moment = now if observed_at is None else min(observed_at, now)
            piece = AgeEvidence(report.source.value, report.lower, report.upper, moment, report.method)
            pieces = [AgeEvidence(*known) for known in state.age]
            earlier = next((known for known in pieces if known.source == piece.source), None)
            if earlier is not None and earlier.observed_at == moment:
                piece = lower_band(earlier, piece)
            if earlier is not None and (earlier == piece or earlier.observed_at > moment):
                return None, {"version": version - 1, "age": age_json(pieces)}
            pieces = [*(known for known in pieces if known != earlier), piece]
            return {"age": [list(known) for known in pieces]}, {"version": version, "age": age_json(pieces)}

        return await self._record(caller, consumer_id, "age", report.model_dump(mode="json", exclude_none=True), decide)

    def _refuse_future(self, pointer: str, moment: Micros) -> None:
        if is_from_the_future(recorded_at=self._clock.now(), sent_at=None, made_at=moment):
            raise refuse_member(
                pointer, Code.FROM_THE_FUTURE, "this lies more than 5 minutes ahead; check the sender's clock"
            )

    async def _record(
        self, caller: Caller, consumer_id: str, kind: str, sent: Mapping[str, Any], decide: Decide
    ) -> Answer:
        while True:
            target = await resolve(self._storage, caller.brand_id, consumer_id)

            def plan(found: Mapping[str, Found], now: Micros, target: str = target) -> tuple[list[Write], Answer]:
                before = found[target].consumer
                state = read_state(before)
                if state.linked_to is not None:
                    raise LinkedMeanwhileError
                version = (before.version if before else 0) + 1
                recorded_at = max(now, before.recorded_at) if before else now
                latest = before.effective_max if before else 0
                outcome, answer = decide(state, version, recorded_at)
                if outcome is None:
                    return [], answer
                apply_outcome(state, kind, outcome)
                body = dumps({"sent": sent, "outcome": outcome, "recorded_by": caller.stamp()})
                change = StoredChange(version, kind, recorded_at, recorded_at, latest, None, b"", body)
                stored = StoredConsumer(version, recorded_at, latest, write_state(state))
                return [Write(target, stored, (change,))], answer

            try:
                return await self._storage.record(caller.brand_id, [Wanted(target)], plan)
            except LinkedMeanwhileError:
                continue


def signals_json(signals: list[SignalSeen] | tuple[SignalSeen, ...]) -> dict[str, Any]:
    """Give signals as the wire has them: per signal, when each device first sent it."""
    answer: dict[str, Any] = {}
    for seen in signals:
        entry = answer.setdefault(seen.name, {"on": True, "devices": {}})
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
        }
        for piece in pieces
    }


def _is_overridden(seen: SignalSeen, state: State) -> bool:
    return any(
        seen.name in grant.overrides and grant.version > seen.version
        for fold in state.topics.values()
        for grant in fold.grants
    )
