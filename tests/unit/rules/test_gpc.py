"""Global Privacy Control and DNT, from headers as they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.rules.gpc import dnt, gpc

VECTORS = [
    ([], False),
    (["1"], True),
    (["0"], False),
    (["true"], False),
    ([" 1 "], True),
    (["\t1"], True),
    (["0", "1"], True),
    (["1", "0"], True),
    (["1;x"], False),
    (["1, 1"], True),
    (["0, 1"], True),
    (["0,1"], True),
    (["0, 1;x"], False),
    (["11"], False),
    (["1.0"], False),
    (["01"], False),
    (['"1"'], False),
    (["?1"], False),
    ([""], False),
    (["\u00a01"], False),
    (["\uff11"], False),
    (["1\n"], False),
]


@pytest.mark.parametrize(("values", "expected"), VECTORS)
def test_gpc_is_exactly_one(values, expected):
    assert gpc([("Sec-GPC", value) for value in values]) is expected


@pytest.mark.parametrize(("values", "expected"), VECTORS)
def test_dnt_is_exactly_one(values, expected):
    assert dnt([("DNT", value) for value in values]) is expected


@pytest.mark.parametrize("name", ["Sec-GPC", "sec-gpc", "SEC-GPC"])
def test_the_name_is_read_in_any_case(name):
    assert gpc([("Host", "dealer.example"), (name, "1")])


@pytest.mark.parametrize("name", ["Sec-GPC ", "X-Sec-GPC", "GPC", "DNT", "\u017fec-gpc"])
def test_another_header_is_not_the_signal(name):
    assert not gpc([(name, "1")])


def test_the_two_signals_are_not_confused():
    assert not dnt([("Sec-GPC", "1")])
    assert (gpc([("DNT", "1"), ("Sec-GPC", "0")]), dnt([("DNT", "1"), ("Sec-GPC", "0")])) == (False, True)


@given(st.lists(st.text()), st.integers(0, 5))
def test_no_other_header_takes_the_signal_back(values, position):
    headers = [("Sec-GPC", value) for value in values]
    headers.insert(min(position, len(headers)), ("Sec-GPC", "1"))
    assert gpc(headers)


@given(st.lists(st.text().filter(lambda value: "1" not in value)))
def test_nothing_else_sets_it(values):
    assert not gpc([("Sec-GPC", value) for value in values])
