import copy
import pickle
from datetime import UTC, datetime, timedelta

import pytest

import sayso

AFTER_2_S = "2026-11-23T19:00:02.000000Z"


def _topic(allowed: bool, reason: str, **more) -> dict:
    return {"allowed": allowed, "reason": reason, "answer": None, "title": {"en": "T"}, **more}


def _wire(topics: dict, **more) -> dict:
    return {
        "consumer_id": "cust-42",
        "version": 7,
        "store_id": "store-1",
        "catalogue_revision": 3,
        "valid_until": None,
        "topics": topics,
        **more,
    }


@pytest.fixture
def read(clock):
    def read(topics: dict, as_of=None, **more) -> sayso.Preferences:
        return sayso.Preferences.from_wire(
            _wire(topics, **more),
            asked_at=clock.up,
            max_staleness=timedelta(seconds=5),
            as_of=as_of,
            clock=clock,
        )

    return read


def test_it_allows_what_the_server_allowed(read) -> None:
    preferences = read(
        {
            "purpose:marketing": _topic(True, "granted", answer="granted"),
            "channel:sms": _topic(False, "withdrawn", answer="withdrawn"),
            "purpose:service": _topic(True, "required"),
            "purpose:security": _topic(True, "default"),
            "purpose:magic": _topic(True, "granted_by_moonlight"),
        }
    )

    assert [topic for topic in preferences.topics if preferences.allows(topic)] == [
        "purpose:marketing",
        "purpose:service",
        "purpose:security",
    ]
    assert preferences.allows("purpose:unheard_of") is False
    assert preferences.answers == {"purpose:marketing": "granted", "channel:sms": "withdrawn"}
    assert (preferences.version, preferences.store_id, preferences.catalogue_revision) == (7, "store-1", 3)


def test_after_max_staleness_it_allows_nothing(read, clock) -> None:
    preferences = read({"purpose:marketing": _topic(True, "granted")})
    clock.advance(4.999)
    assert (preferences.allows("purpose:marketing"), preferences.fresh) == (True, True)

    clock.advance(0.001)

    assert (preferences.allows("purpose:marketing"), preferences.fresh) == (False, False)
    assert preferences.decide("purpose:marketing").reason == "unavailable"


def test_its_age_counts_from_the_start_of_the_request(clock) -> None:
    preferences = sayso.Preferences.from_wire(
        _wire({"purpose:marketing": _topic(True, "granted")}),
        asked_at=clock.up - 3,
        max_staleness=timedelta(seconds=5),
        clock=clock,
    )
    clock.advance(1.9)
    assert preferences.allows("purpose:marketing")

    clock.advance(0.2)

    assert not preferences.allows("purpose:marketing")


def test_setting_the_wall_clock_back_does_not_keep_it_fresh(read, clock) -> None:
    preferences = read({"purpose:marketing": _topic(True, "granted")})
    clock.advance(6)

    clock.wall -= 3_600_000_000

    assert not preferences.allows("purpose:marketing")


def test_a_grant_that_ends_before_that_ends_then(read, clock) -> None:
    preferences = read(
        {
            "purpose:marketing": _topic(True, "granted", expires_at=AFTER_2_S, valid_until=AFTER_2_S),
            "channel:sms": _topic(True, "granted"),
        }
    )
    clock.advance(1.999)
    assert preferences.allows("purpose:marketing")

    clock.advance(0.001)

    assert not preferences.allows("purpose:marketing")
    assert preferences.decide("purpose:marketing").reason == "unavailable"
    assert preferences.allows("channel:sms")


def test_it_ends_as_a_whole_when_time_changes_anything_in_it(read, clock) -> None:
    preferences = read({"channel:sms": _topic(True, "granted")}, valid_until=AFTER_2_S)
    clock.advance(2)

    assert not preferences.allows("channel:sms")
    assert not preferences.fresh


def test_a_permission_is_told_by_device(read, clock) -> None:
    preferences = read(
        {
            "permission:location": _topic(
                False,
                "device_unknown",
                answer="granted",
                by_device={
                    "pixel-8": {"allowed": True, "reason": "granted", "valid_until": AFTER_2_S},
                    "ipad-2": {"allowed": False, "reason": "device_denied", "valid_until": None},
                },
            ),
            "channel:sms": _topic(True, "granted"),
        }
    )

    assert preferences.allows("permission:location", device="pixel-8")
    assert not preferences.allows("permission:location", device="ipad-2")
    assert not preferences.allows("permission:location", device="never-seen")
    assert not preferences.allows("permission:location")
    assert preferences.allows("channel:sms", device="never-seen")
    assert preferences.decide("permission:location", "pixel-8").reason == "granted"
    assert preferences.decide("permission:location", "ipad-2").reason == "device_denied"
    assert preferences.decide("permission:location", "never-seen").reason == "device_unknown"
    clock.advance(2)
    assert not preferences.allows("permission:location", device="pixel-8")


def test_a_decision_has_what_the_snapshot_knows(read) -> None:
    preferences = read(
        {
            "purpose:marketing": _topic(
                True,
                "granted",
                answer="granted",
                made_at="2026-11-20T08:00:00.000000Z",
                notice_version=2,
                choice_id="c-1",
            )
        }
    )

    decision = preferences.decide("purpose:marketing")

    assert (decision.consumer_id, decision.choice_id, decision.notice_version) == ("cust-42", "c-1", 2)
    assert decision.explain().startswith("“T” is allowed: granted on 2026-11-20 08:00 UTC")
    assert preferences.decide("purpose:nope").reason == "unknown_topic"


def test_a_snapshot_of_the_past_speaks_of_then_and_does_not_age(read, clock) -> None:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    preferences = read(
        {"purpose:marketing": _topic(True, "granted", valid_until="2026-02-01T00:00:00.000000Z")}, as_of=then
    )
    clock.advance(3600)

    assert preferences.allows("purpose:marketing")
    assert preferences.as_of == then


def test_by_the_machines_clock_it_answers_the_same(clock) -> None:
    from sayso.transport.clock import boot_time

    wire = _wire({"purpose:marketing": _topic(True, "granted"), "channel:sms": _topic(False, "denied")})
    fresh = sayso.Preferences.from_wire(wire, asked_at=boot_time(), max_staleness=timedelta(seconds=50))
    stale = sayso.Preferences.from_wire(wire, asked_at=boot_time() - 51, max_staleness=timedelta(seconds=50))

    answers = [
        (one.allows("purpose:marketing"), one.allows("channel:sms"), one.allows("nope"), one.allows("nope", "d"))
        for one in (fresh, stale)
    ]
    assert answers == [(True, False, False, False), (False, False, False, False)]


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_cannot_be_taken_elsewhere(read, take) -> None:
    with pytest.raises(TypeError, match="ask for a new one"):
        take(read({}))


@pytest.mark.parametrize(
    "broken",
    [
        {"topics": None},
        {"topics": {"channel:sms": {"allowed": True}}},
        {"topics": {"channel:sms": 7}},
        {"topics": {"channel:sms": {"allowed": True, "reason": "granted", "valid_until": "soon"}}},
        {"version": None},
        {"version": "x"},
        {"valid_until": "2026-11-23T19:00:00"},
    ],
)
def test_what_is_no_snapshot_is_an_outage(clock, broken: dict) -> None:
    with pytest.raises(sayso.UnavailableError, match="not a Sayso server"):
        sayso.Preferences.from_wire(
            {**_wire({}), **broken}, asked_at=clock.up, max_staleness=timedelta(seconds=5), clock=clock
        )


def test_members_of_a_later_release_are_ignored(read) -> None:
    preferences = read({"channel:sms": _topic(True, "granted", mood="good")}, weather={"x": 1})

    assert preferences.allows("channel:sms")


def test_its_repr_names_nobody(read) -> None:
    assert repr(read({})) == "<Preferences version 7, fresh>"
