"""The real client while the real server is away: refusals count at once, and everything arrives once, in order."""

import asyncio
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

import sayso
from sayso.local.outbox import pace
from sayso_server.keys import new_key

Make = Callable[..., sayso.Client]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sayso.client.offline.PATIENCE", timedelta(milliseconds=300))
    monkeypatch.setattr(pace, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(pace, "LONGEST_WAIT", 0.1)


BOTH = pytest.mark.parametrize("live", [False, True], ids=["asking", "following"])


@pytest.fixture
def live() -> bool:
    """Whether clients follow the changes; tests marked `BOTH` run either way."""
    return False


@pytest.fixture
def make(served: Any, tmp_path: Path, live: bool) -> Make:
    """Makes clients that share the outbox `outbox.db`."""
    folder = tmp_path / "outbox"
    folder.mkdir(mode=0o700)

    def make_one(**settings: Any) -> sayso.Client:
        return served.client(**{"outbox": folder / "outbox.db", "live": live} | settings)

    return make_one


@pytest.fixture
async def privacy(make: Make) -> AsyncIterator[sayso.Client]:
    async with make() as client:
        yield client


async def history(served: Any, consumer_id: str = "cust-42") -> list[sayso.PastChoice]:
    choices = served.client().consumer(consumer_id).history()
    return [choice async for choice in choices][::-1]


@BOTH
async def test_a_refusal_made_in_an_outage_counts_at_once_and_arrives_once(
    privacy: sayso.Client, ann: sayso.Consumer, served: Any
) -> None:
    await ann.grant("purpose:marketing", shown="en")
    assert await ann.allows("purpose:marketing") is True
    await served.stop()
    recorded = await ann.withdraw("purpose:marketing")

    assert (recorded.status, recorded.stands, recorded.allowed, recorded.reason) == (
        "pending",
        True,
        False,
        "withdrawn",
    )
    assert (recorded.version, recorded.recorded_at, recorded.effective_at) == (None, None, None)
    decision = await ann.decide("purpose:marketing")
    assert (decision.allowed, decision.reason, decision.choice_id) == (False, "withdrawn", recorded.choice_id)
    assert privacy.pending == 1

    await served.restart()
    assert await privacy.flush() == 0
    assert [(one.id, one.answer) for one in await history(served)][1:] == [(recorded.choice_id, "withdrawn")]
    assert (await ann.decide("purpose:marketing")).choice_id == recorded.choice_id


@pytest.fixture
def ann(privacy: sayso.Client) -> sayso.Consumer:
    return privacy.consumer("cust-42")


@BOTH
async def test_it_counts_in_the_next_process_before_the_server_is_back(make: Make, served: Any) -> None:
    async with make() as privacy:
        await privacy.consumer("cust-42").grant("purpose:marketing", shown="en")
        await served.stop()
        recorded = await privacy.consumer("cust-42").deny("purpose:marketing")

    again = make()
    decision = await again.consumer("cust-42").decide("purpose:marketing")
    assert (decision.allowed, decision.reason, decision.choice_id) == (False, "denied", recorded.choice_id)
    await served.restart()
    assert (await again.consumer("cust-42").decide("purpose:marketing")).allowed is False
    assert await again.flush() == 0
    assert [one.answer for one in await history(served)] == ["granted", "denied"]


@BOTH
async def test_a_grant_made_after_one_s_own_refusal_in_an_outage_stands(
    privacy: sayso.Client, ann: sayso.Consumer, served: Any
) -> None:
    await ann.grant("purpose:marketing", shown="en")
    await served.stop()
    await ann.withdraw("purpose:marketing")
    granted = await ann.grant("purpose:marketing", shown="en")
    assert (granted.status, granted.stands, granted.allowed, granted.reason) == ("pending", None, False, "unavailable")
    assert await ann.allows("purpose:marketing") is False  # no fresh data

    await served.restart()
    assert await privacy.flush() == 0
    assert [one.answer for one in await history(served)] == ["granted", "withdrawn", "granted"]
    assert await ann.allows("purpose:marketing") is True
    assert (await ann.decide("purpose:marketing")).choice_id == granted.choice_id


@BOTH
async def test_a_refusal_after_a_grant_in_an_outage_stands(
    privacy: sayso.Client, ann: sayso.Consumer, served: Any
) -> None:
    await served.stop()
    await ann.grant("channel:sms", shown="en")
    refused = await ann.deny("channel:sms")
    await served.restart()

    assert await privacy.flush() == 0
    assert (await ann.decide("channel:sms")).choice_id == refused.choice_id


async def test_the_age_of_a_choice_is_how_long_it_waited(
    privacy: sayso.Client, ann: sayso.Consumer, served: Any
) -> None:
    await served.stop()
    await ann.deny("channel:sms")
    served.clock.forward(timedelta(hours=3))
    await served.restart()
    assert await privacy.flush() == 0

    (choice,) = await history(served)
    assert timedelta(hours=3) <= choice.recorded_at - choice.effective_at < timedelta(hours=3, seconds=30)


async def test_reports_wait_like_choices(privacy: sayso.Client, ann: sayso.Consumer, served: Any) -> None:
    await ann.grant("permission:camera", shown="en")
    await ann.report_device("pixel-8", {"camera": "granted"}, vocabulary="web")
    assert await ann.allows("permission:camera", device="pixel-8") is True
    served.clock.forward(timedelta(minutes=1))
    await served.stop()
    device = await ann.report_device("pixel-8", {"camera": "denied"}, vocabulary="web")
    signal = await ann.report_signal("gpc")
    age = await ann.report_age(source="brand", lower=30)
    assert [one.status for one in (device, signal, age)] == ["pending"] * 3
    assert [one.version for one in (device, signal, age)] == [None] * 3
    assert await ann.allows("permission:camera", device="pixel-8") is False

    await served.restart()
    assert await privacy.flush() == 0
    preferences = await ann.preferences()
    assert preferences.version == 5
    assert (await ann.decide("permission:camera", device="pixel-8")).reason == "device_denied"
    assert set(preferences.signals) == {"gpc"}


async def test_opting_out_of_a_partner_needs_no_server(privacy: sayso.Client, ann: sayso.Consumer, served: Any) -> None:
    await ann.preferences()
    await served.stop()
    recorded = await ann.opt_out("vinsolutions")

    assert [one.status for one in recorded] == ["pending"] * 3
    await served.restart()
    assert await privacy.flush() == 0
    assert len(await history(served)) == 3


@pytest.mark.parametrize("lost", [1, 2])
async def test_an_answer_that_was_lost_leaves_one_record(make: Make, served: Any, lost: int) -> None:
    passed = 0

    async def lose(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal passed
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type")}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method, f"{served.url}{request.path_qs}", headers=headers, data=await request.read()
            ) as answer,
        ):
            body = await answer.read()
        passed += request.path == "/v1/choices"
        if passed <= lost and request.transport is not None:
            await asyncio.sleep(0.4)  # longer than the client waits before it keeps the choice
            request.transport.abort()
        return web.Response(status=answer.status, body=body, headers={"Content-Type": answer.headers["Content-Type"]})

    runner = web.ServerRunner(web.Server(lose, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://{}:{}".format(*runner.addresses[0][:2])
    async with make(url=url, live=False) as privacy:
        recorded = await privacy.consumer("cust-42").deny("channel:sms")
        assert recorded.status == "pending"
        assert await privacy.flush() == 0
    await runner.cleanup()

    assert passed == lost + 1
    assert [one.id for one in await history(served)] == [recorded.choice_id]


async def test_choices_recorded_again_while_they_wait_are_sent_once(privacy: sayso.Client, served: Any) -> None:
    choices = [sayso.Choice(f"cust-{number}", "channel:sms", "denied") for number in range(3)]
    await served.stop()
    for _ in range(2):
        assert [one.status for one in await privacy.record_many(choices)] == ["pending"] * 3
    assert privacy.pending == 3
    await served.restart()

    assert await privacy.flush() == 0
    assert [one.version for one in await privacy.record_many(choices)] == [1, 1, 1]
    assert [one.id for one in await history(served, "cust-1")] == [choices[1].id]


@BOTH
async def test_a_notice_that_went_stale_meanwhile_parks_that_grant_alone(
    privacy: sayso.Client, ann: sayso.Consumer, served: Any
) -> None:
    parked: list[sayso.Parked] = []
    privacy.on_parked(parked.append)
    await served.stop()
    await ann.grant("purpose:training", shown="en", notice_version=1)
    await privacy.consumer("cust-43").grant("purpose:training", shown="en", notice_version=2)
    await ann.deny("channel:sms")
    await served.restart()

    assert await privacy.flush() == 0
    assert [(one.consumer_id, one.topic, one.code) for one in parked] == [
        ("cust-42", "purpose:training", "notice_stale")
    ]
    assert [one.answer for one in await history(served)] == ["denied"]
    assert await privacy.consumer("cust-43").allows("purpose:training") is True


@BOTH
async def test_a_parked_refusal_counts_here_and_nowhere_else(
    privacy: sayso.Client, ann: sayso.Consumer, served: Any
) -> None:
    parked: list[sayso.Parked] = []
    privacy.on_parked(parked.append)
    await served.stop()
    await ann.deny("purpose:service")  # rests on contract: the server will not take it
    await ann.deny("channel:sms")
    await served.restart()
    assert await privacy.flush() == 0

    assert [one.code for one in parked] == ["not_refusable"]
    assert (await ann.decide("purpose:service")).reason == "denied"
    assert await others_allow(served, "purpose:service") is True


CALL = {"kind": "call_recording", "ref": "2026-11-23/17"}
FILE = {"kind": "file", "wording": "May we send you offers?", "date": "2026-01-27", "source": "the old CRM"}


@pytest.mark.parametrize(
    ("method", "evidence", "stands"), [("import", FILE, True), ("phone", CALL, False), ("agent", CALL, False)]
)
async def test_a_grant_that_somebody_else_records_never_overrules_a_parked_refusal(
    privacy: sayso.Client, served: Any, method: str, evidence: dict[str, str], stands: bool
) -> None:
    ann = privacy.consumer("cust-42")
    parked: list[sayso.Parked] = []
    privacy.on_parked(parked.append)
    await served.stop()
    await ann.deny("purpose:marketing", detail={"no_such_member": "x"})
    await served.restart()
    assert await privacy.flush() == 0
    assert [one.topic for one in parked] == ["purpose:marketing"]
    await asyncio.sleep(pace.TICK + 0.3)  # for so long the server counts as away, and nothing is sent directly

    before = datetime.now(UTC) - timedelta(days=300) if method == "import" else None
    grant = sayso.Choice(
        "cust-42", "purpose:marketing", "granted", shown="en", method=method, made_at=before, evidence=evidence
    )
    (recorded,) = await privacy.record_many([grant])
    assert (recorded.status, recorded.stands) == ("confirmed", stands)
    assert await ann.allows("purpose:marketing") is False


async def test_a_parked_refusal_that_is_recorded_and_refused_again_goes_on_counting(
    privacy: sayso.Client, ann: sayso.Consumer, served: Any
) -> None:
    refusal = sayso.Choice("cust-42", "purpose:analytics", "denied", detail={"no_such_member": "x"})
    await served.stop()
    await privacy.record_many([refusal])
    await served.restart()
    assert await privacy.flush() == 0
    await asyncio.sleep(pace.TICK + 0.3)  # for so long the server counts as away, and nothing is sent directly

    with pytest.raises(sayso.InvalidError):
        await privacy.record_many([refusal])
    assert (await ann.decide("purpose:analytics")).reason == "denied"


async def test_a_refusal_outlives_an_outbox_that_somebody_removes(
    privacy: sayso.Client, ann: sayso.Consumer, served: Any, tmp_path: Path
) -> None:
    lost: list[sayso.Loss] = []
    privacy.on_loss(lost.append)
    await served.stop()
    await ann.deny("purpose:analytics")
    (tmp_path / "outbox" / "outbox.db").unlink()
    assert (await ann.deny("channel:sms")).status == "pending"
    await served.restart()

    assert await privacy.flush() == 0
    assert [(loss.why, loss.number) for loss in lost] == [("damaged", 1)]
    assert [one.topic for one in await history(served)] == ["channel:sms"]
    assert (await ann.decide("purpose:analytics")).reason == "denied"


async def test_a_client_that_can_t_start_leaves_nothing_running(make: Make, tmp_path: Path) -> None:
    seen = tmp_path / "outbox" / "outbox.db.seen"
    seen.touch(mode=0o644)
    with pytest.raises(sayso.ConfigurationError, match="can be opened by others"):
        async with make():
            pytest.fail("it started")

    assert [task for task in asyncio.all_tasks() if task.get_name() == "sayso-outbox"] == []


@pytest.mark.parametrize("ask", ["allows", "decide"])
async def test_a_check_takes_a_second_though_another_process_holds_the_outbox_and_the_server_is_slow(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    async with make():
        pass
    holder = sqlite3.connect(tmp_path / "outbox" / "outbox.db")
    holder.execute("BEGIN EXCLUSIVE")
    privacy = make()

    async def slow(*_: object, time_box: timedelta, **__: object) -> None:
        await asyncio.sleep(time_box.total_seconds())
        raise sayso.UnavailableError("the server did not answer in time", code="timeout")

    monkeypatch.setattr(privacy._transport, "call", slow)
    began = time.monotonic()
    answer = await getattr(privacy.consumer("cust-42"), ask)("purpose:service")
    took = time.monotonic() - began
    holder.close()

    assert bool(answer) is False
    assert took < 1.1


async def others_allow(served: Any, topic: str) -> bool:
    allowed: bool = await served.client().consumer("cust-42").allows(topic)
    return allowed


async def test_a_wrong_key_keeps_nobody_from_withdrawing(make: Make, served: Any) -> None:
    _, wrong = new_key("dealer", "HS256", ["backend"], ["backend"], now=0)
    async with make(secret=wrong) as privacy:
        ann = privacy.consumer("cust-42")
        recorded = await ann.deny("channel:sms")
        assert recorded.status == "pending"
        assert privacy.status == "blocked"
        with pytest.raises(sayso.NotAuthenticatedError):
            await privacy.consumer("cust-43").grant("channel:sms", shown="en")
        both = [
            sayso.Choice("cust-44", "channel:sms", "denied"),
            sayso.Choice("cust-45", "channel:sms", "granted", shown="en"),
        ]
        with pytest.raises(sayso.NotAuthenticatedError):
            await privacy.record_many(both)
        assert privacy.pending == 2

    parked: list[sayso.Parked] = []
    async with make(previous_secrets=[wrong]) as mended:
        mended.on_parked(parked.append)
        assert await mended.flush() == 0
        assert mended.status != "blocked"
    assert parked == []
    assert [one.id for one in await history(served)] == [recorded.choice_id]
    assert len(await history(served, "cust-44")) == 1
    assert await history(served, "cust-45") == []


async def test_entries_sealed_with_a_secret_that_nobody_names_are_parked_as_tampered(make: Make, served: Any) -> None:
    _, wrong = new_key("dealer", "HS256", ["backend"], ["backend"], now=0)
    async with make(secret=wrong) as privacy:
        await privacy.consumer("cust-42").deny("channel:sms")

    async with make() as privacy:
        parked: list[sayso.Parked] = []
        privacy.on_parked(parked.append)
        assert await privacy.flush() == 0
        await asyncio.sleep(0.1)
        assert (await privacy.consumer("cust-42").decide("channel:sms")).reason == "denied"
    assert [one.code for one in parked] == ["tampered"]
    assert await history(served) == []


@BOTH
async def test_a_withdrawal_whose_caller_was_cancelled_is_kept(
    privacy: sayso.Client, ann: sayso.Consumer, served: Any
) -> None:
    await ann.grant("channel:sms", shown="en")
    privacy._parts.recorder.offline.patience = timedelta(seconds=10)  # it is cancelled before it gives up

    await served.stop()
    task = asyncio.create_task(ann.withdraw("channel:sms"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await ann.allows("channel:sms") is False
    await served.restart()
    assert await privacy.flush() == 0
    assert [one.answer for one in await history(served)] == ["granted", "withdrawn"]


async def test_a_withdrawal_that_was_cancelled_while_it_asked_what_stands_is_kept(
    privacy: sayso.Client, ann: sayso.Consumer, served: Any
) -> None:
    await served.client().consumer("cust-42").grant("channel:sms", shown="en")
    await served.stop()
    task = asyncio.create_task(ann.withdraw("channel:sms"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await ann.decide("channel:sms")).reason == "withdrawn"

    await served.restart()
    assert await privacy.flush() == 0
    assert [one.answer for one in await history(served)] == ["granted", "withdrawn"]


async def test_a_refusal_that_was_cancelled_while_the_outbox_was_read_is_kept(make: Make, served: Any) -> None:
    privacy = make()
    with privacy._outbox._worker.busy:  # the disk takes its time
        task = asyncio.create_task(privacy.consumer("cust-42").deny("channel:sms"))
        await asyncio.sleep(0.05)
        assert not privacy._outbox.overlay.loaded
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await privacy.flush() == 0
    assert [one.answer for one in await history(served)] == ["denied"]


async def test_once_the_server_is_known_to_be_away_nobody_waits_for_it(privacy: sayso.Client, served: Any) -> None:
    await served.stop()
    await privacy.consumer("cust-1").deny("channel:sms")
    began = time.monotonic()
    for number in range(20):
        await privacy.consumer(f"cust-{number}").deny("channel:sms")

    assert time.monotonic() - began < 1.0
    await served.restart()
    assert await privacy.flush() == 0


IN_MEMORY = (
    "outbox: what can't be sent is kept in memory only. A withdrawal recorded while the server is away is lost if this "
    "process ends before it is back. Name a file for it: set SAYSO_OUTBOX, or Client(outbox=...); outbox=False keeps "
    "nothing and raises instead"
)


async def test_that_there_is_no_file_is_said_once_when_the_client_starts_though_all_is_well(
    served: Any, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    async with served.client() as privacy:
        assert [record.message for record in caplog.records] == [IN_MEMORY]
        assert caplog.records[0].levelname == "WARNING"
        await privacy.start()
        await privacy.consumer("cust-42").deny("channel:sms")
    await privacy.start()
    await privacy.aclose()
    assert len(caplog.records) == 1

    caplog.clear()
    for client in (served.client(outbox=False), make()):
        async with client:
            pass
    assert caplog.records == []


async def test_a_server_that_answers_no_is_not_called_away(served: Any, caplog: pytest.LogCaptureFixture) -> None:
    privacy = sayso.Client(served.url, "dealer.nosuchkey", secrets.token_urlsafe(32))
    async with privacy:
        recorded = await privacy.consumer("cust-42").deny("channel:sms")
        assert recorded.status == "pending"
        assert privacy.status == "blocked"
        deadline = time.monotonic() + 6
        while len(caplog.records) < 2:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

        told = [record.message for record in caplog.records if record.message != IN_MEMORY]
        assert "the server answers 401 token_invalid" in privacy.status_reason
        assert "`sayso-server key list --brand ID`" in privacy.status_reason
        assert told[0].startswith("outbox: What was recorded waits, for the server answers 401 token_invalid")
        assert not any("reached" in message or "no answer" in message for message in told)


async def test_without_a_file_what_waits_is_in_memory_and_that_is_said_once(
    served: Any, caplog: pytest.LogCaptureFixture
) -> None:
    privacy = served.client()
    await served.stop()
    for number in range(3):
        assert (await privacy.consumer(f"cust-{number}").deny("channel:sms")).status == "pending"
    assert [record.message for record in caplog.records if "SAYSO_OUTBOX" in record.message] == [IN_MEMORY]
    await served.restart()
    assert await privacy.flush() == 0
    assert len(await history(served, "cust-2")) == 1


@BOTH
async def test_what_another_client_of_the_same_file_refuses_counts_here(make: Make, served: Any) -> None:
    async with make() as one, make() as other:
        await one.consumer("cust-42").grant("purpose:marketing", shown="en")
        assert await other.consumer("cust-42").allows("purpose:marketing") is True
        await served.stop()
        await one.consumer("cust-42").withdraw("purpose:marketing")
        deadline = time.monotonic() + 3
        while (await other.consumer("cust-42").decide("purpose:marketing")).reason != "withdrawn":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        await served.restart()
        assert await one.flush() == 0


@BOTH
async def test_closing_sends_what_waits(make: Make, served: Any) -> None:
    privacy = make()
    await privacy.start()
    await served.stop()
    await privacy.consumer("cust-42").deny("channel:sms")
    await served.restart()
    await privacy.aclose()

    assert len(await history(served)) == 1
    with pytest.raises(sayso.ConfigurationError, match="closed"):
        await privacy.consumer("cust-42").deny("channel:sms")


async def test_closing_in_an_outage_leaves_what_waits_on_disk_and_takes_two_seconds_at_most(
    make: Make, served: Any
) -> None:
    privacy = make()
    await privacy.start()
    await served.stop()
    await privacy.consumer("cust-42").deny("channel:sms")
    began = time.monotonic()
    await privacy.aclose()
    assert time.monotonic() - began < 2.5
    await served.restart()

    async with make() as again:
        assert await again.flush() == 0
    assert len(await history(served)) == 1


@BOTH
async def test_code_without_a_loop_has_the_same_guarantees(make: Make, served: Any) -> None:
    blocking = make().sync()
    ben = blocking.consumer("cust-42")
    await asyncio.to_thread(ben.grant, "purpose:marketing", shown="en")
    await served.stop()
    recorded = await asyncio.to_thread(ben.withdraw, "purpose:marketing")
    assert (recorded.status, blocking.pending) == ("pending", 1)
    assert await asyncio.to_thread(ben.allows, "purpose:marketing") is False
    await served.restart()

    # Nobody asks for it: it is sent in the background, on the facade's own loop.
    deadline = time.monotonic() + 5
    while blocking.pending:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert [one.answer for one in await history(served)] == ["granted", "withdrawn"]
    await asyncio.to_thread(blocking.close)


async def test_a_storm_of_cancelled_withdrawals_loses_nothing_that_was_said_to_be_kept(make: Make, served: Any) -> None:
    async with make() as privacy:
        await served.stop()
        assert (await privacy.consumer("cust-1").deny("channel:sms")).status == "pending"
        tasks = [asyncio.create_task(privacy.consumer(f"cust-{number}").deny("channel:sms")) for number in range(2_000)]
        for start in range(0, len(tasks), 500):
            await asyncio.sleep(0)
            for task in tasks[start : start + 500 : 2]:
                task.cancel()
        said = await asyncio.gather(*tasks, return_exceptions=True)
        kept = [one.choice_id for one in said if isinstance(one, sayso.Recorded)]
        await served.restart()
        assert await privacy.flush() == 0
        assert (await privacy.consumer("cust-2").deny("channel:sms")).status == "confirmed"

    assert len(kept) >= 1_000
    there = {choice.id for number in range(1, 200, 2) for choice in await history(served, f"cust-{number}")}
    assert {one.choice_id for one in said[1:200:2] if isinstance(one, sayso.Recorded)} <= there
