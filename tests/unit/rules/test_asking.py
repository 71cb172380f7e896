"""When a consumer may be asked: the rule for widget, bot and agent alike."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.model.age import AgeEvidence
from sayso.model.catalogue import Catalogue
from sayso.model.choice import Method
from sayso.model.instant import to_micros
from sayso.model.preferences import Preferences
from sayso.model.recorded import BY_BRAND, BY_GUARDIAN, BY_PERSON, SPOKEN, RecordedChoice
from sayso.model.signal import SignalSeen
from sayso.rules.asking import a_year_after, may_ask
from sayso.rules.fold import fold, seen_limit

DAY = 24 * 3600 * 1_000_000
YEAR = 365 * DAY  # from noon of 23 November 2026 to noon of 23 November 2027
NOON = to_micros(datetime(2026, 11, 23, 12, tzinfo=UTC))
MARKETING, ADS, ANALYTICS = "purpose:marketing", "purpose:ads", "purpose:analytics"
TOPICS = {
    MARKETING: {
        "basis": "consent",
        "version": 2,
        "refresh_before": timedelta(days=14),
        "grace": timedelta(days=30),
    },
    ADS: {"basis": "consent", "sale_or_share": True},
    ANALYTICS: {"basis": "legitimate_interest"},
    "purpose:service": {"basis": "contract"},
    "purpose:tax": {"basis": "legal_obligation"},
    "purpose:gone": {"basis": "consent", "retired": True},
    "channel:sms": {"basis": "consent", "requires": [MARKETING]},
}
CATALOGUE = Catalogue.model_validate(
    {"topics": TOPICS, "history": {MARKETING: {"since": NOON - 10 * DAY, "previous": 1}}}
)
GPC = (SignalSeen("gpc", "", 1, NOON - DAY, "header"),)
MINOR = (AgeEvidence("self", None, 15, NOON - DAY),)


def said(answer="granted", *, version=1, at=NOON, by=BY_PERSON, **more):
    members = {"notice_version": 2, **more}
    return RecordedChoice(version, version - 1, at, answer, by, f"choice-{version}", at, **members)


def asked(*choices, topic=MARKETING, now=NOON, **more):
    """Give (allowed, reason, not_before) for a consumer who said these (topic, choice)."""
    answer = may_ask(Preferences("cust-42", version=9, topics=fold(choices), **more), CATALOGUE, topic, now)
    assert bool(answer) is answer.allowed
    return answer.allowed, answer.reason, answer.not_before


def test_whoever_was_never_asked_may_be():
    assert asked() == (True, "not_asked", None)


@pytest.mark.parametrize("answer", ["denied", "withdrawn"])
def test_whoever_refused_is_left_alone_for_twelve_months(answer):
    refusal = MARKETING, said(answer)
    assert asked(refusal) == (False, answer, NOON + YEAR)
    assert asked(refusal, now=NOON + YEAR - 1) == (False, answer, NOON + YEAR)
    assert asked(refusal, now=NOON + YEAR) == (True, answer, None)


def test_a_new_version_of_the_notice_does_not_shorten_the_twelve_months():
    refusal = MARKETING, said("denied", at=NOON - 60 * DAY, notice_version=1)
    assert asked(refusal) == (False, "denied", NOON + YEAR - 60 * DAY)


def test_a_grant_in_between_that_has_lapsed_does_not_either():
    refusal = MARKETING, said("denied", at=NOON - 60 * DAY)
    ended = MARKETING, said(version=2, at=NOON - 50 * DAY, expires_at=NOON - DAY)
    assert asked(refusal, ended) == (False, "expired", NOON + YEAR - 60 * DAY)


@pytest.mark.parametrize(
    ("moment", "after"),
    [
        (datetime(2024, 2, 29, 8, tzinfo=UTC), datetime(2025, 3, 1, 8, tzinfo=UTC)),
        (datetime(2023, 3, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
        (datetime(2024, 1, 31, 23, 59, tzinfo=UTC), datetime(2025, 1, 31, 23, 59, tzinfo=UTC)),
    ],
)
def test_twelve_months_are_never_shorter_than_the_calendars(moment, after):
    assert a_year_after(to_micros(moment)) == to_micros(after)


def test_whoever_granted_is_not_asked_while_it_holds():
    assert asked((MARKETING, said())) == (False, "granted", None)
    assert asked((ADS, said()), topic=ADS) == (False, "granted", None)


def test_a_grant_may_be_asked_for_anew_shortly_before_it_ends():
    ends = NOON + 100 * DAY
    grant = MARKETING, said(expires_at=ends)
    assert asked(grant) == (False, "granted", ends - 14 * DAY)
    assert asked(grant, now=ends - 14 * DAY) == (True, "ends_soon", None)
    assert asked(grant, now=ends) == (True, "expired", None)


def test_whoever_refused_in_the_last_year_is_not_asked_to_prolong_a_grant():
    refusal = MARKETING, said("denied", at=NOON - 10 * DAY)
    grant = MARKETING, said(version=2, at=NOON - 5 * DAY, expires_at=NOON + DAY)
    assert asked(refusal, grant) == (False, "granted", NOON + YEAR - 10 * DAY)


def test_a_grant_of_the_older_notice_may_be_asked_for_anew_during_its_grace_and_after():
    grant = MARKETING, said(at=NOON - 40 * DAY, notice_version=1)
    assert asked(grant) == (True, "ends_soon", None)
    assert asked(grant, now=NOON + 20 * DAY) == (True, "outdated", None)


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("purpose:service", "required"),
        ("purpose:tax", "required"),
        ("purpose:gone", "unknown_topic"),
        ("purpose:unheard-of", "unknown_topic"),
        ("*", "unknown_topic"),
        (ANALYTICS, "default"),
    ],
)
def test_nobody_is_asked_about_what_needs_no_consent(topic, reason):
    assert asked(topic=topic) == (False, reason, None)


def test_a_topic_that_waits_for_another_is_not_asked_about_again():
    assert asked(("channel:sms", said()), topic="channel:sms") == (False, f"requires:{MARKETING}", None)


def test_whoever_has_taken_everything_back_is_not_asked_however_long_ago():
    everything = "*", said("withdrawn", at=NOON - 3 * YEAR)
    assert asked(everything) == (False, "withdrawn", None)
    assert asked(everything, ("purpose:ads", said("denied", version=2, at=NOON - 2 * YEAR))) == (
        False,
        "withdrawn",
        None,
    )


def test_what_they_granted_since_may_be_asked_for_anew_when_it_ends():
    everything = "*", said("withdrawn", at=NOON - 3 * YEAR)
    since = MARKETING, said(version=2, at=NOON - 2 * YEAR, expires_at=NOON - DAY)
    assert asked(everything, since) == (True, "expired", None)


def test_a_minor_is_not_asked_unless_a_guardian_has_granted_before():
    assert asked(age=MINOR) == (False, "minor", None)
    assert asked((MARKETING, said(expires_at=NOON)), age=MINOR) == (False, "minor", None)
    assert asked((MARKETING, said(by=BY_GUARDIAN, expires_at=NOON)), age=MINOR) == (True, "expired", None)


def test_whose_signal_answers_is_not_asked_about_selling_or_sharing():
    assert asked(topic=ADS, signals=GPC) == (False, "signal", None)
    assert asked(topic=MARKETING, signals=GPC) == (True, "not_asked", None)


def test_the_signal_answers_even_when_a_refusal_is_long_past_or_a_grant_in_spite_of_it_has_ended():
    refused = ADS, said("denied", at=NOON - 2 * YEAR)
    assert asked(refused, topic=ADS, signals=GPC) == (False, "denied", None)
    in_spite = ADS, said(version=2, overrides=("gpc",), expires_at=NOON + 5)
    assert asked(in_spite, topic=ADS, signals=GPC, now=NOON + 5) == (False, "expired", None)


@pytest.mark.parametrize(("state", "reason"), [({"erased": True}, "erased"), ({"restricted": True}, "restricted")])
def test_nobody_is_asked_who_was_erased_or_has_restricted_processing(state, reason):
    assert asked(**state) == (False, reason, None)


def test_what_an_agent_took_down_may_be_asked_about_for_the_consumers_own_word():
    assert asked((MARKETING, said(by=SPOKEN))) == (True, "not_asked", None)


def test_one_sender_that_was_stopped_keeps_the_whole_channel_from_being_asked_about():
    stop = "channel:sms", said("withdrawn")._replace(scopes=("15550100123",))
    granted = MARKETING, said()
    assert asked(stop, granted, topic="channel:sms")[0] is False
    assert asked(stop, granted, topic="channel:sms", now=NOON + YEAR)[0] is True


def test_use_silence_and_scrolling_are_no_ways_to_answer():
    assert {method.value for method in Method} == {
        "widget",
        "chat",
        "sms",
        "email",
        "phone",
        "agent",
        "api",
        "import",
        "paper",
    }


KEYS = (MARKETING, ADS, ANALYTICS, "channel:sms")
MOMENTS = st.integers(-800, 800).map(lambda days: NOON + days * DAY)


@st.composite
def histories(draw):
    found = []
    for version in range(1, draw(st.integers(1, 6)) + 1):
        recorded = RecordedChoice(
            version,
            seen_limit(draw(st.integers(0, 9)), version),
            draw(MOMENTS),
            draw(st.sampled_from(["granted", "granted", "denied", "withdrawn"])),
            draw(st.sampled_from([BY_PERSON, BY_PERSON, BY_GUARDIAN, BY_BRAND, SPOKEN])),
            f"choice-{version}",
            draw(MOMENTS),
            draw(st.none() | MOMENTS),
            draw(st.none() | st.integers(1, 3)),
            draw(st.sampled_from([(), ("gpc",)])),
        )
        found.append((draw(st.sampled_from((*KEYS, "*"))), recorded))
    return found


@st.composite
def catalogues(draw):
    topics = {
        key: {
            **TOPICS[key],
            "version": draw(st.integers(1, 4)),
            "refresh_before": draw(st.none() | st.just(timedelta(days=draw(st.integers(1, 700))))),
            "grace": draw(st.none() | st.just(timedelta(days=draw(st.integers(1, 700))))),
        }
        for key in KEYS
    }
    past = {key: {"since": draw(MOMENTS), "previous": max(1, topics[key]["version"] - 1)} for key in KEYS}
    return Catalogue.model_validate({"topics": topics, "history": past})


@settings(max_examples=300, deadline=None)
@given(histories(), catalogues(), MOMENTS, st.sampled_from([(), GPC]))
def test_a_refusal_is_never_followed_by_a_question_within_twelve_months(history, catalogue, now, signals):
    preferences = Preferences("cust-42", version=9, topics=fold(history), signals=signals)
    for key in KEYS:
        refused = [one.effective_at for name, one in history if name in (key, "*") and one.is_refusal]
        if refused and now < a_year_after(max(refused)):
            assert not may_ask(preferences, catalogue, key, now).allowed


@settings(max_examples=200, deadline=None)
@given(histories(), catalogues(), MOMENTS, st.sampled_from([(), GPC]))
def test_the_time_that_is_named_is_when_it_changes_if_nothing_else_does(history, catalogue, now, signals):
    preferences = Preferences("cust-42", version=9, topics=fold(history), signals=signals)
    for key in KEYS:
        answer = may_ask(preferences, catalogue, key, now)
        if answer.not_before is not None:
            assert not answer.allowed
            assert now < answer.not_before
            then = may_ask(preferences, catalogue, key, answer.not_before)
            assert then.allowed or then.reason != answer.reason or then.not_before is None
