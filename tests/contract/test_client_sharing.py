"""The guard against the real application: what may go goes, and each hand-over leaves one line."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import sayso

if TYPE_CHECKING:
    from tests.contract.conftest import Served

TEXTS = {"title": {"en": "Share", "es": "Compartir"}, "notice": {"en": "What for.", "es": "Para qué."}}
LEAD: dict[str, Any] = {
    "vehicle": {"make": "Sedan", "year": 2026},
    "email": "ann@mail.example",
    "phones": [{"number": "+1 415 555 0100"}],
    "transcript": ["Hello"],
    "age": 41,
}
FIELDS = {
    "vehicle": [],
    "email": ["purpose:marketing"],
    "phones.number": ["channel:sms"],
    "transcript": ["purpose:training"],
    "place": ["permission:location"],
}


def partner(basis: str = "consent", **members: Any) -> dict[str, Any]:
    return {
        "title": {"en": "Partner", "es": "Socio"},
        "partner_class": "integration",
        "country": "US",
        "policy_url": "https://partner.example/privacy",
        "fields": FIELDS,
        "flows": {"share": {"basis": basis, **TEXTS}},
    } | members


@pytest.fixture
async def privacy(served: "Served", catalogue: sayso.Catalogue) -> sayso.Client:
    """A client of a brand with partners of several kinds."""
    tables = catalogue.model_dump(mode="json", exclude_none=True)
    tables["topics"] = {key: topic for key, topic in tables["topics"].items() if not key.startswith("partner:")}
    tables["partners"] = {
        "vinsolutions": partner(),
        "ads-platform": partner(restricted={"data_processing_options": ["LDU"]}),
        "audiences": partner(
            restricted={"limited": True},
            flows={"share": {"basis": "consent", "requires": ["purpose:marketing", "permission:location"], **TEXTS}},
        ),
        "chat-host": partner("contract", partner_class="service_provider", fields={"transcript": [], "vehicle": []}),
        "inventory": partner("legitimate_interest", fields={"*": []}),
        "data-source": partner(flows={"receive": {"basis": "consent", **TEXTS}}),
    }
    await served.client(role="admin").publish_catalogue(sayso.Catalogue.model_validate(tables))
    return served.client()


@pytest.fixture
def ann(privacy: sayso.Client) -> sayso.Consumer:
    return privacy.consumer("cust-42")


Disclosed = Callable[[], Any]


@pytest.fixture
def disclosed(served: "Served") -> Disclosed:
    """Read what the server has about Ann, oldest first, without the members that vary."""

    async def read(consumer: str = "cust-42") -> list[dict[str, Any]]:
        transport = served.client()._transport
        answer = await transport.call("GET", f"/v1/disclosures?consumer={consumer}")
        varying = {"id", "at", "recorded_at", "recorded_by", "consumer_id", "flow"}
        return [
            {name: value for name, value in entry.items() if name not in varying}
            for entry in reversed(answer.data["disclosures"])
        ]

    return read


async def test_what_may_go_goes_and_one_line_says_so(ann: sayso.Consumer, disclosed: Disclosed) -> None:
    shared = await ann.grant("partner:vinsolutions:share", shown="en")
    await ann.grant("purpose:marketing", shown="en")

    async with ann.sharing("vinsolutions") as out:
        assert out.redact(LEAD) == {"vehicle": {"make": "Sedan", "year": 2026}, "email": "ann@mail.example"}
        assert (out.answer, out.partner, out.flags) == ("send_redacted", "vinsolutions", {})
        assert out.sent == ("vehicle.make", "vehicle.year", "email")
        assert out.held_back == ("phones.number", "transcript", "age")
        assert (out.decision.allowed, out.decision.reason) == (True, "granted")
        assert await disclosed() == []

    assert await disclosed() == [
        {
            "partner": "vinsolutions",
            "answer": "send_redacted",
            "fields_sent": ["vehicle.make", "vehicle.year", "email"],
            "fields_held_back": ["phones.number", "transcript", "age"],
            "outcome": "handed_over",
            "choice_id": shared.choice_id,
            "reason": "granted",
        }
    ]


async def test_what_is_withheld_raises_with_the_reason_and_leaves_a_line_too(
    ann: sayso.Consumer, disclosed: Disclosed
) -> None:
    refused = await ann.opt_out("vinsolutions", flow="share")

    with pytest.raises(sayso.NotAllowedError, match="“Share” is not allowed: refused on 2026-11-23 19:00") as caught:
        async with ann.sharing("vinsolutions"):
            pytest.fail("nothing may be handed over")

    assert caught.value.code == "denied"
    assert await disclosed() == [
        {
            "partner": "vinsolutions",
            "answer": "withhold",
            "fields_sent": [],
            "fields_held_back": [],
            "choice_id": refused.choice_id,
            "reason": "denied",
        }
    ]


async def test_a_consumer_who_was_never_asked_is_withheld_and_can_see_it(
    ann: sayso.Consumer, disclosed: Disclosed
) -> None:
    with pytest.raises(sayso.NotAllowedError) as caught:
        async with ann.sharing("vinsolutions"):
            pytest.fail("nothing may be handed over")

    assert caught.value.code == "not_asked"
    assert [(line["answer"], line["reason"]) for line in await disclosed()] == [("withhold", "not_asked")]


async def test_a_partner_with_flags_of_its_own_gets_them_in_place_of_nothing(
    ann: sayso.Consumer, disclosed: Disclosed
) -> None:
    async with ann.sharing("ads-platform") as out:
        assert (out.answer, out.decision.reason) == ("send_restricted", "not_asked")
        assert out.redact(LEAD) | out.flags == {
            "vehicle": {"make": "Sedan", "year": 2026},
            "data_processing_options": ["LDU"],
        }
        out.flags["data_processing_options"].append("changed here")

    async with ann.sharing("ads-platform") as again:
        assert again.flags == {"data_processing_options": ["LDU"]}
    assert [line["answer"] for line in await disclosed()] == ["send_restricted", "send_restricted"]


async def test_the_flags_stand_in_for_a_refusal_of_what_the_share_requires(ann: sayso.Consumer) -> None:
    await ann.opt_in("audiences", shown="en")
    await ann.deny("purpose:marketing")
    await ann.grant("permission:location", shown="en")
    await ann.report_device("pixel-8", {"android.permission.ACCESS_FINE_LOCATION": "granted"}, vocabulary="android")

    async with ann.sharing("audiences", device="pixel-8") as out:
        assert (out.answer, out.decision.reason) == ("send_restricted", "requires:purpose:marketing")


async def test_no_flags_go_where_something_required_is_closed_for_another_reason_than_a_refusal(
    ann: sayso.Consumer, disclosed: Disclosed
) -> None:
    await ann.opt_in("audiences", shown="en")
    await ann.deny("purpose:marketing")  # the first that stands in the way; behind it nobody knows about the device
    await ann.grant("permission:location", shown="en")

    with pytest.raises(sayso.NotAllowedError) as caught:
        async with ann.sharing("audiences"):
            pytest.fail("nothing may be handed over")

    assert caught.value.code == "requires:purpose:marketing"
    assert [line["answer"] for line in await disclosed()] == ["withhold"]


async def test_whoever_grants_it_has_their_data_sent_without_the_flags(ann: sayso.Consumer) -> None:
    await ann.opt_in("ads-platform", shown="en")

    async with ann.sharing("ads-platform") as out:
        assert (out.answer, out.flags) == ("send_redacted", {})


async def test_what_people_said_goes_to_a_service_provider_and_to_others_only_on_a_grant(ann: sayso.Consumer) -> None:
    await ann.opt_in("vinsolutions", shown="en")
    said = {"transcript": ["Hello"]}

    async with ann.sharing("chat-host") as out:
        assert (out.answer, out.redact(said)) == ("send", said)
    async with ann.sharing("inventory") as out:
        assert (out.answer, out.redact(said | {"x": 1}), out.answer) == ("send", {"x": 1}, "send_redacted")
    async with ann.sharing("vinsolutions") as out:
        assert out.redact(said) == {}
    await ann.grant("purpose:training", shown="en")
    async with ann.sharing("vinsolutions") as out:
        assert out.redact(said) == said


async def test_a_field_that_needs_a_permission_goes_for_a_device_that_has_it(ann: sayso.Consumer) -> None:
    await ann.opt_in("vinsolutions", shown="en")
    await ann.grant("permission:location", shown="en")
    await ann.report_device("pixel-8", {"android.permission.ACCESS_FINE_LOCATION": "granted"}, vocabulary="android")

    async with ann.sharing("vinsolutions") as out:
        assert out.redact({"place": "here"}) == {}
    async with ann.sharing("vinsolutions", device="pixel-8") as out:
        assert out.redact({"place": "here"}) == {"place": "here"}


async def test_a_withdrawal_made_here_counts_for_the_next_hand_over(ann: sayso.Consumer) -> None:
    await ann.opt_in("vinsolutions", shown="en")
    await ann.grant("purpose:marketing", shown="en")
    async with ann.sharing("vinsolutions") as out:
        assert out.redact({"email": "x"}) == {"email": "x"}

    await ann.withdraw("purpose:marketing")

    async with ann.sharing("vinsolutions") as out:
        assert out.redact({"email": "x"}) == {}


async def test_several_payloads_of_one_hand_over_make_one_line(ann: sayso.Consumer, disclosed: Disclosed) -> None:
    await ann.opt_in("vinsolutions", shown="en")

    async with ann.sharing("vinsolutions") as out:
        for payload in ({"vehicle": "a"}, {"vehicle": "b", "age": 4}, {"email": "x"}):
            out.redact(payload)

    (line,) = await disclosed()
    assert (line["fields_sent"], line["fields_held_back"]) == (["vehicle"], ["age", "email"])


async def test_if_nothing_was_redacted_the_line_says_that_nobody_knows_what_was_sent(
    ann: sayso.Consumer, disclosed: Disclosed
) -> None:
    async with ann.sharing("inventory") as out:
        assert out.answer == "send"

    (line,) = await disclosed()
    assert (line["answer"], line["fields_sent"], line["fields_held_back"]) == ("send", None, None)


async def test_if_the_block_raises_the_line_says_that_the_hand_over_failed_and_the_error_passes(
    ann: sayso.Consumer, disclosed: Disclosed
) -> None:
    async def hand_over() -> None:
        async with ann.sharing("inventory") as out:
            out.redact({"x": 1})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await hand_over()

    (line,) = await disclosed()
    assert (line["outcome"], line["fields_sent"]) == ("failed", ["x"])


async def test_if_the_block_is_cancelled_the_line_is_written_all_the_same(
    ann: sayso.Consumer, disclosed: Disclosed
) -> None:
    entered = asyncio.Event()

    async def hand_over() -> None:
        async with ann.sharing("inventory"):
            entered.set()
            await asyncio.sleep(30)

    task = asyncio.create_task(hand_over())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [line["outcome"] for line in await disclosed()] == ["failed"]


async def test_names_that_are_data_are_not_told_to_the_server(ann: sayso.Consumer, disclosed: Disclosed) -> None:
    async with ann.sharing("inventory") as out:
        out.redact({"people": {"mary.smith@mail.example": 1, "+1 415 555 0100": 2}})
        assert out.sent == ("people.mary.smith@mail.example", "people.+1 415 555 0100")

    (line,) = await disclosed()
    assert line["fields_sent"] == ["*", "people.*"]


async def test_what_was_decided_on_entering_holds_no_longer_than_max_staleness(
    served: "Served", ann: sayso.Consumer, disclosed: Disclosed
) -> None:
    async with ann.sharing("inventory") as out:
        served.clock.forward(timedelta(seconds=4))
        assert out.redact({"x": 1}) == {"x": 1}
        served.clock.forward(timedelta(seconds=1.1))
        with pytest.raises(sayso.NotAllowedError, match=r"too long ago.*anew") as caught:
            out.redact({"y": 2})

    assert caught.value.code == "unavailable"
    assert [line["fields_sent"] for line in await disclosed()] == [["x"]]


async def test_a_hand_over_ends_with_the_grant_it_rests_on(served: "Served", ann: sayso.Consumer) -> None:
    await ann.grant("partner:vinsolutions:share", shown="en", expires_after=timedelta(seconds=2))
    async with ann.sharing("vinsolutions") as out:
        assert out.redact({"vehicle": 1}) == {"vehicle": 1}
        served.clock.forward(timedelta(seconds=2.1))
        with pytest.raises(sayso.NotAllowedError, match="grant has ended"):
            out.redact({"vehicle": 2})


async def test_what_the_cache_decided_holds_as_long_as_it_was_proved_though_it_is_doubted_meanwhile(
    served: "Served", privacy: sayso.Client, ann: sayso.Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, asker = privacy._knowing.cache, privacy._knowing.asker
    decide = asker.decide

    async def decide_and_doubt(*arguments: Any) -> Any:
        found = await decide(*arguments)
        cache.verified_until = 0.0
        return found

    monkeypatch.setattr(asker, "decide", decide_and_doubt)
    monkeypatch.setattr(asker._live, "here", lambda: True)
    cache.verified_until = served.clock.boot() + 1
    async with ann.sharing("inventory") as out:
        served.clock.forward(timedelta(seconds=1.1))
        with pytest.raises(sayso.NotAllowedError, match="too long ago"):
            out.redact({"x": 1})


@pytest.mark.parametrize("topic", ["partner:inventory:share", "*"])
async def test_a_refusal_made_here_ends_the_hand_over_that_is_under_way(
    ann: sayso.Consumer, disclosed: Disclosed, topic: str
) -> None:
    async with ann.sharing("inventory") as out:
        await (ann.withdraw_all() if topic == "*" else ann.withdraw(topic))
        with pytest.raises(sayso.NotAllowedError, match="refused something since") as caught:
            out.redact({"x": 1})

    assert caught.value.code == "unavailable"
    assert [line["fields_sent"] for line in await disclosed()] == [[]]


async def test_somebody_else_s_refusal_leaves_the_hand_over_as_it_is(
    privacy: sayso.Client, ann: sayso.Consumer
) -> None:
    async with ann.sharing("inventory") as out:
        await privacy.consumer("cust-43").opt_out("inventory", flow="share")
        assert out.redact({"x": 1}) == {"x": 1}


# --- misuse -------------------------------------------------------------------------------------------------


async def test_an_unknown_partner_is_answered_with_the_nearest_and_leaves_no_line(
    ann: sayso.Consumer, disclosed: Disclosed
) -> None:
    with pytest.raises(sayso.InvalidError, match="has no partner vinsolution; did you mean vinsolutions") as caught:
        async with ann.sharing("vinsolution"):
            pytest.fail("nobody to hand anything to")

    assert (caught.value.code, caught.value.pointer) == ("unknown_topic", "/partner")
    assert await disclosed() == []


async def test_a_partner_that_only_sends_gets_nothing(ann: sayso.Consumer) -> None:
    with pytest.raises(sayso.InvalidError, match="nothing is shared with data-source; its flows are: receive"):
        async with ann.sharing("data-source"):
            pytest.fail("nobody to hand anything to")


@pytest.mark.parametrize("name", ["", "Vin Solutions", "a:b", "a/b", 7, None])
async def test_what_can_be_no_partner_is_refused_before_anything_is_asked(ann: sayso.Consumer, name: Any) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        ann.sharing(name)

    assert caught.value.pointer == "/partner"


@pytest.mark.parametrize("payload", ["text", ["a"], None, 7])
async def test_redact_takes_dicts(ann: sayso.Consumer, payload: Any) -> None:
    async with ann.sharing("inventory") as out:
        with pytest.raises(sayso.InvalidError, match="redact takes a dict"):
            out.redact(payload)


async def test_a_payload_that_holds_itself_is_refused(ann: sayso.Consumer) -> None:
    payload: dict[str, Any] = {}
    payload["self"] = payload

    async with ann.sharing("inventory") as out:
        with pytest.raises(sayso.InvalidError) as caught:
            out.redact(payload)

    assert caught.value.code == "too_deep"


async def test_once_it_is_over_nothing_is_redacted_any_more(ann: sayso.Consumer) -> None:
    async with ann.sharing("inventory") as out:
        pass

    with pytest.raises(sayso.ConfigurationError, match="over"):
        out.redact({"x": 1})


async def test_one_hand_over_is_not_entered_within_itself(ann: sayso.Consumer) -> None:
    sharing = ann.sharing("inventory")

    async with sharing:
        with pytest.raises(sayso.ConfigurationError, match="ask `sharing` for each"):
            await sharing.__aenter__()


async def test_with_instead_of_async_with_says_what_to_write(ann: sayso.Consumer) -> None:
    with pytest.raises(TypeError, match="async with ann"), ann.sharing("inventory"):  # type: ignore[attr-defined]
        pytest.fail("it can't be entered so")


async def test_a_key_that_is_not_accepted_is_no_outage(served: "Served") -> None:
    wrong = sayso.Client(served.url, served.key_id(), "x" * 43, clock=served.clock, live=False, outbox=False)
    try:
        with pytest.raises(sayso.NotAuthenticatedError):
            async with wrong.consumer("cust-42").sharing("inventory"):
                pytest.fail("nobody may")
    finally:
        await wrong.aclose()


# --- the catalogue ------------------------------------------------------------------------------------------


async def test_a_stricter_field_map_counts_within_max_staleness(
    served: "Served", ann: sayso.Consumer, catalogue: sayso.Catalogue
) -> None:
    async with ann.sharing("inventory") as out:
        assert out.redact({"x": 1}) == {"x": 1}
    tables = catalogue.model_dump(mode="json", exclude_none=True)
    tables["topics"] = {key: topic for key, topic in tables["topics"].items() if not key.startswith("partner:")}
    tables["partners"] = {"inventory": partner("legitimate_interest", fields={"y": []})}
    await served.client(role="admin").publish_catalogue(sayso.Catalogue.model_validate(tables))

    served.clock.forward(timedelta(seconds=5))

    async with ann.sharing("inventory") as out:
        assert out.redact({"x": 1, "y": 2}) == {"y": 2}


# --- outages ------------------------------------------------------------------------------------------------


async def test_in_an_outage_everything_is_withheld_at_once_and_told_once_the_server_is_back(
    served: "Served", privacy: sayso.Client, ann: sayso.Consumer, disclosed: Disclosed
) -> None:
    async with ann.sharing("inventory"):
        pass
    await served.stop()
    served.clock.forward(timedelta(seconds=10))
    began = asyncio.get_running_loop().time()

    for _ in range(5):
        with pytest.raises(sayso.NotAllowedError) as caught:
            async with ann.sharing("inventory"):
                pytest.fail("nothing may be handed over")
        assert caught.value.code == "unavailable"

    assert asyncio.get_running_loop().time() - began < 3
    await served.restart()
    assert await privacy.flush(timedelta(seconds=10)) == 0
    lines = await disclosed()
    assert [(line["answer"], line["reason"]) for line in lines] == [
        ("send", "default"),
        *[("withhold", "unavailable")] * 5,
    ]


async def test_a_hand_over_during_which_the_server_goes_away_is_told_later(
    served: "Served", privacy: sayso.Client, ann: sayso.Consumer, disclosed: Disclosed
) -> None:
    async with ann.sharing("inventory") as out:
        out.redact({"x": 1})
        await served.stop()

    assert privacy.pending == 1
    await served.restart()
    assert await privacy.flush(timedelta(seconds=10)) == 0
    assert [(line["answer"], line["fields_sent"]) for line in await disclosed()] == [("send", ["x"])]


async def test_without_an_outbox_a_line_that_is_lost_is_logged_and_names_nobody(
    served: "Served", privacy: sayso.Client, caplog: pytest.LogCaptureFixture
) -> None:
    ann = served.client(outbox=False, time_box=timedelta(seconds=1)).consumer("cust-42")

    async with ann.sharing("inventory") as out:
        out.redact({"x": 1})
        await served.stop()

    (record,) = [each for each in caplog.records if each.name == "sayso.disclosures"]
    assert record.levelno == logging.ERROR
    assert "a disclosure was lost" in record.getMessage()
    assert "cust-42" not in caplog.text


# --- synchronous code ---------------------------------------------------------------------------------------


async def test_synchronous_code_has_the_same_guard(privacy: sayso.Client, disclosed: Disclosed) -> None:
    def hand_over() -> list[Any]:
        ann = privacy.sync().consumer("cust-42")
        found: list[Any] = []
        with ann.sharing("inventory") as out:
            found.append(out.redact({"x": 1}))
        with pytest.raises(sayso.NotAllowedError) as caught, ann.sharing("vinsolutions"):
            pytest.fail("nothing may be handed over")
        found.append(caught.value.code)
        with pytest.raises(ZeroDivisionError), ann.sharing("inventory"):
            raise ZeroDivisionError
        return found

    assert await asyncio.to_thread(hand_over) == [{"x": 1}, "not_asked"]
    assert [(line["answer"], line.get("outcome")) for line in await disclosed()] == [
        ("send", "handed_over"),
        ("withhold", None),
        ("send", "failed"),
    ]
