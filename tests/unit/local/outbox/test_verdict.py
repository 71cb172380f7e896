"""What a server's no does to the entries that were sent."""

import pytest

from sayso.errors import Error, Problem
from sayso.local.outbox.verdict import Verdict, judge

KEEP = Verdict({})


def error(status: int, code: str = "", *pointers: str) -> Error:
    made = Error("no", code=code, problems=tuple(Problem(pointer, code, "why") for pointer in pointers))
    made.status = status
    return made


def verdict(status: int, code: str = "", *pointers: str, sent: int = 3, batched: bool = True) -> Verdict:
    return judge(error(status, code, *pointers), sent, batched=batched)


@pytest.mark.parametrize(("status", "code"), [(422, "unknown_topic"), (409, "notice_stale")])
def test_an_entry_that_the_server_names_is_parked_and_no_other(status: int, code: str) -> None:
    assert verdict(status, code, "/choices/1/topic", "/choices/1/notice") == Verdict({1: (code, "why")})


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "token_invalid"),
        (403, "scope"),
        (404, "not_found"),
        (408, "timed_out"),
        (425, "http_425"),
        (429, "rate_limited"),
        (500, "internal"),
        (503, "unavailable"),
        (400, "malformed_json"),
        (405, "method_not_allowed"),
        (415, "unsupported_media_type"),
        (409, "catalogue_changed"),
        (410, "http_410"),
        (422, "http_422"),
    ],
)
def test_everything_else_keeps_them_all(status: int, code: str) -> None:
    assert verdict(status, code) == KEEP
    assert verdict(status, code, sent=1) == KEEP


@pytest.mark.parametrize("pointer", ["", "/choices", "/sent_at", "/choices/9/topic", "/choices/x"])
def test_a_pointer_that_names_no_entry_parks_none(pointer: str) -> None:
    assert verdict(422, "invalid_value", pointer) == KEEP


@pytest.mark.parametrize("status", [400, 409])
def test_an_entry_that_is_named_for_another_reason_is_kept_and_lets_the_rest_pass(status: int) -> None:
    assert verdict(status, "linked", "/choices/2/consumer_id") == Verdict({}, defer=frozenset({2}))
    assert verdict(status, "linked", "/choices/0", "/choices/1", "/choices/2") == KEEP


def test_entries_of_the_erased_are_dropped_where_they_are_named() -> None:
    assert verdict(410, "erased", "/choices/0", "/choices/2") == Verdict({}, drop=frozenset({0, 2}))
    assert verdict(410, "erased") == Verdict({}, halve=True)
    assert verdict(410, "erased", sent=1) == Verdict({}, drop=frozenset({0}))


def test_too_large_a_batch_is_halved_and_too_large_an_entry_put_off() -> None:
    assert verdict(413, "body_too_large") == Verdict({}, halve=True)
    assert verdict(413, "body_too_large", sent=1) == Verdict({}, defer=frozenset({0}))


def test_a_report_is_sent_alone_so_an_error_about_a_member_is_about_it() -> None:
    assert verdict(422, "unknown_vocabulary", "/vocabulary", sent=1, batched=False) == Verdict(
        {0: ("unknown_vocabulary", "why")}
    )
    assert verdict(422, "http_422", sent=1, batched=False) == KEEP
    assert verdict(410, "erased", sent=1, batched=False) == Verdict({}, drop=frozenset({0}))
