"""What was begun before an erasure and arrives after it brings nobody back."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.server.conftest import dumped

from sayso.wire import TokenClass
from sayso_server.app import SERVICES
from sayso_server.services.caller import Caller
from sayso_server.services.erasure import Erasing
from sayso_server.services.reading import Reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.server.conftest import Answered, Brand

ONE = "/v1/consumers/cust-42"


@pytest.fixture(params=["memory", "sqlite"])
def storage_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def refusal(**members: Any) -> dict[str, Any]:
    choice = {"id": str(uuid.uuid4()), "consumer_id": "cust-42", "topic": "purpose:analytics", "answer": "denied"}
    return choice | {"method": "chat"} | members


def later(brand: Brand, **span: float) -> None:
    brand.world.clock.forward(timedelta(**span))


async def erase(brand: Brand, consumer: str = "cust-42") -> None:
    answer = await brand.call("DELETE", f"/v1/consumers/{consumer}")
    assert answer.status == 200, answer.body


def is_erased(answer: Answered) -> bool:
    return (answer.status, answer.code) == (410, "erased")


async def sent_while_erased(brand: Brand, method: str, path: str, body: Any, token: str) -> tuple[int, bytes]:
    """Send a request whose body ends only after its consumer was erased."""
    whole, erased = dumped(body), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield whole[:10]
        await asyncio.sleep(0.1)  # its head is there, and what it is allowed was looked at
        later(brand, seconds=1)
        await erase(brand)
        later(brand, seconds=1)
        erased.set()
        yield whole[10:]

    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Origin": brand.origin}
    if path.startswith("/v1/me"):
        headers["Content-Length"] = str(len(whole))
    else:
        del headers["Origin"]
    url = f"{brand.world.base}{path}"
    async with brand.world.session.request(method, url, data=slowly(), headers=headers) as answer:
        assert erased.is_set()
        return answer.status, await answer.read()


async def test_a_page_that_began_to_send_before_the_erasure_records_nothing_after_it(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    choice = {name: value for name, value in refusal().items() if name != "consumer_id"}

    status, body = await sent_while_erased(dealer, "POST", "/v1/me/choices", {"choices": [choice]}, dealer.consumer())

    assert (status, b'"erased"' in body) == (410, True)
    assert await dealer.world.storage.consumer_ids("dealer", after="", limit=10) == []


@pytest.mark.parametrize("dated", [False, True])
async def test_a_backends_choice_that_was_underway_is_from_before(dealer: Brand, dated: bool) -> None:
    now = dealer.world.clock.text()
    batch = {"sent_at": now, "choices": [refusal(made_at=now)]} if dated else {"choices": [refusal()]}
    status, body = await sent_while_erased(dealer, "POST", "/v1/choices", batch, dealer.backend())

    assert (status, b'"erased"' in body) == (410, True)
    assert await dealer.world.storage.consumer_ids("dealer", after="", limit=10) == []


@pytest.mark.parametrize(
    ("method", "room", "body"),
    [
        ("PUT", "devices/pixel-8", {"vocabulary": "android", "states": {"CAMERA": "granted"}}),
        ("POST", "signals", {"name": "gpc", "source": "header"}),
        ("PUT", "age", {"source": "self", "lower": 20}),
        ("POST", "links", {"anonymous_id": "anon_AAAAAAAAAAAAAAAAAAAAAA"}),
    ],
)
async def test_an_undated_report_that_was_underway_is_from_before(
    dealer: Brand, method: str, room: str, body: dict[str, Any]
) -> None:
    status, answer = await sent_while_erased(dealer, method, f"{ONE}/{room}", body, dealer.backend())

    assert (status, b'"erased"' in answer) == (410, True)
    assert await dealer.world.storage.consumer_ids("dealer", after="", limit=10) == []


async def test_a_request_sent_again_byte_for_byte_does_not_bring_back_what_it_recorded(dealer: Brand) -> None:
    """As a queue or a proxy does: `sent_at` is then as old as the choice, and tells nothing about its age."""
    now = dealer.world.clock.text()
    batch = {"sent_at": now, "choices": [refusal(made_at=now)]}
    assert (await dealer.call("POST", "/v1/choices", json=batch)).status == 201
    later(dealer, minutes=10)
    await erase(dealer)
    later(dealer, minutes=10)

    assert is_erased(await dealer.call("POST", "/v1/choices", json=batch))


async def test_what_is_said_at_the_moment_of_the_erasure_is_not_from_before(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    await erase(dealer)
    now = dealer.world.clock.text()

    batch = {"sent_at": now, "choices": [refusal(made_at=now)]}
    assert (await dealer.call("POST", "/v1/choices", json=batch)).status == 201
    assert (await dealer.report({"CAMERA": "granted"})).status == 200
    assert (await dealer.page("GET", "/v1/me/preferences")).status == 200


async def test_a_sale_that_only_a_signal_stopped_stays_stopped_when_they_come_back(dealer: Brand) -> None:
    await dealer.call("POST", f"{ONE}/signals", json={"name": "gpc", "source": "header", "device_id": "pixel-8"})
    assert await dealer.reason("purpose:ads") == "signal"
    later(dealer, minutes=1)
    await erase(dealer)
    later(dealer, minutes=1)

    await dealer.say("channel:sms", "granted")

    assert await dealer.reason("purpose:ads") == "denied"
    assert await dealer.reason("purpose:analytics") == "default"


async def test_the_snapshot_of_whom_another_process_erased_is_let_go_of_when_it_is_asked_for(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    await dealer.preferences()
    services = dealer.world.app[SERVICES]
    kept = services.reading._cache
    assert kept.get(("dealer", "cust-42")) is not None
    elsewhere = Reading(
        services.storage, services.catalogues, services.disclosures, services.erased, dealer.world.clock
    )
    command = Erasing(services.storage, services.catalogues, elsewhere, services.marks, services.journal)

    await command.erase(Caller("dealer", "terminal", TokenClass.STAFF), "cust-42", reason="api")
    await dealer.preferences()

    assert (kept.get(("dealer", "cust-42")), kept.held) == (None, 0)
