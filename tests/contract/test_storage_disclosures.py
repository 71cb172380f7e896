"""What every storage keeps to about hand-overs. The fixtures say which storages there are."""

import asyncio
from uuid import UUID

import pytest

from sayso_server.storage.base import (
    NewDisclosure,
    ReusedIdError,
    Storage,
    StorageUnavailableError,
    StoredDisclosure,
)


def number_id(number: int) -> str:
    return str(UUID(int=0x0192 << 112 | number))


def new(number: int, consumer: str = "cust-42", content: bytes = b"{}") -> NewDisclosure:
    return NewDisclosure(consumer, number_id(number), content.ljust(32, b"."), content)


async def numbers(storage: Storage, consumer: str = "cust-42", brand: str = "dealer") -> list[int]:
    found = await storage.disclosures(brand, [consumer], before=None, limit=1_000)
    return [UUID(each.disclosure_id).int & 0xFFFF for each in found]


async def test_what_was_acknowledged_is_readable_newest_first(storage: Storage) -> None:
    assert await storage.disclose("dealer", [new(1, content=b"one"), new(2)], now=1_000) == [False, False]
    assert await storage.disclose("dealer", [new(3)], now=2_000) == [False]

    assert await storage.disclosures("dealer", ["cust-42"], before=None, limit=10) == [
        StoredDisclosure(2_000, "cust-42", number_id(3), b"{}"),
        StoredDisclosure(1_001, "cust-42", number_id(2), b"{}"),
        StoredDisclosure(1_000, "cust-42", number_id(1), b"one"),
    ]


async def test_a_page_ends_before_a_moment_and_at_its_limit(storage: Storage) -> None:
    await storage.disclose("dealer", [new(number) for number in range(1, 6)], now=1_000)

    page = await storage.disclosures("dealer", ["cust-42"], before=1_004, limit=2)

    assert [each.recorded_at for each in page] == [1_003, 1_002]
    assert await storage.disclosures("dealer", ["cust-42"], before=1_000, limit=10) == []


async def test_the_same_again_is_told_and_not_kept_twice(storage: Storage) -> None:
    await storage.disclose("dealer", [new(1), new(2)], now=1_000)

    assert await storage.disclose("dealer", [new(2), new(3), new(1)], now=5_000) == [True, False, True]
    assert await numbers(storage) == [3, 2, 1]


async def test_other_content_under_an_id_refuses_everything_and_says_where(storage: Storage) -> None:
    await storage.disclose("dealer", [new(1), new(2)], now=1_000)

    with pytest.raises(ReusedIdError) as caught:
        await storage.disclose("dealer", [new(3), new(2, content=b"x"), new(1), new(1, content=b"y")], now=1_000)

    assert caught.value.places == (1, 3)
    assert await numbers(storage) == [2, 1]


async def test_hundreds_at_once_are_all_kept_and_all_found_again(storage: Storage) -> None:
    many = [new(number, f"cust-{number % 3}") for number in range(500)]

    assert await storage.disclose("dealer", many, now=1_000) == [False] * 500
    assert await storage.disclose("dealer", many, now=1_000) == [True] * 500
    assert await numbers(storage, "cust-0") == list(range(498, -1, -3))


async def test_times_grow_whatever_the_clock_does_and_whoever_writes_at_once(storage: Storage) -> None:
    await storage.disclose("dealer", [new(0)], now=9_000)

    await asyncio.gather(*(storage.disclose("dealer", [new(number)], now=1_000) for number in range(1, 50)))

    found = await storage.disclosures("dealer", ["cust-42"], before=None, limit=100)
    assert [each.recorded_at for each in found] == list(range(9_049, 8_999, -1))


async def test_of_two_writers_of_one_id_one_records_it(storage: Storage) -> None:
    answers = await asyncio.gather(*(storage.disclose("dealer", [new(1)], now=1_000) for _ in range(5)))

    assert sorted(known for (known,) in answers) == [False, True, True, True, True]
    assert await numbers(storage) == [1]


async def test_brands_and_consumers_are_walls(storage: Storage) -> None:
    await storage.disclose("dealer", [new(1), new(1, "cust-43", b"other")], now=1_000)

    assert await storage.disclose("shop", [new(1, content=b"shop")], now=1_000) == [False]
    assert await storage.disclosures("shop", ["cust-42"], before=None, limit=10) == [
        StoredDisclosure(1_000, "cust-42", number_id(1), b"shop")
    ]
    assert await numbers(storage, "cust-43") == [1]
    assert await numbers(storage, "cust-43", "shop") == []


async def test_one_page_holds_the_newest_of_hundreds_of_ids(storage: Storage) -> None:
    ids = [f"cust-{number}" for number in range(300)]
    for turn in range(3):
        await storage.disclose("dealer", [new(turn, whose) for whose in ids], now=1_000 * (1 + turn))
    await storage.disclose(
        "dealer", [new(9, "cust-x"), *(new(number, "cust-0") for number in range(10, 14))], now=9_000
    )

    first = await storage.disclosures("dealer", ids, before=None, limit=6)
    rest = await storage.disclosures("dealer", ids, before=first[-1].recorded_at, limit=1_000)

    assert [(each.recorded_at, each.consumer_id) for each in first] == [
        (9_004, "cust-0"),
        (9_003, "cust-0"),
        (9_002, "cust-0"),
        (9_001, "cust-0"),
        (3_299, "cust-299"),
        (3_298, "cust-298"),
    ]
    assert [each.recorded_at for each in rest] == [
        *range(3_297, 2_999, -1),
        *range(2_299, 1_999, -1),
        *range(1_299, 999, -1),
    ]
    assert await storage.disclosures("dealer", [], before=None, limit=10) == []


async def test_whose_data_was_handed_over_is_listed_in_byte_order(storage: Storage) -> None:
    await storage.disclose("dealer", [new(1, "b"), new(2, "a"), new(3, "B"), new(4, "a")], now=1_000)
    await storage.disclose("shop", [new(1, "c")], now=1_000)

    assert await storage.disclosed_ids("dealer", after="", limit=10) == ["B", "a", "b"]
    assert await storage.disclosed_ids("dealer", after="B", limit=1) == ["a"]
    assert await storage.disclosed_ids("dealer", after="b", limit=10) == []


async def test_a_hand_over_makes_no_consumer(storage: Storage) -> None:
    await storage.disclose("dealer", [new(1)], now=1_000)

    assert await storage.consumer("dealer", "cust-42") is None
    assert await storage.consumer_ids("dealer", after="", limit=10) == []
    assert await storage.head("dealer") == 0


async def test_cancelling_the_caller_does_not_split_a_record(storage: Storage) -> None:
    waiting = asyncio.create_task(storage.disclose("dealer", [new(1), new(2)], now=1_000))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    await storage.disclose("dealer", [new(3)], now=1_000)

    assert await numbers(storage) in ([3, 2, 1], [3])


async def test_a_closed_storage_takes_and_gives_none(storage: Storage) -> None:
    await storage.close()

    with pytest.raises(StorageUnavailableError):
        await storage.disclose("dealer", [new(1)], now=1_000)
    with pytest.raises(StorageUnavailableError):
        await storage.disclosures("dealer", ["cust-42"], before=None, limit=1)
    with pytest.raises(StorageUnavailableError):
        await storage.disclosed_ids("dealer", after="", limit=1)
