"""Two at once on one rights request: whoever comes second leaves no trace, neither in the request nor elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.server.test_requests_transitions import act, done, filed

from sayso_server.services.request_record import REQUEST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.server.conftest import Brand

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
GROUNDS = {"reason": "no_match", "grounds": "Nothing is there."}


def meanwhile(brand: Brand, name: str, happens: Callable[[], Awaitable[Any]]) -> None:
    """Have something happen just before a method of the storage is next called."""
    storage = brand.world.storage
    method = getattr(storage, name)

    async def late(*args: Any, **more: Any) -> Any:
        delattr(storage, name)
        await happens()
        return await method(*args, **more)

    setattr(storage, name, late)


async def on_paper(brand: Brand, kind: str, **members: Any) -> str:
    """Enter what came by post of nobody who is known yet; give its id."""
    body = {"kind": kind, "channel": "post", "contact": {"email": "ann@mail.example"}} | members
    answer = await brand.desk("POST", "/v1/requests", scope="privacy_officer", json=body)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


@BOTH
@pytest.mark.parametrize(("kind", "transition"), [("access", "acknowledge"), ("restrict", "lift")])
async def test_what_was_erased_meanwhile_does_not_come_back_by_a_transition(
    dealer: Brand, kind: str, transition: str
) -> None:
    request = await filed(dealer, kind, contact={"email": "ann@mail.example"})
    if transition == "lift":
        await done(dealer, request["id"], "fulfil")

    async def erased() -> None:
        assert (await dealer.call("DELETE", "/v1/consumers/cust-42")).status == 200

    meanwhile(dealer, "change_documents", erased)
    answer = await act(dealer, request["id"], transition, **({"told": "By letter."} if transition == "lift" else {}))

    assert answer.status in {404, 409}
    stored = await dealer.world.storage.document(dealer.id, REQUEST, request["id"])
    assert (stored is None) is (transition == "acknowledge")
    assert stored is None or (stored.consumer_id, stored.marks) == (None, ())
    assert stored is None or b"ann@mail.example" not in stored.body
    assert await dealer.world.storage.consumer(dealer.id, "cust-42") is None


@BOTH
async def test_nobody_is_erased_who_took_it_back_at_the_same_moment(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    request = await filed(dealer, "delete")

    async def taken_back() -> None:
        own = f"/v1/me/requests/{request['id']}/revoke"
        assert (await dealer.page("POST", own, json={})).status == 200

    meanwhile(dealer, "erase", taken_back)
    answer = await act(dealer, request["id"], "fulfil")

    assert (answer.status, answer.code, answer.json["legal"]) == (409, "transition_illegal", [])
    assert await dealer.reason("purpose:marketing") == "granted"


@BOTH
async def test_of_two_who_erase_at_once_the_second_is_told(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    request = await filed(dealer, "delete")

    async def carried_out() -> None:
        await done(dealer, request["id"], "fulfil")
        await dealer.say("purpose:marketing", "granted")  # they have come back since

    meanwhile(dealer, "erase", carried_out)
    answer = await act(dealer, request["id"], "fulfil")

    assert (answer.status, answer.code) == (409, "transition_illegal")
    assert await dealer.reason("purpose:marketing") == "granted"


@BOTH
async def test_a_restriction_stays_where_another_officer_was_faster(dealer: Brand) -> None:
    request = await filed(dealer, "restrict")
    meanwhile(dealer, "change_documents", lambda: done(dealer, request["id"], "fulfil"))

    answer = await act(dealer, request["id"], "deny", **GROUNDS)

    assert (answer.status, answer.code, answer.json["legal"]) == (409, "transition_illegal", ["lift"])
    shown = (await dealer.call("GET", f"/v1/requests/{request['id']}")).json
    assert (shown["state"], shown["effects"]["restricted"]) == ("fulfilled", True)
    assert await dealer.reason("purpose:analytics") == "restricted"


@BOTH
async def test_a_restriction_rests_on_whom_the_request_turned_out_to_be_and_on_nobody_else(dealer: Brand) -> None:
    request_id = await on_paper(dealer, "restrict")
    meanwhile(dealer, "change_documents", lambda: done(dealer, request_id, "start", consumer_id="cust-43"))

    answer = await act(dealer, request_id, "start", consumer_id="cust-42")

    assert (answer.status, answer.code) == (409, "transition_illegal")
    assert await dealer.reason("purpose:analytics", "cust-43") == "restricted"
    assert await dealer.reason("purpose:analytics", "cust-42") == "default"
    assert (await dealer.call("GET", f"/v1/requests/{request_id}")).json["consumer_id"] == "cust-43"
