"""What recording does to one consumer: the part of a batch that is theirs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time

from sayso.errors import Problem
from sayso.model.as_written import known
from sayso.model.choice import Actor, Choice, Method
from sayso.model.decision import Reason
from sayso.model.instant import Micros, span_micros, to_micros
from sayso.model.recorded import BY_PERSON, RecordedChoice
from sayso.model.topic import EVERY_TOPIC
from sayso.rules.decide import decide
from sayso.rules.effective import effective_at
from sayso.rules.fold import MOST_KEPT, MOST_SCOPES, add, full_part, has_scope_for, origin_of, seen_limit, standing_for
from sayso.rules.link import copy_id
from sayso.rules.senders import scopes_of, stop_for
from sayso.wire import Code
from sayso_server.services.admission_minor import about_minor, has_refused
from sayso_server.services.batch_entry import LARGEST_NUMBER, BatchEntry
from sayso_server.services.catalogues import Published
from sayso_server.services.identity import LinkedMeanwhileError
from sayso_server.services.recorded_body import Answer, Outcome, answer_of, body_of, first_answer
from sayso_server.services.returning import Returning, is_told_too_late, said_at
from sayso_server.services.state import State, preferences_of, read_state, write_state
from sayso_server.storage.base import Found, StoredChange, StoredConsumer, Write

_WITHDRAWN = Reason.WITHDRAWN.value
_ID_REUSED = "this id was used for another choice of the consumer; make a new one with new_choice_id()"
_ERASED = (
    "the consumer was erased after this was said; drop it, nothing from before can be recorded again "
    "(if it was said since, the sender's clock is more than 5 minutes slow)"
)
_TOO_MANY = (
    f"{MOST_KEPT} grants of this topic are kept that were each dated before the last, or had each seen less; "
    "read the preferences, ask again, and send the grant with the version you read and without made_at"
)
_TOO_MANY_SENDERS = f"{MOST_SCOPES} senders of this channel are kept apart already; leave the sender out"


class ConsumerPlan:
    """The part of a batch that belongs to one consumer."""

    def __init__(
        self,
        consumer_id: str,
        found: Mapping[str, Found],
        now: Micros,
        published: Published,
        returning: Returning,
    ) -> None:
        """Take what was found of the consumer, and of those whose linked ids they were called by.

        Raises:
            LinkedMeanwhileError: The id has become another consumer's.
        """
        self.consumer_id = consumer_id
        self.everyone = found
        self.found = found[consumer_id]
        self.returning = returning
        before = self.found.consumer
        self.catalogue = published.catalogue
        self.state: State = read_state(before)
        if self.state.linked_to is not None:
            raise LinkedMeanwhileError
        self.first = self.version = before.version if before else 0
        self.recorded_at = max(now, before.recorded_at) if before else now
        self.latest = [before.effective_max if before else 0]
        self.begun: tuple[StoredChange, ...] = ()
        tombstone = self.found.tombstone
        if tombstone is not None:
            start = returning.start(consumer_id, tombstone, now)
            self.state, self.recorded_at, self.begun = start.state, start.recorded_at, start.changes
            self.first = self.version = start.version
            self.latest = [start.effective_max]
        self.pending: list[tuple[BatchEntry, RecordedChoice, Micros]] = []
        self.taken: set[str] = set()
        self.changes: list[StoredChange] = []
        self.answers: dict[int, Answer] = {}

    def record(
        self,
        entries: Sequence[BatchEntry],
        sent_at: Micros | None,
        stamp: bytes,
        if_new: Mapping[int, Sequence[Problem]],
        problems: list[Problem],
    ) -> None:
        """Record the consumer's entries, unless something is wrong with one of the batch: then `problems` grows."""
        for entry in entries:
            known = self._known(entry)
            if known is not None:
                change, owner = known
                if change.fingerprint == entry.fingerprint:
                    self.answers[entry.place] = first_answer(owner, change) | {"choice_id": entry.choice.id}
                else:
                    problems.append(Problem(f"/choices/{entry.place}/id", Code.ID_REUSED, _ID_REUSED))
                continue
            wrong = self._faults(entry, sent_at)
            if entry.place in if_new:
                wrong = [*wrong, *if_new[entry.place]]
            if wrong:
                problems.extend(wrong)
            else:
                full = self._take(entry, sent_at)
                if full is not None:
                    problems.append(full)
        if not problems:
            self._answer(stamp)

    def _known(self, entry: BatchEntry) -> tuple[StoredChange, str] | None:
        """Give the record of a choice that was recorded before, and whose it is."""
        choice_id, sent_under = entry.choice.id, entry.choice.consumer_id
        if sent_under != self.consumer_id:
            # The linked id's own record comes first: the known consumer may have another choice of the same id.
            original = self.everyone[sent_under].choices.get(choice_id)
            if original is not None:
                copy = self.found.choices.get(copy_id(sent_under, choice_id))
                return (copy, self.consumer_id) if copy is not None else (original, sent_under)
        change = self.found.choices.get(choice_id)
        return (change, self.consumer_id) if change is not None else None

    def _faults(self, entry: BatchEntry, sent_at: Micros | None) -> Sequence[Problem]:
        """List what only the consumer's own record tells about a new choice."""
        choice, at = entry.choice, entry.place
        faults: list[Problem] = []
        if self.state.erased_at is not None and self._is_from_before(entry, sent_at):
            return [Problem(f"/choices/{at}", Code.ERASED, _ERASED)]
        if choice.id in self.taken:
            # Sent under the linked id and under the known one.
            faults.append(Problem(f"/choices/{at}/id", Code.DUPLICATE_ID, "this id is in the batch twice"))
        if choice.consumer_id != self.consumer_id:
            if not choice.is_refusal:
                message = "this visitor is known by now: record the grant under the known id"
                faults.append(Problem(f"/choices/{at}/consumer_id", Code.LINKED, message))
        elif (entry.based_on or 0) > self.first and not choice.is_refusal:
            message = f"the consumer is at version {self.first}; nobody can have seen a later one"
            faults.append(Problem(f"/choices/{at}/based_on", Code.BASED_ON_AHEAD, message))
        if not choice.is_refusal:
            faults += about_minor(
                f"/choices/{at}",
                choice,
                entry.actor,
                state=self.state,
                catalogue=self.catalogue,
                now=self.recorded_at,
            )
        return faults

    def _is_from_before(self, entry: BatchEntry, sent_at: Micros | None) -> bool:
        erased_at = self.state.erased_at
        if erased_at is None:
            return False
        made = said_at(entry.choice, sent_at=sent_at, recorded_at=self.recorded_at)
        by_brand = entry.actor is Actor.BRAND or entry.choice.method is Method.IMPORT
        return self.returning.is_from_before(erased_at, made) or is_told_too_late(
            entry.choice, erased_at, by_brand=by_brand
        )

    def _take(self, entry: BatchEntry, sent_at: Micros | None) -> Problem | None:
        """Fold in one more choice; a problem for a grant of a topic that can keep no further one."""
        choice = entry.choice
        self.taken.add(choice.id)
        version = self.version = self.version + 1
        seen = seen_limit(entry.based_on, version)
        refusal = choice.is_refusal
        made_at = self.recorded_at if sent_at is None else sent_at
        made = known(choice.made_at)
        if made is not None:
            made_at = to_micros(made)
        if made is None or (sent_at is None and refusal):
            # What `effective_at` gives for a choice that is no older than its sending. How old a refusal is can't be
            # told from its sender's clock alone: were that slow, the refusal would lose to an older grant.
            effective = self.recorded_at
        else:
            effective = effective_at(
                recorded_at=self.recorded_at, sent_at=sent_at, made_at=made_at, latest_seen=self._latest_seen(seen)
            )
        expires_at = to_micros(choice.expires_at) if choice.expires_at is not None else None
        notice_version = choice.notice.version if choice.notice is not None else None
        if not refusal:
            topic = self.catalogue.topics[choice.topic]
            if expires_at is None and topic.expires_after is not None:
                expires_at = _given_at(choice, effective) + span_micros(topic.expires_after)
            if choice.notice is not None:
                notice_version = notice_version or topic.version
        elif notice_version is not None:
            notice_version = min(notice_version, LARGEST_NUMBER) if notice_version > 0 else None
        recorded = RecordedChoice(
            version,
            seen,
            effective,
            choice.answer,
            self._origin(entry),
            choice.id,
            made_at,
            expires_at,
            notice_version,
            choice.overrides,
            scopes_of(choice.detail),
        )
        topics = self.state.topics
        fold = topics.fold_of(choice.topic)
        if recorded.scopes and not has_scope_for(fold, recorded):
            if not refusal:
                return Problem(f"/choices/{entry.place}/detail/sender", Code.TOO_MANY, _TOO_MANY_SENDERS)
            recorded = recorded._replace(scopes=())  # a refusal is always recorded: here, of the whole channel
        full = full_part(fold, recorded)
        if full is not None:
            if not refusal:
                newest = max(grant.effective_at for grant in full.grants)
                member = "made_at" if effective < newest else "based_on"
                return Problem(f"/choices/{entry.place}/{member}", Code.TOO_MANY, _TOO_MANY)
            # A refusal is always recorded. Counted from the latest that is kept it takes the place of all of them,
            # and lifts what they lift: the side of no.
            recorded = recorded._replace(effective_at=full.refusals[0].effective_at)
        topics.put(choice.topic, add(fold, recorded))
        latest = max(self.latest[-1], recorded.effective_at)
        self.latest.append(latest)
        self.pending.append((entry, recorded, latest))
        return None

    def _origin(self, entry: BatchEntry) -> str:
        choice = entry.choice
        if entry.actor is Actor.GUARDIAN and choice.is_refusal and has_refused(self.state.topics, choice.topic):
            # The later refusal takes the place of the minor's own, which has to go on as theirs.
            return BY_PERSON
        return origin_of(entry.actor, choice.method)

    def _latest_seen(self, seen: int) -> Micros | None:
        if seen <= 0:
            return None
        if seen >= self.first:
            return self.latest[min(seen - self.first, len(self.latest) - 1)]
        return self.found.effective_max.get(seen)

    def _answer(self, stamp: bytes) -> None:
        state, recorded_at = self.state, self.recorded_at
        consumer_id, catalogue = self.consumer_id, self.catalogue
        preferences = preferences_of(consumer_id, self.version, state)
        for entry, recorded, latest in self.pending:
            choice = entry.choice
            key = choice.topic
            sender = choice.detail.sender if recorded.scopes and choice.detail is not None else None
            decision = decide(preferences, catalogue, key, recorded_at, choice.device_id, sender=sender)
            standing = decision.choice or standing_for(state.topics, key)
            if recorded.scopes and not recorded.is_refusal and key in catalogue.topics:
                # Nobody's refusal stands in its way any more, and that is all that it was to do.
                standing = stop_for(state.topics.fold_of(key), catalogue.topics[key].senders, sender) or recorded
            stands = standing is not None and standing.version == recorded.version
            # Every topic at once is no topic that could be decided about; what was said of it is clear.
            reason = decision.reason if key != EVERY_TOPIC else _WITHDRAWN
            outcome = Outcome(
                stands, decision.allowed, reason, None if stands or standing is None else standing.choice_id
            )
            change = StoredChange(
                recorded.version,
                "choice",
                recorded_at,
                recorded.effective_at,
                latest,
                choice.id,
                entry.fingerprint,
                body_of(entry, recorded, recorded_at, stamp, outcome, minor=self._minor(choice)),
            )
            self.changes.append(change)
            self.answers[entry.place] = answer_of(consumer_id, key, change, outcome, replayed=False)

    def _minor(self, choice: Choice) -> int | None:
        """Give which text of the notice was shown, where the choice says that one was, but not which."""
        notice = choice.notice
        if notice is None or notice.minor is not None:
            return None
        topic = self.catalogue.topics.get(choice.topic)
        if topic is None or notice.version not in (None, topic.version):
            return None
        return self.catalogue.minor(choice.topic)

    def write(self) -> Write | None:
        """Give what to store; None when everything had been recorded before."""
        if not self.changes:
            return None
        stored = StoredConsumer(self.version, self.recorded_at, self.latest[-1], write_state(self.state))
        return Write(self.consumer_id, stored, (*self.begun, *self.changes))


def _given_at(grant: Choice, effective: Micros) -> Micros:
    """Give from when a grant's time runs: an imported one is as old as the answer that it was."""
    evidence = grant.evidence
    imported = grant.method is Method.IMPORT or grant.actor is Actor.BRAND
    if not imported or evidence is None or evidence.date is None:
        return effective
    its_end = datetime.combine(date.fromisoformat(evidence.date), time.max, UTC)
    return min(effective, to_micros(its_end))
