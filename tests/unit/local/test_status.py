"""The status: what stands in the way goes before what works."""

import threading
from datetime import timedelta

import pytest

from sayso.local.status import StatusBoard


@pytest.fixture
def board(clock) -> StatusBoard:
    return StatusBoard(clock)


def test_it_starts_is_live_goes_stale_and_offline(board, clock) -> None:
    board.starting(timedelta(seconds=3))
    assert board.status == "starting"
    board.reached(True)
    assert board.status == "starting"
    board.live(clock.boot() + 5)
    assert board.status == "live"
    clock.advance(5)
    assert board.status == "stale"
    board.reached(False)
    assert board.status == "offline"


def test_a_start_that_takes_too_long_is_stale(board, clock) -> None:
    board.starting(timedelta(seconds=3))
    board.reached(True)
    clock.advance(3)

    assert board.status == "stale"


def test_a_block_outweighs_everything_and_each_part_takes_back_its_own(board, clock) -> None:
    board.live(clock.boot() + 5)
    board.blocked("the key was revoked; make a new one")
    board.blocked("the server is older", by="floor")
    assert (board.status, board.reason) == ("blocked", "the key was revoked; make a new one the server is older")
    board.unblocked()
    assert (board.status, board.reason) == ("blocked", "the server is older")
    board.unblocked(by="floor")

    assert (board.status, board.reason) == ("live", "")


def test_callbacks_hear_of_each_change_once_and_a_failing_one_harms_nobody(board, clock, caplog) -> None:
    heard = []

    def failing(_):
        raise RuntimeError("cust-42")

    board.on_change(failing)
    stop = board.on_change(heard.append)
    board.reached(False)
    board.tell()
    board.tell()
    board.live(clock.boot() + 5)
    board.tell()
    stop()
    stop()
    board.reached(False)
    board.live(0.0)
    board.tell()

    assert heard == ["offline", "live"]
    assert "RuntimeError" in caplog.text
    assert "cust-42" not in caplog.text


async def test_a_block_reported_on_a_loop_is_told_there_and_one_from_a_thread_waits(board) -> None:
    heard = []
    board.on_change(heard.append)
    board.blocked("why")
    assert heard == ["blocked"]
    thread = threading.Thread(target=board.unblocked)
    thread.start()
    thread.join()
    assert heard == ["blocked"]
    board.tell()

    assert heard == ["blocked", "starting"]


def test_the_reason_says_why_the_server_could_not_be_asked_until_it_answers(board, clock) -> None:
    board.trouble("connection refused")
    assert (board.status, board.reason) == ("starting", "connection refused")
    board.reached(False, "no answer in time")
    assert (board.status, board.reason, board.blocks) == ("offline", "no answer in time", "")
    board.blocked("the key was revoked")
    assert board.reason == "the key was revoked"
    board.unblocked()
    assert board.reason == "no answer in time"
    board.reached(True)
    assert board.reason == ""


def test_while_answers_are_proved_fresh_nothing_stands_in_the_way(board, clock) -> None:
    board.live(clock.boot() + 5)
    board.trouble("the stream broke off")
    assert (board.status, board.reason) == ("live", "")
    clock.advance(5)
    assert board.reason == "the stream broke off"
    board.trouble("")
    assert board.reason == ""
