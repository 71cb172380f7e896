"""GET /v1/consumers/{id}/preferences: the snapshot and when it changes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sayso.model.ids import new_anonymous_id
from sayso.wire import Role, TokenClass
from sayso_server.app import SERVICES
from sayso_server.clock import SystemClock
from sayso_server.services import make_services
from sayso_server.services.caller import Caller
from sayso_server.services.snapshot import Snapshot
from sayso_server.services.snapshot_cache import SnapshotCache
from sayso_server.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from tests.server.conftest import Brand, World

    from sayso_server.storage.base import StoredChange

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
ONE = "/v1/consumers/cust-42/preferences"


@BOTH
async def test_a_consumer_never_seen_reads_as_version_0_with_nothing_said(dealer: Brand) -> None:
    snapshot = await dealer.preferences("never-seen")

    assert snapshot["consumer_id"] == "never-seen"
    assert (snapshot["version"], snapshot["catalogue_revision"], snapshot["valid_until"]) == (0, 1, None)
    assert (snapshot["devices"], snapshot["signals"], snapshot["age"]) == ({}, {}, {})
    assert {topic: (entry["allowed"], entry["reason"]) for topic, entry in snapshot["topics"].items()} == {
        "purpose:marketing": (False, "not_asked"),
        "purpose:training": (False, "not_asked"),
        "purpose:analytics": (True, "default"),
        "purpose:ads": (True, "default"),
        "purpose:service": (True, "required"),
        "purpose:recall": (True, "required"),
        "channel:sms": (False, "not_asked"),
        "permission:location": (False, "not_asked"),
        "purpose:nearby": (False, "requires:permission:location"),
        "partner:vinsolutions:share": (False, "not_asked"),
        "partner:vinsolutions:combine": (True, "default"),
    }


async def test_asking_about_a_consumer_never_seen_leaves_no_trace(dealer: Brand) -> None:
    async with dealer.world.nothing_stored():
        await dealer.preferences("never-seen")


@BOTH
async def test_a_grant_shows_with_its_choice_and_times(dealer: Brand, make_choice: Any) -> None:
    granted = make_choice("purpose:training", "granted", made_at="2026-11-23T18:00:00Z")
    await dealer.recorded(granted, sent_at="2026-11-23T19:00:00Z")

    snapshot = await dealer.preferences()

    assert snapshot["version"] == 1
    assert snapshot["topics"]["purpose:training"] == {
        "allowed": True,
        "reason": "granted",
        "answer": "granted",
        "choice_id": granted["id"],
        "made_at": "2026-11-23T18:00:00.000000Z",
        "expires_at": "2027-11-23T18:00:00.000000Z",
        "notice_version": 2,
        "valid_until": "2027-11-23T18:00:00.000000Z",
    }
    assert snapshot["valid_until"] == "2027-11-23T18:00:00.000000Z"


async def test_a_grant_ends_when_its_time_is_over(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted", expires_at="2026-11-23T20:00:00Z")

    dealer.world.clock.forward(timedelta(minutes=59, seconds=59))
    assert await dealer.reason("channel:sms") == "granted"

    dealer.world.clock.forward(timedelta(seconds=1))
    assert await dealer.reason("channel:sms") == "expired"


# --- entity tags --------------------------------------------------------------------------------------------


async def tag(dealer: Brand, consumer: str = "cust-42") -> str:
    answer = await dealer.call("GET", f"/v1/consumers/{consumer}/preferences")
    assert answer.status == 200
    return str(answer.headers["ETag"])


@BOTH
async def test_what_has_not_changed_is_answered_with_304_and_no_body(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")
    known = await tag(dealer)

    answer = await dealer.call("GET", ONE, headers={"If-None-Match": known})

    assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", known)
    assert answer.headers["Cache-Control"] == "no-store"
    assert not known.startswith("W/")


@pytest.mark.parametrize("sent", ['"other", {}', "W/{}", "*"])
async def test_if_none_match_is_read_as_rfc_9110_says(dealer: Brand, sent: str) -> None:
    known = await tag(dealer)

    assert (await dealer.call("GET", ONE, headers={"If-None-Match": sent.format(known)})).status == 304


async def test_another_tag_gets_the_whole_answer(dealer: Brand) -> None:
    answer = await dealer.call("GET", ONE, headers={"If-None-Match": '"made-up"'})

    assert (answer.status, answer.json["version"]) == (200, 0)


async def test_a_change_changes_the_tag(dealer: Brand) -> None:
    before = await tag(dealer)
    await dealer.say("channel:sms", "denied")

    answer = await dealer.call("GET", ONE, headers={"If-None-Match": before})

    assert (answer.status, answer.json["topics"]["channel:sms"]["reason"]) == (200, "denied")
    assert answer.headers["ETag"] != before


async def test_time_alone_changes_the_tag_and_only_when_it_changes_an_answer(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted", expires_at="2026-11-23T20:00:00Z")
    before = await tag(dealer)

    dealer.world.clock.forward(timedelta(minutes=30))
    assert await tag(dealer) == before

    dealer.world.clock.forward(timedelta(minutes=30))
    answer = await dealer.call("GET", ONE, headers={"If-None-Match": before})
    assert (answer.status, answer.json["version"]) == (200, 1)
    assert answer.json["topics"]["channel:sms"]["reason"] == "expired"


async def test_a_published_catalogue_changes_the_tag(dealer: Brand, catalogue: dict[str, Any]) -> None:
    before = await tag(dealer)
    catalogue["topics"]["channel:sms"]["version"] = 2
    await dealer.publish(catalogue)

    assert await tag(dealer) != before


async def test_consumers_and_brands_never_share_a_tag(dealer: Brand, shop: Brand) -> None:
    assert len({await tag(dealer, "cust-1"), await tag(dealer, "cust-2"), await tag(shop, "cust-1")}) == 3


# --- at_least -----------------------------------------------------------------------------------------------


async def test_at_least_a_version_that_is_there_answers_at_once(dealer: Brand) -> None:
    await dealer.say("channel:sms", "denied")

    assert (await dealer.preferences(query="?at_least=1"))["version"] == 1
    assert (await dealer.preferences(query="?at_least=0"))["version"] == 1


@BOTH
async def test_at_least_waits_for_a_version_on_its_way(dealer: Brand) -> None:
    reading = asyncio.create_task(dealer.preferences(query="?at_least=1"))
    await asyncio.sleep(0.1)
    assert not reading.done()

    await dealer.say("channel:sms", "denied")

    async with asyncio.timeout(1.5):
        assert (await reading)["version"] == 1


async def test_at_least_gives_up_with_409_and_the_current_version(
    dealer: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso_server.services.reading.AT_LEAST_WAIT", timedelta(milliseconds=60))
    await dealer.say("channel:sms", "denied")

    answer = await dealer.call("GET", ONE + "?at_least=2")

    assert (answer.status, answer.code, answer.json["current_version"]) == (409, "version_not_reached", 1)


async def test_at_least_waits_two_seconds_and_no_more() -> None:
    from sayso_server.services.reading import AT_LEAST_WAIT

    assert timedelta(seconds=2) == AT_LEAST_WAIT


async def test_a_version_hopelessly_ahead_is_refused_at_once(dealer: Brand) -> None:
    async with asyncio.timeout(1):
        answer = await dealer.call("GET", ONE + "?at_least=1001")

    assert (answer.status, answer.code) == (409, "version_not_reached")


@pytest.mark.parametrize("value", ["-1", "1.0", "one", "", "%D9%A1", "9" * 16, "+1", "0x1"])
async def test_a_version_that_is_no_whole_number_is_refused(dealer: Brand, value: str) -> None:
    answer = await dealer.call("GET", f"{ONE}?at_least={value}")

    assert (answer.status, answer.problems) == (422, [("", "invalid_value")])
    assert "at_least" in answer.json["detail"]


# --- as_of --------------------------------------------------------------------------------------------------


@BOTH
async def test_as_of_answers_from_what_had_been_recorded_by_then(dealer: Brand) -> None:
    clock = dealer.world.clock
    clock.forward(timedelta(hours=1))
    await dealer.say("channel:sms", "granted")
    clock.forward(timedelta(hours=1))
    await dealer.say("channel:sms", "withdrawn", based_on=1)
    clock.forward(timedelta(hours=1))
    await dealer.say("purpose:marketing", "denied", made_at=clock.text(timedelta(days=2)))

    before = await dealer.preferences(query="?as_of=2026-11-23T19:59:59Z")
    between = await dealer.preferences(query="?as_of=2026-11-23T20:30:00Z")
    after = await dealer.preferences(query="?as_of=2026-11-23T21:00:00Z")

    assert (before["version"], before["topics"]["channel:sms"]["reason"]) == (0, "not_asked")
    assert (between["version"], between["topics"]["channel:sms"]["reason"]) == (1, "granted")
    assert (after["version"], after["topics"]["channel:sms"]["reason"]) == (2, "withdrawn")
    assert between["topics"]["purpose:marketing"]["reason"] == "not_asked"


@BOTH
async def test_as_of_uses_the_catalogue_of_that_moment(dealer: Brand, catalogue: dict[str, Any]) -> None:
    await dealer.say("channel:sms", "granted")
    dealer.world.clock.forward(timedelta(hours=1))
    catalogue["topics"]["channel:sms"]["version"] = 2
    await dealer.publish(catalogue)

    then = await dealer.preferences(query="?as_of=2026-11-23T19:30:00Z")

    assert (then["catalogue_revision"], then["topics"]["channel:sms"]["reason"]) == (1, "granted")
    assert await dealer.reason("channel:sms") == "outdated"


async def test_as_of_before_anything_was_published_knows_no_topic(dealer: Brand) -> None:
    then = await dealer.preferences(query="?as_of=2020-01-01T00:00:00Z")

    assert (then["catalogue_revision"], then["topics"]) == (0, {})


async def test_as_of_sees_the_devices_signals_and_age_of_that_moment(dealer: Brand) -> None:
    await dealer.report({"android.permission.CAMERA": "granted"})
    dealer.world.clock.forward(timedelta(hours=1))
    await dealer.call("POST", "/v1/consumers/cust-42/signals", json={"name": "gpc"})
    await dealer.call("PUT", "/v1/consumers/cust-42/age", json={"source": "brand", "upper": 15})

    then = await dealer.preferences(query="?as_of=2026-11-23T19:30:00Z")

    assert (list(then["devices"]), then["signals"], then["age"]) == (["pixel-8"], {}, {})


async def test_an_offset_in_the_query_may_come_unescaped(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")

    escaped = await dealer.preferences(query="?as_of=2026-11-23T21:00:00%2B02:00")

    assert escaped["version"] == 1
    assert await dealer.preferences(query="?as_of=2026-11-23T21:00:00+02:00") == escaped
    assert (await dealer.preferences(query="?as_of=2026-11-23T20:59:59+02:00"))["version"] == 0


@pytest.mark.parametrize(
    "value", ["2026-11-23T19:00:00", "2026-11-23", "1795460400", "soon", "2026-13-01T00:00:00Z", ""]
)
async def test_a_moment_without_an_offset_is_refused(dealer: Brand, value: str) -> None:
    answer = await dealer.call("GET", f"{ONE}?as_of={value}")

    assert (answer.status, answer.problems) == (422, [("", "invalid_value")])
    assert "as_of" in answer.json["detail"]


async def test_a_moment_that_has_not_come_is_refused(dealer: Brand) -> None:
    answer = await dealer.call("GET", f"{ONE}?as_of=2026-11-23T19:00:00.000001Z")

    assert (answer.status, answer.problems) == (422, [("", "from_the_future")])
    assert "as_of" in answer.json["detail"]


@BOTH
async def test_before_a_visitor_was_linked_as_of_answers_about_the_visitor(dealer: Brand) -> None:
    visitor = new_anonymous_id()
    await dealer.say("channel:sms", "granted")
    await dealer.say("purpose:marketing", "denied", consumer=visitor)
    dealer.world.clock.forward(timedelta(hours=1))
    linked = await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})
    assert linked.status == 201

    before = await dealer.preferences(visitor, "?as_of=2026-11-23T19:30:00Z")
    after = await dealer.preferences(visitor, "?as_of=2026-11-23T20:00:00Z")
    check = await dealer.decide("channel:sms", visitor, as_of="2026-11-23T19:30:00Z")

    assert (before["consumer_id"], before["version"]) == (visitor, 1)
    assert before["topics"]["channel:sms"]["reason"] == "not_asked"
    assert before["topics"]["purpose:marketing"]["reason"] == "denied"
    assert (after["consumer_id"], after["topics"]["channel:sms"]["reason"]) == ("cust-42", "granted")
    assert (check["reason"], check["version"]) == ("not_asked", 1)


async def test_a_refusal_holds_again_once_the_grant_that_lifted_it_has_ended(dealer: Brand) -> None:
    await dealer.say("purpose:analytics", "denied")
    await dealer.say("purpose:analytics", "granted", based_on=1, expires_at="2026-11-23T20:00:00Z")
    assert await dealer.reason("purpose:analytics") == "granted"

    dealer.world.clock.forward(timedelta(hours=1))

    assert await dealer.reason("purpose:analytics") == "denied"


# --- waiting is bounded -------------------------------------------------------------------------------------


async def until_waiting(brand: Brand, count: int) -> None:
    """Return once so many requests wait for a version."""
    reading = brand.world.app[SERVICES].reading
    async with asyncio.timeout(20):
        while sum(reading._waiting.values()) < count:  # noqa: ASYNC110 - nothing rings when a request begins to wait
            await asyncio.sleep(0.01)


async def test_64_wait_under_one_key_and_the_next_is_told_to_come_again(
    dealer: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso_server.services.reading.AT_LEAST_WAIT", timedelta(seconds=30))
    await dealer.add_key("other", list(TokenClass), list(Role))
    waiting = [asyncio.create_task(dealer.preferences(query="?at_least=1")) for _ in range(64)]
    await until_waiting(dealer, 64)

    refused = await dealer.call("GET", ONE + "?at_least=1")
    at_once = await dealer.call("GET", ONE + "?at_least=0")
    other = asyncio.create_task(dealer.call("GET", ONE + "?at_least=1", token=dealer.backend(key="other")))
    await until_waiting(dealer, 65)
    await dealer.say("channel:sms", "denied")

    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "rate_limited", "1")
    assert at_once.status == 200
    assert {each["version"] for each in await asyncio.gather(*waiting)} == {1}
    assert (await other).status == 200
    assert (await dealer.call("GET", ONE + "?at_least=1")).status == 200


async def test_a_consumer_who_waits_as_often_as_they_may_keeps_neither_brand_nor_others_waiting(
    dealer: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso_server.services.reading.AT_LEAST_WAIT", timedelta(seconds=30))
    path = "/v1/me/preferences?at_least=1"
    waiting = [asyncio.create_task(dealer.page("GET", path)) for _ in range(4)]
    await until_waiting(dealer, 4)

    fifth = await dealer.page("GET", path)
    others = [asyncio.create_task(dealer.page("GET", path, sub="cust-43"))]
    others += [asyncio.create_task(dealer.call("GET", ONE + "?at_least=1")) for _ in range(64)]
    await until_waiting(dealer, 69)
    await dealer.say("channel:sms", "denied", consumer="cust-43")
    await dealer.say("channel:sms", "denied")

    assert (fifth.status, fifth.code, fifth.headers["Retry-After"]) == (429, "rate_limited", "1")
    assert {answer.status for answer in await asyncio.gather(*waiting, *others)} == {200}


# --- one past after another ---------------------------------------------------------------------------------


class SlowPast(MemoryStorage):
    """Holds back the past of one brand until it is let go, and counts who asks for it at once."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock=clock)
        self.go_on = asyncio.Event()
        self.asking = 0
        self.most = 0

    async def changes_until(self, brand_id: str, consumer_id: str, moment: int) -> list[StoredChange]:
        if brand_id == "dealer":
            self.asking += 1
            self.most = max(self.most, self.asking)
            await self.go_on.wait()
            self.asking -= 1
        return await super().changes_until(brand_id, consumer_id, moment)


async def test_one_brands_past_never_makes_another_wait_and_is_read_once_at_a_time() -> None:
    clock = SystemClock()
    storage = SlowPast(clock)
    await storage.start()
    reading = make_services(storage, clock).reading
    dealer = [Caller("dealer", "dealer.1", TokenClass.CONSUMER, f"cust-{place % 3}") for place in range(9)]
    asking = [asyncio.create_task(reading.snapshot_at(who, str(who.subject), clock.now())) for who in dealer]
    await asyncio.sleep(0.01)

    other = await asyncio.wait_for(
        reading.snapshot_at(Caller("shop", "shop.1", TokenClass.BACKEND), "cust-42", clock.now()), 1
    )
    storage.go_on.set()

    assert other.version == 0
    assert {snapshot.version for snapshot in await asyncio.gather(*asking)} == {0}
    assert (storage.most, storage.asking) == (1, 0)


async def test_a_consumer_who_asks_for_the_past_again_and_again_waits_behind_the_brand() -> None:
    clock = SystemClock()
    storage = SlowPast(clock)
    await storage.start()
    reading = make_services(storage, clock).reading
    consumer = Caller("dealer", "dealer.1", TokenClass.CONSUMER, "cust-42")
    backend = Caller("dealer", "dealer.1", TokenClass.BACKEND)
    answered: list[str] = []

    async def ask(caller: Caller) -> None:
        await reading.snapshot_at(caller, "cust-42", clock.now())
        answered.append(caller.token_class.value)

    asking = [asyncio.create_task(ask(consumer)) for _ in range(20)]
    await asyncio.sleep(0.01)
    asking.append(asyncio.create_task(ask(backend)))
    await asyncio.sleep(0.01)
    storage.go_on.set()
    await asyncio.gather(*asking)

    assert answered.index("backend") <= 1


# --- the cache never answers from the past ------------------------------------------------------------------


@BOTH
async def test_a_snapshot_read_twice_never_misses_what_was_acknowledged_between(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted")
    assert await dealer.reason("channel:sms") == "granted"

    await dealer.say("channel:sms", "withdrawn", based_on=1)

    assert await dealer.reason("channel:sms") == "withdrawn"


async def test_a_clock_set_back_never_brings_a_later_answer_forward(world: World, dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted", expires_at="2026-11-23T20:00:00Z")
    world.clock.forward(timedelta(hours=1))
    assert await dealer.reason("channel:sms") == "expired"

    world.clock.forward(timedelta(minutes=-1))

    assert await dealer.reason("channel:sms") == "granted"


# --- the cache is bounded -----------------------------------------------------------------------------------


def kept(body: bytes) -> Snapshot:
    return Snapshot(1, 1, 0, None, '"tag"', body)


def test_the_cache_forgets_the_oldest_beyond_its_number() -> None:
    cache = SnapshotCache(most=2, most_bytes=1_000)
    for consumer in ("ann", "ben", "cleo"):
        cache.put(("dealer", consumer), kept(consumer.encode()))

    assert [cache.get(("dealer", each)) is not None for each in ("ann", "ben", "cleo")] == [False, True, True]


def test_the_cache_forgets_the_oldest_beyond_its_bytes() -> None:
    cache = SnapshotCache(most=100, most_bytes=1_000)
    for consumer in ("ann", "ben", "cleo"):
        cache.put(("dealer", consumer), kept(b"." * 400))
    assert (cache.held, cache.get(("dealer", "ann"))) == (800, None)

    for size in (100, 600, 200):
        cache.put(("dealer", "cleo"), kept(b"." * size))
    assert cache.held == 600

    cache.put(("dealer", "dan"), kept(b"." * 1_001))
    assert (cache.held, cache.get(("dealer", "dan"))) == (0, None)
