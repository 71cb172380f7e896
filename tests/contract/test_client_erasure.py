"""The real client when somebody is erased: by it, by another client, or while it was away."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import sayso
from sayso.local.outbox import pace

SOON = 6.0
WHO = "canary-cust-42"
DEVICE, PHONE, NOTE = "canary-pixel-8", "+15550107788", "call after six"
CANARIES = [WHO, "canary", DEVICE, PHONE, PHONE[1:], NOTE]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sayso.client.offline.PATIENCE", timedelta(milliseconds=300))
    monkeypatch.setattr(pace, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(pace, "LONGEST_WAIT", 0.1)


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.005)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "outbox"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
async def privacy(served: Any, folder: Path) -> AsyncIterator[sayso.Client]:
    """A client that follows the changes, with an outbox on disk."""
    async with served.client(outbox=folder / "outbox.db") as client:
        await until(lambda: client.status == "live")
        yield client


@pytest.fixture
def ann(privacy: sayso.Client) -> sayso.Consumer:
    return privacy.consumer(WHO)


@pytest.fixture
def there(served: Any) -> sayso.Consumer:
    """The same consumer as another process has them."""
    consumer: sayso.Consumer = served.client(live=False).consumer(WHO)
    return consumer


def losses(client: sayso.Client) -> list[sayso.Loss]:
    heard: list[sayso.Loss] = []
    client.on_loss(heard.append)
    return heard


def is_in(folder: Path) -> list[str]:
    """Name the files that still have something of the consumer: the outbox, and whatever lies beside it."""
    found = []
    for file in sorted(folder.iterdir()):
        with suppress(FileNotFoundError):  # a journal whose transaction has just ended
            content = file.name.encode() + file.read_bytes()
            found += [file.name] if any(canary.encode() in content for canary in CANARIES) else []
    return found


async def test_whoever_is_erased_is_allowed_nothing_from_then_on(ann: sayso.Consumer) -> None:
    granted = await ann.grant("purpose:marketing", shown="en")
    assert await ann.allows("purpose:marketing") is True

    erased = await ann.erase()

    assert (erased.consumer_id, erased.version) == (WHO, (granted.version or 0) + 1)
    assert erased.erased_at.tzinfo is not None
    assert await ann.allows("purpose:marketing") is False
    assert await ann.allows("purpose:analytics") is False
    decision = await ann.decide("purpose:marketing")
    assert (decision.reason, decision.choice_id) == ("erased", None)
    assert (await ann.preferences()).version == erased.version
    assert [choice async for choice in ann.history()] == []


async def test_several_are_erased_one_after_the_other_and_at_once(privacy: sayso.Client) -> None:
    assert (await privacy.consumer("cust-1").erase()).version == 1
    assert (await privacy.consumer("cust-2").erase()).version == 1

    many = await asyncio.gather(*(privacy.consumer(f"cust-{number}").erase() for number in range(3, 9)))
    assert [one.version for one in many] == [1] * 6


async def test_a_visitor_who_signed_in_is_erased_as_the_account(privacy: sayso.Client, ann: sayso.Consumer) -> None:
    visitor = sayso.new_anonymous_id()
    await ann.link(visitor)

    assert (await privacy.consumer(visitor).erase()).consumer_id == WHO
    assert (await ann.decide("purpose:marketing")).reason == "erased"


async def test_a_client_that_follows_the_changes_drops_what_it_knew(
    privacy: sayso.Client, ann: sayso.Consumer, there: sayso.Consumer
) -> None:
    await there.grant("purpose:marketing", shown="en")
    deadline = time.monotonic() + SOON
    while not await ann.allows("purpose:marketing"):
        assert time.monotonic() < deadline
    await ann.preferences()
    cache = privacy._knowing.cache

    await there.erase()

    await until(lambda: cache.fresh(WHO) is None)
    assert cache.body(WHO, fresh=False) is None
    assert await ann.allows("purpose:marketing") is False
    assert cache.floor(WHO) == 2


async def test_what_is_parked_of_the_erased_is_dropped_and_told(
    privacy: sayso.Client, ann: sayso.Consumer, there: sayso.Consumer, served: Any, folder: Path
) -> None:
    parked: list[sayso.Parked] = []
    privacy.on_parked(parked.append)
    lost = losses(privacy)
    await served.stop()
    await ann.deny("purpose:service")  # rests on contract: the server will not take it
    await privacy.consumer("ben").deny("purpose:service")
    await served.restart()
    await privacy.flush()
    assert sorted(one.consumer_id for one in parked) == ["ben", WHO]
    await until(lambda: privacy.status == "live")
    assert is_in(folder) != []

    await served.client(live=False).consumer(WHO).erase()

    await until(lambda: lost)
    assert [(one.why, one.number, one.entries) for one in lost] == [
        ("erased", 1, ((WHO, "purpose:service", "denied"),))
    ]
    assert is_in(folder) == []
    assert (await ann.decide("purpose:service")).reason == "erased"
    assert (await privacy.consumer("ben").decide("purpose:service")).reason == "denied"


async def test_an_outbox_from_before_brings_nobody_back(served: Any, folder: Path, there: sayso.Consumer) -> None:
    """Written while the server was away, sent by the next process after the erasure."""
    async with served.client(outbox=folder / "outbox.db", live=False) as before:
        ann = before.consumer(WHO)
        await ann.grant("purpose:marketing", shown="en")
        served.clock.forward(timedelta(minutes=1))
        await served.stop()
        assert (await ann.grant("channel:sms", shown="en", detail={"note": "call after six"})).status == "pending"
        assert (await ann.withdraw("purpose:marketing")).status == "pending"
        await ann.report_age(source="self", lower=18)
        await before.consumer("ben").deny("channel:sms")
    served.clock.forward(timedelta(minutes=1))
    await served.restart()
    erased = await there.erase()
    served.clock.forward(timedelta(minutes=1))
    assert is_in(folder) != []

    async with served.client(outbox=folder / "outbox.db", live=False) as after:
        lost = losses(after)
        assert await after.flush() == 0

        assert {one.why for one in lost} == {"erased"}
        entries = sorted(entry for one in lost for entry in one.entries)
        assert entries == [(WHO, "", ""), (WHO, "channel:sms", "granted"), (WHO, "purpose:marketing", "withdrawn")]
        assert is_in(folder) == []
        assert (await there.preferences()).version == erased.version
        assert [choice.answer async for choice in after.consumer("ben").history()] == ["denied"]


async def leave_traces(client: sayso.Client) -> None:
    """Keep one entry of each kind about the consumer, of which the server will not take the first."""
    ann = client.consumer(WHO)
    await ann.deny("purpose:service", detail={"note": NOTE})  # rests on contract
    assert (await ann.withdraw("channel:sms", method="sms", detail={"sender": PHONE, "note": NOTE})).status == "pending"
    await ann.grant("purpose:marketing", shown="en", device=DEVICE, detail={"note": NOTE})
    await ann.report_device(DEVICE, {"android.permission.CAMERA": "granted"}, vocabulary="react-native")
    await ann.report_signal("gpc", device=DEVICE)
    await ann.report_age(source="guardian", lower=8, upper=12, method="canary")


@pytest.mark.parametrize("live", [True, False])
async def test_nothing_of_the_erased_is_left_in_the_outbox_or_beside_it(
    served: Any, folder: Path, there: sayso.Consumer, live: bool
) -> None:
    async with served.client(outbox=folder / "outbox.db", live=live) as client:
        lost = losses(client)
        await there.grant("purpose:marketing", shown="en")
        await served.stop()
        await leave_traces(client)
        await client.consumer("ben").deny("channel:sms")
        assert is_in(folder) != []
        served.clock.forward(timedelta(minutes=1))
        await served.restart()
        if not live:
            await client.flush()
            await until(lambda: is_in(folder) == ["outbox.db"])  # what the server will not take is parked
        await served.client(live=False).consumer(WHO).erase()
        await client.flush()
        if not live:
            await until(lambda: is_in(folder) == ["outbox.db"])  # nobody tells this client, until it asks about them
            await client.consumer(WHO).preferences()

        await until(lambda: is_in(folder) == [] and lost)
        assert {one.why for one in lost} == {"erased"}
        assert (await client.consumer("ben").decide("channel:sms")).reason == "denied"
    assert is_in(folder) == []


async def test_what_is_parked_is_dropped_by_a_client_that_was_away_meanwhile(
    served: Any, folder: Path, there: sayso.Consumer
) -> None:
    async with served.client(outbox=folder / "outbox.db", live=False) as before:
        await served.stop()
        await before.consumer(WHO).deny("purpose:service")
        await before.consumer("ben").deny("purpose:service")
        await served.restart()
        await before.flush()
    served.clock.forward(timedelta(minutes=1))
    await there.erase()
    assert is_in(folder) == ["outbox.db"]

    async with served.client(outbox=folder / "outbox.db") as after:
        lost = losses(after)
        await until(lambda: is_in(folder) == [] and lost)
        assert [one.entries for one in lost] == [((WHO, "purpose:service", "denied"),)]
        assert (await after.consumer("ben").decide("purpose:service")).reason == "denied"


async def test_what_waits_is_dropped_when_the_erasure_is_heard_of(
    privacy: sayso.Client, ann: sayso.Consumer, served: Any, folder: Path
) -> None:
    lost = losses(privacy)
    await served.stop()
    assert (await ann.deny("channel:sms")).status == "pending"
    assert (await privacy.consumer("ben").deny("channel:sms")).status == "pending"

    privacy._knowing._live.erased(WHO, 7, served.clock.now())

    await until(lambda: lost)
    assert lost[0].entries == ((WHO, "channel:sms", "denied"),)
    assert privacy.pending == 1
    assert is_in(folder) == []


async def test_what_they_say_when_they_are_back_is_not_dropped(
    privacy: sayso.Client, ann: sayso.Consumer, there: sayso.Consumer, served: Any
) -> None:
    lost = losses(privacy)
    await there.grant("purpose:marketing", shown="en")
    await there.erase()
    served.clock.forward(timedelta(minutes=1))
    await served.stop()
    assert (await ann.deny("channel:sms")).status == "pending"
    await served.restart()

    assert await privacy.flush() == 0
    assert (await there.decide("channel:sms")).reason == "denied"
    recorded = await ann.grant("purpose:marketing", shown="en")
    assert recorded.stands is True
    assert await ann.allows("purpose:marketing") is True
    assert lost == []


async def test_what_was_said_since_stays_when_the_erasure_is_heard_of_late(
    privacy: sayso.Client, ann: sayso.Consumer, there: sayso.Consumer, served: Any
) -> None:
    """The stream was cut, they came back meanwhile, and then it goes on from before the erasure."""
    lost = losses(privacy)
    erased_at = served.clock.now()
    served.clock.forward(timedelta(minutes=1))
    await served.stop()
    assert (await ann.deny("channel:sms")).status == "pending"

    privacy._knowing._live.erased(WHO, 7, erased_at)
    await asyncio.sleep(0.1)

    assert (lost, privacy.pending) == ([], 1)


async def test_a_choice_dated_before_the_erasure_is_refused_as_such(
    ann: sayso.Consumer, there: sayso.Consumer, served: Any
) -> None:
    made = served.clock.moment
    served.clock.forward(timedelta(minutes=1))
    await there.erase()

    with pytest.raises(sayso.ErasedError):
        await ann.grant("purpose:marketing", shown="en", made_at=made)


async def test_synchronous_code_erases_too(privacy: sayso.Client) -> None:
    def erase() -> sayso.Erased:
        with privacy.sync() as blocking:
            return blocking.consumer("cust-7").erase()

    assert (await asyncio.to_thread(erase)).version == 1
