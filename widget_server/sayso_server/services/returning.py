"""Somebody who was erased comes back: their versions go on, what they refused stays refused, and the rest is gone.

What was said before the erasure can't be recorded after it, refusals too: whoever sends it still has it from then.
"""

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import UUID

from sayso.model.as_written import known
from sayso.model.choice import Actor, Answer, Choice, Method
from sayso.model.instant import Micros, span_micros, to_micros
from sayso.model.recorded import BY_PERSON, RecordedChoice
from sayso.rules.effective import LATEST_GRANT_AHEAD
from sayso.rules.fold import add
from sayso.rules.senders import controller_scope
from sayso.wire import Code
from sayso_server.jsonio import dumps, loads
from sayso_server.services.caller import Caller
from sayso_server.services.marks import Marks
from sayso_server.services.recorded_body import KEPT_OVER, Outcome, pack_body
from sayso_server.services.refusals import RefusedError
from sayso_server.services.state import State, read_state
from sayso_server.storage.base import Found, StoredChange, StoredTombstone

_CONTROLLER = controller_scope("")


class Refused(NamedTuple):
    """One refusal that outlives an erasure: of a topic, or of a channel's single sender (`rules.senders`)."""

    topic: str
    scope: str | None = None


class Start(NamedTuple):
    """From where recording about somebody goes on.

    Attributes:
        state: What is known of them.
        version: Their version.
        recorded_at: When what is recorded now is recorded.
        effective_max: As `StoredConsumer` has it.
        changes: What has to be written before anything else.
    """

    state: State
    version: int
    recorded_at: Micros
    effective_max: Micros
    changes: tuple[StoredChange, ...]


class Returning:
    """Lets erased consumers come back through what one caller says, within plans."""

    def __init__(self, marks: Marks, caller: Caller) -> None:
        """Take the marks, and who says something."""
        self._marks = marks
        self._brand_id = caller.brand_id
        self._stamp = dumps(caller.stamp())
        self._since = caller.since

    def mark(self, consumer_id: str) -> Callable[[], bytes]:
        """Give what makes the mark of a consumer's tombstone, as `Wanted` takes it."""
        return self._marks.later(self._brand_id, consumer_id)

    def is_from_before(self, erased_at: Micros | None, said_at: Micros | None = None) -> bool:
        """Tell whether what the caller says was said before an erasure: strictly, for the erasure's moment is none.

        Whatever time is named, nothing is newer than the request that brings it, however long that took to arrive or
        waited, nor than the consumer's token that it was said with.

        Args:
            erased_at: When the consumer was erased; None if never.
            said_at: When it was said, by the server's clock; None where nobody tells.
        """
        if erased_at is None:
            return False
        return any(moment is not None and moment < erased_at for moment in (self._since, said_at))

    def check(self, erased_at: Micros | None, observed_at: Micros | None = None) -> None:
        """Refuse what was begun or observed before an erasure.

        Raises:
            RefusedError: 410 `erased`.
        """
        if self.is_from_before(erased_at, observed_at):
            message = "the consumer was erased after this was observed; drop it"
            raise RefusedError(HTTPStatus.GONE, Code.ERASED, message)

    def begin(self, consumer_id: str, found: Found, now: Micros) -> Start:
        """Give from where recording goes on, whether they are known, new, or were erased."""
        before = found.consumer
        if before is not None:
            recorded_at = max(now, before.recorded_at)
            return Start(read_state(before), before.version, recorded_at, before.effective_max, ())
        if found.tombstone is not None:
            return self.start(consumer_id, found.tombstone, now)
        return Start(State(), 0, now, 0, ())

    def start(self, consumer_id: str, tombstone: StoredTombstone, now: Micros) -> Start:
        """Give the state of somebody of whom only a tombstone is left."""
        erased_at = tombstone.erased_at
        recorded_at = max(now, erased_at)
        state = State(erased_at=erased_at)
        version = tombstone.version + 1
        body = b'{"sent":{},"outcome":%b,"recorded_by":%b}' % (dumps({"erased_at": erased_at}), self._stamp)
        changes = [StoredChange(version, "return", recorded_at, recorded_at, 0, None, b"", body)]
        for topic, scope in unsealed(self._marks, self._brand_id, consumer_id, tombstone):
            version += 1
            content = self._content(consumer_id, topic, scope)
            choice_id = content["id"]
            recorded = RecordedChoice(
                version=version,
                based_on=version - 1,
                effective_at=erased_at,
                answer=Answer.DENIED.value,
                origin=BY_PERSON,
                choice_id=choice_id,
                made_at=erased_at,
                scopes=() if scope is None else (scope,),
            )
            state.topics.put(topic, add(state.topics.fold_of(topic), recorded))
            packed = dumps(content)
            outcome = Outcome(stands=True, allowed=False, reason=Answer.DENIED.value)
            more = {KEPT_OVER: "erasure"}
            body = pack_body(
                packed, self._stamp, Actor.CONSUMER.value, recorded, outcome, recorded_at=recorded_at, more=more
            )
            mark = hashlib.sha256(packed).digest()
            changes.append(StoredChange(version, "choice", recorded_at, erased_at, erased_at, choice_id, mark, body))
        return Start(state, version, recorded_at, changes[-1].effective_max, tuple(changes))

    def _content(self, consumer_id: str, topic: str, scope: str | None) -> dict[str, Any]:
        # The same id each time: a plan may be made twice.
        digest = self._marks.of(self._brand_id, "kept", f"{consumer_id}\0{topic}\0{scope or ''}")
        content: dict[str, Any] = {"id": str(UUID(bytes=digest[:16], version=4)), "topic": topic}
        content |= {"answer": Answer.DENIED.value, "method": Method.API.value}
        if scope is not None and scope.startswith(_CONTROLLER):
            content["detail"] = {"controller": scope.removeprefix(_CONTROLLER)}
        elif scope is not None:
            content["detail"] = {"sender": scope}
        return content


def sealed(marks: Marks, brand_id: str, consumer_id: str, refused: Iterable[Refused]) -> bytes:
    """Give the body of a tombstone: which refusals go on, to be read only with the key and the consumer's id."""
    listed = [list(each) for each in refused]
    return marks.seal(brand_id, consumer_id, dumps(listed)) if listed else b""


def unsealed(marks: Marks, brand_id: str, consumer_id: str, tombstone: StoredTombstone) -> list[Refused]:
    """Read the body of a tombstone."""
    if not tombstone.body:
        return []
    return [Refused(*each) for each in loads(marks.unseal(brand_id, consumer_id, tombstone.body))]


def said_at(choice: Choice, *, sent_at: Micros | None, recorded_at: Micros) -> Micros | None:
    """Give when a choice was made, by the server's clock, as far as that can be told; None where nobody tells.

    Both times are of the sender's clock, which may be slow: how old the choice was when it was sent says more than
    either. But a batch that is sent again byte for byte, as a queue does, names an old time of sending. So a sender's
    clock is believed to be slow by five minutes at most, as far as it may be fast.

    Args:
        choice: The choice.
        sent_at: The sender's time of sending, if known.
        recorded_at: The server's time.
    """
    made = known(choice.made_at)
    if made is None:
        return None
    slow = 0 if sent_at is None else min(recorded_at - sent_at, span_micros(LATEST_GRANT_AHEAD))
    return to_micros(made) + slow


def is_told_too_late(choice: Choice, erased_at: Micros, *, by_brand: bool) -> bool:
    """Tell whether the evidence of a choice is from before an erasure.

    What a brand says of somebody else's choices, such as an import, has to say when they were made.

    Args:
        choice: The choice.
        erased_at: When the consumer was erased.
        by_brand: The brand speaks, not the consumer.
    """
    told = choice.evidence.date if choice.evidence is not None else None
    if told is None:
        return by_brand and known(choice.made_at) is None
    return to_micros(datetime.combine(date.fromisoformat(told), time(), UTC)) <= erased_at
