"""What a known consumer takes over from the visitor they turned out to be."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.model.age import AgeEvidence, AgeSource
from sayso.model.catalogue import Catalogue
from sayso.model.choice import ChoiceBatch
from sayso.model.preferences import Preferences
from sayso.model.recorded import BY_BRAND, BY_GUARDIAN, BY_PERSON, SPOKEN, RecordedChoice
from sayso.model.signal import SignalSeen
from sayso.model.topic import LegalBasis, Topic
from sayso.rules.age import is_minor
from sayso.rules.decide import decide
from sayso.rules.effective import effective_at
from sayso.rules.fold import fold, is_granted, seen_limit, standing_for
from sayso.rules.link import age_of_both, carried, copies, copy_id

SECOND = 1_000_000
HOUR = 3600 * SECOND
NOON = 1_795_435_200 * SECOND
VISITOR = "anon_AAAAAAAAAAAAAAAAAAAAAA"
MARKETING, SMS, COOKIES = "purpose:marketing", "channel:sms", "cookie:performance"
TOPICS = (MARKETING, SMS, COOKIES)
SOLD = Catalogue(
    topics={key: Topic(key=key, basis=LegalBasis.CONSENT, sale_or_share=True) for key in TOPICS},
    dnt="honour",
)


def said(version, answer="granted", *, at=0, seen=0, by=BY_PERSON, **more):
    moment = NOON + at * SECOND
    return RecordedChoice(version, seen, moment, answer, by, f"choice-{version}", moment, **more)


def link(known, anonymous, *, with_grants, signals=(), visitors_signals=()):
    """Link as the server does: copies after everything the known side has, itself one version of the link."""
    spoken_of = {topic for topic, _ in known}
    taken = carried(anonymous, known_topics=spoken_of, with_grants=with_grants)
    seen = (*(choice for _, choice in known), *signals)
    after = max((one.version for one in seen), default=0) + 1 + len(visitors_signals)
    made = copies(
        taken,
        anonymous_id=VISITOR,
        after_version=after,
        known_topics=spoken_of,
        known_signals=signals,
        visitors_signals=visitors_signals,
    )
    return [*known, *made]


def sight(version, name="gpc", *, at=0, device="laptop"):
    return SignalSeen(name, device, version, NOON + at * SECOND, "header")


def after(known, anonymous, topic=MARKETING, *, with_grants=True):
    chosen = standing_for(fold(link(known, anonymous, with_grants=with_grants)), topic)
    return chosen.answer if chosen is not None else None


def test_a_grant_comes_along_with_the_visitors_token():
    assert after([], [(MARKETING, said(1))]) == "granted"


def test_without_the_token_only_refusals_come_along():
    visitor = [(MARKETING, said(1)), (SMS, said(2, "denied"))]
    assert after([], visitor, with_grants=False) is None
    assert after([], visitor, SMS, with_grants=False) == "denied"


@pytest.mark.parametrize("by", [BY_PERSON, BY_GUARDIAN, BY_BRAND, SPOKEN])
@pytest.mark.parametrize("with_grants", [True, False])
def test_every_refusal_comes_along(by, with_grants):
    visitor = [(MARKETING, said(1, "denied", by=by)), ("*", said(2, "withdrawn", by=by))]
    taken = carried(visitor, known_topics={MARKETING, "*"}, with_grants=with_grants)
    assert taken == visitor


def test_a_grant_does_not_come_along_where_the_known_side_has_spoken():
    visitor = [(MARKETING, said(9, at=7200, seen=8))]
    assert after([(MARKETING, said(1, "denied"))], visitor) == "denied"
    assert after([(MARKETING, said(1, by=SPOKEN))], visitor) is None


def test_a_withdraw_all_has_spoken_about_every_topic():
    known = [("*", said(3, "withdrawn", at=0))]
    visitor = [(SMS, said(1, "denied", at=50)), (MARKETING, said(2, at=7200, seen=1))]
    assert after(known, visitor) == "withdrawn"
    assert carried(visitor, known_topics={"*"}, with_grants=True) == [visitor[0]]


def test_a_visitors_refusal_lifts_the_known_sides_older_grant():
    assert after([(MARKETING, said(5, at=0))], [(MARKETING, said(1, "withdrawn", at=60))]) == "withdrawn"


def test_a_visitors_refusal_does_not_lift_a_known_grant_made_later():
    assert after([(MARKETING, said(5, at=60))], [(MARKETING, said(1, "withdrawn", at=0))]) == "granted"


def test_within_thirty_seconds_the_visitors_refusal_wins():
    assert after([(MARKETING, said(5, at=30))], [(MARKETING, said(1, "denied", at=0))]) == "denied"


def test_versions_are_not_compared_across_a_link():
    # The known grant has seen version 12 of its own side; the visitor's refusal of today has version 1.
    known = [(MARKETING, said(13, at=-86_400, seen=12))]
    assert after(known, [(MARKETING, said(1, "withdrawn", at=0))]) == "withdrawn"
    # The visitor's withdraw-all has seen 9 versions of its own side, and none of the known grant of today.
    known = [(MARKETING, said(3, at=0))]
    visitor = [(SMS, said(9, "denied", at=-90_000)), ("*", said(10, "withdrawn", at=-86_400, seen=9))]
    assert after(known, visitor) == "granted"
    assert after(known, visitor, COOKIES) == "withdrawn"


def test_a_visitor_who_toggled_back_on_stays_on():
    visitor = [(MARKETING, said(1, "denied", at=0)), (MARKETING, said(2, at=1, seen=1))]
    assert after([], visitor) == "granted"
    assert after([(SMS, said(7))], visitor) == "granted"


def test_a_visitor_who_toggled_back_off_stays_off():
    visitor = [(MARKETING, said(1, at=0)), (MARKETING, said(2, "withdrawn", at=0, seen=1))]
    assert after([], visitor) == "withdrawn"


def test_a_grant_that_a_visitors_refusal_has_seen_is_left_behind():
    # Whatever the times say: on the known side nothing would keep it down but the time.
    for named in (MARKETING, "*"):
        visitor = [(MARKETING, said(1, at=7200)), (named, said(2, "withdrawn", at=0, seen=1))]
        assert carried(visitor, known_topics=(), with_grants=True) == visitor[1:]
        assert after([], visitor) == "withdrawn"


def test_a_brands_grant_of_the_visitor_stays_a_brands():
    visitor = [(MARKETING, said(1, by=BY_BRAND)), (SMS, said(2, by=SPOKEN))]
    linked = link([], visitor, with_grants=True)
    assert [choice.origin for _, choice in linked] == [BY_BRAND, SPOKEN]
    assert standing_for(fold(linked), SMS) is None


def test_copies_follow_each_other_after_the_known_versions_in_the_visitors_order():
    visitor = [(SMS, said(8, "denied", at=5, seen=4)), (MARKETING, said(4, at=3))]
    taken = carried(visitor, known_topics=(), with_grants=True)
    made = copies(taken, anonymous_id=VISITOR, after_version=20, known_topics=())
    assert [(topic, copy.version, copy.based_on) for topic, copy in made] == [
        (MARKETING, 21, 0),
        (SMS, 22, 21),
    ]


def test_a_copy_keeps_everything_but_its_place():
    original = said(4, at=3, by=BY_GUARDIAN, expires_at=NOON + HOUR, notice_version=3, overrides=("gpc",))
    ((_, copy),) = copies([(MARKETING, original)], anonymous_id=VISITOR, after_version=6, known_topics=())
    assert copy == original._replace(version=7, based_on=0, choice_id=copy_id(VISITOR, "choice-4"))


def test_choices_planted_with_the_known_sides_ids_lose_nothing():
    known = [(MARKETING, said(1, "withdrawn", at=0)), (SMS, said(2, "denied", at=0))]
    planted = [(MARKETING, said(1, at=7200)), (SMS, said(2, "withdrawn", at=7200, seen=1))]
    linked = link(known, planted, with_grants=True)
    assert linked[:2] == known
    assert len({choice.choice_id for _, choice in linked}) == len(linked) == 3
    folds = fold(linked)
    assert standing_for(folds, MARKETING) == known[0][1]
    assert standing_for(folds, SMS).answer == "withdrawn"


def test_a_copys_id_is_the_same_each_time_and_nobody_elses():
    original = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert copy_id(VISITOR, original) == copy_id(VISITOR, original)
    others = {copy_id(VISITOR, original), copy_id("anon_" + "B" * 22, original), copy_id(VISITOR, VISITOR)}
    assert len(others | {original}) == 4


def test_a_copys_id_is_a_version_8_uuid_that_the_wire_takes():
    made = copy_id(VISITOR, "01890a5d-ac96-774b-bcce-b302099a8057")
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made)
    sent = {"id": made, "consumer_id": "cust-42", "topic": "x", "answer": "denied", "method": "api"}
    assert ChoiceBatch.model_validate({"choices": [sent]}, strict=False).choices[0].id == made


# --- signals ------------------------------------------------------------------------------------------------


def overrides(visitor, **signals):
    return [copy.overrides for _, copy in link([], visitor, with_grants=True, **signals)]


def test_a_visitors_override_is_carried_where_the_known_side_never_sent_the_signal():
    visitor = [(MARKETING, said(2, overrides=("gpc", "dnt")))]
    assert overrides(visitor) == [("gpc", "dnt")]
    assert overrides(visitor, signals=(sight(1, "dnt"),)) == [("gpc",)]
    assert overrides(visitor, visitors_signals=(sight(1),)) == [("gpc", "dnt")]


def test_a_visitors_override_lifts_no_signal_of_the_known_side():
    visitor = [(MARKETING, said(2, at=60, overrides=("gpc",)))]
    assert overrides(visitor, signals=(sight(1, device="phone"),)) == [()]
    assert overrides(visitor, signals=(sight(1),), visitors_signals=(sight(1),)) == [()]


def test_an_override_does_not_lift_in_its_copy_what_the_visitor_sent_after_it():
    visitor = [(MARKETING, said(2, at=60, overrides=("gpc",)))]
    assert overrides(visitor, visitors_signals=(sight(1), sight(3, device="phone"))) == [()]


# --- age ----------------------------------------------------------------------------------------------------


def aged(source, lower=None, upper=None, at=0):
    return AgeEvidence(source, lower, upper, NOON + at * SECOND)


def together(known, visitor, *, proven):
    return age_of_both(known, visitor, majority=18, proven=proven)


@pytest.mark.parametrize("band", [(18, None), (18, 130), (None, 18), (0, 130), (None, None), (13, None)])
def test_without_the_token_nothing_is_believed_of_a_visitors_age_that_makes_no_minor(band):
    assert together((), (aged("self", *band),), proven=False) == ()
    assert together((), (aged("self", *band),), proven=True) == (aged("self", *band),)


def test_without_the_token_a_minors_age_is_carried_but_not_how_old_they_are_at_least():
    # At least 17 years would make an adult of them in a year.
    assert together((), (aged("self", 17, 17),), proven=False) == (aged("self", None, 17),)


def test_with_the_token_the_newer_evidence_of_a_source_counts():
    adult, child = aged("self", 18, at=0), aged("self", 13, 15, at=60)
    assert together((adult,), (child,), proven=True) == (child,)
    assert together((child,), (adult,), proven=True) == (child,)


def test_evidence_of_one_moment_or_without_the_token_gives_the_lower_band_of_both():
    adult, child = aged("self", 18), aged("self", 13, 15)
    assert together((adult,), (child,), proven=True) == (child,)
    assert together((child,), (adult,), proven=True) == (child,)
    assert together((aged("self", 18, at=60),), (child,), proven=False) == (aged("self", None, 15, at=60),)
    assert together((aged("self", 18, at=-60),), (child,), proven=False) == (aged("self", None, 15),)


def test_what_other_sources_said_stays():
    brand, verified = aged("brand", 21), aged("verified", 21)
    assert together((brand, verified), (aged("self", 13, 15),), proven=True) == (
        brand,
        verified,
        aged("self", 13, 15),
    )


@st.composite
def evidence(draw):
    pieces = []
    for source in draw(st.lists(st.sampled_from([each.value for each in AgeSource]), max_size=3, unique=True)):
        bounds = sorted(draw(st.tuples(st.integers(0, 40), st.integers(0, 40))))
        lower, upper = (draw(st.sampled_from([bound, None])) for bound in bounds)
        pieces.append(aged(source, lower, upper, draw(st.sampled_from([0, 0, 3600, -3600]))))
    return tuple(pieces)


@settings(max_examples=150, deadline=None)
@given(evidence(), evidence(), st.booleans(), st.integers(0, 30))
def test_no_link_without_the_token_makes_an_adult_of_a_minor(known, visitor, unknown_is_minor, years):
    def counts(pieces):
        now = NOON + years * 366 * 24 * HOUR
        return is_minor(pieces, majority=18, unknown_is_minor=unknown_is_minor, now=now)[0]

    if counts(known):
        assert counts(together(known, visitor, proven=False))


# --- any two sides ------------------------------------------------------------------------------------------


@st.composite
def sides(draw):
    """A history as a server records it: versions and ids that overlap with the other side's."""
    clock, history = NOON, []
    for version in range(1, draw(st.integers(0, 6)) + 1):
        clock += draw(st.sampled_from([0, SECOND, 31 * SECOND, HOUR]))
        topic = draw(st.sampled_from([*TOPICS, MARKETING, "*"]))
        seen = seen_limit(draw(st.none() | st.integers(0, 8)), version)
        refuses = topic == "*" or draw(st.booleans())
        moment = effective_at(
            recorded_at=clock,
            sent_at=clock,
            made_at=clock - draw(st.sampled_from([0, 0, 20 * SECOND, 2 * HOUR])),
            latest_seen=max((choice.effective_at for _, choice in history[:seen]), default=None),
        )
        history.append(
            (
                topic,
                RecordedChoice(
                    version,
                    seen,
                    moment,
                    draw(st.sampled_from(["denied", "withdrawn"])) if refuses else "granted",
                    draw(st.sampled_from([BY_PERSON, BY_PERSON, BY_PERSON, BY_GUARDIAN, BY_BRAND, SPOKEN])),
                    f"choice-{version}",
                    clock,
                    notice_version=1,
                    overrides=() if refuses else draw(st.sampled_from([(), ("gpc",), ("gpc", "dnt")])),
                ),
            )
        )
    return history


@settings(max_examples=180, deadline=None)
@given(sides(), sides(), st.booleans())
def test_linking_never_turns_a_refusal_into_a_permission(known, visitor, with_grants):
    before, there = fold(known), fold(visitor)
    linked = fold(link(known, visitor, with_grants=with_grants))
    spoken_of = {topic for topic, _ in known}
    for topic in TOPICS:
        now = standing_for(linked, topic)
        if not is_granted(now):
            continue
        if is_granted(standing_for(before, topic)):
            assert now == standing_for(before, topic)
        else:
            original = standing_for(there, topic)
            assert with_grants
            assert not spoken_of & {topic, "*"}
            assert is_granted(original)
            assert now.choice_id == copy_id(VISITOR, original.choice_id)


@settings(max_examples=100, deadline=None)
@given(sides(), sides(), st.booleans())
def test_a_refusal_that_stands_on_the_known_side_still_stands_there(known, visitor, with_grants):
    linked = fold(link(known, visitor, with_grants=with_grants))
    for topic in TOPICS:
        before = standing_for(fold(known), topic)
        if before is not None and before.is_refusal:
            assert standing_for(linked, topic).is_refusal


@settings(max_examples=120, deadline=None)
@given(sides(), sides(), st.booleans())
def test_a_visitors_standing_refusal_lifts_every_known_grant_that_is_not_later(known, visitor, with_grants):
    linked = fold(link(known, visitor, with_grants=with_grants))
    for topic in TOPICS:
        refusal = standing_for(fold(visitor), topic)
        now = standing_for(linked, topic)
        if refusal is not None and refusal.is_refusal and is_granted(now):
            assert now in [choice for _, choice in known]
            assert now.effective_at - refusal.effective_at > 30 * SECOND


@settings(max_examples=80, deadline=None)
@given(sides(), sides(), st.booleans())
def test_all_of_both_sides_is_kept_and_linking_again_gives_the_same(known, visitor, with_grants):
    linked = link(known, visitor, with_grants=with_grants)
    assert linked == link(known, visitor, with_grants=with_grants)
    assert linked[: len(known)] == known
    versions = [choice.version for _, choice in linked]
    assert len(set(versions)) == len(versions)
    assert all(choice.based_on < choice.version for _, choice in linked)
    ids = {choice.choice_id for _, choice in linked}
    assert len(ids) == len(linked)
    assert {copy_id(VISITOR, choice.choice_id) for _, choice in visitor if choice.is_refusal} <= ids


@settings(max_examples=80, deadline=None)
@given(sides())
def test_somebody_new_gets_exactly_what_the_visitor_had(visitor):
    there, here = fold(visitor), fold(link([], visitor, with_grants=True))
    for topic in TOPICS:
        had, has = standing_for(there, topic), standing_for(here, topic)
        assert (had is None) == (has is None)
        if had is not None:
            assert has.choice_id == copy_id(VISITOR, had.choice_id)


@st.composite
def senders(draw):
    """A history with sights of signals in between, renumbered so that no two have one version."""
    history, signals = draw(sides()), []
    for name, device in draw(
        st.lists(st.sampled_from([("gpc", ""), ("gpc", "laptop"), ("dnt", "")]), max_size=2, unique=True)
    ):
        place = draw(st.integers(0, len(history)))  # seen after so many choices
        moment = history[place - 1][1].effective_at if place else NOON
        effective = moment + draw(st.sampled_from([0, SECOND, -HOUR]))
        signals.append((place, SignalSeen(name, device, 0, effective, "header")))
    spread = 10  # room for sights between two choices
    spaced = [
        (topic, choice._replace(version=choice.version * spread, based_on=choice.based_on * spread))
        for topic, choice in history
    ]
    return spaced, tuple(
        seen._replace(version=place * spread + number) for number, (place, seen) in enumerate(signals, start=1)
    )


def carried_signals(known, visitors, after):
    named = {(seen.name, seen.device_id) for seen in known}
    return (
        *known,
        *(
            seen._replace(version=after + place)
            for place, seen in enumerate(visitors, start=1)
            if (seen.name, seen.device_id) not in named
        ),
    )


@settings(max_examples=200, deadline=None)
@given(senders(), senders(), st.booleans())
def test_linking_never_turns_a_refusal_or_a_signal_into_a_permission(known, visitor, with_grants):
    (said_here, signals), (said_there, visitors_signals) = known, visitor
    linked = link(said_here, said_there, with_grants=with_grants, signals=signals, visitors_signals=visitors_signals)
    newest = max((one.version for one in (*(choice for _, choice in said_here), *signals)), default=0)

    def reasons(choices, sights):
        held = Preferences("cust-42", 99, fold(choices), {}, sights)
        return {topic: decide(held, SOLD, topic, NOON + 9 * HOUR).reason for topic in TOPICS}

    before = reasons(said_here, signals)
    there = reasons(said_there, visitors_signals)
    after = reasons(linked, carried_signals(signals, visitors_signals, newest + 1))
    for topic in TOPICS:
        if after[topic] == "granted" and before[topic] != "granted":
            assert with_grants
            assert (before[topic], there[topic]) == ("not_asked", "granted")
