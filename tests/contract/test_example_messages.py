"""The example of texts and mails does what it says."""

import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

import sayso

EXAMPLE = Path(__file__).parents[2] / "examples" / "automotive"
sys.path.insert(0, str(EXAMPLE))

from messages import mail, texts  # noqa: E402 - an example is no installed package


async def find_consumer(number: str) -> str:
    return {"+12025550111": "cust-42"}[number]


@pytest.mark.parametrize(
    ("form", "answered"),
    [
        (
            {"Body": "Please stop"},
            "<Response><Message>You will get no more texts from Privacy office. "
            "Reply START to resume.</Message></Response>",
        ),
        ({"Body": "STOP", "OptOutType": "STOP"}, "<Response/>"),
        ({"Body": "See you on Friday"}, "<Response/>"),
    ],
)
async def test_a_text_is_recorded_and_answered(
    privacy: sayso.Client, ann: sayso.Consumer, form: dict[str, str], answered: str
) -> None:
    await ann.grant("channel:sms", shown="en")
    async with TestServer(texts(privacy, find_consumer)) as server, aiohttp.ClientSession() as session:
        whole = {"From": "+12025550111", "To": "+12025550142"} | form
        async with session.post(server.make_url("/texts"), data=whole) as answer:
            assert (answer.status, await answer.text()) == (200, answered)
    assert (await ann.may_contact("sms", sender="+12025550142")).allowed is ("stop" not in form["Body"].lower())


async def test_a_mail_carries_its_link_twice_and_none_is_made_after_it_was_used(
    served: Any, catalogue: sayso.Catalogue, privacy: sayso.Client, ann: sayso.Consumer
) -> None:
    channels = {
        **catalogue.topics,
        "channel:email": catalogue.topics["channel:sms"].model_copy(update={"key": "channel:email"}),
    }
    await served.client("dealer", "admin").publish_catalogue(catalogue.model_copy(update={"topics": channels}))
    await ann.grant("channel:email", shown="en")

    message = await mail(ann, "ann@mail.example", "News.", sender="news@dealer.example")

    assert message is not None
    link = message["List-Unsubscribe"].strip("<>")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message.get_content().endswith(f"To get no more mail from us: {link}\n")
    path = link.removeprefix("https://privacy.example")
    async with (
        aiohttp.ClientSession() as session,
        session.post(served.url + path, data={"List-Unsubscribe": "One-Click"}),
    ):
        pass
    assert await mail(ann, "ann@mail.example", "News.", sender="news@dealer.example") is None
