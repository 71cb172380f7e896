"""Choices each dated before the last: one consumer's clock never makes another's recording slow."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sayso_server.services.state import read_state

if TYPE_CHECKING:
    from tests.server.conftest import Brand

TOPIC = "channel:sms"
MOST = 64


async def kept(dealer: Brand) -> tuple[int, int]:
    """Give how many grants and refusals of the topic are kept."""
    fold = read_state(await dealer.world.storage.consumer("dealer", "cust-42")).topics.fold_of(TOPIC)
    return len(fold.grants), len(fold.refusals)


def backdated(dealer: Brand, make_choice: Any, answer: str, minutes: range) -> list[dict[str, Any]]:
    clock = dealer.world.clock
    return [make_choice(TOPIC, answer, made_at=clock.text(timedelta(minutes=ago))) for ago in minutes]


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_a_65th_grant_dated_before_all_others_is_refused_at_its_time(dealer: Brand, make_choice: Any) -> None:
    await dealer.recorded(*backdated(dealer, make_choice, "granted", range(1, MOST + 1)))

    refused = await dealer.post(*backdated(dealer, make_choice, "granted", range(MOST + 1, MOST + 3)))

    assert (refused.status, refused.problems) == (
        422,
        [("/choices/0/made_at", "too_many"), ("/choices/1/made_at", "too_many")],
    )
    assert await kept(dealer) == (MOST, 0)


async def test_64_of_500_backdated_grants_in_one_batch_are_too_many_too(dealer: Brand, make_choice: Any) -> None:
    async with dealer.world.nothing_stored():
        refused = await dealer.post(*backdated(dealer, make_choice, "granted", range(1, 501)))

    assert refused.problems[0] == (f"/choices/{MOST}/made_at", "too_many")


async def test_a_grant_made_now_is_recorded_however_many_backdated_ones_are_kept(
    dealer: Brand, make_choice: Any
) -> None:
    await dealer.recorded(*backdated(dealer, make_choice, "granted", range(1, MOST + 1)))

    entry = await dealer.say(TOPIC, "granted")

    assert (entry["stands"], await kept(dealer)) == (True, (1, 0))


async def test_a_grant_recorded_before_too_many_is_answered_as_it_was(dealer: Brand, make_choice: Any) -> None:
    sent = backdated(dealer, make_choice, "granted", range(1, MOST + 1))
    await dealer.recorded(*sent)

    assert {entry["replayed"] for entry in await dealer.recorded(*sent)} == {True}


async def test_grants_that_each_claim_to_have_seen_less_are_too_many_as_well(dealer: Brand, make_choice: Any) -> None:
    await dealer.recorded(*(make_choice("purpose:marketing", "denied") for _ in range(200)))
    await dealer.recorded(*(make_choice(TOPIC, "granted", based_on=200 - place) for place in range(MOST)))

    refused = await dealer.post(make_choice(TOPIC, "granted", based_on=1))
    current = await dealer.say(TOPIC, "granted", based_on=200 + MOST)

    assert refused.problems == [("/choices/0/based_on", "too_many")]
    assert (current["stands"], await kept(dealer)) == (True, (1, 0))


async def test_the_65th_backdated_refusal_counts_from_the_latest_kept_and_says_when_it_was_made(
    dealer: Brand, make_choice: Any
) -> None:
    clock = dealer.world.clock
    sent = backdated(dealer, make_choice, "denied", range(1, MOST + 2))

    entries = await dealer.recorded(*sent, sent_at=clock.text())

    assert entries[MOST - 1]["effective_at"] == "2026-11-23T17:56:00.000000Z"
    assert entries[MOST]["effective_at"] == "2026-11-23T18:59:00.000000Z"
    assert (await dealer.history())[0]["made_at"] == "2026-11-23T17:55:00.000000Z"
    assert await kept(dealer) == (0, 1)


async def test_a_withdrawal_is_never_lost_among_backdated_refusals(dealer: Brand, make_choice: Any) -> None:
    await dealer.say(TOPIC, "granted")
    await dealer.recorded(*backdated(dealer, make_choice, "denied", range(1, 301)), sent_at=dealer.world.clock.text())

    entry = await dealer.say(TOPIC, "withdrawn", based_on=301)

    assert (entry["stands"], entry["reason"]) == (True, "withdrawn")


async def test_the_past_adds_up_to_what_was_kept(dealer: Brand, make_choice: Any) -> None:
    mixed = [
        choice
        for pair in zip(
            backdated(dealer, make_choice, "denied", range(1, 201)),
            backdated(dealer, make_choice, "granted", range(301, 501)),
            strict=True,
        )
        for choice in pair
    ]
    await dealer.recorded(*mixed, sent_at=dealer.world.clock.text())

    now = await dealer.preferences()
    then = await dealer.preferences(query="?as_of=2026-11-23T19:00:00Z")

    assert then["topics"] == now["topics"]
    assert now["topics"][TOPIC]["reason"] == "denied"
