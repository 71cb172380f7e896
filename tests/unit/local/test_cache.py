"""The cache: what it answers, and everything after which it must not answer any more."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.local.cache import Cache
from sayso.local.overlay import Overlay
from sayso.local.record import MOST, Record, pack, tag_of, unpack
from sayso.model.instant import MICROS_PER_SECOND, format_micros

from .conftest import TOPICS, etag_of, make_snapshot

SMS = "channel:sms"


def test_what_was_fetched_is_answered(cache, keep) -> None:
    assert cache.allows("cust-42", SMS) is None
    assert keep(granted=[SMS], version=3)

    assert [cache.allows("cust-42", topic) for topic in (*TOPICS, "purpose:nothing")] == [False, True, False, False]
    answers = cache.answers("cust-42")
    assert (answers.version, answers.revision, answers.reasons) == (
        3,
        7,
        {"purpose:marketing": "not_asked", SMS: "granted", "permission:camera": "not_asked"},
    )
    assert (answers.reason("purpose:nothing"), cache.floor("cust-42")) == ("unknown_topic", 3)


def test_each_device_has_its_own_answer_and_an_unknown_one_the_topic_s(cache, keep) -> None:
    keep(by_device={"pixel-8": "granted", "iphone-9": "device_denied"})

    devices = ("pixel-8", "iphone-9", "tablet-1", None)
    assert [cache.allows("cust-42", "permission:camera", device) for device in devices] == [True, False, False, False]
    assert [cache.answers("cust-42").reason("permission:camera", device) for device in devices] == [
        "granted",
        "device_denied",
        "not_asked",
        "not_asked",
    ]


@pytest.mark.parametrize(
    ("allowed", "reason", "expected"),
    [
        (True, "a later release's", "unavailable"),
        (False, "granted", "unavailable"),
        (False, "requires:x", "requires:x"),
    ],
)
def test_what_this_release_does_not_understand_refuses(cache, keep, allowed, reason, expected) -> None:
    data = make_snapshot()
    data["topics"][SMS] = {"allowed": allowed, "reason": reason}
    keep(data)

    assert (cache.allows("cust-42", SMS), cache.answers("cust-42").reason(SMS)) == (False, expected)


def test_hundreds_of_reasons_still_refuse(cache, keep) -> None:
    for number in range(300):
        data = make_snapshot(f"cust-{number}")
        data["topics"][SMS] = {"allowed": False, "reason": f"requires:purpose:p{number}"}
        keep(data)

    assert cache.answers("cust-299").reason(SMS) == "unavailable"
    assert cache.allows("cust-299", SMS) is False


def test_a_newer_version_drops_the_entry_and_leaves_its_version(cache, keep) -> None:
    keep(granted=[SMS], version=3, body=b"{}")
    assert cache.allows("cust-42", SMS) is True
    cache.changed("cust-42", 3)
    assert cache.allows("cust-42", SMS) is True
    cache.changed("cust-42", 5)

    assert (cache.allows("cust-42", SMS), cache.body("cust-42"), cache.floor("cust-42")) == (None, None, 5)
    assert not keep(granted=[SMS], version=4)
    assert keep(version=5)
    assert cache.allows("cust-42", SMS) is False


def test_an_answer_that_the_stream_overtook_is_not_kept(cache) -> None:
    flight = cache.begin("cust-42")
    cache.changed("cust-42", 2)
    old = make_snapshot(granted=[SMS], version=1)

    assert not cache.store(flight, old, etag_of(old))
    assert (cache.allows("cust-42", SMS), cache.floor("cust-42")) == (None, 2)
    cache.end(flight)
    assert cache.floor("cust-42") == 0  # of whom nothing is kept, nothing is remembered


def test_an_answer_asked_for_before_a_gap_is_not_kept(cache, keep) -> None:
    flight = cache.begin("cust-42")
    cache.new_epoch()
    data = make_snapshot(granted=[SMS])

    assert not cache.store(flight, data, etag_of(data))
    assert keep(granted=[SMS])
    assert cache.allows("cust-42", SMS) is True
    cache.new_epoch()
    assert (cache.allows("cust-42", SMS), cache.floor("cust-42")) == (None, 1)


def test_an_answer_about_somebody_not_asked_about_is_not_kept(cache) -> None:
    data = make_snapshot("cust-43")

    assert not cache.store(cache.begin("cust-42"), data, etag_of(data))


def test_an_entry_ends_with_the_proof_of_freshness(cache, keep, clock) -> None:
    keep(granted=[SMS])
    cache.verified_until = clock.boot() + 5
    assert cache.allows("cust-42", SMS) is True
    clock.advance(5)

    assert (cache.allows("cust-42", SMS), cache.answers("cust-42")) == (None, None)
    assert cache.answers("cust-42", proved_at=clock.boot() + 1).reason(SMS) == "granted"


@pytest.mark.parametrize(("until", "holds"), [("2026-11-23T19:00:05.000000Z", 5), (None, 3600)])
def test_an_entry_ends_when_time_alone_changes_it_and_after_an_hour(cache, keep, clock, until, holds) -> None:
    cache.verified_until = clock.boot() + 10_000
    keep(granted=[SMS], valid_until=until)
    clock.advance(holds - 0.001)
    assert cache.allows("cust-42", SMS) is True
    clock.advance(0.001)

    assert cache.allows("cust-42", SMS) is None
    assert cache.etag("cust-42", whole=False) is None  # its end is to be worked out anew


def test_a_wall_clock_that_is_set_moves_no_entry_s_end(cache, keep, clock) -> None:
    keep(granted=[SMS], valid_until="2026-11-23T19:00:05.000000Z")
    clock.wall -= 86_400_000_000
    clock.advance(5)

    assert cache.allows("cust-42", SMS) is None


def test_unchanged_carries_an_entry_over_a_gap(cache, keep) -> None:
    keep(granted=[SMS], version=3)
    tag = etag_of(make_snapshot(granted=[SMS], version=3))
    assert cache.etag("cust-42", whole=False) == tag
    cache.new_epoch()
    flight = cache.begin("cust-42")

    assert not cache.unchanged(flight, "cust-42", '"another"')
    assert cache.unchanged(flight, "cust-42", tag)
    assert cache.allows("cust-42", SMS) is True
    cache.changed("cust-42", 4)
    assert not cache.unchanged(flight, "cust-42", tag)


def test_unchanged_from_before_a_gap_carries_nothing(cache, keep) -> None:
    keep(granted=[SMS])
    flight = cache.begin("cust-42")
    cache.new_epoch()

    assert not cache.unchanged(flight, "cust-42", etag_of(make_snapshot(granted=[SMS])))


def test_a_newer_catalogue_drops_everything_decided_before(cache, keep) -> None:
    keep(granted=[SMS], version=3)
    keep(granted=[SMS], consumer_id="cust-43")
    cache.catalogue(7)
    assert cache.allows("cust-42", SMS) is True
    cache.catalogue(8)

    assert (cache.allows("cust-42", SMS), cache.etag("cust-42", whole=False), cache.floor("cust-42")) == (None, None, 3)
    assert not keep(granted=[SMS], version=3)  # decided by the older one
    assert keep(version=3, catalogue_revision=8)
    assert keep(granted=[SMS], consumer_id="cust-43", catalogue_revision=9)
    assert (cache.allows("cust-42", SMS), cache.allows("cust-43", SMS)) == (None, True)


def test_one_request_about_many_is_kept_whole_though_it_brings_a_newer_catalogue(cache) -> None:
    flight = cache.begin("ann", "ben")
    for consumer in ("ann", "ben"):
        data = make_snapshot(consumer, granted=[SMS], catalogue_revision=8)
        assert cache.store(flight, data, etag_of(data))

    assert (cache.allows("ann", SMS), cache.allows("ben", SMS)) == (True, True)


def test_another_database_s_versions_are_forgotten(cache, keep) -> None:
    keep(granted=[SMS], version=9)
    cache.clear()

    assert (cache.allows("cust-42", SMS), cache.floor("cust-42"), len(cache)) == (None, 0, 0)
    assert keep(granted=[SMS], version=1, catalogue_revision=1)


def test_whole_snapshots_are_kept_beside(cache, keep) -> None:
    keep(granted=[SMS], body=b'{"consumer_id":"cust-42"}')
    assert cache.body("cust-42") == b'{"consumer_id":"cust-42"}'
    cache.new_epoch()

    assert (cache.body("cust-42"), cache.body("cust-42", fresh=False)) == (None, b'{"consumer_id":"cust-42"}')
    assert cache.etag("cust-42", whole=True) is not None
    keep(consumer_id="cust-43")
    assert (cache.etag("cust-43", whole=True), cache.etag("cust-43", whole=False) is not None) == (None, True)


def test_who_was_not_used_for_longest_goes_first(clock) -> None:
    cache = Cache(clock, Overlay(), consumers=3, max_bytes=1_000_000)
    cache.verified_until = clock.boot() + 1000
    for consumer in ("ann", "ben", "cleo", "dan"):
        data = make_snapshot(consumer)
        flight = cache.begin(consumer)
        cache.store(flight, data, etag_of(data))
        cache.end(flight)
        if consumer == "cleo":
            cache.allows("ann", SMS)

    assert len(cache) == 3
    assert [cache.allows(consumer, SMS) for consumer in ("ann", "ben", "cleo", "dan")] == [False, None, False, False]


def test_bytes_are_bounded_also_where_no_row_is_like_another(clock) -> None:
    cache = Cache(clock, Overlay(), consumers=100_000, max_bytes=100_000)
    topics = [f"purpose:t{place}" for place in range(24)]
    for number in range(2000):
        data = make_snapshot(
            f"cust-{number}", topics=topics, granted=[t for i, t in enumerate(topics) if number >> i & 1]
        )
        flight = cache.begin(f"cust-{number}")
        cache.store(flight, data, etag_of(data), b"x" * 1000)
        cache.end(flight)

    assert 200 < len(cache) < 400
    assert len(cache._entries.rows.table) < 500


@given(
    st.builds(
        Record,
        st.floats(0, 1e12),
        *[st.integers(0, MOST) for _ in range(4)],
        st.binary(min_size=18, max_size=18),
        st.lists(st.tuples(st.text("abc-", min_size=1, max_size=128), st.integers(0, MOST)), max_size=5).map(tuple),
    )
)
def test_a_record_reads_as_it_was_written(record) -> None:
    assert unpack(pack(record)) == record


@pytest.mark.parametrize(
    "tag", [None, "", '"short"', 'W/"AAAAAAAAAAAAAAAAAAAAAAAA"', '"ünicode"', '"' + "A" * 25 + '"']
)
def test_a_tag_of_another_form_is_not_asked_with(tag) -> None:
    assert tag_of(tag) == bytes(18)


def test_a_child_starts_empty_and_is_not_locked_out(cache, keep) -> None:
    keep(granted=[SMS])
    cache.before_fork()
    cache.after_fork_in_child()

    assert (cache.allows("cust-42", SMS), len(cache)) == (None, 0)
    done = threading.Thread(target=cache.changed, args=("cust-42", 2))
    done.start()
    done.join(5)
    assert not done.is_alive()


def test_what_another_thread_records_is_taken_out_of_what_was_vouched_for(cache, keep) -> None:
    keep(granted=[SMS], by_device={"pixel-8": "granted"})
    cache.allows("cust-42", SMS)
    cache.allows("cust-42", SMS, "pixel-8")
    assert set(cache.vouched.answers) == {"cust-42", ("cust-42", "pixel-8")}
    recording = threading.Thread(target=cache.saw, args=("cust-42", 2))
    recording.start()
    recording.join()

    assert cache.vouched.answers == {}


def test_unchanged_answers_end_when_the_wall_clock_says_by_now(cache, keep, clock) -> None:
    data = make_snapshot(granted=[SMS], valid_until=format_micros(clock.now() + 60 * MICROS_PER_SECOND))
    keep(data)
    clock.wall += 50 * MICROS_PER_SECOND  # somebody set it right

    assert cache.unchanged(cache.begin("cust-42"), "cust-42", etag_of(data))
    clock.advance(9)
    assert cache.allows("cust-42", SMS) is True
    clock.advance(2)
    assert cache.allows("cust-42", SMS) is None
