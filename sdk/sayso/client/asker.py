"""Asking: snapshots and decisions, never older than what this process has seen, and no in an outage."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sayso.client.choice import GRANTED
from sayso.client.decision import Decision, unavailable
from sayso.client.faults import checked_micros, invalid, reading
from sayso.client.memory import Memory
from sayso.client.snapshot import Preferences
from sayso.errors import ConflictError, RateLimitedError, UnavailableError
from sayso.model.decision import Reason
from sayso.model.ids import IdError, check_id, is_anonymous
from sayso.model.instant import format_micros
from sayso.transport.clock import Clock
from sayso.transport.codec import dumps
from sayso.transport.http import Transport
from sayso.wire import MAX_CHECKS, Code

CHECK_TIME_BOX = timedelta(milliseconds=900)
"""A check answers within a second, whatever the server does."""

_LONGEST_TOPIC = 160


class Check(NamedTuple):
    """One question: may this be done for that consumer, now or as of then?"""

    consumer_id: str
    topic: str
    device: str | None = None
    as_of: datetime | None = None


class Asker:
    """Asks the server, and closes when it doesn't answer."""

    def __init__(
        self, transport: Transport, memory: Memory, clock: Clock, *, max_staleness: timedelta, language: str
    ) -> None:
        """Take what it works with."""
        self._transport = transport
        self._memory = memory
        self._clock = clock
        self._max_staleness = max_staleness
        self.language = language
        self._store_id: str | None = None
        self._down = False
        self._probing = False

    async def preferences(
        self,
        consumer_id: str,
        *,
        at_least: int | None = None,
        as_of: datetime | None = None,
        time_box: timedelta | None = None,
    ) -> Preferences:
        """Fetch a snapshot, at least as new as anything this process has seen of the consumer.

        Raises:
            InvalidError: `as_of` is naive, or comes with `at_least`.
            ConflictError: The server did not reach `at_least` in 2 seconds; `current_version` tells where it is.
            UnavailableError: There is no answer, or only an older one, or one from another database.
        """
        query = _query(at_least, as_of)
        preferences = await self._snapshot(consumer_id, query, as_of, time_box)
        seen = self._memory.version(preferences.consumer_id) if as_of is None else None
        if seen is None or preferences.version >= seen:
            return self._remember(preferences)
        behind = False
        try:
            preferences = await self._snapshot(consumer_id, f"?at_least={seen}", None, time_box)
        except ConflictError:
            behind = True
        if behind or preferences.version < seen:
            raise UnavailableError("the server answers older preferences than it did before", code="behind")
        return self._remember(preferences)

    async def decide(self, checks: Sequence[Check]) -> list[Decision]:
        """Answer any number of checks, in order; those that can't be answered are `unavailable`.

        Raises:
            Error: Only for what no waiting mends: a key that isn't accepted, a naive `as_of`.
        """
        decisions: list[Decision] = []
        for start in range(0, len(checks), MAX_CHECKS):
            # Once a request went unanswered, the next ones aren't waited for: a check takes a second at most.
            given_up = start > 0 and self._down
            decisions += await self._decide(checks[start : start + MAX_CHECKS], given_up=given_up)
        return decisions

    async def _snapshot(
        self, consumer_id: str, query: str, as_of: datetime | None, time_box: timedelta | None
    ) -> Preferences:
        path = f"/v1/consumers/{consumer_id}/preferences{query}"
        answer = await self._transport.call("GET", path, time_box=time_box)
        with reading():
            data: dict[str, Any] = dict(answer.data)
        preferences = Preferences.from_wire(
            data,
            asked_at=answer.asked_at,
            max_staleness=self._max_staleness,
            as_of=as_of,
            language=self.language,
            clock=self._clock,
        )
        self._check_store(preferences.store_id)
        return preferences

    def _check_store(self, store_id: str | None) -> None:
        if self._store_id is None:
            self._store_id = store_id
        if store_id != self._store_id:
            raise UnavailableError(
                "the server answers from another database than before, where versions count differently; restart this "
                "process once that is meant to be so",
                code="store_changed",
            )

    def _remember(self, preferences: Preferences) -> Preferences:
        if preferences.as_of is None:
            answers = preferences.answers
            granted = {topic: answers.get(topic) == GRANTED for topic in preferences.topics}
            self._memory.saw_answers(preferences.consumer_id, preferences.version, granted)
        return preferences

    async def _decide(self, checks: Sequence[Check], *, given_up: bool) -> list[Decision]:
        refused = [self._refused(check) for check in checks]
        sent = [check for check, refusal in zip(checks, refused, strict=True) if refusal is None]
        entries = [_entry(check) for check in sent]
        found = iter(self._closed(sent) if given_up or not sent else await self._ask(sent, entries))
        return [next(found) if refusal is None else refusal for refusal in refused]

    def _refused(self, check: Check) -> Decision | None:
        """Answer what needs no server: a topic or a device that can't exist."""
        topic: object = check.topic  # whatever an untyped caller passes gets an answer
        device: object = check.device
        if not isinstance(topic, str) or not 0 < len(topic) <= _LONGEST_TOPIC or not topic.isprintable():
            reason = Reason.UNKNOWN_TOPIC
        elif device is not None and not _may_be_a_device(device):
            reason = Reason.DEVICE_UNKNOWN
        else:
            return None
        return Decision(str(topic), False, reason.value, consumer_id=check.consumer_id, _language=self.language)

    async def _ask(self, checks: Sequence[Check], entries: list[dict[str, str]]) -> list[Decision]:
        probe = self._down
        if probe and self._probing:
            return self._closed(checks)  # one check at a time finds out whether the server is back
        self._probing = probe
        try:
            decisions = await self._ask_server(checks, entries)
        except (UnavailableError, RateLimitedError):
            self._down = True
            return self._closed(checks)
        finally:
            if probe:
                self._probing = False
        self._down = False
        return decisions

    async def _ask_server(self, checks: Sequence[Check], entries: list[dict[str, str]]) -> list[Decision]:
        seen = [self._seen_for(check) for check in checks]
        body = dumps({"checks": entries})
        answer = await self._transport.call("POST", "/v1/decisions", body, time_box=CHECK_TIME_BOX)
        with reading():
            self._check_store(answer.data.get("store_id", self._store_id))
            found = answer.data["decisions"]
            if [entry["topic"] for entry in found] != [check.topic for check in checks]:
                raise ValueError("answers to other questions")
            return [
                self._closed([check])[0]
                if entry.get("version", version) < version
                else Decision.from_wire(entry, topic=check.topic, language=self.language, device=check.device)
                for entry, check, version in zip(found, checks, seen, strict=True)
            ]

    def _seen_for(self, check: Check) -> int:
        """Give the version that an answer must not fall behind."""
        # A visitor may have been linked elsewhere, and the answer then counts the known consumer's versions.
        if check.as_of is not None or is_anonymous(check.consumer_id):
            return 0
        return self._memory.version(check.consumer_id) or 0

    def _closed(self, checks: Sequence[Check]) -> list[Decision]:
        return [
            unavailable(check.topic, consumer_id=check.consumer_id, device=check.device, language=self.language)
            for check in checks
        ]


def _may_be_a_device(device: object) -> bool:
    try:
        return isinstance(device, str) and bool(check_id(device))
    except IdError:
        return False


def _entry(check: Check) -> dict[str, str]:
    entry = {"consumer_id": check.consumer_id, "topic": check.topic}
    if check.device is not None:
        entry["device_id"] = check.device
    if check.as_of is not None:
        entry["as_of"] = format_micros(checked_micros("/as_of", check.as_of))
    return entry


def _query(at_least: int | None, as_of: datetime | None) -> str:
    if as_of is None:
        return "" if at_least is None else f"?at_least={int(at_least)}"
    if at_least is not None:
        raise invalid(
            "/at_least", Code.INVALID_VALUE, "a past moment has its version; give at_least or as_of, not both"
        )
    return f"?as_of={format_micros(checked_micros('/as_of', as_of))}"
