"""Folding against the rule's own words, and against a small world of wrong clocks and late deliveries."""

import heapq
import itertools
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.model.recorded import BY_BRAND, BY_GUARDIAN, BY_PERSON, SPOKEN, RecordedChoice
from sayso.model.topic import EVERY_TOPIC
from sayso.rules.effective import effective_at
from sayso.rules.fold import NOTHING, add, fold, merge, seen_limit, standing, standing_for

SECOND = 1_000_000
HOUR = 3600 * SECOND
THIRTY_SECONDS = 30 * SECOND
DAWN = 1_795_435_200 * SECOND
MARKETING, SMS = "purpose:marketing", "channel:sms"

# --- the rule, word for word, over the whole history --------------------------------------------------------


def what_stands(history, topic):
    """The rule as it is written: who has seen whom, who qualifies, who stands. Quadratic, and proud of it."""
    about = [choice for named, choice in history if named == topic or (named == EVERY_TOPIC and choice.is_refusal)]
    seen = {
        choice: {other for other in about if other.version <= min(choice.based_on, choice.version - 1)}
        for choice in about
    }
    refusals = [choice for choice in about if choice.is_refusal]
    people, brands = [], []
    for grant in about:
        if grant.is_refusal or grant.origin == SPOKEN:
            continue
        if grant.origin == BY_BRAND:
            if not refusals:
                brands.append(grant)
            continue
        lifted = any(grant in seen[refusal] for refusal in refusals)
        clear = all(
            refusal in seen[grant] or grant.effective_at - refusal.effective_at > THIRTY_SECONDS for refusal in refusals
        )
        if clear and not lifted:
            people.append(grant)
    for candidates in (people, brands, refusals):
        if candidates:
            return max(candidates, key=lambda choice: (choice.effective_at, choice.version))
    return None


# Equal times, times 30 seconds apart to the microsecond, and times far apart.
MOMENTS = st.sampled_from([0, 1, 10, 29, 30, 31, 40, 60, 61, 90, 3600]).flatmap(
    lambda seconds: st.sampled_from([-1, 0, 0, 0, 1]).map(lambda extra: DAWN + seconds * SECOND + extra)
)
ORIGINS = st.sampled_from([BY_PERSON, BY_PERSON, BY_PERSON, BY_GUARDIAN, BY_BRAND, SPOKEN])
TOPICS = st.sampled_from([MARKETING, MARKETING, MARKETING, SMS, EVERY_TOPIC])


@st.composite
def histories(draw, largest=9):
    """Any (topic, choice) pairs, whether or not a server would have recorded them so."""
    count = draw(st.integers(0, largest))
    history = []
    for version in range(1, count + 1):
        claimed = draw(st.one_of(st.none(), st.integers(0, count + 2), st.just(2**53 - 1)))
        moment = draw(MOMENTS)
        choice = RecordedChoice(
            version=version,
            based_on=seen_limit(claimed, version),
            effective_at=moment,
            answer=draw(st.sampled_from(["granted", "granted", "denied", "withdrawn"])),
            origin=draw(ORIGINS),
            choice_id=f"choice-{version}",
            made_at=moment,
            notice_version=1,
        )
        history.append((draw(TOPICS), choice))
    return history


def standing_everywhere(folds):
    return {topic: standing_for(folds, topic) for topic in (MARKETING, SMS, "cookie:unheard-of")}


def expected_everywhere(history):
    return {topic: what_stands(history, topic) for topic in (MARKETING, SMS, "cookie:unheard-of")}


@settings(max_examples=250, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_the_fold_equals_the_rule_in_any_order_and_with_duplicates(history, random):
    delivered = [*history, *random.choices(history, k=len(history))] if history else []
    random.shuffle(delivered)
    folds = fold(delivered)
    assert standing_everywhere(folds) == expected_everywhere(history)
    assert folds == fold(history)


@settings(max_examples=100, deadline=None)
@given(histories(), st.lists(st.integers(0, 3), min_size=9, max_size=9), st.permutations(range(4)))
def test_the_fold_is_the_same_for_any_partition(history, parts, order):
    folds: dict[str, Any] = {}
    for part in order:
        for topic, partial in fold(pair for pair, place in zip(history, parts, strict=False) if place == part).items():
            folds[topic] = merge(partial, folds.get(topic, NOTHING))
    assert folds == fold(history)
    assert standing_everywhere(folds) == expected_everywhere(history)


@settings(max_examples=120, deadline=None)
@given(histories())
def test_folding_one_more_equals_the_full_fold(history):
    folds: dict[str, Any] = {}
    for place, (topic, choice) in enumerate(history, start=1):
        folds[topic] = add(folds.get(topic, NOTHING), choice)
        assert standing_everywhere(folds) == expected_everywhere(history[:place])


@settings(max_examples=80, deadline=None)
@given(histories(), histories(), histories())
def test_merging_is_commutative_associative_and_idempotent(first, second, third):
    # Versions stay unique over the three, as they are within one consumer.
    shifted = [
        [choice._replace(version=choice.version + 20 * place) for _, choice in history]
        for place, history in enumerate((first, second, third))
    ]
    a, b, c = (fold((MARKETING, choice) for choice in choices).get(MARKETING, NOTHING) for choices in shifted)
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(a, a) == a
    assert merge(a, NOTHING) == a


@settings(max_examples=100, deadline=None)
@given(histories(largest=14))
def test_the_fold_keeps_no_grant_or_refusal_that_another_makes_needless(history):
    for kept in fold(history).values():
        for one, other in itertools.permutations(kept.grants, 2):
            assert not (
                other.version > one.version
                and other.based_on >= one.based_on
                and other.effective_at >= one.effective_at
            )
        for one, other in itertools.permutations(kept.refusals, 2):
            assert not (other.version > one.version and other.effective_at >= one.effective_at)


@settings(max_examples=60, deadline=None)
@given(histories())
def test_the_standing_choice_was_recorded_and_was_never_lifted(history):
    for topic, chosen in standing_everywhere(fold(history)).items():
        if chosen is None:
            continue
        assert chosen in [choice for named, choice in history if named in (topic, EVERY_TOPIC)]
        if not chosen.is_refusal:
            refusals = [choice for named, choice in history if named in (topic, EVERY_TOPIC) and choice.is_refusal]
            assert all(refusal.based_on < chosen.version for refusal in refusals)


# --- a small world: senders with wrong clocks, a server, and a network between them -------------------------

LONGEST_TRIP = THIRTY_SECONDS
"""A request that takes longer has timed out; it is sent again with a new `sent_at`."""


@dataclass
class Server:
    """Records as the server does: its own clock, versions, and effective times fixed on arrival."""

    history: list[tuple[str, RecordedChoice]] = field(default_factory=list)
    clock: int = 0
    folds: dict[str, Any] = field(default_factory=dict)

    @property
    def version(self):
        return len(self.history)

    def record(self, now, topic, answer, origin=BY_PERSON, *, sent_at=None, made_at=None, based_on=None):
        self.clock = max(self.clock, now)
        version = self.version + 1
        seen = seen_limit(based_on, version)
        moment = effective_at(
            recorded_at=self.clock,
            sent_at=sent_at,
            made_at=made_at,
            latest_seen=max((choice.effective_at for _, choice in self.history[:seen]), default=None),
        )
        choice = RecordedChoice(
            version,
            seen,
            moment,
            answer,
            origin,
            f"choice-{version}",
            made_at if made_at is not None else self.clock,
            notice_version=1,
        )
        self.history.append((topic, choice))
        self.folds[topic] = add(self.folds.get(topic, NOTHING), choice)
        return choice

    def standing(self, topic=MARKETING):
        return standing_for(self.folds, topic)


@dataclass(frozen=True)
class Act:
    """Somebody says something. All times are true times; what the sender's clock shows is `wrong` off."""

    at: int
    sender: int
    topic: str
    answer: str
    origin: str
    looks_first: bool
    waits: int
    trip: int


WRONG_CLOCKS = st.lists(
    st.sampled_from([-2 * HOUR, -600 * SECOND, -1, 0, 31 * SECOND, 2 * HOUR]), min_size=3, max_size=3
)
LIES = st.sampled_from([-400 * 24 * HOUR, -2 * HOUR, -31 * SECOND, -1, 0, 1, 2 * HOUR, 400 * 24 * HOUR])
TRIPS = st.sampled_from([1, SECOND, 29 * SECOND, LONGEST_TRIP])


@st.composite
def days(draw, topics=(MARKETING, MARKETING, SMS, EVERY_TOPIC), largest=8):
    """What happens in a day, in true order; acts on every topic are refusals only."""
    moment = DAWN
    acts = []
    for _ in range(draw(st.integers(0, largest))):
        moment += draw(st.sampled_from([1, SECOND, 5 * SECOND, 29 * SECOND, 31 * SECOND, 600 * SECOND, HOUR]))
        topic = draw(st.sampled_from(topics))
        refuses = topic == EVERY_TOPIC or draw(st.booleans())
        acts.append(
            Act(
                at=moment,
                sender=draw(st.integers(0, 2)),
                topic=topic,
                answer=draw(st.sampled_from(["denied", "withdrawn"])) if refuses else "granted",
                origin=draw(ORIGINS),
                looks_first=draw(st.booleans()),
                waits=draw(st.sampled_from([0, 0, 1, SECOND, 45 * SECOND, HOUR, 30 * HOUR])),
                trip=draw(TRIPS),
            )
        )
    return acts


def play(acts, wrong, on_arrival=None):
    """Let the acts reach a server in the order in which they arrive; duplicates are the server's to drop."""
    server = Server()
    known = dict.fromkeys(range(len(wrong)), 0)
    queue: list[Any] = [(act.at, 1, number, act, None) for number, act in enumerate(acts)]
    heapq.heapify(queue)
    while queue:
        now, phase, number, act, based_on = heapq.heappop(queue)
        if phase == 1:
            if act.looks_first:
                known[act.sender] = server.version
            heapq.heappush(queue, (now + act.waits + act.trip, 0, number, act, known[act.sender]))
            continue
        before = server.standing(act.topic)
        choice = server.record(
            now,
            act.topic,
            act.answer,
            act.origin,
            made_at=act.at + wrong[act.sender],
            sent_at=now - act.trip + wrong[act.sender],
            based_on=based_on,
        )
        if on_arrival is not None:
            on_arrival(server, before, choice, act)
    return server


@settings(max_examples=250, deadline=None)
@given(days(), WRONG_CLOCKS, st.data())
def test_no_final_refusal_is_lost_to_clocks_queues_or_reordering(acts, wrong, data):
    gap = data.draw(st.sampled_from([1, SECOND, 29 * SECOND, HOUR]))
    final = Act(
        at=(acts[-1].at if acts else DAWN) + gap,
        sender=data.draw(st.integers(0, 2)),
        topic=data.draw(st.sampled_from([MARKETING, EVERY_TOPIC])),
        answer="withdrawn",
        origin=BY_PERSON,
        looks_first=data.draw(st.booleans()),
        waits=data.draw(st.sampled_from([0, SECOND, HOUR, 50 * HOUR])),
        trip=data.draw(TRIPS),
    )
    server = play([*acts, final], wrong)
    chosen = server.standing()
    assert chosen is not None
    assert chosen.is_refusal


@settings(max_examples=60, deadline=None)
@given(days(), WRONG_CLOCKS)
def test_after_every_arrival_the_fold_equals_the_rule(acts, wrong):
    def check(server, before, choice, act):
        assert standing_everywhere(server.folds) == expected_everywhere(server.history)

    play(acts, wrong, check)


@settings(max_examples=100, deadline=None)
@given(days(), WRONG_CLOCKS, st.data())
def test_a_refusal_made_after_seeing_a_grant_always_beats_it(acts, wrong, data):
    server = play(acts, wrong)
    seen = data.draw(st.integers(0, server.version))
    when = server.clock + data.draw(st.integers(0, HOUR))
    lie = data.draw(LIES)
    server.record(when, MARKETING, "denied", sent_at=when, made_at=when + lie, based_on=seen)
    chosen = server.standing()
    assert chosen is not None
    assert chosen.is_refusal or chosen.version > seen


@settings(max_examples=80, deadline=None)
@given(days(), WRONG_CLOCKS, st.data())
def test_toggling_back_on_always_works_at_once(acts, wrong, data):
    server = play(acts, wrong)
    when = server.clock + data.draw(st.sampled_from([0, 1, SECOND]))
    lie = data.draw(LIES)
    origin = data.draw(st.sampled_from([BY_PERSON, BY_GUARDIAN]))
    made = server.record(when, MARKETING, "granted", origin, sent_at=when, made_at=when + lie, based_on=server.version)
    assert server.standing() == made
    off = server.record(when, MARKETING, "withdrawn", sent_at=when, made_at=when, based_on=server.version)
    assert server.standing() == off


@settings(max_examples=100, deadline=None)
@given(days(), WRONG_CLOCKS)
def test_an_import_an_agent_or_the_brand_never_lifts_a_refusal_or_a_persons_grant(acts, wrong):
    def check(server, before, choice, act):
        if act.answer != "granted" or act.origin not in (BY_BRAND, SPOKEN):
            return
        after = server.standing(act.topic)
        if before is not None and (before.is_refusal or before.origin in (BY_PERSON, BY_GUARDIAN)):
            assert after == before
        if act.origin == SPOKEN:
            assert after == before

    play(acts, wrong, check)


@settings(max_examples=80, deadline=None)
@given(days(), WRONG_CLOCKS, st.data())
def test_a_grant_based_on_the_far_future_never_beats_a_later_stop(acts, wrong, data):
    server = play(acts, wrong)
    when = server.clock + HOUR
    grant = server.record(when, MARKETING, "granted", sent_at=when, made_at=when, based_on=2**53 - 1)
    assert grant.based_on == grant.version - 1
    later = when + data.draw(st.integers(0, 400 * 24 * HOUR))
    stop = server.record(later, MARKETING, "withdrawn")
    assert stop.based_on == 0
    assert server.standing() == stop


@settings(max_examples=50, deadline=None)
@given(days(), WRONG_CLOCKS)
def test_what_was_recorded_decides_not_how_often_it_is_read(acts, wrong):
    server = play(acts, wrong)
    by_topic: dict[str, Any] = {}
    for topic, choice in reversed(server.history):
        by_topic[topic] = add(by_topic.get(topic, NOTHING), choice)
    assert by_topic == server.folds
    assert {topic: standing(one) for topic, one in by_topic.items()} == {
        topic: standing(one) for topic, one in server.folds.items()
    }
