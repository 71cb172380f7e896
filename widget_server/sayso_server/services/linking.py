"""Linking an anonymous visitor to the consumer they turned out to be."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sayso.errors import Problem
from sayso.model.age import AgeEvidence
from sayso.model.choice import ConsumerId
from sayso.model.ids import is_anonymous
from sayso.model.instant import Micros
from sayso.model.recorded import RecordedChoice
from sayso.model.signal import SignalSeen
from sayso.rules.fold import add
from sayso.rules.gpc import device_to_note
from sayso.rules.link import age_of_both, carried, copies
from sayso.wire import Code
from sayso_server.jsonio import dumps
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.link_answer import earlier_answer, link_answer
from sayso_server.services.marks import Marks
from sayso_server.services.recorded_body import NOTICE_MINOR, pack_body, read_body, recorded_choice
from sayso_server.services.refusals import RefusedError, refuse_member
from sayso_server.services.replay import apply_outcome
from sayso_server.services.returning import Returning
from sayso_server.services.state import State, read_state, write_state
from sayso_server.storage.base import Found, Storage, StoredChange, StoredConsumer, Wanted, Write

Answer = dict[str, Any]


class LinkBody(BaseModel):
    """The body of `POST …/links`. The token proves that the visitor was there.

    Without it only what restricts carries over: refusals, signals and evidence of a minor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    anonymous_id: ConsumerId
    anonymous_token: Annotated[str, Field(max_length=4096)] | None = None


class Linking:
    """Links anonymous ids to known ones."""

    def __init__(self, storage: Storage, catalogues: Catalogues, marks: Marks) -> None:
        """Take what it works with."""
        self._marks = marks
        self._storage = storage
        self._catalogues = catalogues

    async def link(self, caller: Caller, known_id: str, anonymous_id: str, *, with_grants: bool) -> Answer:
        """Make an anonymous id an alias of a known one, and carry its choices over.

        Raises:
            RefusedError: 409 `already_linked` when it belongs to another consumer, 410 `erased` when it was erased, 422
                for ids of the wrong kind.
        """
        if not is_anonymous(anonymous_id):
            raise refuse_member(
                "/anonymous_id",
                Code.INVALID_ID,
                "only an anon_ id can be linked; two known consumers are never made one",
            )
        if is_anonymous(known_id):
            raise refuse_member("", Code.INVALID_ID, "an anonymous id is linked to a known one, not to another visitor")
        majority = self._catalogues.of(caller.brand_id).catalogue.majority

        returning = Returning(self._marks, caller)

        def plan(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], Answer]:
            return _link(
                caller,
                known_id,
                anonymous_id,
                found,
                now,
                returning=returning,
                majority=majority,
                with_grants=with_grants,
            )

        wanted = [
            Wanted(known_id, mark=returning.mark(known_id)),
            Wanted(anonymous_id, whole_history=True, mark=returning.mark(anonymous_id)),
        ]
        return await self._storage.record(caller.brand_id, wanted, plan)


def _link(
    caller: Caller,
    known_id: str,
    anonymous_id: str,
    found: Mapping[str, Found],
    now: Micros,
    *,
    returning: Returning,
    majority: int,
    with_grants: bool,
) -> tuple[list[Write], Answer]:
    other = found[anonymous_id].consumer
    known, version, recorded_at, latest, begun = returning.begin(known_id, found[known_id], now)
    visitor = read_state(other)
    if found[anonymous_id].tombstone is not None or visitor.erased_at is not None:
        raise RefusedError(
            HTTPStatus.GONE,
            Code.ERASED,
            "this visitor was erased; give the browser a new anonymous id",
            problems=[Problem("/anonymous_id", Code.ERASED.value, "erased")],
        )
    returning.check(known.erased_at)
    if visitor.linked_to == known_id:
        return [], earlier_answer(found[anonymous_id].history)
    if visitor.linked_to is not None:
        raise RefusedError(
            HTTPStatus.CONFLICT,
            Code.ALREADY_LINKED,
            "this visitor was linked to another consumer; give the browser a new anonymous id after each logout",
            problems=[Problem("/anonymous_id", Code.ALREADY_LINKED.value, "linked to another consumer")],
        )
    originals = [change for change in found[anonymous_id].history if change.kind == "choice"]
    by_version = {change.version: change for change in originals}
    said = _still_said(originals, known.erased_at)
    taken = carried(said, known_topics=known.topics, with_grants=with_grants)
    recorded_at = max(recorded_at, other.recorded_at if other else 0)
    stamp = caller.stamp()
    changes: list[StoredChange] = list(begun)

    def append(kind: str, body: bytes, effective: Micros, choice_id: str | None = None, mark: bytes = b"") -> None:
        nonlocal version, latest
        version += 1
        if kind == "choice":
            latest = max(latest, effective)
        changes.append(StoredChange(version, kind, recorded_at, effective, latest, choice_id, mark, body))

    link = {"linked_from": anonymous_id}
    append("link", dumps({"sent": {"anonymous_id": anonymous_id}, "outcome": link, "recorded_by": stamp}), recorded_at)
    known.linked_from.append(anonymous_id)
    known_signals = [SignalSeen(*seen) for seen in known.signals]
    visitors_signals = [SignalSeen(*seen) for seen in visitor.signals]
    for name, device_id, _, effective, seen_by in visitors_signals:
        noted = device_to_note([SignalSeen(*seen) for seen in known.signals], name, device_id)
        if noted != device_id or not any(seen[:2] == [name, noted] for seen in known.signals):
            seen = [name, noted, version + 1, effective, seen_by]
            sent = {"name": name, "source": seen_by, "linked_from": anonymous_id}
            append("signal", dumps({"sent": sent, "outcome": {"seen": seen}, "recorded_by": stamp}), recorded_at)
            apply_outcome(known, "signal", {"seen": seen})
    restricted = [*known.restricted, *(one for one in visitor.restricted if one not in known.restricted)]
    if restricted != known.restricted:
        known.restricted = restricted
        append(
            "restriction",
            dumps({"sent": link, "outcome": {"restricted": restricted}, "recorded_by": stamp}),
            recorded_at,
        )
    known_topics = frozenset(known.topics)
    copied = copies(
        taken,
        anonymous_id=anonymous_id,
        after_version=version,
        known_topics=known_topics,
        known_signals=known_signals,
        visitors_signals=visitors_signals,
    )
    for (topic, copy), (_, original) in zip(copied, taken, strict=True):
        source = by_version[original.version]
        body = _copied_body(source, copy, anonymous_id, recorded_at)
        append("choice", body, copy.effective_at, copy.choice_id, source.fingerprint)
        known.topics.put(topic, add(known.topics.fold_of(topic), copy))
    mine, theirs = ([AgeEvidence(*piece) for piece in state.age] for state in (known, visitor))
    age = [list(piece) for piece in age_of_both(mine, theirs, majority=majority, proven=with_grants)]
    if age != known.age:
        known.age = age
        append("age", dumps({"sent": link, "outcome": {"age": known.age}, "recorded_by": stamp}), recorded_at)
    writes = [
        Write(known_id, StoredConsumer(version, recorded_at, latest, write_state(known)), tuple(changes)),
        _close(
            anonymous_id=anonymous_id,
            known_id=known_id,
            visitor=visitor,
            other=other,
            recorded_at=recorded_at,
            stamp=stamp,
            known_version=version,
            taken=taken,
            said=said,
        ),
    ]
    return writes, link_answer(known_id, version, taken, said, replayed=False)


def _still_said(originals: list[StoredChange], erased_at: Micros | None) -> list[tuple[str, RecordedChoice]]:
    """Give what a visitor said. What they agreed to before their account was erased stays erased; refusals go on."""
    said = [recorded_choice(change) for change in originals]
    if erased_at is None:
        return said
    return [(topic, choice) for topic, choice in said if choice.is_refusal or choice.effective_at > erased_at]


def _close(
    *,
    anonymous_id: str,
    known_id: str,
    visitor: State,
    other: StoredConsumer | None,
    recorded_at: Micros,
    stamp: dict[str, str],
    known_version: int,
    taken: list[tuple[str, RecordedChoice]],
    said: list[tuple[str, RecordedChoice]],
) -> Write:
    visitor.linked_to = known_id
    version = (other.version if other else 0) + 1
    latest = other.effective_max if other else 0
    answer = link_answer(known_id, known_version, taken, said, replayed=True)
    body = dumps({"sent": {}, "outcome": {"linked_to": known_id, "answer": answer}, "recorded_by": stamp})
    change = StoredChange(version, "link", recorded_at, recorded_at, latest, None, b"", body)
    return Write(anonymous_id, StoredConsumer(version, recorded_at, latest, write_state(visitor)), (change,))


def _copied_body(source: StoredChange, copy: RecordedChoice, anonymous_id: str, recorded_at: Micros) -> bytes:
    body = read_body(source)
    said = {name: value for name, value in body.choice.items() if name != "overrides"}
    if copy.overrides:
        said["overrides"] = list(copy.overrides)
    content = dumps({**said, "id": copy.choice_id})
    more = {"linked_from": anonymous_id, "copy_of": body.recorded.choice_id}
    more |= {name: body.more[name] for name in (NOTICE_MINOR,) if name in body.more}
    stamp = dumps(body.recorded_by)
    return pack_body(content, stamp, body.actor, copy, body.outcome, recorded_at=recorded_at, more=more)
