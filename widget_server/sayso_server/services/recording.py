"""Recording choices: read, decide and write in one transaction, and say what stands now."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

from sayso.errors import Problem
from sayso.model.choice import Actor, Choice, ChoiceBatch
from sayso.model.decision import Reason
from sayso.model.ids import is_anonymous
from sayso.model.instant import Micros, format_micros, span_micros, to_micros
from sayso.model.recorded import RecordedChoice
from sayso.model.topic import EVERY_TOPIC
from sayso.rules.decide import decide
from sayso.rules.effective import effective_at
from sayso.rules.fold import add, origin_of, seen_limit, standing_for
from sayso.rules.link import copy_id
from sayso.wire import Code
from sayso_server.clock import Clock
from sayso_server.jsonio import dumps, loads
from sayso_server.services.admission import actor_of, problems_of
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues, Published
from sayso_server.services.identity import resolve
from sayso_server.services.refusals import RefusedError, refuse_members
from sayso_server.services.state import State, preferences_of, read_state, write_state
from sayso_server.storage.base import Found, Storage, StoredChange, StoredConsumer, Wanted, Write

Answer = dict[str, Any]


class _Entry(NamedTuple):
    """One choice of a batch on its way.

    Attributes:
        place: Where it stood in the batch.
        consumer_id: Whose it is; the known consumer's id when it was sent under a linked one.
        choice: What was sent.
        actor: Who made it.
        based_on: What it may claim to have seen.
        copy_id: Sent under a linked id: the id of the copy that the link made, if it was recorded before.
        content: What was sent, to the byte.
        fingerprint: SHA-256 of that.
    """

    place: int
    consumer_id: str
    choice: Choice
    actor: Actor
    based_on: int | None
    copy_id: str | None
    content: bytes
    fingerprint: bytes


_SERIALISER = Choice.__pydantic_serializer__
_NOT_CONTENT = {"made_at", "consumer_id"}
_PLAIN = {"id", "consumer_id", "topic", "answer", "method", "made_at", "based_on", "actor", "notice"}
_LARGEST_NUMBER = 2**53 - 1
"""A refusal may say any version of anything; beyond this a number survives neither JSON nor a database."""
# The catalogue or the clock may have moved on since a choice was acknowledged; its repetition is answered as before.
_ONLY_IF_NEW = frozenset(
    {
        Code.FROM_THE_FUTURE,
        Code.UNKNOWN_TOPIC,
        Code.NOT_REFUSABLE,
        Code.NOTICE_UNKNOWN,
        Code.NOTICE_STALE,
    }
)


_recorded_text = lru_cache(maxsize=16)(format_micros)
"""What is recorded in one transaction is recorded at one time."""


class LinkedMeanwhileError(Exception):
    """The anonymous id was linked between looking and recording; look again."""


class Recording:
    """Records choices."""

    def __init__(self, storage: Storage, catalogues: Catalogues, clock: Clock) -> None:
        """Take what it works with."""
        self._storage = storage
        self._catalogues = catalogues
        self._clock = clock

    async def record(self, caller: Caller, batch: ChoiceBatch) -> list[Answer]:
        """Record a batch whole, or refuse it whole.

        Returns:
            One answer per choice, in the order sent, after everything is on disk.

        Raises:
            RefusedError: Nothing was recorded.
        """
        published = self._catalogues.of(caller.brand_id)
        sent_at = to_micros(batch.sent_at) if batch.sent_at is not None else None
        problems = problems_of(batch.choices, published, caller, sent_at=sent_at, now=self._clock.now())
        if not all(problem.code in _ONLY_IF_NEW for problem in problems):
            raise refuse_members(problems)
        while True:
            links = await self._links(caller.brand_id, batch.choices)
            entries = [_entry(caller, place, choice, links) for place, choice in enumerate(batch.choices)]
            plan = _Plan(entries, published, dumps(caller.stamp()), sent_at, problems)
            try:
                return await self._storage.record(caller.brand_id, plan.wanted(), plan)
            except LinkedMeanwhileError:
                continue

    async def _links(self, brand_id: str, choices: Iterable[Choice]) -> dict[str, str]:
        """Give the known consumers that anonymous ids of a batch were linked to."""
        links: dict[str, str] = {}
        for consumer_id in {choice.consumer_id for choice in choices}:
            if is_anonymous(consumer_id):
                linked = await resolve(self._storage, brand_id, consumer_id)
                if linked != consumer_id:
                    links[consumer_id] = linked
        return links


class _Plan:
    """What recording one batch reads and writes; pure, so the storage may call it again."""

    def __init__(
        self,
        entries: Sequence[_Entry],
        published: Published,
        stamp: bytes,
        sent_at: Micros | None,
        if_new: Sequence[Problem],
    ) -> None:
        self._published = published
        self._if_new: dict[int, list[Problem]] = {}
        for problem in if_new:
            self._if_new.setdefault(_place(problem), []).append(problem)
        self._stamp = stamp
        self._sent_at = sent_at
        self._by_consumer: dict[str, list[_Entry]] = {}
        for entry in entries:
            self._by_consumer.setdefault(entry.consumer_id, []).append(entry)

    def wanted(self) -> list[Wanted]:
        return [
            Wanted(
                consumer_id,
                (
                    *(entry.choice.id for entry in entries),
                    *(entry.copy_id for entry in entries if entry.copy_id is not None),
                ),
                tuple({entry.based_on for entry in entries if entry.based_on}),
            )
            for consumer_id, entries in self._by_consumer.items()
        ]

    def __call__(self, found: Mapping[str, Found], now: Micros) -> tuple[list[Write], list[Answer]]:
        problems: list[Problem] = []
        writes: list[Write] = []
        answers: dict[int, Answer] = {}
        for consumer_id, entries in self._by_consumer.items():
            one = _OneConsumer(consumer_id, found[consumer_id], now, self._published)
            one.record(entries, self._sent_at, self._stamp, self._if_new, problems)
            if not problems:
                write = one.write()
                if write is not None:
                    writes.append(write)
                answers.update(one.answers)
        if problems:
            raise refuse_members(sorted(problems, key=_place))
        return writes, [answers[place] for place in sorted(answers)]


class _OneConsumer:
    """The part of a batch that belongs to one consumer."""

    def __init__(self, consumer_id: str, found: Found, now: Micros, published: Published) -> None:
        before = found.consumer
        self.consumer_id = consumer_id
        self.found = found
        self.catalogue = published.catalogue
        self.state: State = read_state(before)
        if self.state.linked_to is not None:
            raise LinkedMeanwhileError
        self.first = self.version = before.version if before else 0
        self.recorded_at = max(now, before.recorded_at) if before else now
        self.latest = [before.effective_max if before else 0]
        self.pending: list[tuple[_Entry, RecordedChoice]] = []
        self.recorded_text = _recorded_text(self.recorded_at)
        self.taken: set[str] = set()
        self.changes: list[StoredChange] = []
        self.answers: dict[int, Answer] = {}

    def record(
        self,
        entries: Sequence[_Entry],
        sent_at: Micros | None,
        stamp: bytes,
        if_new: Mapping[int, Sequence[Problem]],
        problems: list[Problem],
    ) -> None:
        for entry in entries:
            known = self.found.choices.get(entry.choice.id)
            if known is None and entry.copy_id is not None:
                known = self.found.choices.get(entry.copy_id)
            if known is not None:
                if known.fingerprint != entry.fingerprint:
                    problems.append(
                        Problem(
                            f"/choices/{entry.place}/id",
                            Code.ID_REUSED,
                            "this id was used for another choice of the consumer; make a new one with new_choice_id()",
                        )
                    )
                else:
                    self.answers[entry.place] = first_answer(self.consumer_id, known) | {"choice_id": entry.choice.id}
            elif entry.place in if_new:
                problems.extend(if_new[entry.place])
            elif entry.copy_id is not None and not entry.choice.is_refusal:
                raise RefusedError(
                    HTTPStatus.CONFLICT,
                    Code.LINKED,
                    "this visitor is known by now: record the grant under the known id",
                    problems=[
                        Problem(f"/choices/{entry.place}/consumer_id", Code.LINKED, "linked to a known consumer")
                    ],
                )
            elif entry.choice.id in self.taken:
                # Sent under the linked id and under the known one.
                problems.append(
                    Problem(f"/choices/{entry.place}/id", Code.DUPLICATE_ID, "this id is in the batch twice")
                )
            elif not entry.choice.is_refusal and (entry.based_on or 0) > self.first:
                problems.append(
                    Problem(
                        f"/choices/{entry.place}/based_on",
                        Code.BASED_ON_AHEAD,
                        f"the consumer is at version {self.first}; nobody can have seen a later one",
                    )
                )
            else:
                self._take(entry, sent_at)
        if not problems:
            self._answer(stamp)

    def _take(self, entry: _Entry, sent_at: Micros | None) -> None:
        choice = entry.choice
        self.taken.add(choice.id)
        version = self.version = self.version + 1
        seen = seen_limit(entry.based_on, version)
        if choice.made_at is None:
            # What `effective_at` gives for a choice that is no older than its sending.
            effective, made_at = self.recorded_at, self.recorded_at if sent_at is None else sent_at
        else:
            made_at = to_micros(choice.made_at)
            effective = effective_at(
                recorded_at=self.recorded_at, sent_at=sent_at, made_at=made_at, latest_seen=self._latest_seen(seen)
            )
        self.latest.append(max(self.latest[-1], effective))
        expires_at = to_micros(choice.expires_at) if choice.expires_at is not None else None
        notice_version = choice.notice.version if choice.notice is not None else None
        if not choice.is_refusal:
            topic = self.catalogue.topics[choice.topic]
            if expires_at is None and topic.expires_after is not None:
                expires_at = effective + span_micros(topic.expires_after)
            notice_version = notice_version or topic.version
        elif notice_version is not None:
            notice_version = min(notice_version, _LARGEST_NUMBER)
        recorded = RecordedChoice(
            version,
            seen,
            effective,
            choice.answer,
            origin_of(entry.actor, choice.method),
            choice.id,
            made_at,
            expires_at,
            notice_version,
            choice.overrides,
        )
        topics = self.state.topics
        topics.put(choice.topic, add(topics.fold_of(choice.topic), recorded))
        self.pending.append((entry, recorded))

    def _latest_seen(self, seen: int) -> Micros | None:
        if seen <= 0:
            return None
        if seen >= self.first:
            return self.latest[min(seen - self.first, len(self.latest) - 1)]
        return self.found.effective_max.get(seen)

    def _answer(self, stamp: bytes) -> None:
        state, recorded_at = self.state, self.recorded_at
        preferences = preferences_of(self.consumer_id, self.version, state)
        for place, (entry, recorded) in enumerate(self.pending, start=1):
            choice = entry.choice
            decision = decide(preferences, self.catalogue, choice.topic, recorded_at, choice.device_id)
            standing = decision.choice or standing_for(state.topics, choice.topic)
            stands = standing is not None and standing.version == recorded.version
            # Every topic at once is no topic that could be decided about; what was said of it is clear.
            reason = decision.reason if choice.topic != EVERY_TOPIC else Reason.WITHDRAWN.value
            outcome: Answer = {"stands": stands, "allowed": decision.allowed, "reason": reason}
            if not stands and standing is not None:
                outcome["superseded_by"] = standing.choice_id
            effective = recorded.effective_at
            body = _body(entry, recorded, stamp, outcome)
            self.changes.append(
                StoredChange(
                    recorded.version,
                    "choice",
                    recorded_at,
                    effective,
                    self.latest[place],
                    choice.id,
                    entry.fingerprint,
                    body,
                )
            )
            self.answers[entry.place] = {
                "choice_id": choice.id,
                "consumer_id": self.consumer_id,
                "topic": choice.topic,
                "version": recorded.version,
                "recorded_at": self.recorded_text,
                "effective_at": self.recorded_text if effective == recorded_at else format_micros(effective),
                **outcome,
                "replayed": False,
            }

    def write(self) -> Write | None:
        if not self.changes:
            return None
        stored = StoredConsumer(self.version, self.recorded_at, self.latest[-1], write_state(self.state))
        return Write(self.consumer_id, stored, tuple(self.changes))


def _entry(caller: Caller, place: int, choice: Choice, links: Mapping[str, str]) -> _Entry:
    content = content_of(choice)
    consumer_id, based_on, copied = choice.consumer_id, choice.based_on, None
    linked = links.get(consumer_id)
    if linked is not None:
        # Versions are never compared across a link: what was seen there says nothing here.
        based_on, copied = None, copy_id(consumer_id, choice.id)
    elif based_on is not None:
        based_on = min(based_on, _LARGEST_NUMBER)
    actor, fingerprint = actor_of(choice, caller), hashlib.sha256(content).digest()
    return _Entry(place, linked or consumer_id, choice, actor, based_on, copied, content, fingerprint)


def content_of(choice: Choice) -> bytes:
    """Give what was sent as compact JSON in the model's order, without defaults, time and consumer.

    Fingerprints are taken of these bytes and kept, so they must never change. Most choices have only members that are
    put together here, for half of what the model's serialiser costs; that gives the same bytes.
    """
    if not choice.model_fields_set <= _PLAIN:
        content: bytes = _SERIALISER.to_json(choice, exclude_defaults=True, exclude=_NOT_CONTENT)
        return content
    plain: dict[str, Any] = {"id": choice.id, "topic": choice.topic, "answer": choice.answer, "method": choice.method}
    if choice.based_on is not None:
        plain["based_on"] = choice.based_on
    if choice.actor is not None:
        plain["actor"] = choice.actor
    notice = choice.notice
    if notice is not None:
        version = notice.version
        plain["notice"] = (
            {"language": notice.language} if version is None else {"language": notice.language, "version": version}
        )
    return dumps(plain)


def first_answer(consumer_id: str, change: StoredChange) -> Answer:
    """Give the answer that a choice got when it was recorded, marked as replayed."""
    body = loads(change.body)
    return {
        "choice_id": body["choice"]["id"],
        "consumer_id": consumer_id,
        "topic": body["choice"]["topic"],
        "version": change.version,
        "recorded_at": format_micros(change.recorded_at),
        "effective_at": format_micros(change.effective_at),
        **body["answer"],
        "replayed": True,
    }


def recorded_choice(change: StoredChange) -> tuple[str, RecordedChoice]:
    """Give topic and recorded form of a stored choice."""
    body = loads(change.body)
    choice, kept = body["choice"], body["kept"]
    return choice["topic"], RecordedChoice(
        version=change.version,
        based_on=kept["based_on"],
        effective_at=change.effective_at,
        answer=choice["answer"],
        origin=kept["origin"],
        choice_id=choice["id"],
        made_at=kept["made_at"],
        expires_at=kept.get("expires_at"),
        notice_version=kept.get("notice_version"),
        overrides=tuple(choice.get("overrides", ())),
    )


def kept_of(recorded: RecordedChoice, actor: str) -> dict[str, Any]:
    """Give what recording settled about a choice, beside what was sent."""
    kept: dict[str, Any] = {
        "actor": actor,
        "origin": recorded.origin,
        "based_on": recorded.based_on,
        "made_at": recorded.made_at,
    }
    if recorded.expires_at is not None:
        kept["expires_at"] = recorded.expires_at
    if recorded.notice_version is not None:
        kept["notice_version"] = recorded.notice_version
    return kept


def _body(entry: _Entry, recorded: RecordedChoice, stamp: bytes, outcome: Answer) -> bytes:
    kept = kept_of(recorded, entry.actor)
    made_at = entry.choice.made_at
    if made_at is not None:
        kept["made_at_sent"] = made_at.isoformat()
    if entry.consumer_id != entry.choice.consumer_id:
        kept["linked_from"] = entry.choice.consumer_id
    rest = dumps({"kept": kept, "answer": outcome})
    # What was sent goes in as it is: the fingerprint was taken of these bytes.
    return b'{"choice":%b,"recorded_by":%b,%b' % (entry.content, stamp, rest[1:])


def _place(problem: Problem) -> int:
    """Give which entry of the batch a problem is about."""
    return int(problem.pointer.split("/")[2])
