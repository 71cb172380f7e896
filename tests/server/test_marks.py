"""Keyed digests, links' tokens, and the sweep of what has expired."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from sayso.errors import ConfigurationError
from sayso_server.keys import KeyFile
from sayso_server.services.link_tokens import new_link_token, read_link_token
from sayso_server.services.marks import Marks
from sayso_server.services.sweeping import sweep
from sayso_server.storage.base import DocumentWrites, StoredDocument
from sayso_server.storage.memory import MemoryStorage


class Key:
    """A key that is asked for at most once."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.asked = 0

    def mark_key(self, *, make: bool = True) -> bytes:
        self.asked += 1
        return self.key


def test_a_mark_is_the_same_each_time_and_another_for_every_brand_purpose_value_and_key() -> None:
    one, other = Marks(Key(b"1" * 32)), Marks(Key(b"2" * 32))
    mark = one.of("dealer", "phone", "15550100")

    assert len(mark) == 32
    assert one.of("dealer", "phone", "15550100") == mark
    different = {
        mark,
        one.of("shop", "phone", "15550100"),
        one.of("dealer", "email", "15550100"),
        one.of("dealer", "phone", "15550101"),
        other.of("dealer", "phone", "15550100"),
    }
    assert len(different) == 5


def test_what_a_mark_is_of_can_not_be_cut_otherwise() -> None:
    marks = Marks(Key(b"1" * 32))

    assert marks.of("dealer", "x", "y") != marks.of("deale", "rx", "y")
    assert marks.of("dealer", "x", "y") != marks.of("dealer", "xy", "")


def test_the_key_is_asked_for_on_first_need_and_once() -> None:
    key = Key(b"1" * 32)
    marks = Marks(key)
    assert key.asked == 0
    later = marks.later("dealer", "cust-42")
    assert key.asked == 0

    assert later() == marks.erased("dealer", "cust-42")
    assert key.asked == 1


def test_what_is_sealed_is_read_only_with_the_key_the_brand_and_the_id() -> None:
    marks = Marks(Key(b"1" * 32))
    sealed = marks.seal("dealer", "cust-42", b"purpose:analytics")

    assert b"analytics" not in sealed
    assert marks.seal("dealer", "cust-42", b"purpose:analytics") != sealed
    assert marks.unseal("dealer", "cust-42", sealed) == b"purpose:analytics"
    for reader, brand, consumer in (
        (Marks(Key(b"2" * 32)), "dealer", "cust-42"),
        (marks, "shop", "cust-42"),
        (marks, "dealer", "cust-43"),
    ):
        with pytest.raises(InvalidTag):
            reader.unseal(brand, consumer, sealed)


def test_the_key_file_makes_the_key_once_and_keeps_it_beside_the_secrets(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "sayso.keys")
    first = keys.mark_key()
    keys.add("dealer.1", "a secret")

    assert len(first) == 32
    assert KeyFile(tmp_path / "sayso.keys").mark_key() == first
    assert keys.read() == {"dealer.1": "a secret"}
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("damaged", ["", "zz", "00", 7, None])
def test_a_damaged_key_is_never_replaced(tmp_path: Path, damaged: object) -> None:
    keys = KeyFile(tmp_path / "sayso.keys")
    keys.mark_key()
    content = json.loads(keys.path.read_bytes()) | {"marks": damaged}
    keys.path.write_text(json.dumps(content))

    with pytest.raises(ConfigurationError, match="`marks`"):
        keys.mark_key()
    assert json.loads(keys.path.read_bytes()) == content


def test_a_links_token_leads_to_a_document_of_its_brand_whose_id_does_not_lead_back() -> None:
    token, document_id = new_link_token("dealer.one", 128)

    assert read_link_token(token) == ("dealer.one", document_id)
    assert token.startswith("dealer.one.")
    assert len(token.rpartition(".")[2]) == 22
    assert len(document_id) == 64
    assert document_id not in token
    assert new_link_token("dealer.one", 128)[0] != token


def test_a_link_has_as_many_random_bits_as_asked_for_and_never_few() -> None:
    assert len(new_link_token("dealer", 256)[0].rpartition(".")[2]) == 43
    with pytest.raises(ValueError, match="128 random bits"):
        new_link_token("dealer", 64)


@pytest.mark.parametrize(
    "token", ["", ".", "dealer", "dealer.", f".{'x' * 22}", "dealer.short", f"dealer.{'x' * 87}", f"d/e.{'x' * 22}"]
)
def test_what_is_no_links_token_leads_nowhere(token: str) -> None:
    assert read_link_token(token) is None


async def test_the_sweep_takes_everything_that_has_expired_and_nothing_else() -> None:
    class At:
        def now(self) -> int:
            return 10

    storage = MemoryStorage(clock=At())
    await storage.start()
    put = [StoredDocument("link", str(n), None, "", 1, 0, 10 if n < 1_200 else 11, (), b"") for n in range(1_201)]
    await storage.change_documents("dealer", [], lambda found, now: (DocumentWrites(put), None))

    assert await sweep(storage, At()) == 1_200
    assert [one.document_id for one in await storage.documents("dealer", "link", limit=10)] == ["1200"]
