"""POST /v1/preferences: several consumers at once, for clients that fill their cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Brand

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])


@BOTH
async def test_each_consumer_s_snapshot_is_the_one_they_have_alone(dealer: Brand) -> None:
    await dealer.say("channel:sms", "granted", consumer="ann")
    await dealer.say("channel:sms", "denied", consumer="ben")
    asked = ["ben", "ann", "stranger", "ben"]

    answer = await dealer.call("POST", "/v1/preferences", json={"consumer_ids": asked})

    alone = [await dealer.call("GET", f"/v1/consumers/{consumer}/preferences") for consumer in asked]
    assert answer.json["preferences"] == [one.json for one in alone]
    assert answer.json["etags"] == [one.headers["ETag"] for one in alone]
    assert [one["topics"]["channel:sms"]["reason"] for one in answer.json["preferences"]] == [
        "denied",
        "granted",
        "not_asked",
        "denied",
    ]


@pytest.mark.parametrize(
    ("consumer_ids", "code", "pointer"),
    [
        ([], "batch_empty", "/consumer_ids"),
        (["ann"] * 501, "batch_too_large", "/consumer_ids"),
        (["ann", "ann@dealer.example"], "personal_id", "/consumer_ids/1"),
        (["ann", 7], "wrong_type", "/consumer_ids/1"),
    ],
)
async def test_a_list_that_won_t_do_is_refused_by_name(
    dealer: Brand, consumer_ids: list[object], code: str, pointer: str
) -> None:
    answer = await dealer.call("POST", "/v1/preferences", json={"consumer_ids": consumer_ids})

    assert (answer.status, answer.json["code"], answer.json["errors"][0]["pointer"]) == (422, code, pointer)


async def test_500_consumers_are_one_request(dealer: Brand) -> None:
    asked = [f"cust-{place}" for place in range(500)]

    answer = await dealer.call("POST", "/v1/preferences", json={"consumer_ids": asked})

    assert [one["consumer_id"] for one in answer.json["preferences"]] == asked
