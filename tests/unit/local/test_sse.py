"""Reading events cut anywhere, as WHATWG HTML §9.2.6 says."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.local.sse import LONGEST_EVENT, LONGEST_LINE, Event, Parser, TooLongError


def read(*chunks: bytes) -> list[Event]:
    parser = Parser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_an_event_ends_with_an_empty_line_of_any_kind(end: bytes) -> None:
    stream = end.join([b"event: change", b"id: 7", b'data: {"version": 3}', b"", b""])

    assert read(stream) == [Event("change", '{"version": 3}', "7")]


def test_data_lines_are_joined_and_one_space_after_the_colon_is_dropped() -> None:
    assert read(b"data:a\ndata:  b\ndata\n\n") == [Event("message", "a\n b\n", "")]


def test_comments_empty_events_and_unknown_fields_are_passed_over() -> None:
    assert read(b":\n\n: keep alive\n\nevent: x\n\nretry: 10\nsomething: else\ndata: y\n\n") == [
        Event("message", "y", "")
    ]


def test_an_id_lasts_until_the_next_and_one_with_a_null_is_ignored() -> None:
    stream = b"id: a\ndata: 1\n\ndata: 2\n\nid: b\0c\ndata: 3\n\nid\ndata: 4\n\n"

    assert [event.id for event in read(stream)] == ["a", "a", "a", ""]


def test_a_mark_at_the_start_is_no_part_of_the_first_field() -> None:
    assert read(b"\xef\xbb\xbfdata: x\n\n", b"\xef\xbb\xbfdata: y\n\n") == [Event("message", "x", "")]


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert read(b"data: \xff\n\n") == [Event("message", "�", "")]


def test_what_is_not_finished_is_not_given() -> None:
    assert read(b"data: x\n") == []
    assert read(b"data: x\n\nda") == [Event("message", "x", "")]


@pytest.mark.parametrize(
    "stream",
    [
        b"data: " + b"x" * LONGEST_LINE,
        b"data: " + b"x" * LONGEST_LINE + b"\n",
        b"data: xxxxxxx\n" * (LONGEST_EVENT // 8 + 1),
    ],
)
def test_a_line_or_an_event_without_end_is_refused(stream: bytes) -> None:
    with pytest.raises(TooLongError):
        read(*(stream[start : start + 4096] for start in range(0, len(stream), 4096)))


PIECES = st.lists(
    st.sampled_from(
        [
            b"data: x",
            b"data",
            b":c",
            b"event: change",
            b"id: 1",
            b"id: \0",
            b"\n",
            b"\r",
            b"\r\n",
            b"\n\n",
            "ü".encode(),
        ]
    ),
    max_size=30,
).map(b"".join)


@given(stream=PIECES, cuts=st.lists(st.integers(0, 200), max_size=12))
def test_where_the_stream_is_cut_changes_nothing(stream: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]

    chunks = [stream[start:end] for start, end in pairwise(places)]

    assert read(*chunks) == read(stream)
