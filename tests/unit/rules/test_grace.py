"""How long a grant of the version before goes on holding once a higher version of its notice is published."""

from datetime import UTC, datetime, timedelta

import pytest

from sayso.model.catalogue import Catalogue
from sayso.model.instant import to_micros
from sayso.model.preferences import Preferences
from sayso.model.recorded import BY_PERSON, RecordedChoice
from sayso.rules.decide import decide
from sayso.rules.fold import fold

DAY = 24 * 3600 * 1_000_000
PUBLISHED = to_micros(datetime(2026, 3, 1, 9, tzinfo=UTC))
TOPIC = "purpose:marketing"
RAISED = {"since": PUBLISHED, "previous": 2}


def catalogue(*, grace=timedelta(days=30), basis="consent", version=3, history=RAISED):
    topic = {"basis": basis, "version": version, "grace": grace}
    return Catalogue.model_validate({"topics": {TOPIC: topic}, "history": {TOPIC: history} if history else {}})


def answered(notice_version, *, answer="granted", expires_at=None, version=1):
    moment = PUBLISHED - 10 * DAY
    choice = RecordedChoice(
        version, version - 1, moment, answer, BY_PERSON, f"choice-{version}", moment, expires_at, notice_version
    )
    return TOPIC, choice


def decided(*choices, days, **settings):
    preferences = Preferences("cust-42", version=9, topics=fold(choices))
    decision = decide(preferences, catalogue(**settings), TOPIC, PUBLISHED + days * DAY)
    return decision.allowed, decision.reason, decision.valid_until


def test_a_grant_of_the_version_before_holds_through_the_grace_and_says_until_when():
    assert decided(answered(2), days=0) == (True, "granted", PUBLISHED + 30 * DAY)
    assert decided(answered(2), days=29) == (True, "granted", PUBLISHED + 30 * DAY)


def test_it_is_outdated_from_the_very_end_of_the_grace():
    assert decided(answered(2), days=30) == (False, "outdated", None)


def test_a_grant_that_ends_sooner_ends_sooner():
    soon = PUBLISHED + 5 * DAY
    assert decided(answered(2, expires_at=soon), days=1) == (True, "granted", soon)
    assert decided(answered(2, expires_at=soon), days=5) == (False, "expired", None)


def test_a_grant_of_a_version_older_than_the_one_before_has_no_grace():
    assert decided(answered(1), days=1) == (False, "outdated", None)


def test_a_grant_of_the_present_version_does_not_end_with_the_grace():
    assert decided(answered(3), days=1) == (True, "granted", None)


@pytest.mark.parametrize("settings", [{"grace": None}, {"history": None}, {"history": {"minor": 4}}])
def test_without_a_grace_or_a_date_that_it_runs_from_it_is_outdated_at_once(settings):
    assert decided(answered(2), days=0, **settings) == (False, "outdated", None)


@pytest.mark.parametrize("answer", ["denied", "withdrawn"])
def test_a_refusal_of_an_older_notice_stands_without_end(answer):
    assert decided(answered(2, answer=answer), days=1) == (False, answer, None)


def test_on_legitimate_interest_what_was_refused_before_counts_again_after_the_grace():
    said = answered(1, answer="denied"), answered(2, version=2)
    assert decided(*said, days=1, basis="legitimate_interest") == (True, "granted", PUBLISHED + 30 * DAY)
    assert decided(*said, days=30, basis="legitimate_interest") == (False, "denied", None)
