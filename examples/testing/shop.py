"""A shop's own code, which asks before it acts."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

import sayso

CRM = "https://crm.example/leads"
Send = Callable[[str, str], Awaitable[None]]


async def send_offer(privacy: sayso.Client, consumer_id: str, send: Send) -> bool:
    """Send an offer, if the consumer wants offers and text messages."""
    consumer = privacy.consumer(consumer_id)
    if not (await consumer.allows("purpose:marketing") and await consumer.allows("channel:sms")):
        return False
    await send(consumer_id, "Winter tyres, mounted: 10 % off. Reply STOP to end these messages.")
    return True


async def on_text_message(privacy: sayso.Client, consumer_id: str, text: str) -> str:
    """Answer a text message; STOP ends them."""
    if text.strip().upper() != "STOP":
        return "Reply STOP to end these messages."
    recorded = await privacy.consumer(consumer_id).withdraw("channel:sms", method="sms")
    return "You will get no more messages." if recorded.status in ("confirmed", "pending") else "Please try again."


async def hand_over(privacy: sayso.Client, consumer_id: str, lead: dict[str, Any]) -> bool:
    """Hand an enquiry to the CRM, without the fields that the consumer keeps from it."""
    try:
        async with privacy.consumer(consumer_id).sharing("vinsolutions") as out, aiohttp.ClientSession() as crm:
            await crm.post(CRM, json=out.redact(lead), raise_for_status=True)
    except sayso.NotAllowedError:
        return False
    return True
