"""The shop's promises, against the real service: nothing here knows how Sayso talks."""

from datetime import timedelta

import pytest
import shop
from conftest import Answers

from sayso.testing import Privacy

LEAD = {"name": "Ann", "vehicle": "Compact, diesel", "email": "ann@example.com", "phone": "555 0100"}


class Messages:
    """Takes messages instead of sending them."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, consumer_id: str, text: str) -> None:
        self.sent.append(consumer_id)


@pytest.fixture
def messages() -> Messages:
    return Messages()


async def test_an_offer_goes_to_whoever_wants_offers_and_messages(privacy: Privacy, messages: Messages) -> None:
    privacy.consumer("cust-42").grants("purpose:marketing", "channel:sms")
    privacy.consumer("cust-43").grants("purpose:marketing").denies("channel:sms")

    assert await shop.send_offer(privacy, "cust-42", messages.send) is True
    assert await shop.send_offer(privacy, "cust-43", messages.send) is False
    assert await shop.send_offer(privacy, "cust-44", messages.send) is False

    assert messages.sent == ["cust-42"]


async def test_in_an_outage_no_offer_goes_out(privacy: Privacy, messages: Messages) -> None:
    privacy.consumer("cust-42").grants("purpose:marketing", "channel:sms")

    with privacy.outage():
        assert await shop.send_offer(privacy, "cust-42", messages.send) is False
    with privacy.slow(3):  # takes no real time
        assert await shop.send_offer(privacy, "cust-42", messages.send) is False

    assert await shop.send_offer(privacy, "cust-42", messages.send) is True


async def test_stop_counts_at_once_even_in_an_outage(privacy: Privacy, messages: Messages) -> None:
    privacy.consumer("cust-42").grants("purpose:marketing", "channel:sms")

    with privacy.outage():
        assert await shop.on_text_message(privacy, "cust-42", " stop ") == "You will get no more messages."
    assert await shop.send_offer(privacy, "cust-42", messages.send) is False

    await privacy.flush()
    elsewhere = privacy.fake.client()  # another process of the shop
    assert (await elsewhere.consumer("cust-42").decide("channel:sms")).reason == "withdrawn"


async def test_a_yes_to_an_older_notice_or_from_long_ago_is_none(privacy: Privacy, messages: Messages) -> None:
    ann = privacy.consumer("cust-42").grants("purpose:marketing", "channel:sms", expires_after=timedelta(days=365))

    privacy.clock.advance(timedelta(days=366))
    assert await shop.send_offer(privacy, "cust-42", messages.send) is False

    ann.grants("purpose:marketing", "channel:sms")
    privacy.republish({"topics": {"purpose:marketing": {"version": 2}}})
    assert await shop.send_offer(privacy, "cust-42", messages.send) is False


async def test_a_lead_leaves_without_what_the_consumer_keeps(privacy: Privacy, answers: Answers) -> None:
    answers.post(shop.CRM, status=202)
    privacy.consumer("cust-42").grants("partner:vinsolutions:share", "channel:email").denies("channel:sms")

    assert await shop.hand_over(privacy, "cust-42", LEAD) is True

    answers.assert_called_once_with(
        shop.CRM,
        method="POST",
        json={"name": "Ann", "vehicle": "Compact, diesel", "email": "ann@example.com"},
        raise_for_status=True,
    )
    privacy.assert_shared("vinsolutions", without=["phone"])


async def test_without_a_yes_nothing_leaves(privacy: Privacy, answers: Answers) -> None:
    assert await shop.hand_over(privacy, "cust-42", LEAD) is False

    assert answers.requests == {}
    privacy.assert_nothing_shared()


async def test_retries_never_record_twice(privacy: Privacy) -> None:
    with privacy.flaky(0.4, seed=3):
        await shop.on_text_message(privacy, "cust-42", "STOP")
    await privacy.flush()

    assert len([choice async for choice in privacy.consumer("cust-42").history()]) == 1
