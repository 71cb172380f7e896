"""An entry is kept as bytes that describe themselves and that nobody without the secret can change."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.local.outbox.row import Row, Seal, peek, scan

SEAL = Seal([secrets.token_urlsafe(32)], "dealer", "https://a.example")
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
ROWS = st.builds(
    Row,
    kind=st.sampled_from(["choice", "device", "signal", "age", "disclosure"]),
    consumer_id=TEXT,
    body=st.binary(max_size=200),
    made=st.integers(0, 2**60),
    boot=st.floats(0, 1e9),
    boot_id=TEXT,
    age=st.integers(-(2**50), 2**50),
    choice_id=TEXT,
    topic=TEXT,
    answer=st.sampled_from(["", "granted", "denied", "withdrawn"]),
    notice_version=st.none() | st.integers(0, 99),
    based_on=st.none() | st.integers(0, 2**53),
    seen_row=st.integers(0, 2**40),
    id=st.integers(1, 2**40),
)


@given(ROWS)
def test_an_entry_comes_back_as_it_was(row: Row) -> None:
    assert SEAL.open(SEAL.close(row)) == row
    assert peek(SEAL.close(row)) == row


@given(ROWS, st.data())
def test_no_byte_of_an_entry_can_be_changed_unseen(row: Row, data: st.DataObject) -> None:
    sealed = bytearray(SEAL.close(row))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))

    assert SEAL.open(bytes(sealed)) is None


@given(st.lists(ROWS, max_size=5), st.binary(max_size=50))
def test_whole_entries_are_found_wherever_they_lie(rows: list[Row], between: bytes) -> None:
    data = between + b"".join(SEAL.close(row) + between for row in rows)

    assert [row for row in map(SEAL.open, scan(data)) if row is not None] == rows


@given(ROWS, st.data())
def test_what_was_cut_short_is_no_entry(row: Row, data: st.DataObject) -> None:
    sealed = SEAL.close(row)
    cut = sealed[: data.draw(st.integers(0, len(sealed) - 1))]

    assert SEAL.open(cut) is None
    assert [SEAL.open(found) for found in scan(cut) if SEAL.open(found)] == []


@pytest.mark.parametrize(("brand", "url"), [("shop", "https://a.example"), ("dealer", "https://b.example")])
def test_an_entry_means_nothing_in_another_brand_s_or_server_s_outbox(secret, row, brand: str, url: str) -> None:
    sealed = Seal([secret], "dealer", "https://a.example").close(row(id=1))

    assert Seal([secret], brand, url).open(sealed) is None


def test_while_a_secret_is_rotated_entries_under_the_old_one_still_open(secret, row) -> None:
    new = secrets.token_urlsafe(32)
    old = Seal([secret], "dealer", "https://a.example").close(row(id=1))
    both = Seal([new, secret], "dealer", "https://a.example")

    assert both.open(old) == both.open(both.close(both.open(old)))
    assert Seal([new], "dealer", "https://a.example").open(both.close(both.open(old))) is not None
    assert Seal([new], "dealer", "https://a.example").open(old) is None
