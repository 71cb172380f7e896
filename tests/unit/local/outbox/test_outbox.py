"""The outbox: refusals count at once and are never turned away for want of room; nothing goes missing in silence."""

import asyncio
import logging
import os
import sqlite3
import stat
import threading
import time
from functools import partial
from pathlib import Path

import pytest

import sayso
from sayso.client.pending import judge
from sayso.local.outbox.file import FileStore
from sayso.local.outbox.notices import Loss, Parked
from sayso.local.outbox.outbox import Outbox
from sayso.local.outbox.pick import Pick
from sayso.local.outbox.store import BusyError, Done, FullError, StoreError
from sayso.local.overlay import Overlay


def ids(rows) -> list[str]:
    return [row.choice_id for row in rows]


async def sent(outbox: Outbox) -> list[str]:
    return ids(await outbox.batch(Pick(500, 10**6)))


def fill_disk(outbox: Outbox, *, used: int = 0) -> None:
    """Let the database take no page more than it has; SQLite then says that the disk is full."""
    connection = outbox.back.keeper._store.connected()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + used}")


def make_room(outbox: Outbox) -> None:
    outbox.back.keeper._store.connected().execute("PRAGMA max_page_count = 1000000")


async def test_a_refusal_counts_from_the_moment_it_is_kept_and_after_opening_again(open_outbox, row) -> None:
    outbox = await open_outbox()
    await outbox.append([row()])
    assert outbox.overlay.refusal("cust-42", "channel:sms").row == 1
    await outbox.close()
    assert "cust-43" in outbox.overlay.consumers  # closed, it knows nothing

    again = await open_outbox()
    assert again.overlay.refusal("cust-42", "channel:sms").choice_id == "id-1"
    assert "cust-43" not in again.overlay.consumers
    assert (again.pending, await sent(again)) == (1, ["id-1"])


async def test_many_at_once_are_all_kept_and_each_once(open_outbox, row) -> None:
    outbox = await open_outbox()
    await asyncio.gather(*(outbox.append([row(consumer=f"cust-{number}")]) for number in range(400)))

    assert outbox.pending == 400
    assert sorted(await sent(outbox)) == sorted(f"id-{number}" for number in range(1, 401))


async def test_cancelled_callers_lose_nothing_and_hold_no_lock(open_outbox, row) -> None:
    outbox = await open_outbox()
    tasks = [asyncio.create_task(outbox.append([row(consumer=f"cust-{number}")])) for number in range(500)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)

    await outbox.append([row("granted", consumer="cust-7000")])
    kept = set(await sent(outbox)) | set(ids(await outbox.batch(Pick(600, 10**6))))
    assert {f"id-{place + 1}" for place, result in enumerate(done) if result is None} <= kept
    assert "id-501" in kept


async def test_without_room_a_grant_raises_and_a_refusal_is_kept(open_outbox, row) -> None:
    outbox = await open_outbox(limit=10)
    await outbox.append([row("granted", consumer=f"cust-{number}") for number in range(9)])

    with pytest.raises(sayso.OutboxFullError, match="not recorded") as caught:
        await outbox.append([row("granted")])
    assert caught.value.code == "outbox_full"
    assert outbox.overlay.grant("cust-42", "channel:sms") is None
    await outbox.append([row()])
    assert outbox.overlay.refusal("cust-42", "channel:sms") is not None


async def test_when_the_disk_is_full_a_grant_raises_and_a_refusal_counts_and_is_reported(
    open_outbox, row, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = await open_outbox()
    await outbox.append([row(consumer="cust-1", body=b"x" * 3000)])
    losses: list[Loss] = []
    outbox.back.on_loss.listen(losses.append)
    fill_disk(outbox)

    with pytest.raises(sayso.OutboxFullError):
        await outbox.append([row("granted", body=b"x" * 3000)])
    with caplog.at_level(logging.ERROR, "sayso.outbox"):
        await outbox.append([row(body=b"x" * 3000)])
    assert outbox.overlay.refusal("cust-42", "channel:sms") is not None
    (loss,) = losses
    assert (loss.why, loss.number, loss.entries) == ("in_memory", 1, (("cust-42", "channel:sms", "denied"),))
    assert "1 refusals are in memory only" in caplog.text
    assert "cust-42" not in caplog.text

    # A mixed batch: the refusal in it is kept, the grant is not.
    with pytest.raises(sayso.OutboxFullError):
        await outbox.append([row("granted", consumer="cust-8"), row(consumer="cust-8", body=b"x" * 3000)])
    assert [one.answer for one in outbox.overlay.consumers["cust-8"]] == ["denied"]


async def test_what_is_in_memory_is_sent_after_what_is_on_disk(open_outbox, row) -> None:
    outbox = await open_outbox()
    await outbox.append([row(choice_id="first", body=b"x" * 3000)])
    fill_disk(outbox)
    await outbox.append([row(choice_id="second", body=b"x" * 3000)])

    rows = await outbox.batch(Pick(500, 10**6))
    assert ids(rows) == ["first"]
    await outbox.settle([Done(rows[0], 5)])
    rows = await outbox.batch(Pick(500, 10**6))
    assert ids(rows) == ["second"]
    await outbox.settle([Done(rows[0], 6)])
    assert (outbox.pending, outbox.overlay.consumers) == (0, {})


async def test_what_is_in_memory_moves_to_the_disk_once_there_is_room(open_outbox, row) -> None:
    outbox = await open_outbox()
    await outbox.append([row(body=b"x" * 3000)])
    fill_disk(outbox)
    await outbox.append([row(choice_id="held", body=b"x" * 3000)])
    assert outbox.overlay.newest_refusal("cust-42", "channel:sms") == 1
    make_room(outbox)
    await outbox.refresh()
    assert outbox.overlay.newest_refusal("cust-42", "channel:sms") == 2
    await outbox.close()

    assert await sent(await open_outbox()) == ["id-1", "held"]


async def test_what_is_in_memory_counts_on_and_is_not_lost_when_a_loop_leaves(open_outbox, row) -> None:
    outbox = await open_outbox()
    losses: list[Loss] = []
    outbox.back.on_loss.listen(losses.append)
    await outbox.append([row(body=b"x" * 3000)])
    fill_disk(outbox)
    await outbox.append([row(choice_id="held", consumer="cust-43", body=b"x" * 3000)])
    await outbox.close(final=False)
    assert outbox.overlay.refusal("cust-43", "channel:sms") is not None
    assert [loss.why for loss in losses] == ["in_memory"]

    await outbox.open()
    assert (outbox.pending, outbox.overlay.refusal("cust-43", "channel:sms").row) == (2, -1)
    await outbox.refresh()
    assert await sent(outbox) == ["id-1", "held"]


async def test_room_is_kept_on_the_disk_for_refusals(open_outbox, row, tmp_path: Path, monkeypatch) -> None:
    outbox = await open_outbox()
    reserve = tmp_path / "outbox.db.reserve"
    assert reserve.stat().st_size == 256 * 1024
    append = outbox.back.keeper._store.append

    def on_full_disk(rows):
        if reserve.stat().st_size:  # the disk is full to the last byte, save what the reserve takes up
            raise FullError("database or disk is full (SQLITE_FULL)")
        return append(rows)

    monkeypatch.setattr(outbox.back.keeper._store, "append", on_full_disk)
    with pytest.raises(sayso.OutboxFullError):
        await outbox.append([row("granted")])
    assert reserve.stat().st_size == 256 * 1024
    await outbox.append([row(choice_id="kept")])
    assert reserve.stat().st_size == 0
    await outbox.close()

    assert await sent(await open_outbox()) == ["kept"]


async def test_memory_is_bounded_and_its_last_tenth_kept_for_refusals(open_outbox, row) -> None:
    outbox = await open_outbox(memory=True, limit=1000)
    await outbox.append([row("granted", consumer=f"cust-{number}") for number in range(900)])
    with pytest.raises(sayso.OutboxFullError, match="SAYSO_OUTBOX"):
        await outbox.append([row("granted")])
    await outbox.append([row() for _ in range(100)])
    with pytest.raises(sayso.OutboxFullError):
        await outbox.append([row()])
    assert outbox.pending == 1000


async def test_what_was_in_memory_only_is_reported_when_it_ends(open_outbox, row, caplog) -> None:
    outbox = await open_outbox(memory=True)
    losses: list[Loss] = []
    outbox.back.on_loss.listen(losses.append)
    await outbox.append([row(), row("granted", consumer="cust-43")])

    await outbox.close()
    assert [(loss.why, loss.number) for loss in losses] == [("not_sent", 2)]
    assert "2 entries were not sent" in caplog.text
    assert "cust-4" not in caplog.text


async def test_a_parked_refusal_goes_on_counting_and_is_reported(open_outbox, row) -> None:
    outbox = await open_outbox()
    said: list[Parked] = []
    outbox.back.on_parked.listen(said.append)
    await outbox.append([row(), row("granted", consumer="cust-43")])
    rows = await outbox.batch(Pick(500, 10**6))
    await outbox.park(rows, "unknown_topic", "the catalogue has no such topic")

    assert [(one.consumer_id, one.answer, one.code) for one in said] == [
        ("cust-42", "denied", "unknown_topic"),
        ("cust-43", "granted", "unknown_topic"),
    ]
    assert outbox.overlay.refusal("cust-42", "channel:sms").parked is True
    assert outbox.overlay.grant("cust-43", "channel:sms") is None
    assert (outbox.pending, await sent(outbox)) == (0, [])
    late: list[Parked] = []
    outbox.back.on_parked.listen(late.append)
    assert late == said


async def test_a_grant_confirmed_in_view_of_a_parked_refusal_takes_its_place_for_good(open_outbox, row) -> None:
    outbox = await open_outbox()
    await outbox.append([row(), row(topic="purpose:ads")])
    await outbox.park(await outbox.batch(Pick(500, 10**6)), "unknown_topic", "no")
    await outbox.overrule("cust-42", "channel:sms", 1)
    assert outbox.overlay.refusal("cust-42", "channel:sms") is None
    await outbox.close()

    again = await open_outbox()
    assert again.overlay.refusal("cust-42", "channel:sms") is None
    assert again.overlay.refusal("cust-42", "purpose:ads") is not None


async def test_a_callback_that_fails_keeps_nothing_from_being_kept(open_outbox, row, caplog) -> None:
    outbox = await open_outbox()
    said: list[Parked] = []
    outbox.back.on_parked.listen(lambda parked: 1 / 0)
    outbox.back.on_parked.listen(said.append)
    await outbox.append([row()])
    await outbox.park(await outbox.batch(Pick(500, 10**6)), "unknown_topic", "no")

    assert len(said) == 1
    assert "ZeroDivisionError" in caplog.text


async def test_entries_that_another_process_keeps_and_sends_are_learned_of(open_outbox, row) -> None:
    one, other = await open_outbox(), await open_outbox()
    seen: list[tuple[str, int | None]] = []
    one.back.on_seen = lambda consumer_id, version: seen.append((consumer_id, version))
    await other.append([row(), row("granted", consumer="cust-43")])
    assert one.overlay.refusal("cust-42", "channel:sms") is None
    await one.refresh()
    assert one.overlay.refusal("cust-42", "channel:sms") is not None
    assert one.overlay.grant("cust-43", "channel:sms") is not None

    await other.settle(
        [Done(done, version) for done, version in zip(await other.batch(Pick(9, 999)), (8, 3), strict=True)]
    )
    await one.refresh()
    assert sorted(seen) == [("cust-42", 8), ("cust-43", 3)]
    assert one.overlay.consumers == {}


async def test_an_outbox_for_another_brand_says_so_to_whoever_uses_it(open_outbox, tmp_path, row) -> None:
    await open_outbox()
    privacy = sayso.Client("https://other.example", "shop.k1", "s" * 40, outbox=tmp_path / "outbox.db", live=False)

    for asking in (privacy.start(), privacy.consumer("a").deny("x"), privacy.consumer("a").allows("x")):
        with pytest.raises(sayso.ConfigurationError, match="belongs to dealer"):
            await asking
    await privacy.aclose()


async def test_a_file_that_is_only_held_by_another_process_costs_no_reserve(
    open_outbox, row, tmp_path: Path, monkeypatch
) -> None:
    outbox = await open_outbox()

    def held(rows):
        raise BusyError("database is locked (SQLITE_BUSY)")

    monkeypatch.setattr(outbox.back.keeper._store, "append", held)
    await outbox.append([row()])
    assert (tmp_path / "outbox.db.reserve").stat().st_size == 256 * 1024


async def test_the_reserve_is_set_aside_again_once_everything_is_sent(open_outbox, row, tmp_path: Path) -> None:
    outbox = await open_outbox()
    reserve = tmp_path / "outbox.db.reserve"
    await outbox.append([row()])
    os.truncate(reserve, 0)
    await outbox.settle([Done(one, 1) for one in await outbox.batch(Pick(500, 10**6))])
    assert reserve.stat().st_size == 256 * 1024


async def test_a_check_waits_less_than_a_second_for_a_file_that_another_process_holds(
    open_outbox, tmp_path: Path, seal
) -> None:
    await (await open_outbox()).close()
    holder = sqlite3.connect(tmp_path / "outbox.db")
    holder.execute("BEGIN EXCLUSIVE")
    store = partial(FileStore, tmp_path / "outbox.db", "dealer", "https://sayso.dealer.example", seal, lambda: 0)
    outbox = Outbox(lambda mended: store(on_mended=mended), tmp_path / "outbox.db")
    began = time.monotonic()
    await outbox.overlay.load()
    assert time.monotonic() - began < 0.9
    assert outbox.overlay.loaded is False

    def verdict(overlay: Overlay) -> str:
        return judge(overlay, "cust-42", "channel:sms", None, reason="granted", version=1, catalogue=None, now=0).reason

    assert verdict(outbox.overlay) == "unavailable"
    holder.close()
    await outbox.overlay.load(whole=True)
    assert verdict(outbox.overlay) == "granted"
    await outbox.close()


async def test_a_settled_entry_counts_no_longer_even_if_its_sender_was_cancelled(open_outbox, row, monkeypatch) -> None:
    outbox = await open_outbox()
    await outbox.append([row()])
    rows = await outbox.batch(Pick(500, 10**6))
    may_go_on = threading.Event()
    settle = outbox.back.keeper.settle
    monkeypatch.setattr(outbox.back.keeper, "settle", lambda done: (may_go_on.wait(5), settle(done)))
    task = asyncio.create_task(outbox.settle([Done(rows[0], 1)]))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    may_go_on.set()
    await outbox.refresh()
    assert outbox.pending == 0


async def test_a_grant_that_saw_no_refusal_overrules_none(open_outbox, row) -> None:
    outbox = await open_outbox()
    await outbox.append([row()])
    await outbox.park(await outbox.batch(Pick(500, 10**6)), "unknown_topic", "no")
    await outbox.overrule("cust-42", "channel:sms", 0)
    assert outbox.overlay.refusal("cust-42", "channel:sms") is not None


@pytest.mark.parametrize(
    "body", [b'{"method":"phone"}', b'{"method":"import"}', b'{"method":"agent"}', b'{"actor":"brand"}']
)
async def test_somebody_else_s_grant_leaves_a_pending_refusal_standing(open_outbox, row, body: bytes) -> None:
    outbox = await open_outbox()
    await outbox.append([row()])
    await outbox.append([row("granted", seen_row=1, body=body)])
    assert outbox.overlay.refusal("cust-42", "channel:sms") is not None


async def test_a_refusal_of_a_cancelled_call_that_can_t_be_kept_is_reported_as_lost(
    open_outbox, row, monkeypatch
) -> None:
    outbox = await open_outbox()
    said: list[Loss] = []
    outbox.back.on_loss.listen(said.append)

    def fails(rows):
        raise sayso.ConfigurationError("not this file", code="outbox_of_another")

    monkeypatch.setattr(outbox.back.keeper, "append", fails)
    outbox.hand_over([row()])
    await outbox.refresh()
    assert [(loss.why, loss.number, loss.entries) for loss in said] == [
        ("not_sent", 1, (("cust-42", "channel:sms", "denied"),))
    ]


async def test_a_refusal_in_memory_is_sent_though_the_file_can_t_be_read(open_outbox, row, monkeypatch) -> None:
    outbox = await open_outbox()

    def broken(*_):
        raise StoreError("disk I/O error (SQLITE_IOERR)")

    for name in ("append", "changes", "batch"):
        monkeypatch.setattr(outbox.back.keeper._store, name, broken)
    with pytest.raises(StoreError):
        await outbox.refresh()
    await outbox.append([row()])

    await outbox.refresh()
    assert await sent(outbox) == ["id-1"]


async def test_what_a_file_lost_while_it_was_in_use_is_waited_for_no_longer_and_its_refusals_count(
    open_outbox, row, tmp_path: Path
) -> None:
    outbox = await open_outbox()
    await outbox.append([row(), row("granted", consumer="cust-43")])
    (tmp_path / "outbox.db").write_bytes(b"\0" * 100)
    await outbox.append([row(consumer="cust-44")])

    assert (outbox.pending, outbox.overlay.waits("cust-42")) == (1, False)
    assert outbox.overlay.refusal("cust-42", "channel:sms") is not None
    assert outbox.overlay.grant("cust-43", "channel:sms") is None


async def test_a_file_that_was_removed_is_made_anew_and_what_was_in_it_is_reported(
    open_outbox, row, tmp_path: Path
) -> None:
    outbox = await open_outbox()
    losses: list[Loss] = []
    outbox.back.on_loss.listen(losses.append)
    await outbox.append([row()])
    (tmp_path / "outbox.db").unlink()
    await outbox.append([row("granted", consumer="cust-43")])

    assert [(loss.why, loss.number) for loss in losses] == [("damaged", 1)]
    assert await sent(outbox) == ["id-2"]
    assert stat.S_IMODE((tmp_path / "outbox.db").stat().st_mode) == 0o600


async def test_a_refusal_that_one_process_overruled_counts_in_the_others_no_more(open_outbox, row) -> None:
    one, other = await open_outbox(), await open_outbox()
    await one.append([row()])
    await one.park(await one.batch(Pick(500, 10**6)), "unknown_topic", "no")
    await other.refresh()
    assert other.overlay.refusal("cust-42", "channel:sms") is not None

    await one.overrule("cust-42", "channel:sms", 1)
    await other.refresh()
    assert other.overlay.refusal("cust-42", "channel:sms") is None
