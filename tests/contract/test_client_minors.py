"""Minors and their guardians, with the real client."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp
import pytest

import sayso
from sayso.wire import TokenClass

if TYPE_CHECKING:
    from tests.contract.conftest import Served

MARKETING, SHARE = "purpose:marketing", "partner:vinsolutions:share"


async def open_as_guardian(served: "Served", url: str, *topics: str) -> int:
    """Answer as a guardian's browser would, and give the status."""
    assert url.startswith("https://privacy.example/g/")
    form = urlencode([*(("topic", topic) for topic in topics), ("answer", "allow")])
    path = url.removeprefix("https://privacy.example")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with aiohttp.ClientSession() as browser, browser.post(served.url + path, data=form, headers=headers) as page:
        return page.status


@pytest.mark.parametrize(
    ("platform", "payload", "reason"),
    [
        ("apple", {"lowerBound": 16, "upperBound": 17, "ageRangeDeclaration": "guardianDeclared"}, "minor"),
        ("apple", {"lowerBound": 18, "ageRangeDeclaration": "confirmed"}, "granted"),
        ("apple", "declinedSharing", "granted"),
        ("google", {"userStatus": "SUPERVISED", "ageLower": 13, "ageUpper": 15}, "minor"),
        ("google", {"userStatus": "VERIFIED"}, "granted"),
        ("ab1043", "<13", "minor"),
    ],
)
async def test_a_systems_age_signal_decides(ann: sayso.Consumer, platform: str, payload: object, reason: str) -> None:
    await ann.grant(MARKETING, shown="en")
    reported = await ann.report_age_signal(platform, payload)  # type: ignore[arg-type]
    assert set(reported.age) == {"os_signal"}
    assert (await ann.decide(MARKETING)).reason == reason


@pytest.mark.parametrize("payload", [{"age": 15}, {"lower_bound": 13, "upper_bound": 15}])
async def test_an_age_under_an_unknown_key_is_refused_and_never_taken_for_a_decline(
    ann: sayso.Consumer, payload: dict[str, int]
) -> None:
    with pytest.raises(sayso.InvalidError, match="lowerBound, upperBound") as caught:
        await ann.report_age_signal("apple", payload)
    assert caught.value.pointer == "/payload"
    assert (await ann.preferences()).version == 0


async def test_what_is_no_age_signal_is_refused_here(ann: sayso.Consumer) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        await ann.report_age_signal("apple", {"lowerBound": "sixteen"})
    assert caught.value.code == "invalid_value"
    assert "sixteen" not in str(caught.value)
    assert (await ann.preferences()).version == 0


async def test_a_minors_grant_says_that_it_takes_a_guardian(ann: sayso.Consumer) -> None:
    await ann.report_age(source="verified", upper=15)
    with pytest.raises(sayso.InvalidError) as caught:
        await ann.grant(MARKETING, shown="en")
    assert caught.value.code == "minor"
    assert "guardian" in str(caught.value)
    assert (await ann.deny(MARKETING)).stands


async def test_a_guardian_answers_by_the_link_that_the_brand_sends(served: "Served", ann: sayso.Consumer) -> None:
    await ann.report_age(source="verified", lower=14, upper=14)
    link = await ann.ask_guardian(MARKETING, SHARE, contact_from="verified", evidence={"kind": "id_check"})
    assert (link.consumer_id, link.topics, link.confirmed_later) == ("cust-42", (MARKETING, SHARE), False)
    assert link.url not in repr(link)

    assert await open_as_guardian(served, link.url, MARKETING) == 200

    assert [await ann.allows(topic) for topic in (MARKETING, SHARE)] == [True, False]
    assert await open_as_guardian(served, link.url, SHARE) == 410


async def test_an_address_that_the_minor_typed_is_asked_twice(served: "Served", ann: sayso.Consumer) -> None:
    client = served.client()
    await ann.report_age(source="verified", lower=14, upper=14)
    link = await ann.ask_guardian(MARKETING, contact_from="child", email="mum@mail.example", language="es")
    assert link.confirmed_later is True
    await open_as_guardian(served, link.url, MARKETING)
    assert await ann.allows(MARKETING) is False
    with pytest.raises(sayso.ConflictError) as early:
        await ann.confirm_guardian()
    assert early.value.code == "too_early"

    (waiting,) = [request async for request in client.minors.guardian_requests("waiting")]
    assert (waiting.consumer_id, waiting.topics, waiting.contact) == (
        "cust-42",
        (MARKETING,),
        {"email": "mum@mail.example"},
    )
    assert "mum" not in repr(waiting)
    served.clock.forward(timedelta(hours=24))
    second = await ann.confirm_guardian()
    await open_as_guardian(served, second.url, MARKETING)

    assert await ann.allows(MARKETING) is True
    assert [request async for request in client.minors.guardian_requests()] == []


async def test_what_the_minor_refused_or_what_leaves_the_brand_is_a_conflict_or_invalid(ann: sayso.Consumer) -> None:
    with pytest.raises(sayso.ConflictError) as grown_up:
        await ann.ask_guardian(MARKETING)
    assert grown_up.value.code == "not_a_minor"
    await ann.report_age(source="verified", upper=15)
    await ann.deny(MARKETING)
    with pytest.raises(sayso.ConflictError) as refused:
        await ann.ask_guardian(MARKETING)
    assert refused.value.code == "refused_by_minor"
    with pytest.raises(sayso.InvalidError) as partner:
        await ann.ask_guardian(SHARE)
    assert partner.value.code == "verification_needed"


async def test_a_hold_stops_everything_until_an_officer_clears_it(served: "Served", ann: sayso.Consumer) -> None:
    await served.add_key("dealer", "privacy_officer", [TokenClass.BACKEND])
    officer = served.client(role="privacy_officer")
    await ann.grant(MARKETING, shown="en")

    hold = await ann.hold_for_age("content")

    assert (hold.consumer_id, hold.state, hold.reason) == ("cust-42", "held", "content")
    assert await ann.allows(MARKETING) is False
    assert [held.id async for held in officer.minors.held()] == [hold.id]
    assert (await officer.minors.clear(hold.id, evidence={"kind": "id_document"})).state == "cleared"
    assert await served.client().consumer("cust-42").allows(MARKETING) is True


async def test_a_hold_that_was_right_ends_in_an_erasure(served: "Served", ann: sayso.Consumer) -> None:
    await served.add_key("dealer", "privacy_officer", [TokenClass.BACKEND])
    officer = served.client(role="privacy_officer")
    await ann.grant(MARKETING, shown="en")
    hold = await ann.hold_for_age()
    erased = await officer.minors.confirm(hold.id)
    assert erased.consumer_id == "cust-42"
    assert [choice async for choice in ann.history()] == []
    with pytest.raises(sayso.NotFoundError):
        await officer.minors.confirm(hold.id)
    with pytest.raises(sayso.InvalidError):
        await officer.minors.confirm("7")


async def test_the_blocking_client_asks_guardians_too(served: "Served") -> None:
    def work() -> tuple[str, list[str]]:
        with served.client().sync() as privacy:
            ben = privacy.consumer("cust-43")
            ben.report_age_signal("google", {"userStatus": "SUPERVISED", "ageLower": 13, "ageUpper": 15})
            link = ben.ask_guardian(MARKETING, phone="+1 555 010 0100")
            return link.url, [request.state for request in privacy.minors.guardian_requests()]

    url, states = await asyncio.to_thread(work)
    assert await open_as_guardian(served, url, MARKETING) == 200
    assert states == ["open"]
