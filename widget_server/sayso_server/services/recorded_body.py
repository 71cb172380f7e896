"""A recorded choice as bytes: what is stored of it, and what is read back from that.

A body is a JSON array: names, the id (which has a column of its own) and trailing nulls are left out, times are
distances from when it was recorded. That halves it, and what is written decides how fast it can be.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sayso.model.as_written import written
from sayso.model.choice import Detail
from sayso.model.instant import Micros, format_micros
from sayso.model.recorded import RecordedChoice
from sayso.rules.senders import scopes_of
from sayso_server.jsonio import dumps, loads_exactly
from sayso_server.services.batch_entry import BatchEntry
from sayso_server.storage.base import StoredChange

Answer = dict[str, Any]
_ID = len('{"id":"01a20a1d-831e-755a-b6dc-788cd50cc091",')
"""Every content begins with an id in its canonical form."""

COUNTS_FOR_ALL = "counts_for_all"
"""In `more` of a refusal that names a sender, where there was no room to keep that sender apart."""
NOTICE_MINOR = "notice_minor"
"""In `more` of a choice that answered a notice whose text had changed under its version: which text it was."""
KEPT_OVER = "kept_over"
"""In `more` of a refusal that outlived an erasure."""
_CHANNEL = "channel:"

_text = lru_cache(maxsize=64)(format_micros)
"""What is recorded in one transaction is recorded at one time, and mostly counts from it."""


class Outcome(NamedTuple):
    """What came of a choice when it was recorded, as its answer says.

    Attributes:
        stands: Whether it decides about its topic.
        allowed: Whether the topic is allowed.
        reason: Why, as `Decision` has it.
        superseded_by: The choice that decides instead, if one does.
    """

    stands: bool
    allowed: bool
    reason: str
    superseded_by: str | None = None


class Body(NamedTuple):
    """What is stored of a choice, beside the columns.

    Attributes:
        choice: What was sent, with its id.
        recorded_by: `Caller.stamp`.
        actor: Who made it.
        recorded: Its recorded form.
        outcome: What was answered.
        more: What few have: `made_at_sent`, `linked_from`, `copy_of`, `counts_for_all`,
            `notice_minor`, `kept_over`.
    """

    choice: dict[str, Any]
    recorded_by: dict[str, str]
    actor: str
    recorded: RecordedChoice
    outcome: Outcome
    more: Mapping[str, str]


def read_body(change: StoredChange) -> Body:
    """Read what is stored of a choice."""
    sent, stamp, actor, origin, based_on, age, lasting, notice_version, stands, allowed, reason, *rest = loads_exactly(
        change.body
    )
    choice_id = change.choice_id or ""
    superseded_by, more = (*rest, None, None)[:2]
    recorded = RecordedChoice(
        version=change.version,
        based_on=based_on,
        effective_at=change.effective_at,
        answer=sent["answer"],
        origin=origin,
        choice_id=choice_id,
        made_at=change.recorded_at - age,
        expires_at=None if lasting is None else change.recorded_at + lasting,
        notice_version=notice_version,
        overrides=tuple(sent.get("overrides", ())),
        scopes=_scopes(sent, more),
    )
    outcome = Outcome(stands, allowed, reason, superseded_by)
    return Body({"id": choice_id, **sent}, stamp, actor, recorded, outcome, more or {})


def _scopes(sent: Mapping[str, Any], more: Mapping[str, str] | None) -> tuple[str, ...]:
    detail = sent.get("detail")
    if not detail or not sent["topic"].startswith(_CHANNEL) or (more and COUNTS_FOR_ALL in more):
        return ()
    return scopes_of(Detail.model_construct(sender=detail.get("sender"), controller=detail.get("controller")))


def pack_body(
    content: bytes,
    stamp: bytes,
    actor: str,
    recorded: RecordedChoice,
    outcome: Outcome,
    *,
    recorded_at: Micros,
    more: Mapping[str, str] | None = None,
) -> bytes:
    """Give the bytes that `read_body` reads.

    Args:
        content: What was sent, its id first, as compact JSON.
        stamp: `Caller.stamp` as JSON.
        actor: Who made it.
        recorded: Its recorded form, whose id has a column of its own.
        outcome: What is answered.
        recorded_at: When it is recorded.
        more: What few have.
    """
    expires_at = recorded.expires_at
    rest: list[Any] = [
        actor,
        recorded.origin,
        recorded.based_on,
        recorded_at - recorded.made_at,
        None if expires_at is None else expires_at - recorded_at,
        recorded.notice_version,
        *outcome,
    ]
    if more:
        rest.append(more)
    elif outcome.superseded_by is None:
        rest.pop()
    # What was sent goes in as it is: the fingerprint was taken of these bytes.
    return b"[{%b,%b,%b" % (content[_ID:], stamp, dumps(rest)[1:])


def body_of(
    entry: BatchEntry,
    recorded: RecordedChoice,
    recorded_at: Micros,
    stamp: bytes,
    outcome: Outcome,
    *,
    minor: int | None = None,
) -> bytes:
    """Give what is stored of a choice of a batch; `minor` is which text of its notice was shown, if it doesn't say."""
    more: dict[str, str] | None = None
    choice = entry.choice
    if choice.made_at is not None:
        more = {"made_at_sent": written(choice.made_at)}
    if entry.consumer_id != choice.consumer_id:
        more = {**(more or {}), "linked_from": choice.consumer_id}
    if choice.detail is not None and not recorded.scopes and scopes_of(choice.detail):
        more = {**(more or {}), COUNTS_FOR_ALL: "too many senders"}
    if minor:
        more = {**(more or {}), NOTICE_MINOR: str(minor)}
    return pack_body(entry.content, stamp, entry.actor, recorded, outcome, recorded_at=recorded_at, more=more)


def answer_of(consumer_id: str, topic: str, change: StoredChange, outcome: Outcome, *, replayed: bool) -> Answer:
    """Give the answer to one choice."""
    answer: Answer = {
        "choice_id": change.choice_id,
        "consumer_id": consumer_id,
        "topic": topic,
        "version": change.version,
        "recorded_at": _text(change.recorded_at),
        "effective_at": _text(change.effective_at),
        "stands": outcome.stands,
        "allowed": outcome.allowed,
        "reason": outcome.reason,
    }
    if outcome.superseded_by is not None:
        answer["superseded_by"] = outcome.superseded_by
    answer["replayed"] = replayed
    return answer


def first_answer(consumer_id: str, change: StoredChange) -> Answer:
    """Give the answer that a choice got when it was recorded, marked as replayed."""
    body = read_body(change)
    return answer_of(consumer_id, body.choice["topic"], change, body.outcome, replayed=True)


def recorded_choice(change: StoredChange) -> tuple[str, RecordedChoice]:
    """Give topic and recorded form of a stored choice."""
    body = read_body(change)
    return body.choice["topic"], body.recorded
