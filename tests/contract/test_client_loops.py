"""One client on many loops and threads, and without any: `asyncio.run` per job, and the blocking facade."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import sayso

START = datetime(2026, 11, 23, 19, 0, 0, tzinfo=UTC)


async def test_a_client_outlives_the_loops_it_runs_on(privacy: sayso.Client, ann: sayso.Consumer) -> None:
    def job(topic: str) -> tuple[int, bool]:
        async def main() -> tuple[int, bool]:
            recorded = await ann.grant(topic, shown="en")
            return recorded.version, await ann.allows(topic)

        return asyncio.run(main())

    def two_jobs() -> list[tuple[int, bool]]:
        return [job("purpose:marketing"), job("channel:sms")]

    assert await ann.allows("purpose:marketing") is False
    assert await asyncio.to_thread(two_jobs) == [(1, True), (2, True)]
    assert await ann.allows("channel:sms") is True
    assert (await privacy.consumer("cust-42").preferences()).version == 2


async def test_loops_in_several_threads_use_one_client_at_once(privacy: sayso.Client) -> None:
    ready = threading.Barrier(4)

    def worker(number: int) -> list[int]:
        async def main() -> list[int]:
            consumer = privacy.consumer(f"cust-{number}")
            return [(await consumer.deny("channel:sms")).version for _ in range(10)]

        ready.wait()
        return asyncio.run(main())

    counted = await asyncio.gather(*(asyncio.to_thread(worker, number) for number in range(4)))
    assert counted == [list(range(1, 11))] * 4


async def test_the_blocking_client_records_and_asks(privacy: sayso.Client) -> None:
    def work() -> None:
        with privacy.sync() as blocking:
            ann = blocking.consumer("cust-42")
            granted = ann.grant("purpose:marketing", shown="en", method="chat")
            assert (granted.version, granted.allowed, ann.allows("purpose:marketing")) == (1, True, True)
            assert ann.withdraw("purpose:marketing").reason == "withdrawn"
            assert ann.deny("channel:sms").reason == "denied"
            assert ann.opt_in("vinsolutions", shown="en").allowed is True
            assert ann.opt_out("vinsolutions", flow="share").reason == "withdrawn"
            assert {one.reason for one in ann.opt_out("vinsolutions")} == {"denied"}
            assert ann.decide("purpose:marketing").explain() == (
                "“Offers” is not allowed: withdrawn on 2026-11-23 19:00 UTC, "
                "and a withdrawal holds until a later grant."
            )
            assert ann.withdraw_all().topic == "*"
            assert ann.allows("purpose:analytics") is False

    await asyncio.to_thread(work)


async def test_the_blocking_client_reports_links_and_reads(privacy: sayso.Client) -> None:
    visitor = sayso.new_anonymous_id()

    def work() -> None:
        blocking = privacy.sync()
        assert blocking.brand == "dealer"
        blocking.consumer(visitor).grant("channel:sms", shown="en", method="widget")
        ann = blocking.consumer("cust-42")
        token = blocking.consumer_token(visitor, origins=["https://dealer.example"])
        assert [one.topic for one in ann.link(visitor, token).carried] == ["channel:sms"]
        reported = ann.report_device("pixel-8", {"Permission.camera": "granted"}, vocabulary="flutter")
        assert (reported.version, reported.states["camera"].state) == (3, "granted")
        assert ann.report_signals({"Sec-GPC": "1"})[0].version == 4
        assert ann.report_signal("gpc").replayed is True
        assert ann.report_age(source="brand", lower=30).age["brand"]["lower"] == 30
        preferences = ann.preferences(at_least=5)
        assert (preferences.version, preferences.answers) == (5, {"channel:sms": "granted"})
        assert ann.preferences(as_of=START - timedelta(seconds=1)).version == 0
        drafts = [sayso.Choice("cust-43", "channel:sms", "denied", made_at=START) for _ in range(230)]
        assert [one.version for one in blocking.record_many(drafts)] == list(range(1, 231))
        assert [one.version for one in blocking.consumer("cust-43").history()] == list(range(230, 0, -1))
        checks = [("cust-42", "channel:sms"), ("cust-43", "channel:sms")]
        assert [one.reason for one in blocking.decide_many(checks)] == ["granted", "denied"]
        assert blocking.catalogue().revision == 1

    await asyncio.to_thread(work)


async def test_the_blocking_client_raises_what_the_other_raises(
    privacy: sayso.Client, served: Any, tmp_path: Path
) -> None:
    def work() -> None:
        blocking = privacy.sync()
        with pytest.raises(sayso.InvalidError) as invalid:
            blocking.consumer("cust-42").deny("channel:smss")
        assert (invalid.value.code, invalid.value.pointer) == ("unknown_topic", "/choices/0/topic")
        with pytest.raises(sayso.ConflictError) as conflict:
            blocking.consumer("cust-42").preferences(at_least=2000)
        assert conflict.value.current_version == 0
        with pytest.raises(sayso.ForbiddenError):
            blocking.publish_catalogue(sayso.Catalogue.model_validate({"languages": ["en"], "default_language": "en"}))

    await asyncio.to_thread(work)
    await served.stop()
    ann = privacy.sync().consumer("cust-42")
    assert await asyncio.to_thread(ann.allows, "purpose:service") is False
    assert (await asyncio.to_thread(ann.decide, "purpose:service")).reason == "unavailable"


async def test_the_environment_makes_the_same_client(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key, secret = served.credentials()
    for name, value in (("SAYSO_URL", served.url), ("SAYSO_KEY_ID", key), ("SAYSO_SECRET", secret)):
        monkeypatch.setenv(name, value)

    async with sayso.Client.from_env(clock=served.clock) as privacy:
        assert (await privacy.consumer("cust-42").grant("channel:sms", shown="en")).version == 1
    with pytest.raises(sayso.ConfigurationError, match="closed"):
        await privacy.consumer("cust-42").deny("channel:sms")
    await privacy.start()
    assert await privacy.consumer("cust-42").allows("channel:sms") is True
    await privacy.aclose()
