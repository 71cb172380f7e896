"""What a new catalogue would have done to the hand-overs of the last days, and that publishing asks first."""

from __future__ import annotations

import copy
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand

SHARE = "partner:vinsolutions:share"
COMBINE = "partner:vinsolutions:combine"
FLOW = "partners/vinsolutions/flows/share"
FIELDS = "partners/vinsolutions/fields"
MINUTE = timedelta(minutes=1)


def changed(catalogue: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Give a catalogue with other values at some paths, whose `__` stand for slashes and `_at_` for colons."""
    new = copy.deepcopy(catalogue)
    for path, value in changes.items():
        *above, name = path.split("__")
        place = new
        for step in above:
            place = place[step.replace("_at_", ":")]
        place[name.replace("_at_", ":")] = value
    return new


async def handed_over(brand: Brand, consumer: str = "cust-42", **members: Any) -> None:
    entry = {
        "id": str(uuid.uuid4()),
        "consumer_id": consumer,
        "partner": "vinsolutions",
        "flow": "share",
        "answer": "send",
        "fields_sent": ["vehicle", "email"],
        "fields_held_back": ["comments"],
        "at": brand.world.clock.text(),
        **members,
    }
    answer = await brand.call("POST", "/v1/disclosures", json={"disclosures": [entry]})
    assert answer.status == 201, answer.body


async def replayed(brand: Brand, catalogue: dict[str, Any], query: str = "") -> Any:
    path = f"/v1/catalogue/replay{query}"
    answer = await brand.call("POST", path, token=brand.backend("admin"), json=catalogue)
    assert answer.status == 200, answer.body
    return answer.json


def told(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(each.values()) for each in found]


async def granted(brand: Brand, consumer: str = "cust-42") -> None:
    for topic in (SHARE, "purpose:marketing"):
        await brand.say(topic, "granted", consumer_id=consumer)
    brand.world.clock.forward(MINUTE)


async def test_the_same_catalogue_changes_nothing(dealer: Brand, catalogue: dict[str, Any]) -> None:
    await granted(dealer)
    await handed_over(dealer)

    answer = await replayed(dealer, catalogue)

    assert answer == {
        "revision": 1,
        "days": 30,
        "since": "2026-10-24T19:01:00.000000Z",
        "hand_overs": 1,
        "consumers": 1,
        "newly_allowed": [],
        "newly_withheld": [],
    }


async def test_a_raised_version_is_told_as_withheld_and_one_with_a_grace_is_not(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    await granted(dealer)
    await handed_over(dealer)
    await handed_over(dealer)
    await granted(dealer, "cust-43")
    await handed_over(dealer, "cust-43")

    raised = changed(catalogue, partners__vinsolutions__flows__share__version=2)
    answer = await replayed(dealer, raised)
    assert told(answer["newly_withheld"]) == [(SHARE, None, "send", "withhold", "outdated", 3, 2)]
    assert answer["newly_allowed"] == []

    with_grace = changed(raised, partners__vinsolutions__flows__share__grace="P30D")
    assert (await replayed(dealer, with_grace))["newly_withheld"] == []


async def test_a_field_that_needs_another_topic_from_now_on_is_told_by_its_name(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    await granted(dealer)
    await handed_over(dealer)
    other = changed(
        catalogue, partners__vinsolutions__fields={"email": ["purpose:training"], "comments": ["purpose:marketing"]}
    )

    answer = await replayed(dealer, other)

    assert told(answer["newly_withheld"]) == [(SHARE, "email", "send", "send_redacted", "granted", 1, 1)]
    assert told(answer["newly_allowed"]) == [(SHARE, "comments", "send", "send_redacted", "granted", 1, 1)]


async def test_what_silence_would_newly_let_out_is_told_and_keeps_the_catalogue_from_being_published(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    await handed_over(dealer, answer="withhold", fields_sent=[], fields_held_back=[], reason="not_asked")
    opened = changed(
        catalogue,
        partners__vinsolutions__flows__share__basis="legitimate_interest",
        partners__vinsolutions__flows__share__sale_or_share=False,
    )

    answer = await replayed(dealer, opened)
    assert told(answer["newly_allowed"]) == [(SHARE, None, "withhold", "send_redacted", "default", 1, 1)]

    refused: Answered = await dealer.publish(opened)
    assert (refused.status, refused.code) == (422, "newly_shared")
    assert refused.problems == [("/partners/vinsolutions/flows/share", "newly_shared")]
    assert (await dealer.call("GET", "/v1/catalogue")).json["revision"] == 1

    assert (await dealer.publish(opened, "?allow_newly_shared=true")).status == 201


async def test_publishing_asks_nobody_where_nothing_was_kept_back(dealer: Brand, catalogue: dict[str, Any]) -> None:
    await granted(dealer)
    await handed_over(dealer)
    opened = changed(catalogue, partners__vinsolutions__flows__share__basis="legitimate_interest")
    assert (await dealer.publish(opened)).status == 201


async def test_each_hand_over_is_decided_by_what_was_known_when_it_happened(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    await granted(dealer)
    await handed_over(dealer)
    dealer.world.clock.forward(MINUTE)
    await dealer.say(SHARE, "withdrawn", based_on=2)
    dealer.world.clock.forward(MINUTE)
    await handed_over(dealer, answer="withhold", fields_sent=[], fields_held_back=[])
    gone = {**catalogue, "partners": {}}

    answer = await replayed(dealer, gone)

    assert answer["hand_overs"] == 2
    assert told(answer["newly_withheld"]) == [(SHARE, None, "send", "withhold", "unknown_topic", 1, 1)]


async def test_a_visitors_hand_overs_are_decided_as_the_visitors_until_they_signed_in(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    visitor = "anon_AAAAAAAAAAAAAAAAAAAAAA"
    await handed_over(dealer, visitor, flow="combine", answer="join", fields_sent=None, fields_held_back=None)
    await dealer.say(COMBINE, "denied")
    dealer.world.clock.forward(MINUTE)
    linked = await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})
    assert linked.status == 201
    dealer.world.clock.forward(MINUTE)
    await handed_over(dealer, visitor, flow="combine", answer="refuse", fields_sent=None, fields_held_back=None)
    asked = changed(catalogue, partners__vinsolutions__flows__combine__basis="consent")

    answer = await replayed(dealer, asked)

    assert (answer["hand_overs"], answer["consumers"]) == (2, 1)
    assert told(answer["newly_withheld"]) == [(COMBINE, None, "join", "refuse", "not_asked", 1, 1)]


async def test_only_the_last_days_count_and_only_the_brands_own(dealer: Brand, catalogue: dict[str, Any]) -> None:
    other = await dealer.world.add_brand("shop")
    await handed_over(other)
    await handed_over(dealer)
    dealer.world.clock.forward(timedelta(days=10))
    await handed_over(dealer)
    gone = {**catalogue, "partners": {}}
    assert (await replayed(dealer, gone))["hand_overs"] == 2
    assert (await replayed(dealer, gone, "?days=9"))["hand_overs"] == 1


@pytest.mark.parametrize("days", ["0", "367", "all", "-1"])
async def test_a_span_that_makes_no_sense_is_refused(dealer: Brand, catalogue: dict[str, Any], days: str) -> None:
    path = f"/v1/catalogue/replay?days={days}"
    answer = await dealer.call("POST", path, token=dealer.backend("admin"), json=catalogue)
    assert (answer.status, answer.code) == (422, "invalid_value")


async def test_a_catalogue_that_could_not_be_published_is_not_replayed(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    wrong = changed(catalogue, topics__channel_at_sms__basis="contract")
    answer = await dealer.call("POST", "/v1/catalogue/replay", token=dealer.backend("admin"), json=wrong)
    assert (answer.status, answer.code) == (422, "catalogue_invalid")


async def test_only_an_admin_may_replay(dealer: Brand, catalogue: dict[str, Any]) -> None:
    assert (await dealer.call("POST", "/v1/catalogue/replay", json=catalogue)).status == 403


async def test_flags_for_limited_use_let_out_what_was_withheld_and_that_is_told(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    await handed_over(dealer, answer="withhold", fields_sent=[], fields_held_back=[])
    flagged = changed(catalogue, partners__vinsolutions__restricted={"limited": True})
    answer = await replayed(dealer, flagged)
    assert told(answer["newly_allowed"]) == [(SHARE, None, "withhold", "send_restricted", "not_asked", 1, 1)]


async def test_a_field_that_a_devices_permission_let_through_counts_as_let_through(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    by_location = changed(catalogue, partners__vinsolutions__fields={"email": ["permission:location"]})
    assert (await dealer.publish(by_location)).status == 201
    await granted(dealer)
    await dealer.say("permission:location", "granted")
    states = {"android.permission.ACCESS_FINE_LOCATION": "granted"}
    device = {"vocabulary": "android", "states": states}
    assert (await dealer.call("PUT", "/v1/consumers/cust-42/devices/pixel-8", json=device)).status == 200
    dealer.world.clock.forward(MINUTE)
    await handed_over(dealer, fields_sent=["email"], fields_held_back=[])
    closed = changed(by_location, partners__vinsolutions__fields={"vehicle": []})

    answer = await replayed(dealer, closed)

    assert [(each["field"], each["hand_overs"]) for each in answer["newly_withheld"]] == [("email", 1)]
    assert answer["newly_allowed"] == []
