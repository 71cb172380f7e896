"""`GET /v1/audit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Brand


@pytest.fixture(params=["memory", "sqlite"])
def storage_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_the_audit_comes_newest_first_a_hundred_lines_a_page(dealer: Brand, shop: Brand) -> None:
    await dealer.world.storage.add_audit("dealer", [b'{"event":"n","n":%d}' % number for number in range(101)])
    await shop.world.storage.add_audit("shop", [b'{"event":"other"}'])
    token = dealer.backend("auditor")

    first = await dealer.call("GET", "/v1/audit", token=token)
    following = first.headers["Link"].partition("<")[2].partition(">")[0]
    second = await dealer.call("GET", following, token=token)

    assert [line["n"] for line in first.json["audit"]] == list(range(100, 0, -1))
    assert first.json["audit"][0]["recorded_at"] == "2026-11-23T19:00:00.000100Z"
    assert [line["n"] for line in second.json["audit"]] == [0]
    assert "Link" not in second.headers


async def test_a_page_that_is_no_number_is_refused(dealer: Brand) -> None:
    answer = await dealer.call("GET", "/v1/audit?before=yesterday", token=dealer.backend("auditor"))

    assert (answer.status, answer.code) == (422, "invalid_value")
