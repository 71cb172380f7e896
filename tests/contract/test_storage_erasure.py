"""What every storage keeps to about erasure. The fixtures say which storages there are."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
from tests.contract.test_storage_contract import append, change, choice_id, look, record, write
from tests.contract.test_storage_disclosures import new

from sayso.model.instant import Micros
from sayso_server.storage import base
from sayso_server.storage.base import (
    DocumentWrites,
    Erasure,
    ErasureFound,
    ErasurePlan,
    FeedEntry,
    FeedPage,
    Found,
    NewDisclosure,
    Storage,
    StoredAudit,
    StoredConsumer,
    StoredDocument,
    StoredTombstone,
    Wanted,
    Write,
)


def mark(consumer_id: str) -> bytes:
    return consumer_id.encode().ljust(32, b"#")


def leaving(
    *ids: str, version: int = 9, documents: tuple[StoredDocument, ...] = (), audit: tuple[bytes, ...] = ()
) -> ErasurePlan[ErasureFound]:
    def plan(found: ErasureFound, now: Micros) -> tuple[Erasure, ErasureFound]:
        left = {whose: StoredTombstone(mark(whose), version, now, b"sealed") for whose in ids}
        return Erasure(left, documents, audit), found

    return plan


async def erase(storage: Storage, *ids: str, brand: str = "dealer", version: int = 9) -> ErasureFound:
    named = {whose: mark(whose) for whose in ids}
    return await storage.erase(brand, named, leaving(*ids, version=version), consumer_id=ids[0])


def about(name: str, consumer_id: str | None) -> StoredDocument:
    return StoredDocument("request", name, consumer_id, "received", 1, 0, None, (b"p" * 32,), b'{"phone":"+1555"}')


async def test_whoever_is_erased_is_as_if_they_had_never_been(storage: Storage) -> None:
    await record(storage, "dealer", "cust-42", 1, 2)
    await record(storage, "dealer", "ben", 3)

    await erase(storage, "cust-42")

    assert await storage.consumer("dealer", "cust-42") is None
    assert await storage.version("dealer", "cust-42") == 0
    assert await storage.history("dealer", "cust-42", before=None, limit=10) == []
    assert await storage.changes_until("dealer", "cust-42", 2**60) == []
    assert await storage.consumer_ids("dealer", after="", limit=10) == ["ben"]
    assert await storage.version("dealer", "ben") == 1


async def test_a_plan_sees_everything_there_is_of_those_to_erase(storage: Storage) -> None:
    await record(storage, "dealer", "cust-42", 1, 2)
    await storage.change_documents("dealer", [], lambda found, now: (DocumentWrites([about("a", "cust-42")]), None))
    await erase(storage, "anon_1")

    found = await erase(storage, "cust-42", "anon_1", "never")

    assert found == ErasureFound(
        {"cust-42": StoredConsumer(2, 1_000, 1_000, b"..")},
        [about("a", "cust-42")],
        {mark("anon_1"): StoredTombstone(mark("anon_1"), 9, 1_000, b"sealed")},
    )


async def test_a_plan_that_refuses_erases_nothing(storage: Storage) -> None:
    await record(storage, "dealer", "cust-42", 1)

    def refusing(found: ErasureFound, now: Micros) -> tuple[Erasure, None]:
        raise PermissionError("no")

    with pytest.raises(PermissionError):
        await storage.erase("dealer", {"cust-42": mark("cust-42")}, refusing)

    assert await storage.version("dealer", "cust-42") == 1
    assert await storage.last_erasure("dealer") == 0


async def test_no_other_brand_loses_anybody_or_knows_of_it(storage: Storage) -> None:
    await record(storage, "dealer", "cust-42", 1)
    await record(storage, "shop", "cust-42", 1)
    await storage.disclose("shop", [new(1)], now=1_000)

    await erase(storage, "cust-42")

    assert await storage.version("shop", "cust-42") == 1
    assert await storage.disclosed_ids("shop", after="", limit=10) == ["cust-42"]
    assert await storage.tombstone("shop", mark("cust-42")) is None
    assert await storage.last_erasure("shop") == 0
    assert await storage.head("shop") == 1


async def test_what_stays_is_found_by_its_mark(storage: Storage, set_time: Callable[[Micros], None]) -> None:
    assert await storage.last_erasure("dealer") == 0
    await record(storage, "dealer", "cust-42", 1)
    set_time(7_000)

    await erase(storage, "cust-42", "anon_1", version=2)

    left = StoredTombstone(mark("cust-42"), 2, 7_000, b"sealed")
    other = StoredTombstone(mark("anon_1"), 2, 7_000, b"sealed")
    assert await storage.tombstone("dealer", mark("cust-42")) == left
    assert await storage.tombstone("dealer", mark("ben")) is None
    assert await storage.tombstones("dealer", after=b"", limit=10) == [other, left]
    assert await storage.tombstones("dealer", after=other.mark, limit=10) == [left]
    assert await storage.last_erasure("dealer") == 7_000


async def test_a_later_erasure_takes_the_place_of_an_earlier_one(
    storage: Storage, set_time: Callable[[Micros], None]
) -> None:
    await erase(storage, "cust-42", version=1)
    set_time(8_000)
    await erase(storage, "cust-42", version=5)

    assert await storage.tombstones("dealer", after=b"", limit=10) == [
        StoredTombstone(mark("cust-42"), 5, 8_000, b"sealed")
    ]
    assert await storage.last_erasure("dealer") == 8_000


async def test_hand_overs_stay_without_a_name(storage: Storage) -> None:
    await storage.disclose("dealer", [new(1, "ann"), new(1, "ben"), new(2, "ann"), new(1, "cat")], now=1_000)

    await erase(storage, "ann")
    await erase(storage, "ben")

    assert await storage.disclosed_ids("dealer", after="", limit=10) == ["cat"]
    assert await storage.disclosures("dealer", ["ann", "ben"], before=None, limit=10) == []
    nameless = await storage.disclosures("dealer", [""], before=None, limit=10)
    assert [each.recorded_at for each in nameless] == [1_002, 1_001, 1_000]
    assert len({each.disclosure_id for each in nameless}) == 3


async def test_a_hand_over_told_after_the_erasure_is_recorded_without_a_name(storage: Storage) -> None:
    await storage.disclose("dealer", [new(1)], now=1_000)
    await erase(storage, "cust-42")  # at 1,000

    def told(number: int, at: Micros, consumer: str = "cust-42") -> NewDisclosure:
        return new(number, consumer)._replace(mark=lambda: mark(consumer), at=at)

    batch = [told(2, 999), told(3, 1_000), told(2, 900, "ben")]
    assert await storage.disclose("dealer", batch, now=2_000) == [False, False, False]
    assert await storage.disclose("dealer", [told(2, 999)], now=3_000) == [True]

    assert await storage.disclosed_ids("dealer", after="", limit=10) == ["ben", "cust-42"]
    (named,) = await storage.disclosures("dealer", ["cust-42"], before=None, limit=10)
    assert named.recorded_at == 2_001
    assert len(await storage.disclosures("dealer", [""], before=None, limit=10)) == 2


async def test_documents_about_them_go_save_what_the_plan_keeps(storage: Storage) -> None:
    def put(found: Mapping[object, object], now: Micros) -> tuple[DocumentWrites, None]:
        return DocumentWrites([about("a", "cust-42"), about("b", "cust-42"), about("c", "ben")]), None

    await storage.change_documents("dealer", [], put)
    kept = about("b", None)._replace(marks=(), body=b"{}")

    plan = leaving("cust-42", documents=(kept,), audit=(b'{"event":"consumer.erased"}',))
    await storage.erase("dealer", {"cust-42": mark("cust-42")}, plan)

    assert await storage.documents("dealer", "request", limit=10) == [kept, about("c", "ben")]
    assert await storage.documents("dealer", "request", mark=b"p" * 32, limit=10) == [about("c", "ben")]
    assert await storage.audit("dealer", before=None, limit=10) == [StoredAudit(1_000, b'{"event":"consumer.erased"}')]


# --- coming back --------------------------------------------------------------------------------------------


async def test_who_comes_back_is_known_by_the_mark_and_versions_go_on(storage: Storage) -> None:
    await record(storage, "dealer", "cust-42", 1, 2)
    await erase(storage, "cust-42", version=3)

    wanted = Wanted("cust-42", (choice_id(1),), (1,), mark=lambda: mark("cust-42"))
    found = (await look(storage, "dealer", wanted))["cust-42"]
    assert found == Found(None, tombstone=StoredTombstone(mark("cust-42"), 3, 1_000, b"sealed"))

    def plan(seen: Mapping[str, Found], now: Micros) -> tuple[list[Write], None]:
        return [write("cust-42", seen["cust-42"], [change(4, now), change(5, now, choice=1)])], None

    await storage.record("dealer", [wanted], plan)

    known = (await look(storage, "dealer", wanted._replace(at_versions=(1, 4, 5))))["cust-42"]
    assert known.consumer is not None
    assert (known.consumer.version, known.tombstone) == (5, None)
    assert known.effective_max == {4: 1_000, 5: 1_000}
    assert [each.version for each in await storage.history("dealer", "cust-42", before=5, limit=10)] == [4]
    assert await storage.tombstone("dealer", mark("cust-42")) is not None


async def test_no_mark_is_made_for_who_is_known_or_in_a_brand_that_erased_nobody(storage: Storage) -> None:
    await record(storage, "dealer", "cust-42", 1)
    await record(storage, "shop", "cust-42", 1)
    made: list[str] = []

    def marking(name: str) -> Callable[[], bytes]:
        return lambda: made.append(name) or mark(name)  # type: ignore[func-returns-value]

    both = [Wanted("cust-42", mark=marking("cust-42")), Wanted("new", mark=marking("new"))]
    await look(storage, "dealer", *both)
    assert made == []

    await erase(storage, "somebody")
    await look(storage, "shop", *both)
    assert made == []
    await look(storage, "dealer", *both)
    assert made == ["new"]


async def test_records_before_and_after_an_erasure_in_one_burst_keep_their_order(storage: Storage) -> None:
    """They may come to one group of writes: none of them may see what another has changed meanwhile."""

    def marked(number: int) -> asyncio.Task[object]:
        def plan(seen: Mapping[str, Found], now: Micros) -> tuple[list[Write], int]:
            found = seen["cust-42"]
            before = found.consumer or found.tombstone
            version = before.version + 1 if before else 1
            return [write("cust-42", found, [change(version, now, choice=number)])], version

        wanted = Wanted("cust-42", mark=lambda: mark("cust-42"))
        return asyncio.ensure_future(storage.record("dealer", [wanted], plan))

    first = [marked(1), marked(2)]
    erasing = asyncio.ensure_future(erase(storage, "cust-42", version=3))
    then = [marked(4), marked(5)]
    await asyncio.gather(*first, erasing, *then)

    assert [task.result() for task in (*first, *then)] == [1, 2, 4, 5]
    history = await storage.history("dealer", "cust-42", before=None, limit=10)
    assert [(each.version, each.choice_id) for each in history] == [(5, choice_id(5)), (4, choice_id(4))]


# --- the feed -----------------------------------------------------------------------------------------------


async def test_the_feed_names_who_was_erased_and_forgets_what_they_did_before(storage: Storage) -> None:
    await record(storage, "dealer", "cust-42", 1)
    await record(storage, "dealer", "ben", 1)
    await erase(storage, "cust-42", "anon_1", version=4)

    page = await storage.feed("dealer", after=0, limit=100)

    erased = (FeedEntry(3, "cust-42", 4, erased_at=1_000), FeedEntry(3, "anon_1", 4, erased_at=1_000))
    assert page == FeedPage(3, (FeedEntry(2, "ben", 1), *erased))


async def test_after_a_while_nobody_can_go_on_from_before_an_erasure(
    storage: Storage, set_time: Callable[[Micros], None]
) -> None:
    await record(storage, "dealer", "ben", 1)
    await erase(storage, "cust-42")
    later = 1_000 + base.ERASED_NAMED_FOR.seconds * 1_000_000 + 1
    set_time(later)
    await erase(storage, "cat")

    assert await storage.feed("dealer", after=1, limit=100) is None
    expected = FeedPage(3, (FeedEntry(3, "cat", 9, erased_at=later),))
    assert await storage.feed("dealer", after=2, limit=100) == expected


async def test_an_erasure_that_names_nobody_makes_every_reader_begin_anew(storage: Storage) -> None:
    await storage.erase("dealer", {"cust-42": mark("cust-42")}, leaving("cust-42"))

    assert await storage.head("dealer") == 1
    assert await storage.feed("dealer", after=0, limit=100) is None
    assert await storage.feed("dealer", after=1, limit=100) == FeedPage(1, ())


async def test_an_erasure_rings_the_bell(storage: Storage) -> None:
    rung: list[list[str]] = []
    storage.on_commit(lambda brands: rung.append(sorted(brands)))

    await erase(storage, "cust-42")

    assert rung == [["dealer"]]


async def test_who_never_said_anything_can_be_erased(storage: Storage) -> None:
    await erase(storage, "cust-42", version=1)

    assert await storage.tombstone("dealer", mark("cust-42")) is not None
    assert await storage.record("dealer", [Wanted("ben")], append("ben", 1)) == 1
