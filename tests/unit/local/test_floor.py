"""What was seen of the server: kept across restarts, and held against an older or another one."""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import sayso
from sayso.local.floor import Floor, Seen, read_seen, write_seen
from sayso.local.freshness import Head
from sayso.local.status import StatusBoard


@pytest.fixture
def board(clock) -> StatusBoard:
    return StatusBoard(clock)


@pytest.fixture
def make(tmp_path, board):
    (tmp_path / "own").mkdir(mode=0o700)
    outbox = tmp_path / "own" / "outbox.db"

    def make_floor(*, file: bool = True, brand: str = "dealer") -> Floor:
        return Floor(outbox if file else None, brand, board)

    make_floor.seen = outbox.with_name("outbox.db.seen")
    return make_floor


def head(position: int, store_id: str = "store-1") -> Head:
    return Head(store_id, position, 1.0)


async def test_without_a_file_nothing_has_to_be_asked_first(make) -> None:
    floor = make(file=False)
    floor.check()

    assert floor.needs_head is False
    assert floor.compare(head(5), floor.position) is True
    assert floor.needs_saving is False


async def test_an_older_state_is_blocked_until_it_has_caught_up(make, board) -> None:
    floor = make(file=False)
    floor.compare(head(140), 0)
    assert floor.compare(head(120), floor.position) is False
    assert (board.status, floor.needs_head) == ("blocked", True)
    with pytest.raises(sayso.UnavailableError, match="restored from an older backup") as caught:
        floor.check()
    assert caught.value.code == "behind"
    assert "change 120" in board.reason
    assert "restart this process" in board.reason
    assert floor.compare(head(140), floor.position) is True

    floor.check()
    assert (board.reason, floor.needs_head) == ("", False)


async def test_what_was_seen_after_the_question_began_is_not_held_against_the_answer(make) -> None:
    floor = make(file=False)
    floor.compare(head(10), 0)
    asked_at = floor.position
    floor.saw(12)

    assert floor.compare(head(11), asked_at) is True
    assert floor.position == 12


async def test_another_database_is_blocked_until_the_right_one_is_back(make, board) -> None:
    floor = make(file=False)
    floor.check_store("store-1")
    assert floor.follows("store-2") is False
    with pytest.raises(sayso.UnavailableError) as caught:
        floor.check()
    assert caught.value.code == "store_changed"
    with pytest.raises(sayso.UnavailableError, match="another database than before"):
        floor.check_store("store-2")
    assert floor.compare(head(1), 0) is True

    assert board.reason == ""


async def test_a_lost_connection_has_the_head_asked_for(make) -> None:
    floor = make(file=False)
    floor.doubt()
    assert floor.needs_head is False  # nothing was seen that the next server could be behind of
    floor.compare(head(3), 0)
    floor.doubt()
    assert floor.needs_head is True
    floor.compare(head(3), 3)

    assert floor.needs_head is False


async def test_a_restart_remembers(make, board) -> None:
    floor = make()
    await floor.load()
    floor.compare(head(7), 0)
    floor.saw(9)
    await floor.save()
    assert make.seen.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(make.seen.parent)) == ["outbox.db.seen", "outbox.db.seen.lock"]
    again = make()
    assert again.needs_head is True
    await again.load()

    assert (again.position, again.needs_head, again.needs_saving) == (9, True, False)
    assert again.compare(head(8), again.position) is False
    assert f"delete {make.seen}" in board.reason
    assert again.compare(head(9, "store-2"), again.position) is False
    assert again.compare(head(9), again.position) is True


async def test_a_process_that_saw_less_does_not_lower_what_another_wrote(make) -> None:
    one, other = make(), make()
    for floor, position in ((one, 50), (other, 40)):
        await floor.load()
        floor.compare(head(position), 0)
    await one.save()
    await other.save()

    assert await asyncio.to_thread(read_seen, make.seen, "dealer") == Seen("dealer", "store-1", 50)


async def test_another_brand_s_file_counts_for_nothing(make) -> None:
    await asyncio.to_thread(write_seen, make.seen, Seen("shop", "store-1", 500))
    floor = make()
    await floor.load()

    assert (floor.position, floor.needs_head) == (0, False)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"brand": "dealer"}', b"\xff"])
async def test_a_broken_file_is_reported_and_begun_anew(make, caplog, content) -> None:
    make.seen.write_bytes(content)
    make.seen.chmod(0o600)
    floor = make()
    await floor.load()
    assert "can't be read" in caplog.text
    floor.compare(head(4), 0)
    await floor.save()

    assert await asyncio.to_thread(read_seen, make.seen, "dealer") == Seen("dealer", "store-1", 4)


async def test_a_file_that_others_can_open_is_refused(make) -> None:
    make.seen.write_bytes(b"{}")
    make.seen.chmod(0o644)

    with pytest.raises(sayso.ConfigurationError, match="chmod 600"):
        await make().load()


async def test_a_disk_that_takes_nothing_is_reported_and_stops_nobody(make, caplog, monkeypatch) -> None:
    floor = make()
    await floor.load()
    floor.compare(head(4), 0)
    monkeypatch.setattr("sayso.local.floor.os.fsync", _full)
    await floor.save()

    assert "can't be kept" in caplog.text
    assert floor.needs_saving is True


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_several_clients_writing_at_once_leave_the_highest_position(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db.seen"
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda position: write_seen(path, Seen("dealer", "store-1", position)), [9, 3, 40, 7, 39, 12, 1, 38]
            )
        )

    assert read_seen(path, "dealer") == Seen("dealer", "store-1", 40)
    assert sorted(os.listdir(tmp_path)) == ["outbox.db.seen", "outbox.db.seen.lock"]


_ENDING = """
import os, sys
from sayso.client.portal import Portal
from sayso.local.floor import Floor
from sayso.local.status import StatusBoard
from sayso.transport.clock import SYSTEM_CLOCK

floor = Floor(sys.argv[1], "dealer", StatusBoard(SYSTEM_CLOCK))

async def begin():
    await floor.load()
    floor.check_store("store-1")
    floor.saw(5)

async def end():
    await floor.save()
    os.write(1, b"and then the rest")

async def nothing():
    pass

portal = Portal(begin, end)
portal.run(nothing())
"""


def test_what_was_seen_is_kept_as_the_interpreter_ends_and_what_comes_after_it_is_done(make) -> None:
    outbox = make.seen.with_name("outbox.db")
    ended = subprocess.run([sys.executable, "-c", _ENDING, outbox], capture_output=True, timeout=60, check=True)

    assert ended.stdout == b"and then the rest"
    assert read_seen(make.seen, "dealer").position == 5
