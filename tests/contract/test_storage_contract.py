"""What every storage keeps to. The fixtures say which ones there are."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import pytest

from sayso.model.instant import Micros
from sayso_server.storage.base import (
    CatalogueChangedError,
    FeedEntry,
    FeedPage,
    Found,
    Plan,
    Storage,
    StorageUnavailableError,
    StoredBrand,
    StoredChange,
    StoredConsumer,
    StoredKey,
    Wanted,
    Write,
)


def choice_id(number: int) -> str:
    return str(UUID(int=0x0192 << 112 | number))


def change(version: int, at: Micros, *, choice: int | None = None, kind: str = "choice") -> StoredChange:
    body = b'{"version":%d}' % version
    return StoredChange(version, kind, at, at - 5, at, None if choice is None else choice_id(choice), b"f" * 32, body)


def write(consumer_id: str, found: Found, changes: Sequence[StoredChange]) -> Write:
    newest = changes[-1]
    state = (found.consumer.state if found.consumer else b"") + b"." * len(changes)
    consumer = StoredConsumer(newest.version, newest.recorded_at, newest.effective_max, state)
    return Write(consumer_id, consumer, tuple(changes))


def append(consumer_id: str, *choices: int | None, kind: str = "choice") -> Plan[int]:
    """Append changes, and answer with the newest version."""

    def plan(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], int]:
        seen = found[consumer_id]
        first = seen.consumer.version + 1 if seen.consumer else 1
        changes = [change(first + place, now, choice=choice, kind=kind) for place, choice in enumerate(choices)]
        return [write(consumer_id, seen, changes)], changes[-1].version

    return plan


async def record(storage: Storage, brand: str, consumer_id: str, *choices: int | None, kind: str = "choice") -> int:
    return await storage.record(brand, [Wanted(consumer_id)], append(consumer_id, *choices, kind=kind))


async def look(storage: Storage, brand: str, *wanted: Wanted) -> Mapping[str, Found]:
    def plan(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], Mapping[str, Found]]:
        return [], found

    return await storage.record(brand, wanted, plan)


def key(key_id: str, brand: str = "dealer", *, created_at: Micros = 7) -> StoredKey:
    return StoredKey(key_id, brand, "HS256", ("backend", "consumer"), ("backend", "admin"), None, created_at, None)


# --- consumers ----------------------------------------------------------------------------------------------


async def test_what_was_acknowledged_is_readable(storage: Storage) -> None:
    version = await record(storage, "dealer", "cust-42", 1, 2, 3)

    assert version == 3
    assert await storage.consumer("dealer", "cust-42") == StoredConsumer(3, 1_000, 1_000, b"...")
    assert await storage.version("dealer", "cust-42") == 3
    assert await storage.history("dealer", "cust-42", before=None, limit=10) == [
        StoredChange(3, "choice", 1_000, 995, 1_000, choice_id(3), b"f" * 32, b'{"version":3}'),
        StoredChange(2, "choice", 1_000, 995, 1_000, choice_id(2), b"f" * 32, b'{"version":2}'),
        StoredChange(1, "choice", 1_000, 995, 1_000, choice_id(1), b"f" * 32, b'{"version":1}'),
    ]


async def test_a_consumer_never_seen_has_version_0_and_no_history(storage: Storage) -> None:
    assert await storage.consumer("dealer", "cust-42") is None
    assert await storage.version("dealer", "cust-42") == 0
    assert await storage.history("dealer", "cust-42", before=None, limit=10) == []
    assert await storage.changes_until("dealer", "cust-42", 2**60) == []
    assert await look(storage, "dealer", Wanted("cust-42", (choice_id(1),), (1,), whole_history=True)) == {
        "cust-42": Found(None)
    }


async def test_looking_leaves_no_trace_of_a_consumer(storage: Storage) -> None:
    await look(storage, "dealer", Wanted("cust-42"))

    assert await storage.consumer("dealer", "cust-42") is None
    assert await storage.consumer_ids("dealer", after="", limit=10) == []


async def test_a_plan_sees_what_it_wants_and_nothing_else(storage: Storage, set_time: Callable[[Micros], None]) -> None:
    await record(storage, "dealer", "cust-42", 1, 2)
    set_time(2_000)
    await record(storage, "dealer", "cust-42", 3)

    found = (await look(storage, "dealer", Wanted("cust-42", (choice_id(2), choice_id(9)), (1, 3, 8))))["cust-42"]
    whole = (await look(storage, "dealer", Wanted("cust-42", whole_history=True)))["cust-42"]

    assert found.consumer == StoredConsumer(3, 2_000, 2_000, b"...")
    assert found.choices == {choice_id(2): change(2, 1_000, choice=2)}
    assert found.effective_max == {1: 1_000, 3: 2_000}
    assert list(found.history) == []
    assert (whole.choices, whole.effective_max) == ({}, {})
    assert list(whole.history) == [
        change(1, 1_000, choice=1),
        change(2, 1_000, choice=2),
        change(3, 2_000, choice=3),
    ]


async def test_a_plan_gets_the_time_of_the_storage(storage: Storage, set_time: Callable[[Micros], None]) -> None:
    set_time(77)

    def plan(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], Micros]:
        return [], now

    assert await storage.record("dealer", [], plan) == 77


async def test_a_plan_that_raises_writes_nothing_and_harms_nobody(storage: Storage) -> None:
    def refuse(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], None]:
        raise LookupError("refused")

    results = await asyncio.gather(
        record(storage, "dealer", "ann", 1),
        storage.record("dealer", [Wanted("ben")], refuse),
        record(storage, "dealer", "cleo", 2),
        return_exceptions=True,
    )

    assert (results[0], results[2]) == (1, 1)
    assert isinstance(results[1], LookupError)
    assert await storage.consumer_ids("dealer", after="", limit=10) == ["ann", "cleo"]


async def test_a_plan_that_records_a_choice_twice_writes_nothing_and_harms_nobody(storage: Storage) -> None:
    await record(storage, "dealer", "ann", 1)

    results = await asyncio.gather(
        record(storage, "dealer", "ben", 2),
        record(storage, "dealer", "ann", 3, 1),
        record(storage, "dealer", "cleo", 4),
        return_exceptions=True,
    )

    assert (results[0], results[2]) == (1, 1)
    assert isinstance(results[1], ValueError)
    assert await storage.consumer("dealer", "ann") == StoredConsumer(1, 1_000, 1_000, b".")
    assert [each.version for each in await storage.history("dealer", "ann", before=None, limit=10)] == [1]


async def test_a_plan_sees_what_plans_before_it_wrote(storage: Storage) -> None:
    async def once(choice: int) -> str:
        wanted = Wanted("cust-42", choice_ids=(choice_id(choice),))

        def plan(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], str]:
            if choice_id(choice) in found["cust-42"].choices:
                return [], "replayed"
            return append("cust-42", choice)(found, now)[0], "recorded"

        return await storage.record("dealer", [wanted], plan)

    answers = await asyncio.gather(*(once(number % 5) for number in range(100, 140)))

    assert answers == ["recorded"] * 5 + ["replayed"] * 35
    assert await storage.version("dealer", "cust-42") == 5


async def test_200_records_of_one_consumer_at_once_make_versions_1_to_200(storage: Storage) -> None:
    versions = await asyncio.gather(*(record(storage, "dealer", "cust-42", number) for number in range(1, 201)))

    history = await storage.history("dealer", "cust-42", before=None, limit=1_000)
    assert versions == list(range(1, 201))
    assert [each.version for each in history] == list(range(200, 0, -1))
    assert [each.choice_id for each in reversed(history)] == [choice_id(number) for number in range(1, 201)]
    assert await storage.version("dealer", "cust-42") == 200


async def test_500_choices_in_one_record_are_500_versions_and_all_found_again(storage: Storage) -> None:
    assert await record(storage, "dealer", "cust-42", *range(1, 501)) == 500

    wanted = Wanted("cust-42", tuple(choice_id(number) for number in range(1, 502)), tuple(range(502)))
    found = (await look(storage, "dealer", wanted))["cust-42"]

    assert {each: kept.version for each, kept in found.choices.items()} == {
        choice_id(number): number for number in range(1, 501)
    }
    assert found.effective_max == dict.fromkeys(range(1, 501), 1_000)


async def test_one_record_changes_several_consumers_or_none(storage: Storage) -> None:
    await record(storage, "dealer", "anon_a", 1)
    both = [Wanted("anon_a", whole_history=True), Wanted("cust-42")]

    def link(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], int]:
        copies = [each._replace(recorded_at=now) for each in found["anon_a"].history]
        closing = change(2, now, kind="link")
        return [write("cust-42", found["cust-42"], copies), write("anon_a", found["anon_a"], [closing])], len(copies)

    assert await storage.record("dealer", both, link) == 1
    with pytest.raises(ValueError, match=r".+"):
        await storage.record("dealer", [Wanted("ben"), Wanted("cust-42")], link_to_taken)

    assert await storage.version("dealer", "cust-42") == 1
    assert await storage.version("dealer", "anon_a") == 2
    assert await storage.version("dealer", "ben") == 0


def link_to_taken(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], None]:
    """Write one consumer rightly and the other with a version that is taken."""
    return [write("ben", found["ben"], [change(1, now)]), write("cust-42", found["cust-42"], [change(1, now)])], None


async def test_many_consumers_at_once_each_get_their_own(storage: Storage) -> None:
    await asyncio.gather(*(record(storage, "dealer", f"cust-{number:03}", number) for number in range(1, 301)))
    await asyncio.gather(*(record(storage, "dealer", f"cust-{number:03}", 1_000 + number) for number in range(1, 301)))

    for number in range(1, 301):
        history = await storage.history("dealer", f"cust-{number:03}", before=None, limit=9)
        assert [each.choice_id for each in history] == [choice_id(1_000 + number), choice_id(number)]


# --- brands are walls ---------------------------------------------------------------------------------------


async def test_the_same_consumer_id_in_two_brands_is_two_consumers(storage: Storage) -> None:
    await asyncio.gather(record(storage, "dealer", "cust-42", 1, 2), record(storage, "shop", "cust-42", 1))

    assert await storage.version("dealer", "cust-42") == 2
    assert await storage.version("shop", "cust-42") == 1
    assert len(await storage.history("shop", "cust-42", before=None, limit=10)) == 1
    assert len(await storage.changes_until("shop", "cust-42", 9_999)) == 1
    found = (await look(storage, "shop", Wanted("cust-42", (choice_id(1), choice_id(2)), (1, 2), whole_history=True)))[
        "cust-42"
    ]
    assert set(found.choices) == {choice_id(1)}
    assert set(found.effective_max) == {1}
    assert len(found.history) == 1


async def test_a_brand_lists_only_its_own_consumers(storage: Storage) -> None:
    await record(storage, "dealer", "ann", 1)
    await record(storage, "shop", "ben", 1)

    assert await storage.consumer_ids("dealer", after="", limit=10) == ["ann"]
    assert await storage.consumer_ids("nobody", after="", limit=10) == []


async def test_a_key_is_revoked_only_under_its_own_brand(storage: Storage) -> None:
    await storage.add_key(key("dealer.k1"))

    assert await storage.revoke_key("shop", "dealer.k1", 9) is False
    assert (await storage.keys())[0].revoked_at is None


# --- reading back -------------------------------------------------------------------------------------------


async def test_history_goes_page_by_page_from_the_newest(storage: Storage) -> None:
    await record(storage, "dealer", "cust-42", *range(1, 8))

    first = await storage.history("dealer", "cust-42", before=None, limit=3)
    second = await storage.history("dealer", "cust-42", before=first[-1].version, limit=3)
    third = await storage.history("dealer", "cust-42", before=second[-1].version, limit=3)

    assert [each.version for each in first] == [7, 6, 5]
    assert [each.version for each in second] == [4, 3, 2]
    assert [each.version for each in third] == [1]
    assert await storage.history("dealer", "cust-42", before=1, limit=3) == []
    assert await storage.history("dealer", "cust-42", before=0, limit=3) == []


async def test_history_of_one_kind_leaves_the_others_out(storage: Storage) -> None:
    await record(storage, "dealer", "cust-42", 1)
    await record(storage, "dealer", "cust-42", None, kind="device")
    await record(storage, "dealer", "cust-42", 2)

    choices = await storage.history("dealer", "cust-42", before=None, limit=10, kind="choice")
    devices = await storage.history("dealer", "cust-42", before=3, limit=10, kind="device")

    assert [each.version for each in choices] == [3, 1]
    assert [(each.version, each.choice_id) for each in devices] == [(2, None)]


async def test_changes_until_a_moment_are_those_recorded_by_then_oldest_first(
    storage: Storage, set_time: Callable[[Micros], None]
) -> None:
    for at in (1_000, 2_000, 3_000):
        set_time(at)
        await record(storage, "dealer", "cust-42", at, at + 1)

    assert [each.version for each in await storage.changes_until("dealer", "cust-42", 999)] == []
    assert [each.version for each in await storage.changes_until("dealer", "cust-42", 2_000)] == [1, 2, 3, 4]
    assert [each.version for each in await storage.changes_until("dealer", "cust-42", 2_999)] == [1, 2, 3, 4]


async def test_consumer_ids_come_in_byte_order_after_the_one_named(storage: Storage) -> None:
    for number, consumer_id in enumerate(["b", "a", "B", "a.1", "a-1", "Z"], start=1):
        await record(storage, "dealer", consumer_id, number)

    assert await storage.consumer_ids("dealer", after="", limit=10) == ["B", "Z", "a", "a-1", "a.1", "b"]
    assert await storage.consumer_ids("dealer", after="Z", limit=2) == ["a", "a-1"]
    assert await storage.consumer_ids("dealer", after="b", limit=2) == []


# --- cancelled callers --------------------------------------------------------------------------------------


async def test_cancelled_callers_split_nothing_lose_nothing_and_hold_nothing(storage: Storage) -> None:
    chance = random.Random(42)
    acknowledged: set[int] = set()

    async def one(number: int) -> None:
        await record(storage, "dealer", f"cust-{number % 50}", 2 * number + 1, 2 * number + 2)
        acknowledged.add(number)

    tasks = [asyncio.create_task(one(number)) for number in range(1_000)]
    for task in chance.sample(tasks, 500):
        if chance.random() < 0.5:
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert len(acknowledged) >= 500
    kept: list[int] = []
    for consumer in range(50):
        changes = await storage.changes_until("dealer", f"cust-{consumer}", 2**60)
        numbers = [UUID(each.choice_id).int & 0xFFFF for each in changes if each.choice_id]
        assert [each.version for each in changes] == list(range(1, len(changes) + 1))
        assert [second - first for first, second in zip(numbers[::2], numbers[1::2], strict=True)] == [1] * (
            len(numbers) // 2
        )
        kept += [(first - 1) // 2 for first in numbers[::2]]
    assert len(kept) == len(set(kept))
    assert acknowledged <= set(kept)
    assert await record(storage, "dealer", "afterwards", 1) == 1


# --- brands, keys, origins, catalogues ----------------------------------------------------------------------


async def test_brands_are_added_once(storage: Storage) -> None:
    dealer = StoredBrand("dealer", "Main Street Motors", 5)

    assert await storage.add_brand(dealer) is True
    assert await storage.add_brand(StoredBrand("dealer", "Another", 6)) is False
    assert await storage.add_brand(StoredBrand("bikes", "Bikes", 7)) is True

    assert await storage.brands() == [StoredBrand("bikes", "Bikes", 7), dealer]


async def test_a_key_keeps_its_classes_and_roles_and_is_revoked_once(storage: Storage) -> None:
    public = StoredKey("dealer.k2", "dealer", "ES256", ("staff",), (), "a public key", 8, None)
    await storage.add_key(key("dealer.k1"))
    await storage.add_key(public)

    assert await storage.revoke_key("dealer", "dealer.k1", 99) is True
    assert await storage.revoke_key("dealer", "dealer.k1", 100) is False
    assert await storage.revoke_key("dealer", "dealer.none", 100) is False

    assert await storage.keys() == [key("dealer.k1")._replace(revoked_at=99), public]


async def test_a_second_key_of_the_same_id_is_refused(storage: Storage) -> None:
    await storage.add_key(key("dealer.k1"))

    with pytest.raises(ValueError, match="a key of this id"):
        await storage.add_key(key("dealer.k1", "shop"))

    assert await storage.keys() == [key("dealer.k1")]


async def test_origins_are_added_and_removed_once(storage: Storage) -> None:
    assert await storage.add_origin("dealer", "https://dealer.example") is True
    assert await storage.add_origin("dealer", "https://dealer.example") is False
    assert await storage.add_origin("shop", "https://dealer.example") is True
    assert await storage.remove_origin("dealer", "https://dealer.example") is True
    assert await storage.remove_origin("dealer", "https://dealer.example") is False

    assert await storage.origins() == [("shop", "https://dealer.example")]


async def test_publishing_counts_revisions_for_each_brand(storage: Storage) -> None:
    first = await storage.publish("dealer", b"one", published_at=5, expected_revision=0)
    second = await storage.publish("dealer", b"two", published_at=6, expected_revision=1)
    other = await storage.publish("shop", b"three", published_at=7, expected_revision=0)

    assert (first, second, other) == ((1, 5, b"one"), (2, 6, b"two"), (1, 7, b"three"))
    assert await storage.catalogues("dealer") == [first, second]
    assert await storage.catalogues("nobody") == []


async def test_revisions_are_listed_without_their_bodies_and_read_one_by_one(storage: Storage) -> None:
    await storage.publish("shop", b"three", published_at=7, expected_revision=0)
    first = await storage.publish("dealer", b"one", published_at=5, expected_revision=0)
    second = await storage.publish("dealer", b"two", published_at=6, expected_revision=1)

    assert await storage.revisions() == [("dealer", 1, 5), ("dealer", 2, 6), ("shop", 1, 7)]
    assert await storage.catalogues("dealer", revision=1) == [first]
    assert await storage.catalogues("dealer", revision=2) == [second]
    assert await storage.catalogues("dealer", revision=3) == []
    assert await storage.catalogues("shop", revision=2) == []


async def test_of_two_who_publish_over_the_same_revision_one_is_told(storage: Storage) -> None:
    results = await asyncio.gather(
        storage.publish("dealer", b"one", published_at=5, expected_revision=0),
        storage.publish("dealer", b"two", published_at=5, expected_revision=0),
        return_exceptions=True,
    )

    assert [type(each) for each in results].count(CatalogueChangedError) == 1
    assert len(await storage.catalogues("dealer")) == 1


async def test_config_version_moves_with_every_change_and_with_nothing_else(storage: Storage) -> None:
    seen = [await storage.config_version()]

    async def moved() -> bool:
        seen.append(await storage.config_version())
        return seen[-1] != seen[-2]

    await storage.add_brand(StoredBrand("dealer", "Main Street Motors", 5))
    assert await moved()
    await storage.add_brand(StoredBrand("dealer", "Main Street Motors", 5))
    assert not await moved()
    await storage.add_key(key("dealer.k1"))
    assert await moved()
    await storage.revoke_key("dealer", "dealer.k1", 9)
    assert await moved()
    await storage.add_origin("dealer", "https://dealer.example")
    assert await moved()
    await storage.remove_origin("dealer", "https://dealer.example")
    assert await moved()
    await storage.publish("dealer", b"one", published_at=5, expected_revision=0)
    assert await moved()
    with pytest.raises(CatalogueChangedError):
        await storage.publish("dealer", b"two", published_at=5, expected_revision=0)
    assert not await moved()
    await record(storage, "dealer", "cust-42", 1)
    assert not await moved()


# --- the change feed ----------------------------------------------------------------------------------------


async def entries(storage: Storage, brand: str, after: int = 0) -> list[tuple[int, str | None, int]]:
    """Give what is in the feed, of which nothing is an erasure, once it is known that all of it was read."""
    page = await storage.feed(brand, after=after, limit=100_000)
    assert page is not None
    assert page.until == await storage.head(brand)
    assert {entry.erased_at for entry in page.entries} <= {None}
    return [entry[:3] for entry in page.entries]


async def test_a_feed_begins_empty_at_0(storage: Storage) -> None:
    assert await storage.head("dealer") == 0
    assert await storage.feed("dealer", after=0, limit=10) == FeedPage(0, ())
    assert await storage.feed("dealer", after=1, limit=10) is None


async def test_every_commit_is_a_position_that_names_each_consumers_newest_version(storage: Storage) -> None:
    await record(storage, "dealer", "ann", 1, 2)
    await record(storage, "dealer", "ben", None, kind="device")
    await record(storage, "dealer", "ann", 3)

    assert await storage.head("dealer") == 3
    assert await entries(storage, "dealer") == [(1, "ann", 2), (2, "ben", 1), (3, "ann", 3)]
    assert await entries(storage, "dealer", after=2) == [(3, "ann", 3)]
    assert await entries(storage, "dealer", after=3) == []


async def test_one_record_of_several_consumers_is_one_position(storage: Storage) -> None:
    await record(storage, "dealer", "ann", 1)

    def both(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], None]:
        return [write("ben", found["ben"], [change(1, now)]), write("ann", found["ann"], [change(2, now)])], None

    await storage.record("dealer", [Wanted("ann"), Wanted("ben")], both)

    assert sorted(await entries(storage, "dealer", after=1)) == [(2, "ann", 2), (2, "ben", 1)]


async def test_what_writes_nothing_makes_no_position(storage: Storage) -> None:
    def refuse(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], None]:
        raise LookupError("refused")

    await look(storage, "dealer", Wanted("ann"))
    with pytest.raises(LookupError):
        await storage.record("dealer", [Wanted("ann")], refuse)
    await record(storage, "dealer", "ann", 1)
    with pytest.raises(ValueError, match=r".+"):
        await record(storage, "dealer", "ann", 1)

    assert await entries(storage, "dealer") == [(1, "ann", 1)]


async def test_a_publication_stands_in_the_feed_with_its_revision(storage: Storage) -> None:
    await record(storage, "dealer", "ann", 1)
    await storage.publish("dealer", b"one", published_at=5, expected_revision=0)
    with pytest.raises(CatalogueChangedError):
        await storage.publish("dealer", b"two", published_at=6, expected_revision=0)
    await record(storage, "dealer", "ann", 2)

    assert await entries(storage, "dealer") == [(1, "ann", 1), (2, None, 1), (3, "ann", 2)]


async def test_brands_keys_and_origins_are_no_news_of_the_feed(storage: Storage) -> None:
    await storage.add_brand(StoredBrand("dealer", "Main Street Motors", 5))
    await storage.add_key(key("dealer.k1"))
    await storage.add_origin("dealer", "https://dealer.example")

    assert await storage.head("dealer") == 0


async def test_a_brands_feed_neither_shows_nor_counts_what_another_does(storage: Storage) -> None:
    await record(storage, "dealer", "cust-42", 1)
    await asyncio.gather(
        *(record(storage, "shop", f"cust-{number}", number) for number in range(1, 51)),
        record(storage, "dealer", "cust-42", 2),
        *(record(storage, "shop", f"cust-{number}", 100 + number) for number in range(1, 51)),
        storage.publish("shop", b"one", published_at=5, expected_revision=0),
    )

    assert await entries(storage, "dealer") == [(1, "cust-42", 1), (2, "cust-42", 2)]
    assert await storage.head("nobody") == 0
    of_shop = await entries(storage, "shop")
    assert {consumer_id for _, consumer_id, _ in of_shop} == {None, *(f"cust-{number}" for number in range(1, 51))}
    positions = [position for position, *_ in of_shop]
    assert positions == sorted(positions)
    assert set(positions) == set(range(1, await storage.head("shop") + 1))


async def test_a_page_ends_after_the_position_with_which_the_limit_is_reached(storage: Storage) -> None:
    await record(storage, "dealer", "ann", 1, 2, 3)
    await record(storage, "dealer", "ben", 4)
    await record(storage, "dealer", "cleo", 5)

    assert await storage.feed("dealer", after=0, limit=1) == FeedPage(1, (FeedEntry(1, "ann", 3),))
    assert await storage.feed("dealer", after=0, limit=3) == FeedPage(1, (FeedEntry(1, "ann", 3),))
    both = (FeedEntry(1, "ann", 3), FeedEntry(2, "ben", 1))
    assert await storage.feed("dealer", after=0, limit=4) == FeedPage(2, both)
    assert await storage.feed("dealer", after=1, limit=1) == FeedPage(2, both[1:])
    assert await storage.feed("dealer", after=3, limit=1) == FeedPage(3, ())


async def test_a_position_of_500_consumers_is_never_split(storage: Storage) -> None:
    names = [f"cust-{number:03}" for number in range(500)]

    def all_of_them(found: Mapping[str, Found], now: Micros) -> tuple[list[Write], None]:
        return [write(name, found[name], [change(1, now)]) for name in names], None

    await storage.record("dealer", [Wanted(name) for name in names], all_of_them)

    page = await storage.feed("dealer", after=0, limit=1)
    assert page is not None
    assert sorted(entry[:3] for entry in page.entries) == [(1, name, 1) for name in names]


async def test_a_position_that_another_feed_may_reach_is_none_of_this_one(storage: Storage) -> None:
    await record(storage, "shop", "ann", 1)
    await record(storage, "shop", "ann", 2)
    await record(storage, "dealer", "ann", 1)

    assert await storage.feed("dealer", after=2, limit=10) is None


async def test_many_writers_at_once_leave_no_gap_and_no_version_out_of_order(storage: Storage) -> None:
    seen: list[FeedEntry] = []
    at = 0

    async def follow() -> None:
        nonlocal at
        while len({entry.consumer_id for entry in seen if entry.version == 20}) < 30:
            page = await storage.feed("dealer", after=at, limit=7)
            assert page is not None
            assert {entry.position for entry in page.entries} == set(range(at + 1, page.until + 1))
            seen.extend(page.entries)
            at = page.until
            await asyncio.sleep(0)

    async def work(consumer: int) -> None:
        for number in range(20):
            await record(storage, "dealer", f"cust-{consumer}", 100 * consumer + number)

    await asyncio.wait_for(asyncio.gather(follow(), *(work(consumer) for consumer in range(30))), 30)

    for consumer in range(30):
        versions = [entry.version for entry in seen if entry.consumer_id == f"cust-{consumer}"]
        assert versions == sorted(set(versions))
        assert versions[-1] == 20
    assert [entry[:3] for entry in seen] == await entries(storage, "dealer")


async def test_the_head_counts_whatever_was_acknowledged(storage: Storage) -> None:
    for number in range(1, 21):
        await record(storage, "dealer", "ann", number)
        assert await storage.head("dealer") == number


async def test_what_is_older_than_a_day_goes_and_the_newest_position_stays(
    storage: Storage, set_time: Callable[[Micros], None]
) -> None:
    for number in range(1, 301):
        await record(storage, "dealer", "ann", number)
    set_time(24 * 3600 * 1_000_000 + 1_001)
    for number in range(301, 601):
        await record(storage, "dealer", "ann", number)

    assert await storage.head("dealer") == 600
    assert await storage.feed("dealer", after=0, limit=10) is None
    assert await storage.feed("dealer", after=1, limit=10) is None
    assert (await entries(storage, "dealer", after=400))[0] == (401, "ann", 401)


async def test_positions_go_from_the_start_alone_whatever_the_clock_did(
    storage: Storage, set_time: Callable[[Micros], None]
) -> None:
    hour = 3600 * 1_000_000
    for now, positions in ((30 * hour, 50), (0, 150), (25 * hour, 60)):  # a clock that ran ahead is put right
        set_time(now)
        for _ in range(positions):
            await record(storage, "dealer", "ann", None)

    assert [position for position, *_ in await entries(storage, "dealer")] == list(range(1, 261))

    set_time(54 * hour + 1)
    for _ in range(256):
        await record(storage, "dealer", "ann", None)
    assert await storage.feed("dealer", after=50, limit=10) is None
    assert [position for position, *_ in await entries(storage, "dealer", after=260)] == list(range(261, 517))


async def test_the_bell_rings_after_commits_for_the_brands_that_have_grown(storage: Storage) -> None:
    rung: list[set[str]] = []
    storage.on_commit(lambda brands: rung.append(set(brands)))

    await look(storage, "dealer", Wanted("ann"))
    await storage.add_brand(StoredBrand("dealer", "Main Street Motors", 5))
    assert rung == []
    await record(storage, "dealer", "ann", 1)
    assert rung == [{"dealer"}]
    await storage.publish("shop", b"one", published_at=5, expected_revision=0)
    assert rung[1:] == [{"shop"}]
    await asyncio.gather(record(storage, "dealer", "ann", 2), record(storage, "shop", "ann", 3))
    assert set().union(*rung[2:]) == {"dealer", "shop"}


async def test_a_closed_storage_gives_no_feed(storage: Storage) -> None:
    await storage.close()

    with pytest.raises(StorageUnavailableError):
        await storage.head("dealer")
    with pytest.raises(StorageUnavailableError):
        await storage.feed("dealer", after=0, limit=1)


# --- beginning and end --------------------------------------------------------------------------------------


async def test_the_store_id_is_32_hex_digits(storage: Storage) -> None:
    assert len(storage.store_id) == 32
    assert storage.store_id == bytes.fromhex(storage.store_id).hex()


async def test_closing_finishes_what_was_accepted(storage: Storage) -> None:
    waiting = [asyncio.create_task(record(storage, "dealer", "cust-42", number)) for number in range(1, 101)]
    await asyncio.sleep(0)

    await storage.close()

    assert await asyncio.gather(*waiting) == list(range(1, 101))


async def test_an_open_storage_says_that_it_can_write_and_leaves_no_trace_of_anybody(storage: Storage) -> None:
    config_version = await storage.config_version()

    assert await storage.can_write() is True

    assert await storage.config_version() == config_version
    assert await storage.brands() == []
    await storage.close()
    assert await storage.can_write() is False


async def test_a_plan_that_fails_does_not_mean_that_nothing_can_be_written(storage: Storage) -> None:
    await record(storage, "dealer", "cust-42", 1)
    with pytest.raises(ValueError, match=r"twice|follow on|contradict"):
        await record(storage, "dealer", "cust-42", 1)

    assert await storage.can_write() is True


async def test_a_closed_storage_refuses_to_record_and_to_read(storage: Storage) -> None:
    await storage.close()
    await storage.close()

    with pytest.raises(StorageUnavailableError):
        await record(storage, "dealer", "cust-42", 1)
    with pytest.raises(StorageUnavailableError):
        await storage.consumer("dealer", "cust-42")
    with pytest.raises(StorageUnavailableError):
        await storage.add_brand(StoredBrand("dealer", "Main Street Motors", 5))
    with pytest.raises(StorageUnavailableError):
        await storage.brands()
