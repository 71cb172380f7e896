"""A STOP holds for its sender until that sender's START, whatever else is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.model.catalogue import Catalogue
from sayso.model.choice import Detail
from sayso.model.preferences import Preferences
from sayso.model.recorded import BY_BRAND, BY_PERSON, SPOKEN, RecordedChoice
from sayso.rules.decide import decide
from sayso.rules.fold import MOST_SCOPES, add, fold, has_scope_for, merge, single
from sayso.rules.senders import known_scopes, scope_of, scopes_of

SECOND = 1_000_000
NOW = 10_000_000 * SECOND
SHOP, OTHER, PLATFORM, STRANGER = "15550100001", "15550100002", "900900", "15550100009"
SMS = "channel:sms"
SENDERS = {"+1 555 010-0001": {}, "+15550100002": {}, "900900": {"controller": "platform"}}


def catalogue(*, basis: str = "consent", listed: bool = True) -> Catalogue:
    topic = {"basis": basis, "title": {"en": "Texts"}, "notice": {"en": "We send texts."}}
    return Catalogue.model_validate({"topics": {SMS: topic | ({"senders": SENDERS} if listed else {})}})


def said(
    version: int, answer: str, *scopes: str, seen: int | None = None, notice: int | None = None, by: str = BY_PERSON
):
    moment = version * 60 * SECOND
    if answer == "granted" and not scopes:
        notice = 1
    seen = version - 1 if seen is None else seen
    return RecordedChoice(
        version, seen, moment, answer, by, f"choice-{version}", moment, notice_version=notice, scopes=scopes
    )


def allowed(choices, sender=None, **catalogue_of) -> bool:
    preferences = Preferences("cust-42", 100, fold((SMS, choice) for choice in choices))
    return decide(preferences, catalogue(**catalogue_of), SMS, NOW, sender=sender).allowed


YES = said(1, "granted")


def test_a_stop_holds_for_the_sender_it_went_to_and_for_no_other():
    choices = [YES, said(2, "withdrawn", SHOP)]
    assert not allowed(choices, "+1 (555) 010-0001")
    assert allowed(choices, "+15550100002")


def test_who_does_not_say_from_where_has_to_heed_every_stop():
    assert not allowed([YES, said(2, "withdrawn", SHOP)])


def test_a_start_lifts_the_stop_of_its_sender_alone():
    choices = [YES, said(2, "withdrawn", SHOP), said(3, "withdrawn", OTHER), said(4, "granted", SHOP)]
    assert allowed(choices, SHOP)
    assert not allowed(choices, OTHER)
    assert not allowed(choices)


def test_a_yes_given_elsewhere_does_not_lift_a_stop():
    assert not allowed([YES, said(2, "withdrawn", SHOP), said(3, "granted")], SHOP)


def test_a_yes_to_a_notice_that_names_the_sender_does():
    assert allowed([YES, said(2, "withdrawn", SHOP), said(3, "granted", SHOP, notice=1)], SHOP)


def test_a_start_alone_allows_nothing():
    assert not allowed([said(1, "granted", SHOP)], SHOP)
    assert not allowed([said(1, "withdrawn", SHOP), said(2, "granted", SHOP)], SHOP)


def test_a_start_does_not_lift_what_was_refused_of_the_whole_channel():
    assert not allowed([YES, said(2, "withdrawn"), said(3, "granted", SHOP)], SHOP)


def test_a_stop_to_a_number_that_is_not_listed_holds_for_all_of_the_brand():
    choices = [YES, said(2, "withdrawn", STRANGER)]
    assert not allowed(choices, SHOP)
    assert not allowed(choices, OTHER)
    assert allowed(choices, PLATFORM)


@pytest.mark.parametrize("sender", [STRANGER, "555-010-0001", "+900 900 1"])
def test_a_sender_that_is_not_listed_has_to_heed_every_stop_until_its_own_start(sender):
    choices = [YES, said(2, "withdrawn", SHOP), said(3, "withdrawn", PLATFORM)]
    assert not allowed(choices, sender)
    assert allowed([*choices, said(4, "granted", scope_of(sender))], sender)


def test_where_no_sender_is_listed_a_stop_holds_for_every_one():
    assert not allowed([YES, said(2, "withdrawn", SHOP)], OTHER, listed=False)


@pytest.mark.parametrize(("scope", "silent", "heard"), [("@brand", SHOP, PLATFORM), ("@platform", PLATFORM, SHOP)])
def test_a_stop_to_a_controller_leaves_the_other_alone(scope, silent, heard):
    choices = [YES, said(2, "withdrawn", scope)]
    assert not allowed(choices, silent)
    assert allowed(choices, heard)
    assert not allowed(choices, STRANGER), "it may be that controller's"


def test_a_start_to_one_sender_lifts_its_controllers_stop_for_that_one():
    choices = [YES, said(2, "withdrawn", "@brand"), said(3, "granted", SHOP)]
    assert allowed(choices, SHOP)
    assert not allowed(choices, OTHER)


def test_a_start_to_the_controller_lifts_no_single_senders_stop():
    choices = [YES, said(2, "withdrawn", SHOP), said(3, "granted", "@brand")]
    assert not allowed(choices, SHOP)


def test_neither_the_brand_nor_an_agent_lifts_a_stop():
    choices = [YES, said(2, "withdrawn", SHOP)]
    assert not allowed([*choices, said(3, "granted", SHOP, by=BY_BRAND)], SHOP)
    assert not allowed([*choices, said(3, "granted", SHOP, by=SPOKEN)], SHOP)


def test_a_start_that_did_not_see_the_stop_within_half_a_minute_does_not_lift_it():
    stop = said(2, "withdrawn", SHOP)
    start = said(3, "granted", SHOP, seen=0)._replace(effective_at=stop.effective_at + 30 * SECOND)
    assert not allowed([YES, stop, start], SHOP)
    assert allowed([YES, stop, start._replace(effective_at=start.effective_at + 1)], SHOP)


def test_where_silence_allows_a_stop_still_keeps_its_sender_silent():
    choices = [said(1, "denied", SHOP)]
    assert not allowed(choices, SHOP, basis="legitimate_interest")
    assert allowed(choices, OTHER, basis="legitimate_interest")


@pytest.mark.parametrize(
    ("written", "scope"),
    [
        ("+15550100001", SHOP),
        ("+1 (555) 010-0001", SHOP),
        ("1.555.010.0001", SHOP),
        ("555‑0100", "5550100"),
        ("12345", "12345"),
        ("Shop", "shop"),
        (" News@Dealer.example ", "news@dealer.example"),
        ("@brand", "brand"),
        ("", "?"),
        ("@", "?"),
    ],
)
def test_a_sender_has_one_name_however_it_is_written(written, scope):
    assert scope_of(written) == scope


def test_a_detail_may_name_a_sender_a_controller_or_both():
    assert scopes_of(None) == ()
    assert scopes_of(Detail(campaign="spring")) == ()
    assert scopes_of(Detail(sender="+1 555 0100", controller="platform")) == ("15550100", "@platform")


def test_only_so_many_senders_are_kept_apart():
    full = single(said(1, "denied", *(f"s{number}" for number in range(MOST_SCOPES))))
    assert has_scope_for(full, said(2, "denied", "s0"))
    assert not has_scope_for(full, said(2, "denied", "another"))


def test_listed_senders_and_those_spoken_to_can_be_asked_about():
    spoken_to = single(said(1, "denied", STRANGER, "@brand"))
    assert list(known_scopes(spoken_to, catalogue().topics[SMS].senders)) == [SHOP, OTHER, PLATFORM, STRANGER]


def test_a_sender_that_is_listed_as_both_controllers_counts_as_unlisted():
    topic = {"basis": "consent", "senders": {"+15550100001": {}, "1 555 010 0001": {"controller": "platform"}}}
    twice = Catalogue.model_validate({"topics": {SMS: topic}})
    preferences = Preferences("cust-42", 9, fold((SMS, choice) for choice in [YES, said(2, "withdrawn", SHOP)]))
    assert not decide(preferences, twice, SMS, NOW, sender=OTHER).allowed


# --- whatever is said ---------------------------------------------------------------------------------------

SCOPES = st.lists(st.sampled_from([SHOP, OTHER, PLATFORM, STRANGER, "@brand", "@platform"]), max_size=2, unique=True)


@st.composite
def histories(draw):
    choices = []
    for version in range(1, draw(st.integers(0, 9)) + 1):
        choice = said(
            version,
            draw(st.sampled_from(["granted", "denied", "withdrawn"])),
            *draw(SCOPES),
            seen=draw(st.integers(0, version - 1)),
            by=draw(st.sampled_from([BY_PERSON, BY_BRAND, SPOKEN])),
        )
        notice = draw(st.sampled_from([None, 1])) if choice.scopes and not choice.is_refusal else choice.notice_version
        choices.append(choice._replace(notice_version=notice, effective_at=draw(st.integers(0, 90)) * SECOND))
    return choices


SENDER = st.sampled_from([SHOP, OTHER, PLATFORM, STRANGER])


@given(histories(), SENDER, st.booleans(), st.data())
def test_after_a_stop_no_sender_is_allowed_until_its_own_start(before, sender, listed, data):
    stop = said(len(before) + 1, "withdrawn", sender)
    rest = data.draw(histories().map(lambda choices: [c for c in choices if c.is_refusal or sender not in c.scopes]))
    after = [
        choice._replace(version=choice.version + stop.version, effective_at=choice.effective_at + 10_000 * SECOND)
        for choice in rest
    ]
    assert not allowed([*before, stop, *after], sender, listed=listed)
    assert not allowed([*before, stop, *after], listed=listed)


@given(histories(), SENDER, st.booleans())
def test_whoever_names_no_sender_is_allowed_nothing_that_a_sender_is_not(choices, sender, listed):
    if allowed(choices, listed=listed):
        assert allowed(choices, sender, listed=listed)


@given(histories(), st.randoms())
def test_the_order_of_reading_and_reading_twice_change_nothing(choices, random):
    shuffled = [*choices, *choices]
    random.shuffle(shuffled)
    one_by_one = fold(())
    for choice in shuffled:
        one_by_one[SMS] = add(one_by_one[SMS], choice) if SMS in one_by_one else single(choice)
    assert one_by_one.get(SMS) == fold((SMS, choice) for choice in choices).get(SMS)


@given(histories(), histories())
def test_folding_parts_together_is_folding_the_whole(left, right):
    right = [choice._replace(version=choice.version + 20, choice_id=f"right-{choice.version}") for choice in right]
    whole = fold((SMS, choice) for choice in [*left, *right]).get(SMS)
    parts = [fold((SMS, choice) for choice in part).get(SMS) for part in (left, right)]
    known = [part for part in parts if part is not None]
    if len(known) == 2:
        assert merge(*known) == whole == merge(*reversed(known))
