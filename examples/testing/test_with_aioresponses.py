"""The same with answers written by hand, for suites that already do so. They know Sayso's wire, and have to keep up."""

import re
import secrets
from collections.abc import AsyncIterator

import pytest
import shop
from aioresponses import CallbackResult
from conftest import Answers, Response

import sayso

URL = "https://sayso.dealer.example"


@pytest.fixture
async def client(answers: Answers) -> AsyncIterator[sayso.Client]:
    # live=False: without it the client would follow a stream of changes, which is hard to write by hand.
    async with sayso.Client(URL, "dealer.k1", secrets.token_urlsafe(32), live=False, outbox=False) as client:
        yield client


async def nobody(consumer_id: str, text: str) -> None:
    raise AssertionError("a message went out")


def decides(answers: Answers, topic: str, *, allowed: bool, reason: str) -> None:
    decision = {"consumer_id": "cust-42", "topic": topic, "allowed": allowed, "reason": reason}
    answers.post(f"{URL}/v1/decisions", payload={"decisions": [decision]})


async def test_an_offer_goes_to_whoever_wants_it(client: sayso.Client, answers: Answers) -> None:
    decides(answers, "purpose:marketing", allowed=True, reason="granted")
    decides(answers, "channel:sms", allowed=True, reason="granted")
    sent = []

    async def send(consumer_id: str, text: str) -> None:
        sent.append(consumer_id)

    assert await shop.send_offer(client, "cust-42", send) is True
    assert sent == ["cust-42"]


async def test_no_offer_goes_to_whoever_said_no(client: sayso.Client, answers: Answers) -> None:
    decides(answers, "purpose:marketing", allowed=True, reason="granted")
    decides(answers, "channel:sms", allowed=False, reason="denied")

    assert await shop.send_offer(client, "cust-42", nobody) is False


async def test_in_an_outage_no_offer_goes_out(client: sayso.Client, answers: Answers) -> None:
    answers.post(f"{URL}/v1/decisions", exception=OSError("no route"), repeat=True)

    assert await shop.send_offer(client, "cust-42", nobody) is False


async def test_stop_is_recorded(client: sayso.Client, answers: Answers) -> None:
    def record(url: object, **sent: bytes) -> CallbackResult:
        (choice_id,) = re.findall(rb'"id":"([^"]+)"', sent["data"])
        recorded = {
            "choice_id": choice_id.decode(),
            "consumer_id": "cust-42",
            "topic": "channel:sms",
            "version": 1,
            "recorded_at": "2026-11-23T19:00:00.000000Z",
            "effective_at": "2026-11-23T19:00:00.000000Z",
            "stands": True,
            "allowed": False,
            "reason": "withdrawn",
            "replayed": False,
        }
        return CallbackResult(status=201, payload={"recorded": [recorded]}, response_class=Response)

    answers.get(f"{URL}/v1/consumers/cust-42/preferences", status=404)
    answers.post(f"{URL}/v1/choices", callback=record)

    assert await shop.on_text_message(client, "cust-42", "STOP") == "You will get no more messages."
