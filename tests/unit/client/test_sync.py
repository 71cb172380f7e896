import asyncio
import subprocess
import sys
import threading

import pytest

import sayso


@pytest.fixture
def privacy(make_client):
    facade = make_client().sync()
    yield facade
    facade.close()


def test_every_call_waits_for_its_answer(privacy, server) -> None:
    ann = privacy.consumer("cust-42")

    recorded = ann.grant("channel:sms", shown="en")

    assert (recorded.version, recorded.allowed) == (1, True)
    assert ann.allows("channel:sms") is True
    assert ann.decide("channel:sms").reason == "granted"
    assert ann.preferences().allows("channel:sms") is True
    assert ann.withdraw("channel:sms").reason == "withdrawn"
    assert ann.opt_out("vinsolutions", "share").topic == "partner:vinsolutions:share"
    assert ann.report_age(source="self").version == 4
    assert privacy.decide_many([("cust-42", "channel:sms")])[0].allowed is False
    assert privacy.record_many([sayso.Choice("cust-42", "channel:sms", "denied")])[0].version == 5
    assert ann.id == "cust-42"


def test_history_is_a_plain_iterator(privacy, server) -> None:
    entry = {
        "id": "c-1",
        "consumer_id": "cust-42",
        "topic": "channel:sms",
        "answer": "denied",
        "version": 1,
        "made_at": "2026-11-23T19:00:00Z",
        "recorded_at": "2026-11-23T19:00:00Z",
        "effective_at": "2026-11-23T19:00:00Z",
        "method": "api",
    }
    server.then(200, {"choices": [entry]}, headers={"Link": '</x?before=1>; rel="next"'})
    server.then(200, {"choices": [{**entry, "version": 0}]})

    history = privacy.consumer("cust-42").history()

    assert next(history).version == 1
    assert [choice.version for choice in history] == [0]


def test_errors_come_through(privacy, server) -> None:
    server.then_problem(422, "unknown_topic")

    with pytest.raises(sayso.InvalidError) as caught:
        privacy.consumer("cust-42").deny("channel:nope")

    assert caught.value.code == "unknown_topic"


async def test_it_works_inside_a_running_loop(privacy, server) -> None:
    server.granted.add("channel:sms")

    assert privacy.consumer("cust-42").allows("channel:sms") is True


def test_many_threads_may_share_it(privacy, server) -> None:
    server.granted.add("channel:sms")
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(privacy.consumer("cust-42").allows("channel:sms")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [True] * 8
    assert [thread.name for thread in threading.enumerate()].count("sayso-sync") == 1


def test_a_client_has_one_facade_and_a_new_one_after_closing(make_client, server) -> None:
    client = make_client()
    facade = client.sync()
    assert client.sync() is facade
    facade.start()

    facade.close()
    facade.close()

    assert "sayso-sync" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(sayso.ConfigurationError, match="closed"):
        facade.consumer("cust-42").allows("channel:sms")
    with client.sync() as again:
        assert again is not facade
        assert again.consumer("cust-42").allows("channel:sms") is False


async def test_closing_the_client_closes_its_facade(make_client, server) -> None:
    client = make_client()
    facade = client.sync()
    facade.start()

    await client.aclose()

    assert facade.closed
    assert "sayso-sync" not in [thread.name for thread in threading.enumerate()]


def test_its_own_loop_cannot_wait_for_itself(privacy) -> None:
    async def on_its_own_loop() -> None:
        privacy.consumer("cust-42").allows("channel:sms")

    with pytest.raises(sayso.ConfigurationError, match="own loop"):
        privacy._portal.run(on_its_own_loop())


@pytest.mark.parametrize("ending", ["pass", "raise SystemExit(0)", "facade.close()"])
def test_the_interpreter_ends_without_hanging_or_warning(server, secret, ending: str) -> None:
    script = f"""
import sayso
facade = sayso.Client({server.url!r}, "dealer.k1", {secret!r}, outbox=False).sync()
print(facade.consumer("cust-42").allows("channel:sms"))
{ending}
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")


def test_a_forked_child_gets_a_thread_of_its_own(server, secret) -> None:
    script = f"""
import os, sayso
facade = sayso.Client({server.url!r}, "dealer.k1", {secret!r}).sync()
facade.consumer("cust-42").allows("channel:sms")
child = os.fork()
if child == 0:
    print("child", facade.consumer("cust-42").allows("channel:sms"), flush=True)
else:
    print("parent", os.waitpid(child, 0)[1], facade.consumer("cust-42").allows("channel:sms"))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)

    assert done.stdout == "child False\nparent 0 False\n"
    assert done.returncode == 0


def test_closing_ends_a_wait_and_what_was_waited_for(privacy) -> None:
    started, cancelled = threading.Event(), threading.Event()
    raised = []

    async def long() -> None:
        started.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def wait() -> None:
        try:
            privacy._portal.run(long())
        except sayso.UnavailableError as error:
            raised.append(error.code)

    waiting = threading.Thread(target=wait)
    waiting.start()
    started.wait(5)
    privacy.close()
    waiting.join(5)

    assert cancelled.is_set()
    assert raised == ["closed"]
