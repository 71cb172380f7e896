"""The nine rules of deciding, in their order, with the reasons written out."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from sayso.model.age import AgeEvidence
from sayso.model.catalogue import Catalogue
from sayso.model.device import Capability, DeviceState, Duration, PermissionState
from sayso.model.instant import to_micros
from sayso.model.preferences import DeviceReport, Preferences
from sayso.model.recorded import BY_BRAND, BY_GUARDIAN, BY_PERSON, RecordedChoice
from sayso.model.signal import SignalSeen
from sayso.rules.decide import decide
from sayso.rules.fold import fold

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
NOON = to_micros(datetime(2026, 11, 23, 12, tzinfo=UTC))

TOPICS = {
    "purpose:marketing": {"basis": "consent", "version": 2},
    "purpose:improvement": {"basis": "legitimate_interest", "version": 2},
    "purpose:warranty": {"basis": "contract"},
    "purpose:tax": {"basis": "legal_obligation"},
    "purpose:gone": {"basis": "consent", "retired": True},
    "purpose:ads": {"basis": "consent", "sale_or_share": True},
    "purpose:audience": {"basis": "legitimate_interest", "sale_or_share": True},
    "permission:camera": {"basis": "consent"},
    "permission:notifications": {"basis": "legitimate_interest"},
    "permission:location": {"basis": "consent", "requires": ["purpose:marketing"]},
    "channel:sms": {"basis": "consent", "requires": ["purpose:marketing", "purpose:improvement"]},
    "channel:email": {"basis": "legitimate_interest", "requires": ["channel:sms"]},
    "cookie:performance": {"basis": "consent", "requires": ["cookie:unheard-of"]},
}


def catalogue(topics=None, **settings):
    return Catalogue.model_validate({"topics": topics or TOPICS, **settings})


def said(version=1, answer="granted", *, at=-HOUR, by=BY_PERSON, **more):
    moment = NOON + at
    return RecordedChoice(
        version,
        version - 1,
        moment,
        answer,
        by,
        f"choice-{version}",
        moment,
        **{"notice_version": 2, **more},
    )


def preferences(*choices, **more):
    """Preferences of `cust-42` in which each (topic, choice) was said."""
    return Preferences("cust-42", version=9, topics=fold(choices), **more)


def reports(state, *, at=-60 * SECOND, duration="unknown", capability="camera", device="pixel-8"):
    found = DeviceState(state=PermissionState(state), duration=Duration(duration))
    return {device: DeviceReport("react-native", {Capability(capability): (found, NOON + at)})}


def gpc(version=1, *, at=-DAY, device="", name="gpc"):
    return SignalSeen(name, device, version, NOON + at, "header")


def aged(source, lower=None, upper=None, *, at=-HOUR):
    return AgeEvidence(source, lower, upper, NOON + at)


def answer(prefs, topic, *, now=NOON, device=None, **settings):
    decision = decide(prefs, catalogue(**settings), topic, now, device)
    assert decision.topic == topic
    return decision.allowed, decision.reason


MINOR = (aged("self", upper=15),)
MARKETING, IMPROVEMENT, ADS, AUDIENCE = (
    "purpose:marketing",
    "purpose:improvement",
    "purpose:ads",
    "purpose:audience",
)


class TestRule1UnknownErasedRestricted:
    @pytest.mark.parametrize("topic", ["purpose:marketin", "", "*", "\x00", "purpose:gone"])
    def test_a_topic_that_is_not_offered_is_not_allowed(self, topic):
        everything = preferences((topic, said()))
        assert answer(everything, topic) == (False, "unknown_topic")

    def test_an_erased_consumer_is_asked_nothing(self):
        assert answer(preferences((MARKETING, said()), erased=True), MARKETING) == (False, "erased")
        assert answer(preferences(erased=True), IMPROVEMENT) == (False, "erased")
        assert answer(preferences(erased=True), "purpose:warranty") == (False, "erased")

    def test_an_open_restriction_stops_even_what_a_contract_needs(self):
        assert answer(preferences((MARKETING, said()), restricted=True), MARKETING) == (False, "restricted")
        assert answer(preferences(restricted=True), "purpose:warranty") == (False, "restricted")

    def test_a_legal_obligation_outlives_both(self):
        gone = preferences(erased=True, restricted=True)
        assert answer(gone, "purpose:tax") == (True, "required")

    def test_unknown_comes_before_erased_and_erased_before_restricted(self):
        gone = preferences(erased=True, restricted=True)
        assert answer(gone, "purpose:nobody-knows") == (False, "unknown_topic")
        assert answer(gone, MARKETING) == (False, "erased")


class TestRule2Required:
    @pytest.mark.parametrize("topic", ["purpose:warranty", "purpose:tax"])
    def test_what_law_or_contract_requires_does_not_ask(self, topic):
        assert answer(preferences(), topic) == (True, "required")

    def test_it_comes_before_age_and_refusals(self):
        refused = preferences(("purpose:warranty", said(1, "denied")), ("*", said(2, "withdrawn")), age=MINOR)
        assert answer(refused, "purpose:warranty") == (True, "required")


class TestRule3Minor:
    def test_a_minors_own_grant_does_not_count(self):
        assert answer(preferences((MARKETING, said()), age=MINOR), MARKETING) == (False, "minor")

    def test_nor_does_silence_where_silence_allows_an_adult(self):
        assert answer(preferences(age=MINOR), IMPROVEMENT) == (False, "minor")

    def test_a_guardians_grant_does(self):
        granted = preferences((MARKETING, said(by=BY_GUARDIAN)), age=MINOR)
        assert answer(granted, MARKETING) == (True, "granted")

    def test_a_brands_grant_does_not(self):
        assert answer(preferences((MARKETING, said(by=BY_BRAND)), age=MINOR), MARKETING) == (False, "minor")

    def test_a_minors_own_later_grant_hides_the_guardians(self):
        both = preferences((MARKETING, said(1, by=BY_GUARDIAN)), (MARKETING, said(2, at=-60)), age=MINOR)
        assert answer(both, MARKETING) == (False, "minor")

    def test_without_evidence_the_catalogue_says_what_a_consumer_is(self):
        granted = preferences((MARKETING, said()))
        assert answer(granted, MARKETING) == (True, "granted")
        assert answer(granted, MARKETING, unknown_age="minor") == (False, "minor")
        adult = preferences((MARKETING, said()), age=(aged("brand", lower=30),))
        assert answer(adult, MARKETING, unknown_age="minor") == (True, "granted")

    def test_the_catalogue_says_from_when_on_a_consumer_decides_alone(self):
        seventeen = preferences((MARKETING, said()), age=(aged("brand", lower=17, upper=17),))
        assert answer(seventeen, MARKETING) == (False, "minor")
        assert answer(seventeen, MARKETING, majority=16) == (True, "granted")

    def test_it_comes_before_refusal_and_signal(self):
        refused = preferences((ADS, said(2, "denied")), signals=(gpc(),), age=MINOR)
        assert answer(refused, ADS) == (False, "minor")

    def test_a_minor_comes_of_age_at_a_known_instant(self):
        seen = to_micros(datetime(2026, 3, 1, 8, tzinfo=UTC))
        birthday = to_micros(datetime(2027, 3, 1, 8, tzinfo=UTC))
        granted = preferences((MARKETING, said()), age=(AgeEvidence("brand", 17, 17, seen),))
        decision = decide(granted, catalogue(), MARKETING, NOON)
        assert (decision.reason, decision.valid_until) == ("minor", birthday)
        assert answer(granted, MARKETING, now=birthday - 1) == (False, "minor")
        assert answer(granted, MARKETING, now=birthday) == (True, "granted")

    @pytest.mark.parametrize(("topic", "after"), [(MARKETING, (False, "expired")), (IMPROVEMENT, (True, "default"))])
    def test_a_guardians_grant_ends_when_the_child_comes_of_age_and_says_so_before(self, topic, after):
        seen = to_micros(datetime(2026, 3, 1, 8, tzinfo=UTC))
        birthday = to_micros(datetime(2027, 3, 1, 8, tzinfo=UTC))
        granted = preferences((topic, said(by=BY_GUARDIAN)), age=(AgeEvidence("brand", 17, 17, seen),))
        decision = decide(granted, catalogue(), topic, NOON)
        assert (decision.allowed, decision.reason, decision.valid_until) == (True, "granted", birthday)
        assert answer(granted, topic, now=birthday - 1) == (True, "granted")
        assert answer(granted, topic, now=birthday) == after

    def test_a_guardians_grant_that_majority_ended_names_no_other_end(self):
        lasting = preferences((MARKETING, said(by=BY_GUARDIAN, expires_at=NOON + DAY)), age=(aged("brand", lower=18),))
        decision = decide(lasting, catalogue(), MARKETING, NOON)
        assert (decision.reason, decision.choice.expires_at, decision.valid_until) == ("expired", None, None)

    def test_a_guardians_grant_says_nothing_for_somebody_of_age(self):
        assert answer(preferences((MARKETING, said(by=BY_GUARDIAN))), MARKETING) == (False, "expired")

    def test_a_grant_of_ones_own_after_coming_of_age_stands(self):
        both = preferences(
            (MARKETING, said(1, by=BY_GUARDIAN)), (MARKETING, said(2, at=-60)), age=(aged("brand", lower=18),)
        )
        assert answer(both, MARKETING) == (True, "granted")

    def test_what_is_sold_has_an_age_of_its_own_in_california(self):
        fourteen = (AgeEvidence("brand", 14, 14, NOON, None, "US-CA"),)
        lowered = {"majority": 13}
        assert answer(preferences(age=fourteen), IMPROVEMENT, **lowered) == (True, "default")
        assert answer(preferences((ADS, said()), age=fourteen), ADS, **lowered) == (False, "minor")

    def test_a_guardians_grant_that_has_ended_no_longer_speaks_for_the_child(self):
        ended = said(by=BY_GUARDIAN, expires_at=NOON)
        for topic, reason in ((IMPROVEMENT, "minor"), (MARKETING, "expired")):
            child = preferences((topic, ended), age=MINOR)
            assert answer(child, topic, now=NOON - 1) == (True, "granted")
            assert answer(child, topic) == (False, reason)


class TestRule4Refusals:
    @pytest.mark.parametrize("topic", [MARKETING, IMPROVEMENT])
    @pytest.mark.parametrize("word", ["denied", "withdrawn"])
    def test_a_refusal_is_named_as_it_was_made(self, topic, word):
        refused = preferences((topic, said(answer=word)))
        assert answer(refused, topic) == (False, word)
        assert decide(refused, catalogue(), topic, NOON).choice == said(answer=word)

    @pytest.mark.parametrize("word", ["denied", "withdrawn"])
    def test_a_withdraw_all_withdraws_what_was_never_mentioned(self, word):
        gone = preferences(("*", said(answer=word)))
        assert answer(gone, MARKETING) == (False, "withdrawn")
        assert answer(gone, IMPROVEMENT) == (False, "withdrawn")

    def test_a_later_grant_brings_back_only_the_topic_it_names(self):
        back = preferences(("*", said(1, "withdrawn")), (MARKETING, said(2, at=-60)))
        assert answer(back, MARKETING) == (True, "granted")
        assert answer(back, IMPROVEMENT) == (False, "withdrawn")

    def test_it_comes_before_signal_expiry_and_device(self):
        refused = preferences((ADS, said(2, "denied")), signals=(gpc(),))
        assert answer(refused, ADS) == (False, "denied")
        refused = preferences(("permission:camera", said(2, "withdrawn")), devices=reports("denied"))
        assert answer(refused, "permission:camera", device="pixel-8") == (False, "withdrawn")

    def test_a_refusal_never_expires_nor_goes_out_of_date(self):
        old = said(answer="denied", expires_at=NOON - DAY, notice_version=1)
        assert answer(preferences((MARKETING, old)), MARKETING) == (False, "denied")
        assert answer(preferences((IMPROVEMENT, old)), IMPROVEMENT) == (False, "denied")


class TestRule5Signals:
    @pytest.mark.parametrize("topic", [ADS, AUDIENCE])
    def test_gpc_covers_all_that_is_sold_or_shared(self, topic):
        decision = decide(preferences(signals=(gpc(),)), catalogue(), topic, NOON)
        assert (decision.allowed, decision.reason, decision.signal) == (False, "signal", "gpc")

    def test_it_leaves_the_rest_alone(self):
        signalled = preferences((MARKETING, said()), signals=(gpc(),))
        assert answer(signalled, MARKETING) == (True, "granted")
        assert answer(signalled, IMPROVEMENT) == (True, "default")

    def test_a_grant_that_does_not_name_it_does_not_lift_it(self):
        granted = preferences((ADS, said(2)), signals=(gpc(),))
        assert answer(granted, ADS) == (False, "signal")
        assert answer(preferences((ADS, said(2, overrides=("dnt",))), signals=(gpc(),)), ADS) == (
            False,
            "signal",
        )

    def test_a_later_grant_that_names_it_lifts_it(self):
        granted = preferences((ADS, said(2, overrides=("gpc",))), signals=(gpc(),))
        assert answer(granted, ADS) == (True, "granted")

    @pytest.mark.parametrize("first_sight", [gpc(3), gpc(1, at=-60 * SECOND)])
    def test_an_earlier_grant_that_names_it_does_not(self, first_sight):
        granted = preferences((ADS, said(2, overrides=("gpc",))), signals=(first_sight,))
        assert answer(granted, ADS) == (False, "signal")

    def test_the_first_sight_on_another_device_counts_anew(self):
        override = (ADS, said(2, overrides=("gpc",)))
        old_phone, new_phone = gpc(1, device="pixel-8"), gpc(3, at=-60 * SECOND, device="pixel-9")
        assert answer(preferences(override, signals=(old_phone,)), ADS) == (True, "granted")
        assert answer(preferences(override, signals=(old_phone, new_phone)), ADS) == (False, "signal")

    def test_a_brands_grant_never_lifts_it(self):
        imported = said(2, by=BY_BRAND, overrides=("gpc",))
        assert answer(preferences((ADS, imported), signals=(gpc(),)), ADS) == (False, "signal")

    def test_dnt_is_kept_and_honoured_only_where_the_catalogue_says_so(self):
        tracked = preferences((ADS, said(2)), signals=(gpc(name="dnt"),))
        assert answer(tracked, ADS) == (True, "granted")
        assert answer(tracked, ADS, dnt="record") == (True, "granted")
        assert answer(tracked, ADS, dnt="honour") == (False, "signal")

    def test_dnt_that_is_only_kept_does_not_hide_gpc(self):
        both = preferences((ADS, said(4)), signals=(gpc(1, name="dnt"), gpc(2)))
        assert decide(both, catalogue(), ADS, NOON).signal == "gpc"

    def test_it_comes_before_expiry_and_silence(self):
        signalled = preferences((ADS, said(2, expires_at=NOON - 1)), signals=(gpc(),))
        assert answer(signalled, ADS) == (False, "signal")
        assert answer(preferences(signals=(gpc(),)), ADS) == (False, "signal")

    def test_an_override_that_has_ended_no_longer_speaks_against_the_signal(self):
        ended = preferences((AUDIENCE, said(2, overrides=("gpc",), expires_at=NOON)), signals=(gpc(),))
        assert answer(ended, AUDIENCE, now=NOON - 1) == (True, "granted")
        assert answer(ended, AUDIENCE) == (False, "signal")


class TestRule6Lapsed:
    def test_a_grant_ends_at_its_very_instant(self):
        granted = preferences((MARKETING, said(expires_at=NOON)))
        assert answer(granted, MARKETING, now=NOON - 1) == (True, "granted")
        assert answer(granted, MARKETING, now=NOON) == (False, "expired")

    def test_a_grant_to_an_older_notice_asks_again(self):
        assert answer(preferences((MARKETING, said(notice_version=1))), MARKETING) == (False, "outdated")
        assert answer(preferences((MARKETING, said(notice_version=2))), MARKETING) == (True, "granted")
        assert answer(preferences((MARKETING, said(notice_version=3))), MARKETING) == (True, "granted")

    def test_on_legitimate_interest_it_is_as_if_nothing_was_said(self):
        ended = preferences((IMPROVEMENT, said(expires_at=NOON - 1)))
        assert answer(ended, IMPROVEMENT) == (True, "default")
        assert decide(ended, catalogue(), IMPROVEMENT, NOON).choice is None
        assert answer(preferences((IMPROVEMENT, said(notice_version=1))), IMPROVEMENT) == (True, "default")

    @pytest.mark.parametrize("ended", [{"expires_at": NOON}, {"notice_version": 1}])
    def test_on_legitimate_interest_an_earlier_refusal_holds_again(self, ended):
        refused, granted = said(1, "denied", at=-2 * HOUR), said(2, **ended)
        decision = decide(preferences((IMPROVEMENT, refused), (IMPROVEMENT, granted)), catalogue(), IMPROVEMENT, NOON)
        assert (decision.allowed, decision.reason, decision.choice) == (False, "denied", refused)
        assert decision.valid_until is None

    def test_of_several_refusals_the_latest_holds_again(self):
        choices = [said(1, "denied", at=-3 * HOUR), said(2, "withdrawn", at=-2 * HOUR), said(3, expires_at=NOON)]
        prefs = preferences(*((IMPROVEMENT, choice) for choice in choices))
        assert answer(prefs, IMPROVEMENT, now=NOON - 1) == (True, "granted")
        assert answer(prefs, IMPROVEMENT) == (False, "withdrawn")

    def test_a_withdraw_all_holds_again_too(self):
        prefs = preferences(("*", said(1, "denied", at=-2 * HOUR)), (IMPROVEMENT, said(2, expires_at=NOON)))
        assert answer(prefs, IMPROVEMENT, now=NOON - 1) == (True, "granted")
        assert answer(prefs, IMPROVEMENT) == (False, "withdrawn")

    def test_an_earlier_refusal_leaves_consent_expired(self):
        prefs = preferences((MARKETING, said(1, "denied", at=-2 * HOUR)), (MARKETING, said(2, expires_at=NOON)))
        assert answer(prefs, MARKETING) == (False, "expired")

    def test_expired_comes_before_outdated_and_both_before_the_device(self):
        both = preferences((MARKETING, said(expires_at=NOON, notice_version=1)))
        assert answer(both, MARKETING) == (False, "expired")
        ended = preferences(("permission:camera", said(expires_at=NOON)), devices=reports("denied"))
        assert answer(ended, "permission:camera", device="pixel-8") == (False, "expired")


class TestRule7Silence:
    def test_consent_is_asked_for_and_legitimate_interest_goes_on(self):
        assert answer(preferences(), MARKETING) == (False, "not_asked")
        assert answer(preferences(), IMPROVEMENT) == (True, "default")

    def test_it_comes_before_the_device(self):
        assert answer(preferences(devices=reports("denied")), "permission:camera", device="pixel-8") == (
            False,
            "not_asked",
        )

    def test_it_comes_before_what_the_topic_requires(self):
        assert answer(preferences(), "channel:sms") == (False, "not_asked")


CAMERA = ("permission:camera", said())


class TestRule8Device:
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("granted", (True, "granted")),
            ("limited", (True, "granted")),
            ("denied", (False, "device_denied")),
            ("unavailable", (False, "device_denied")),
            ("not_determined", (False, "device_not_asked")),
        ],
    )
    def test_the_device_narrows_what_the_consumer_allows(self, state, expected):
        camera = preferences(CAMERA, devices=reports(state))
        assert answer(camera, "permission:camera", device="pixel-8") == expected

    def test_every_state_is_judged(self):
        assert {state.value for state in PermissionState} == {
            "granted",
            "limited",
            "denied",
            "unavailable",
            "not_determined",
        }

    def test_without_a_report_a_device_or_the_capability_it_is_unknown(self):
        granted = preferences(CAMERA, devices=reports("granted"))
        assert answer(granted, "permission:camera") == (False, "device_unknown")
        assert answer(granted, "permission:camera", device="pixel-9") == (False, "device_unknown")
        other = preferences(CAMERA, devices=reports("granted", capability="location"))
        assert answer(other, "permission:camera", device="pixel-8") == (False, "device_unknown")

    @pytest.mark.parametrize(("duration", "fresh"), [("unknown", DAY), ("one_time", 60 * SECOND)])
    @pytest.mark.parametrize("state", ["granted", "denied"])
    def test_a_report_goes_stale(self, duration, fresh, state):
        camera = preferences(CAMERA, devices=reports(state, at=0, duration=duration))
        before = answer(camera, "permission:camera", device="pixel-8", now=NOON + fresh - 1)
        assert before == ((True, "granted") if state == "granted" else (False, "device_denied"))
        assert answer(camera, "permission:camera", device="pixel-8", now=NOON + fresh) == (
            False,
            "device_unknown",
        )

    def test_the_catalogue_says_how_long_a_report_counts(self):
        topics = {"permission:camera": {"basis": "consent", "fresh_for": "10s", "fresh_for_one_time": "2s"}}
        for duration, fresh in (("persistent", 10 * SECOND), ("one_time", 2 * SECOND)):
            camera = preferences(("permission:camera", said()), devices=reports("granted", at=0, duration=duration))
            decision = decide(camera, catalogue(topics), "permission:camera", NOON, "pixel-8")
            assert (decision.allowed, decision.valid_until) == (True, NOON + fresh)

    def test_a_device_grant_is_never_a_consent(self):
        assert answer(preferences(devices=reports("granted")), "permission:camera", device="pixel-8") == (
            False,
            "not_asked",
        )

    def test_a_permission_on_legitimate_interest_needs_the_device_too(self):
        topic = "permission:notifications"
        assert answer(preferences(), topic) == (False, "device_unknown")
        on = preferences(devices=reports("granted", capability="notifications"))
        assert answer(on, topic, device="pixel-8") == (True, "default")

    def test_other_topics_do_not_care_about_devices(self):
        assert answer(preferences((MARKETING, said()), devices=reports("denied")), MARKETING, device="pixel-8") == (
            True,
            "granted",
        )

    def test_it_comes_before_what_the_topic_requires(self):
        place = preferences(("permission:location", said()), devices=reports("denied", capability="location"))
        assert answer(place, "permission:location", device="pixel-8") == (False, "device_denied")
        fine = preferences(("permission:location", said()), devices=reports("granted", capability="location"))
        assert answer(fine, "permission:location", device="pixel-8") == (False, "requires:purpose:marketing")


class TestRule9Requires:
    def test_everything_required_must_be_allowed_and_the_first_that_is_not_is_named(self):
        sms = ("channel:sms", said())
        assert answer(preferences(sms), "channel:sms") == (False, "requires:purpose:marketing")
        both_refused = preferences(sms, (IMPROVEMENT, said(3, "denied")))
        assert answer(both_refused, "channel:sms") == (False, "requires:purpose:marketing")
        one_refused = preferences(sms, (MARKETING, said(2)), (IMPROVEMENT, said(3, "denied")))
        assert answer(one_refused, "channel:sms") == (False, "requires:purpose:improvement")
        assert answer(preferences(sms, (MARKETING, said(2))), "channel:sms") == (True, "granted")

    def test_it_reaches_through_what_the_required_topics_require(self):
        assert answer(preferences(("channel:sms", said())), "channel:email") == (
            False,
            "requires:channel:sms",
        )
        fine = preferences(("channel:sms", said()), (MARKETING, said(2)))
        assert answer(fine, "channel:email") == (True, "default")

    def test_a_required_topic_that_does_not_exist_is_not_allowed(self):
        assert answer(preferences(("cookie:performance", said())), "cookie:performance") == (
            False,
            "requires:cookie:unheard-of",
        )

    def test_topics_that_require_each_other_are_not_allowed_rather_than_an_error(self):
        topics = {
            "purpose:a": {"basis": "legitimate_interest", "requires": ["purpose:b"]},
            "purpose:b": {"basis": "legitimate_interest", "requires": ["purpose:a"]},
            "purpose:self": {"basis": "legitimate_interest", "requires": ["purpose:self"]},
            "purpose:c": {"basis": "legitimate_interest", "requires": ["purpose:a"]},
        }
        circle = catalogue(topics)
        reasons = {
            key: (decide(preferences(), circle, key, NOON).allowed, decide(preferences(), circle, key, 0).reason)
            for key in topics
        }
        assert reasons == {
            "purpose:a": (False, "requires:purpose:b"),
            "purpose:b": (False, "requires:purpose:a"),
            "purpose:self": (False, "requires:purpose:self"),
            "purpose:c": (False, "requires:purpose:a"),
        }

    def test_a_required_permission_is_asked_on_the_device_at_hand(self):
        topics = {
            "permission:camera": {"basis": "consent"},
            "purpose:selfie": {"basis": "consent", "requires": ["permission:camera"]},
        }
        camera = preferences(CAMERA, ("purpose:selfie", said(2)), devices=reports("granted"))
        decided = decide(camera, catalogue(topics), "purpose:selfie", NOON, "pixel-8")
        assert (decided.allowed, decided.valid_until) == (True, NOON - 60 * SECOND + DAY)
        assert decide(camera, catalogue(topics), "purpose:selfie", NOON).reason == "requires:permission:camera"

    def test_a_ladder_of_pairs_is_climbed_once(self):
        rungs = 60
        topics = {
            f"purpose:{side}{rung}": {
                "basis": "legitimate_interest",
                "requires": [f"purpose:left{rung + 1}", f"purpose:right{rung + 1}"] if rung < rungs else [],
            }
            for rung in range(rungs + 1)
            for side in ("left", "right")
        }
        looked_up = CountingFolds()
        climbed = Preferences("cust-42", version=1, topics=looked_up)
        assert decide(climbed, catalogue(topics), "purpose:left0", NOON).reason == "default"
        # 2^60 paths, 121 topics: the one asked about and two on each rung below it.
        asked = {topic: times for topic, times in looked_up.times.items() if topic != "*"}
        assert len(asked) == 121
        assert set(asked.values()) == {1}


class CountingFolds(Mapping):
    """Folds of somebody who has said nothing, that know how often each topic was looked up."""

    def __init__(self):
        self.times = Counter()

    def __getitem__(self, topic):
        self.times[topic] += 1
        raise KeyError(topic)

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0


class TestValidUntil:
    def test_a_decision_that_time_alone_never_changes_has_none(self):
        for topic, prefs in (
            (MARKETING, preferences()),
            (MARKETING, preferences((MARKETING, said()))),
            (MARKETING, preferences((MARKETING, said(answer="denied", expires_at=NOON + 5)))),
            (MARKETING, preferences((MARKETING, said(expires_at=NOON)))),
            (IMPROVEMENT, preferences((IMPROVEMENT, said(expires_at=NOON)))),
            ("purpose:tax", preferences()),
        ):
            assert decide(prefs, catalogue(), topic, NOON).valid_until is None

    def test_a_grant_holds_until_it_ends(self):
        for topic in (MARKETING, IMPROVEMENT):
            granted = preferences((topic, said(expires_at=NOON + 5)))
            assert decide(granted, catalogue(), topic, NOON).valid_until == NOON + 5

    def test_the_earlier_of_grant_and_device_report_counts(self):
        for ends, until in ((NOON + 5, NOON + 5), (NOON + 9 * DAY, NOON + DAY - 60 * SECOND)):
            for state in ("granted", "denied", "not_determined"):
                camera = preferences(("permission:camera", said(expires_at=ends)), devices=reports(state))
                decision = decide(camera, catalogue(), "permission:camera", NOON, "pixel-8")
                assert decision.valid_until == until

    def test_an_outdated_grant_is_outdated_until_it_has_ended(self):
        old = preferences((MARKETING, said(notice_version=1, expires_at=NOON + 5)))
        decision = decide(old, catalogue(), MARKETING, NOON)
        assert (decision.reason, decision.valid_until) == ("outdated", NOON + 5)
        ended = decide(old, catalogue(), MARKETING, NOON + 5)
        assert (ended.reason, ended.valid_until) == ("expired", None)

    def test_a_signal_or_age_answers_for_a_grant_on_legitimate_interest_until_it_has_ended(self):
        def at(now, *, age, by):
            granted = preferences((AUDIENCE, said(by=by, expires_at=NOON + 5)), signals=(gpc(),), age=age)
            decision = decide(granted, catalogue(), AUDIENCE, now)
            return decision.reason, decision.choice is not None, decision.valid_until

        assert at(NOON, age=(), by=BY_PERSON) == ("signal", True, NOON + 5)
        assert at(NOON + 5, age=(), by=BY_PERSON) == ("signal", False, None)
        assert at(NOON, age=MINOR, by=BY_GUARDIAN) == ("signal", True, NOON + 5)
        assert at(NOON + 5, age=MINOR, by=BY_GUARDIAN) == ("minor", False, None)
        assert at(NOON, age=MINOR, by=BY_PERSON) == ("minor", True, NOON + 5)

    def test_what_the_topic_requires_counts_too(self):
        both = preferences(("channel:sms", said(1, expires_at=NOON + 9)), (MARKETING, said(2, expires_at=NOON + 7)))
        decision = decide(both, catalogue(), "channel:sms", NOON)
        assert (decision.allowed, decision.valid_until) == (True, NOON + 7)
        assert answer(both, "channel:sms", now=NOON + 7) == (False, "requires:purpose:marketing")

    def test_a_minor_that_a_required_topic_waits_for(self):
        topics = {
            "purpose:base": {"basis": "legitimate_interest"},
            "purpose:more": {"basis": "consent", "requires": ["purpose:base"]},
        }
        seen = NOON - 100 * DAY
        child = preferences(("purpose:more", said(by=BY_GUARDIAN)), age=(AgeEvidence("verified", 17, 17, seen),))
        decision = decide(child, catalogue(topics), "purpose:more", NOON)
        birthday = to_micros(datetime(2027, 8, 15, 12, tzinfo=UTC))
        assert (decision.reason, decision.valid_until) == ("requires:purpose:base", birthday)
        assert decide(child, catalogue(topics), "purpose:more", birthday).reason == "expired"


def test_a_decision_names_the_choice_and_the_device_that_decided():
    camera = preferences(CAMERA, devices=reports("denied"))
    decision = decide(camera, catalogue(), "permission:camera", NOON, "pixel-8")
    assert (decision.choice, decision.device_id, decision.signal) == (CAMERA[1], "pixel-8", None)
