"""The checkers bite: each is shown a history in which what it looks for is planted, and one in which it is not."""

from __future__ import annotations

from tests.e2e.faults.checkers import Kept, late_yes, lost_or_twice, slow_answers
from tests.e2e.faults.logs import read_log


def receipt(choice, consumer="cust-1", version=None, status="confirmed"):
    return {"choice": choice, "consumer": consumer, "version": version, "status": status}


def test_choices_that_are_there_once_are_fine_acknowledged_or_not():
    kept = [Kept("a", "cust-1", 1), Kept("b", "cust-1", 2), Kept("not acknowledged", "cust-2", 1)]
    assert lost_or_twice([receipt("a", version=1), receipt("b", status="pending")], kept) == []


def test_a_lost_choice_is_found():
    assert lost_or_twice([receipt("a", status="pending")], [Kept("b", "cust-1", 1)]) == [
        "choice a of cust-1 was pending and is lost"
    ]


def test_a_choice_recorded_twice_is_found_though_nobody_has_a_receipt():
    kept = [Kept("a", "cust-1", 1), Kept("a", "cust-1", 2)]
    assert lost_or_twice([], kept) == ["choice a is there 2 times"]


def test_a_version_given_twice_is_found():
    kept = [Kept("a", "cust-1", 1), Kept("b", "cust-1", 1)]
    assert lost_or_twice([], kept) == ["version 1 of cust-1 was given 2 times"]


def test_a_choice_kept_at_another_version_or_for_another_consumer_is_found():
    assert lost_or_twice([receipt("a", version=1)], [Kept("a", "cust-1", 2)]) == [
        "choice a was confirmed as 1 and is 2"
    ]
    assert lost_or_twice([receipt("a")], [Kept("a", "cust-2", 1)]) == ["choice a went to another consumer"]


def said(what, at, consumer="cust-1"):
    return {"what": what, "at": at, "consumer": consumer}


def answer(began, ended, yes=True, consumer="cust-1"):
    return {"consumer": consumer, "from": began, "to": ended, "yes": yes}


def found(said_lines, *answers):
    return late_yes(said_lines, answers, bound=5.0, margin=0.25)


def test_a_yes_within_the_bound_and_a_no_after_it_are_fine():
    history = [said("granting", 0.0), said("withdrawn", 10.0)]
    assert found(history, answer(9.0, 9.0), answer(14.9, 15.0), answer(20.0, 20.0, yes=False)) == []


def test_a_yes_that_was_asked_for_after_the_bound_is_found_however_narrowly():
    assert found([said("withdrawn", 10.0)], answer(15.001, 15.002)) == [
        "cust-1 was withdrawn at 10.000; a check that began 5.001 s later said yes at +5.002 s"
    ]


def test_a_yes_that_came_long_after_the_bound_is_found_though_it_was_asked_for_before():
    assert len(found([said("withdrawn", 10.0)], answer(14.9, 15.3))) == 1


def test_a_grant_begun_after_the_withdrawal_explains_a_yes_and_the_next_withdrawal_ends_that():
    history = [said("withdrawn", 10.0), said("granting", 20.0), said("withdrawn", 30.0)]
    assert found(history, answer(21.0, 21.0), answer(34.0, 34.0)) == []
    assert len(found(history, answer(36.0, 36.0))) == 1


def test_of_two_withdrawals_the_first_counts():
    assert len(found([said("withdrawn", 10.0), said("withdrawn", 14.0)], answer(16.0, 16.0))) == 1


def test_another_consumers_withdrawal_is_none_of_this_ones():
    assert found([said("withdrawn", 10.0, "cust-2")], answer(30.0, 30.0)) == []


def test_a_check_that_took_too_long_is_found():
    assert slow_answers([answer(1.0, 2.0, yes=False)], within=1.5) == []
    assert slow_answers([answer(1.0, 2.6, yes=False)], within=1.5) == ["a check of cust-1 took 1.600 s"]


def test_a_line_that_a_kill_cut_off_was_never_said(tmp_path):
    path = tmp_path / "log"
    path.write_text('{"choice": "a"}\n{"choi')
    assert read_log(path) == [{"choice": "a"}]
    assert read_log(tmp_path / "none") == []
