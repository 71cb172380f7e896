"""Rows cut into statements of few lengths, and choice ids as 16 bytes."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from sayso_server.storage.sqlite import statements

LENGTHS = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256}


@given(st.integers(0, 900), st.integers(1, 3))
def test_runs_hold_every_value_once_in_order_and_are_filled_up_with_null(rows: int, width: int) -> None:
    values = list(range(rows * width))
    runs = list(statements.padded(values, width))

    assert [value for _, run in runs for value in run if value is not None] == values
    assert all(len(run) == length * width for length, run in runs)
    assert {length for length, _ in runs} <= LENGTHS
    assert len(runs) == -(-rows // 256)


def test_the_shortest_run_that_fits_is_taken() -> None:
    assert [next(statements.padded(range(rows), 1))[0] for rows in (1, 2, 3, 4, 5, 7, 9, 13, 49, 193)] == [
        *(1, 2, 3, 4, 6, 8, 12, 16, 64, 256)
    ]


@given(st.uuids())
def test_a_choice_id_comes_back_as_it_was(choice: UUID) -> None:
    assert statements.pack(str(choice)) == choice.bytes
    assert statements.unpack(choice.bytes) == str(choice)


def test_no_choice_id_stays_none() -> None:
    assert statements.pack(None) is None
    assert statements.unpack(None) is None
