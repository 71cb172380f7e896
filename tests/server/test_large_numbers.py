"""Numbers that no 64 bits hold: what a refusal claims and a device reports stays readable, to the last digit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sayso_server.jsonio import loads, loads_exactly

if TYPE_CHECKING:
    from tests.server.conftest import Brand

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
LARGE = pytest.mark.parametrize(
    "number", [2**64, -(10**30), 10**30, 10**400, -(10**400)], ids=["2^64", "-10^30", "10^30", "10^400", "-10^400"]
)
AS_OF = "?as_of=2026-11-23T19:00:00Z"
VISITOR = "anon_" + "A" * 22


@BOTH
@LARGE
async def test_a_refusal_that_claims_a_huge_version_reads_back_everywhere_as_it_was_sent(
    dealer: Brand, make_choice: Any, number: int
) -> None:
    sent = make_choice("channel:sms", "withdrawn", consumer=None, method="widget", based_on=number)
    sent["notice"] = {"language": "en", "version": number}
    first = await dealer.page("POST", "/v1/me/choices", json={"choices": [sent]})

    again = await dealer.page("POST", "/v1/me/choices", json={"choices": [sent]})
    own = await dealer.page("GET", "/v1/me/choices")
    export = await dealer.call("GET", "/v1/consumers/cust-42/export", token=dealer.backend("backend"))
    then = await dealer.preferences(query=AS_OF)

    assert (first.status, again.status, again.json["recorded"][0]["replayed"]) == (201, 201, True)
    assert (await dealer.history())[0]["based_on_sent"] == number
    assert own.json["choices"][0]["notice_version_sent"] == number
    assert (export.json["changes"][0]["based_on_sent"], export.status) == (number, 200)
    assert then["topics"]["channel:sms"]["reason"] == "withdrawn"


@BOTH
@LARGE
async def test_a_visitors_refusal_of_a_huge_version_is_carried_over_at_login(
    dealer: Brand, make_choice: Any, number: int
) -> None:
    sent = make_choice("channel:sms", "withdrawn", consumer=None, method="widget", based_on=number)
    assert (await dealer.page("POST", "/v1/me/choices", sub=VISITOR, json={"choices": [sent]})).status == 201

    linked = await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": VISITOR})

    assert linked.status == 201
    assert await dealer.reason("channel:sms") == "withdrawn"
    assert (await dealer.history())[0]["based_on_sent"] == number


@BOTH
@LARGE
async def test_a_device_that_reports_a_huge_number_reads_back_everywhere(dealer: Brand, number: int) -> None:
    reported = await dealer.report({"android.permission.CAMERA": "granted", "x": number})

    export = await dealer.call("GET", "/v1/consumers/cust-42/export")
    then = await dealer.preferences(query=AS_OF)

    assert reported.status == 200
    assert export.json["changes"][0]["sent"]["states"]["x"] == number
    assert then["devices"]["pixel-8"]["states"]["camera"]["state"] == "granted"


@pytest.mark.parametrize("read", [loads, loads_exactly])
def test_what_was_recorded_is_read_however_large_a_number_it_holds(read: Any) -> None:
    assert read(b'{"n":1' + b"0" * 400 + b"}") == {"n": 10**400}


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**64 - 1, 2**64, -(2**63) - 1, 10**19, -(10**19)])
def test_a_number_at_the_edge_of_64_bits_is_read_to_the_last_digit(number: int) -> None:
    assert loads_exactly(b"[%d]" % number) == [number]
