from datetime import UTC, datetime

import pytest
from multidict import CIMultiDict

import sayso


@pytest.fixture
async def privacy(make_client, clock):
    async with make_client(clock=clock) as client:
        yield client


@pytest.fixture
def ann(privacy):
    return privacy.consumer("cust-42")


async def test_a_device_report_is_sent_as_the_library_made_it(ann, server) -> None:
    states = {"android.permission.CAMERA": "granted", "android.permission.FLUX": "maybe"}
    server.then(
        200,
        {
            "version": 4,
            "states": {"camera": {"state": "granted", "mood": "new"}, "photos": {"state": "half_open"}},
            "unknown": [{"name": "android.permission.FLUX", "value": "maybe"}],
        },
    )

    reported = await ann.report_device("pixel-8", states, vocabulary="react-native")

    assert server.paths == ["PUT /v1/consumers/cust-42/devices/pixel-8"]
    assert server.asked[0].body == {
        "vocabulary": "react-native",
        "observed_at": "2026-11-23T19:00:00.000000Z",
        "states": states,
    }
    assert reported.version == 4
    assert reported.states["camera"].passes is True
    assert reported.states["photos"].passes is False
    assert reported.unknown == (sayso.UnknownState("android.permission.FLUX", "maybe"),)


async def test_a_device_report_may_be_older(ann, server) -> None:
    await ann.report_device("pixel-8", {}, vocabulary="ios", observed_at=datetime(2026, 11, 23, 18, tzinfo=UTC))

    assert server.asked[0].body["observed_at"] == "2026-11-23T18:00:00.000000Z"


@pytest.mark.parametrize("device_id", ["", "a/b", "490154203237518", "00:1B:44:11:3A:B7", None])
async def test_a_device_id_that_will_not_do_is_refused(ann, server, device_id) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        await ann.report_device(device_id, {}, vocabulary="ios")

    assert caught.value.pointer == "/device_id"
    assert server.asked == []


async def test_a_signal_is_sent(ann, server) -> None:
    server.then(200, {"version": 5, "signals": {"gpc": {"on": True}}, "replayed": True})

    reported = await ann.report_signal("gpc", device="browser-1", source="navigator")

    assert server.paths == ["POST /v1/consumers/cust-42/signals"]
    assert server.asked[0].body == {"name": "gpc", "source": "navigator", "device_id": "browser-1"}
    assert (reported.name, reported.version, reported.replayed) == ("gpc", 5, True)


@pytest.mark.parametrize(
    ("headers", "on"),
    [
        ({"Sec-GPC": "1"}, ["gpc"]),
        ({"sec-gpc": "1", "dnt": "1"}, ["gpc", "dnt"]),
        ([("Sec-GPC", "0"), ("Sec-GPC", "1")], ["gpc"]),
        (CIMultiDict([("Sec-GPC", "0"), ("Sec-GPC", "1")]), ["gpc"]),
        ({"Sec-GPC": "true", "DNT": "0"}, []),
        ({}, []),
    ],
)
async def test_the_signals_of_a_request_are_those_that_are_on(ann, server, headers, on: list[str]) -> None:
    reported = await ann.report_signals(headers, device="browser-1")

    assert [one.name for one in reported] == on
    assert [asked.body["name"] for asked in server.asked] == on


async def test_evidence_of_age_is_a_band(ann, server) -> None:
    await ann.report_age(source=sayso.AgeSource.OS_SIGNAL, lower=13, upper=15, method="play-age-signals")

    assert server.paths == ["PUT /v1/consumers/cust-42/age"]
    assert server.asked[0].body == {"source": "os_signal", "lower": 13, "upper": 15, "method": "play-age-signals"}


async def test_a_link_tells_what_it_carried_over(ann, server) -> None:
    visitor = sayso.new_anonymous_id()
    server.then(
        200,
        {
            "consumer_id": "cust-42",
            "version": 6,
            "carried": [{"topic": "channel:sms", "answer": "denied", "choice_id": "c-1"}],
            "left": [{"topic": "purpose:marketing", "answer": "granted"}],
            "replayed": False,
        },
    )

    linked = await ann.link(visitor, token="t.t.t")

    assert server.asked[0].body == {"anonymous_id": visitor, "anonymous_token": "t.t.t"}
    assert linked.carried == (sayso.LinkedChoice("channel:sms", "denied", "c-1"),)
    assert linked.left == (sayso.LinkedChoice("purpose:marketing", "granted"),)
    assert (linked.consumer_id, linked.version, linked.replayed) == ("cust-42", 6, False)


async def test_after_a_link_a_choice_has_seen_the_known_version(ann, server) -> None:
    server.then(200, {"consumer_id": "cust-42", "version": 6, "carried": [], "left": [], "replayed": False})
    await ann.link(sayso.new_anonymous_id())

    await ann.deny("channel:sms")

    assert server.asked[-1].body["choices"][0]["based_on"] == 6


async def test_a_second_known_id_is_a_conflict(ann, server) -> None:
    server.then_problem(409, "already_linked")

    with pytest.raises(sayso.ConflictError) as caught:
        await ann.link(sayso.new_anonymous_id())

    assert caught.value.code == "already_linked"


async def test_an_answer_without_a_version_is_no_answer(ann, server) -> None:
    server.then(200, {})

    with pytest.raises(sayso.UnavailableError, match="not a Sayso server"):
        await ann.report_signal("gpc")
