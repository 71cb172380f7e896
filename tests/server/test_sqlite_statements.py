"""Rows cut into statements of few lengths, and choice ids as 16 bytes."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from sayso_server.storage.sqlite import statements

LENGTHS = {1, 2, 4, 8, 16, 32, 64}


@given(st.integers(0, 300), st.integers(1, 3))
def test_exact_runs_hold_every_value_once_in_order(rows: int, width: int) -> None:
    values = list(range(rows * width))
    runs = list(statements.exact(values, width))

    assert [value for _, run in runs for value in run] == values
    assert all(len(run) == length * width for length, run in runs)
    assert {length for length, _ in runs} <= LENGTHS


@given(st.integers(0, 300), st.integers(1, 3))
def test_padded_runs_hold_every_value_once_and_are_filled_up_with_null(rows: int, width: int) -> None:
    values = list(range(rows * width))
    runs = list(statements.padded(values, width))

    assert [value for _, run in runs for value in run if value is not None] == values
    assert all(len(run) == length * width for length, run in runs)
    assert {length for length, _ in runs} <= LENGTHS
    assert len(runs) == -(-rows // 64)


@given(st.uuids())
def test_a_choice_id_comes_back_as_it_was(choice: UUID) -> None:
    assert statements.pack(str(choice)) == choice.bytes
    assert statements.unpack(choice.bytes) == str(choice)


def test_no_choice_id_stays_none() -> None:
    assert statements.pack(None) is None
    assert statements.unpack(None) is None
