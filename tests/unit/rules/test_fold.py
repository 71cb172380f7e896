"""What stands, from what was recorded: the cases that the rule names, one by one."""

import itertools
import time

import pytest

from sayso.model.choice import Actor, Method
from sayso.model.recorded import BY_BRAND, BY_GUARDIAN, BY_PERSON, SPOKEN, RecordedChoice
from sayso.model.topic import EVERY_TOPIC
from sayso.rules.fold import (
    MOST_KEPT,
    NOTHING,
    add,
    fold,
    full_part,
    is_granted,
    origin_of,
    seen_limit,
    single,
    standing,
    standing_for,
)

SECOND = 1_000_000
NOON = 1_795_435_200 * SECOND
MARKETING = "purpose:marketing"


def said(version, answer="granted", *, at=0, seen=0, by=BY_PERSON):
    """A choice `at` seconds after noon that had seen everything up to version `seen`."""
    moment = NOON + round(at * SECOND)
    return RecordedChoice(version, seen, moment, answer, by, f"choice-{version}", moment, notice_version=1)


def stands(*choices):
    chosen = standing_for(fold((MARKETING, choice) for choice in choices), MARKETING)
    return None if chosen is None else chosen.version


def test_nothing_stands_where_nothing_was_said():
    assert standing(NOTHING) is None
    assert standing_for({}, MARKETING) is None
    assert not is_granted(None)


def test_a_grant_stands_and_is_a_grant():
    assert stands(said(1)) == 1
    assert is_granted(said(1))


@pytest.mark.parametrize("answer", ["denied", "withdrawn"])
def test_a_refusal_stands_and_is_no_grant(answer):
    assert stands(said(1, answer)) == 1
    assert not is_granted(said(1, answer))


def test_a_grant_that_has_seen_the_refusal_lifts_it_at_once():
    assert stands(said(1, "denied", at=0), said(2, at=0, seen=1)) == 2


def test_a_grant_that_has_not_seen_the_refusal_needs_more_than_thirty_seconds():
    assert stands(said(1, "denied", at=0), said(2, at=30)) == 1
    assert stands(said(1, "denied", at=0), said(2, at=30.000001)) == 2


def test_a_refusal_that_arrives_late_still_counts_within_thirty_seconds_of_the_grant():
    assert stands(said(1, at=30), said(2, "denied", at=0)) == 2
    assert stands(said(1, at=30.000001), said(2, "denied", at=0)) == 1


def test_a_refusal_that_has_seen_the_grant_lifts_it_whatever_the_clocks_say():
    assert stands(said(1, at=7200), said(2, "withdrawn", at=0, seen=1)) == 2


def test_an_older_event_never_overrides_a_newer_choice():
    refusal, late_grant = said(1, "withdrawn", at=3600), said(2, at=0)
    assert stands(refusal, late_grant) == 1


def test_a_grant_that_saw_one_refusal_is_still_stopped_by_another_it_did_not_see():
    assert stands(said(1, "denied", at=0), said(2, "denied", at=10), said(3, at=12, seen=1)) == 2


def test_a_lifted_grant_never_comes_back_and_an_unseen_later_one_stands():
    seen_by_refusal, unseen = said(1, at=0), said(2, at=60)
    refusal = said(3, "withdrawn", at=0, seen=1)
    assert stands(seen_by_refusal, unseen, refusal) == 2
    assert stands(seen_by_refusal, refusal) == 3


def test_of_two_grants_the_later_stands_and_the_version_breaks_a_tie():
    assert stands(said(1, at=5), said(2, at=4)) == 1
    assert stands(said(1, at=5), said(2, at=5)) == 2


def test_of_two_refusals_the_later_stands_and_the_version_breaks_a_tie():
    assert stands(said(1, "withdrawn", at=5), said(2, "denied", at=4)) == 1
    assert stands(said(1, "withdrawn", at=5), said(2, "denied", at=5)) == 2


def test_a_brands_grant_stands_only_while_nobody_has_refused():
    brand = said(1, by=BY_BRAND, at=7200)
    assert stands(brand) == 1
    assert stands(brand, said(2, "denied", at=0)) == 2
    assert stands(said(1, "denied", at=0), said(2, by=BY_BRAND, at=7200, seen=1)) == 1


def test_a_brands_grant_stays_down_after_a_persons_grant_was_lifted():
    brand = said(3, by=BY_BRAND, at=7200, seen=2)
    assert stands(said(1, at=0), said(2, "withdrawn", at=60, seen=1), brand) == 2


def test_a_persons_grant_stands_over_a_later_one_of_the_brand():
    assert stands(said(1, at=0), said(2, by=BY_BRAND, at=7200, seen=1)) == 1


def test_of_two_grants_of_the_brand_the_later_stands():
    assert stands(said(1, by=BY_BRAND, at=5), said(2, by=BY_BRAND, at=4)) == 1


def test_a_spoken_grant_never_stands_and_the_consumers_confirmation_does():
    spoken = said(1, by=SPOKEN)
    assert stands(spoken) is None
    assert stands(said(1, "denied"), said(2, by=SPOKEN, at=7200, seen=1)) == 1
    assert stands(spoken, said(2, seen=1)) == 2


@pytest.mark.parametrize("by", [BY_PERSON, BY_GUARDIAN, BY_BRAND, SPOKEN])
def test_a_refusal_counts_whoever_took_it_down(by):
    assert stands(said(1, at=0), said(2, "denied", at=60, seen=1, by=by)) == 2


def test_a_guardians_grant_counts_like_the_consumers():
    assert stands(said(1, "denied"), said(2, by=BY_GUARDIAN, seen=1)) == 2


class TestWithdrawAll:
    def everything(self, *choices):
        return fold([(EVERY_TOPIC, choices[0]), *((MARKETING, choice) for choice in choices[1:])])

    def test_it_refuses_every_topic_also_those_never_mentioned(self):
        folds = self.everything(said(1, "withdrawn"))
        assert standing_for(folds, MARKETING) == said(1, "withdrawn")
        assert standing_for(folds, "cookie:performance") == said(1, "withdrawn")

    def test_it_lifts_what_it_has_seen_and_a_later_grant_brings_one_topic_back(self):
        withdrawn, before = said(2, "withdrawn", at=60, seen=1), said(1, at=0)
        assert standing_for(self.everything(withdrawn, before), MARKETING) == withdrawn
        after = said(3, at=61, seen=2)
        assert standing_for(self.everything(withdrawn, before, after), MARKETING) == after
        assert standing_for(self.everything(withdrawn, before, after), "cookie:performance") == withdrawn

    def test_it_stops_a_brands_grant(self):
        folds = self.everything(said(1, "withdrawn"), said(2, by=BY_BRAND, at=7200, seen=1))
        assert standing_for(folds, MARKETING) == said(1, "withdrawn")

    @pytest.mark.parametrize("by", [BY_PERSON, BY_BRAND])
    def test_a_grant_of_everything_allows_nothing_even_if_one_were_stored(self, by):
        assert standing_for(self.everything(said(1, by=by)), MARKETING) is None
        assert standing_for(self.everything(said(1, by=by, at=90), said(2, "denied")), MARKETING) == said(2, "denied")


@pytest.mark.parametrize(
    ("actor", "method", "origin"),
    [
        ("consumer", "widget", BY_PERSON),
        ("consumer", "chat", BY_PERSON),
        ("consumer", "sms", BY_PERSON),
        ("consumer", "email", BY_PERSON),
        ("consumer", "paper", BY_PERSON),
        ("consumer", "api", BY_PERSON),
        ("guardian", "api", BY_GUARDIAN),
        ("guardian", "widget", BY_GUARDIAN),
        ("brand", "api", BY_BRAND),
        ("consumer", "import", BY_BRAND),
        ("guardian", "import", BY_BRAND),
        ("brand", "import", BY_BRAND),
        ("agent", "chat", SPOKEN),
        ("agent", "import", SPOKEN),
        ("consumer", "agent", SPOKEN),
        ("consumer", "phone", SPOKEN),
        ("guardian", "phone", SPOKEN),
        ("brand", "phone", SPOKEN),
    ],
)
def test_actor_and_method_together_say_what_a_grant_is_worth(actor, method, origin):
    assert origin_of(Actor(actor), Method(method)) == origin


def test_only_people_and_paper_are_worth_a_person():
    people = {
        (actor.value, method.value)
        for actor in Actor
        for method in Method
        if origin_of(actor, method) in (BY_PERSON, BY_GUARDIAN)
    }
    assert people == {
        (actor, method)
        for actor in ("consumer", "guardian")
        for method in ("widget", "chat", "sms", "email", "api", "paper")
    }


@pytest.mark.parametrize(
    ("based_on", "version", "seen"),
    [(None, 1, 0), (0, 1, 0), (3, 9, 3), (8, 9, 8), (9, 9, 8), (2**53 - 1, 9, 8), (2**53 - 1, 1, 0)],
)
def test_a_choice_has_never_seen_itself_or_anything_later(based_on, version, seen):
    assert seen_limit(based_on, version) == seen


def test_a_grant_based_on_the_far_future_does_not_beat_a_later_stop():
    grant = said(5, at=0, seen=seen_limit(2**53 - 1, 5))
    stop = said(6, "withdrawn", at=86_400 * 365, seen=0)
    assert stands(grant, stop) == 6


def test_toggling_all_day_keeps_the_fold_small():
    kept = NOTHING
    for version in range(1, 1001):
        answer = "granted" if version % 2 else "withdrawn"
        kept = add(kept, said(version, answer, at=version, seen=version - 1))
    assert (kept.grants, kept.refusals, kept.seen_to) == (
        (),
        (said(1000, "withdrawn", at=1000, seen=999),),
        999,
    )


def test_only_grants_that_can_still_come_to_stand_are_kept():
    late, knowing, needless = said(3, at=100), said(2, at=50, seen=1), said(1, at=70)
    for order in itertools.permutations((late, knowing, needless)):
        assert fold((MARKETING, choice) for choice in order)[MARKETING].grants == (knowing, late)


@pytest.mark.timeout(20)
def test_a_grant_that_knows_more_is_kept_beside_a_later_one_whatever_is_folded_last():
    refusal, knows, later = said(1, "denied", at=0), said(2, at=1, seen=1), said(3, at=2)

    assert stands(refusal, knows, later) == 2
    assert standing(add(add(add(NOTHING, knows), later), refusal)).version == 2


def test_grants_dated_ever_further_back_do_not_hold_up_recording():
    # Each may still matter, since a refusal can have seen all the others; comparing all pairs takes minutes.
    kept = NOTHING
    for version in range(1, 1501):
        kept = add(kept, said(version, at=-version))
    assert len(kept.grants) == 1500
    assert standing(add(kept, said(1501, "denied", at=-9000, seen=1499))) == said(1500, at=-1500)


def test_a_topic_is_not_touched_by_another():
    folds = fold([(MARKETING, said(1)), ("channel:sms", said(2, "denied", seen=1))])
    assert standing_for(folds, MARKETING) == said(1)
    assert standing_for(folds, "channel:sms") == said(2, "denied", seen=1)


def test_the_fold_of_one_choice_is_folding_it_onto_nothing():
    for choice in (said(1), said(1, "denied"), said(1, by=BY_BRAND), said(1, by=SPOKEN)):
        assert add(NOTHING, choice) == single(choice)


@pytest.mark.parametrize("answer", ["granted", "denied"])
def test_a_long_history_of_choices_each_dated_before_the_last_is_folded_in_the_time_of_a_sort(answer):
    history = [(MARKETING, said(version, answer, at=-version)) for version in range(1, 20_001)]
    began = time.process_time()
    kept = fold(history)[MARKETING]
    # One by one it takes minutes: each looks at all that are kept.
    assert time.process_time() - began < 5
    assert len(kept.refusals if answer == "denied" else kept.grants) == 20_000


@pytest.mark.parametrize("answer", ["granted", "denied"])
def test_a_topic_is_full_for_what_would_be_kept_beside_64_others(answer):
    kept = fold((MARKETING, said(version, answer, at=-version)) for version in range(1, MOST_KEPT + 1))[MARKETING]
    assert full_part(kept, said(MOST_KEPT + 1, answer, at=-MOST_KEPT - 1)) is not None
    assert full_part(kept, said(MOST_KEPT + 1, answer, at=0)) is None  # outdoes them all


@pytest.mark.parametrize("answer", ["granted", "denied"])
def test_a_topic_with_63_kept_is_not_full(answer):
    kept = fold((MARKETING, said(version, answer, at=-version)) for version in range(1, MOST_KEPT))[MARKETING]
    assert full_part(kept, said(MOST_KEPT, answer, at=-MOST_KEPT)) is None


def test_a_grant_that_a_refusal_blocks_takes_nobodys_place():
    grants = [(MARKETING, said(version, at=-version)) for version in range(1, MOST_KEPT + 1)]
    refusal = (MARKETING, said(MOST_KEPT + 1, "denied", at=-1000))
    kept = fold([*grants, refusal])[MARKETING]
    assert full_part(kept, said(MOST_KEPT + 2, at=-1000)) is None
