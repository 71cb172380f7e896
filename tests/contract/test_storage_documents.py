"""What every storage keeps to about documents and the audit. The fixtures say which storages there are."""

from collections.abc import Callable, Mapping

import pytest

from sayso.model.instant import Micros
from sayso_server.storage.base import (
    DocumentKey,
    DocumentPlan,
    DocumentWrites,
    Storage,
    StorageUnavailableError,
    StoredAudit,
    StoredDocument,
)

PHONE, EMAIL = b"p" * 32, b"e" * 32


def document(name: str, due_at: Micros = 0, *, kind: str = "request", **members: object) -> StoredDocument:
    whole: dict[str, object] = {
        "consumer_id": None,
        "state": "received",
        "created_at": 1,
        "expires_at": None,
        "marks": (),
        "body": b"{}",
    }
    return StoredDocument(kind=kind, document_id=name, due_at=due_at, **(whole | members))  # type: ignore[arg-type]


def writing(*put: StoredDocument, delete: tuple[DocumentKey, ...] = (), audit: tuple[bytes, ...] = ()) -> DocumentPlan:
    def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, Micros]:
        return DocumentWrites(put, delete, audit), now

    return plan


async def put(storage: Storage, *documents: StoredDocument, brand: str = "dealer") -> None:
    await storage.change_documents(brand, [], writing(*documents))


async def names(storage: Storage, kind: str = "request", brand: str = "dealer", **query: object) -> list[str]:
    found = await storage.documents(brand, kind, **({"limit": 100} | query))  # type: ignore[arg-type]
    return [each.document_id for each in found]


async def test_a_document_is_given_back_as_it_was_put(storage: Storage) -> None:
    whole = document(
        "a", 7, consumer_id="cust-42", state="started", expires_at=99, marks=(PHONE, EMAIL), body=b'{"kind":"delete"}'
    )

    await put(storage, whole)

    assert await storage.document("dealer", "request", "a") == whole
    assert await storage.documents("dealer", "request", limit=10) == [whole]
    assert await storage.document("dealer", "guardian", "a") is None
    assert await storage.document("shop", "request", "a") is None


async def test_a_plan_sees_those_wanted_that_there_are_and_the_storages_time(
    storage: Storage, set_time: Callable[[Micros], None]
) -> None:
    await put(storage, document("a"), document("b"))
    set_time(5_000)
    seen: list[object] = []

    def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, str]:
        seen.extend((dict(found), now))
        return DocumentWrites(), "answer"

    wanted = [DocumentKey("request", "a"), DocumentKey("request", "never")]

    assert await storage.change_documents("dealer", wanted, plan) == "answer"
    assert seen == [{DocumentKey("request", "a"): document("a")}, 5_000]


async def test_putting_replaces_a_document_whole_and_its_marks_too(storage: Storage) -> None:
    await put(storage, document("a", 5, marks=(PHONE,), consumer_id="cust-42"))
    await put(storage, document("a", 9, marks=(EMAIL,), state="closed"))

    assert await storage.document("dealer", "request", "a") == document("a", 9, marks=(EMAIL,), state="closed")
    assert await names(storage, mark=PHONE) == []
    assert await names(storage, mark=EMAIL) == ["a"]
    assert await names(storage, consumer_id="cust-42") == []


async def test_a_plan_puts_deletes_and_audits_at_once_or_nothing(storage: Storage) -> None:
    await put(storage, document("a"))
    await storage.change_documents(
        "dealer", [], writing(document("b"), delete=(DocumentKey("request", "a"),), audit=(b'{"event":"x"}',))
    )

    def refusing(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, None]:
        raise PermissionError("no")

    with pytest.raises(PermissionError):
        await storage.change_documents("dealer", [], refusing)

    assert await names(storage) == ["b"]
    assert await storage.audit("dealer", before=None, limit=10) == [StoredAudit(1_000, b'{"event":"x"}')]


async def test_deleting_what_is_not_there_is_no_error(storage: Storage) -> None:
    await storage.change_documents("dealer", [], writing(delete=(DocumentKey("request", "never"),)))

    assert await names(storage) == []


async def test_lists_go_by_due_time_and_id_and_on_from_where_they_ended(storage: Storage) -> None:
    await put(storage, document("d", 20), document("a", 30), document("c", 10), document("b", 20))

    assert await names(storage) == ["c", "b", "d", "a"]
    assert await names(storage, limit=2) == ["c", "b"]
    assert await names(storage, after=(20, "b")) == ["d", "a"]
    assert await names(storage, after=(20, "d"), limit=1) == ["a"]


async def test_a_list_is_of_the_states_the_consumer_and_the_mark_asked_for(storage: Storage) -> None:
    await put(
        storage,
        document("a", state="received", consumer_id="ann", marks=(PHONE,)),
        document("b", state="started", consumer_id="ann", marks=(PHONE, EMAIL)),
        document("c", state="closed", consumer_id="ben", marks=(EMAIL,)),
        document("d", kind="guardian", state="started", consumer_id="ann", marks=(PHONE,)),
    )

    assert await names(storage, states=["received", "closed"]) == ["a", "c"]
    assert await names(storage, consumer_id="ann") == ["a", "b"]
    assert await names(storage, mark=EMAIL) == ["b", "c"]
    assert await names(storage, mark=PHONE, consumer_id="ann", states=["started"]) == ["b"]
    assert await names(storage, "guardian") == ["d"]
    assert await names(storage, mark=b"x" * 32) == []


async def test_no_brand_sees_another_ones_documents_or_finds_them_by_mark(storage: Storage) -> None:
    await put(storage, document("a", consumer_id="ann", marks=(PHONE,)))
    await put(storage, document("a", state="closed", marks=(EMAIL,)), brand="shop")

    assert await names(storage, brand="shop") == ["a"]
    assert await names(storage, brand="shop", mark=PHONE) == []
    assert await names(storage, brand="shop", consumer_id="ann") == []
    assert await storage.documented_ids("shop", after="", limit=10) == []
    await storage.change_documents("shop", [], writing(delete=(DocumentKey("request", "a"),)))
    assert await names(storage) == ["a"]


async def test_what_has_expired_goes_as_many_at_once_as_allowed(storage: Storage) -> None:
    await put(storage, document("a", expires_at=10, marks=(PHONE,)), document("b", expires_at=20), document("c"))
    await put(storage, document("d", expires_at=15), brand="shop")

    assert await storage.delete_expired(9, 10) == 0
    assert await storage.delete_expired(20, 2) == 2
    assert await storage.delete_expired(20, 2) == 1
    assert await names(storage) == ["c"]
    assert await names(storage, mark=PHONE) == []
    assert await names(storage, brand="shop") == []


async def test_the_ids_that_documents_are_about_are_given_in_order(storage: Storage) -> None:
    await put(
        storage,
        document("1", consumer_id="b"),
        document("2", consumer_id="a"),
        document("3", consumer_id="b"),
        document("4"),
    )

    assert await storage.documented_ids("dealer", after="", limit=10) == ["a", "b"]
    assert await storage.documented_ids("dealer", after="a", limit=10) == ["b"]
    assert await storage.documented_ids("dealer", after="", limit=1) == ["a"]


async def test_the_audit_is_read_newest_first_and_page_by_page(
    storage: Storage, set_time: Callable[[Micros], None]
) -> None:
    await storage.add_audit("dealer", [b"1", b"2"])
    set_time(500)  # the clock was set back
    await storage.add_audit("dealer", [b"3"])
    await storage.add_audit("shop", [b"another brand's"])
    await storage.add_audit("dealer", [])

    assert await storage.audit("dealer", before=None, limit=2) == [StoredAudit(1_002, b"3"), StoredAudit(1_001, b"2")]
    assert await storage.audit("dealer", before=1_001, limit=2) == [StoredAudit(1_000, b"1")]
    assert await storage.audit("dealer", before=1_000, limit=2) == []


async def test_a_closed_storage_takes_and_gives_no_documents(storage: Storage) -> None:
    await storage.close()

    with pytest.raises(StorageUnavailableError):
        await put(storage, document("a"))
    with pytest.raises(StorageUnavailableError):
        await storage.documents("dealer", "request", limit=1)
