"""Texts and mails: what comes back is recorded before it is answered, and what goes out says how to stop it.

`texts(privacy, ...)` is an aiohttp application for a messaging service's webhook; behind it belongs the check of the
service's own signature. `mail(...)` makes one message of a newsletter.
"""

from collections.abc import Awaitable, Callable
from email.message import EmailMessage

from aiohttp import web

import sayso

FindConsumer = Callable[[str], Awaitable[str]]
"""Gives the brand's own id of whoever has a phone number."""


def texts(privacy: sayso.Client, find_consumer: FindConsumer) -> web.Application:
    """Make the webhook. It answers in the service's own form (TwiML): with one text, or with none."""

    async def texted(request: web.Request) -> web.Response:
        form = await request.post()
        consumer = privacy.consumer(await find_consumer(str(form["From"])))
        opt_out_type = form.get("OptOutType")
        answer = await consumer.inbound_sms(
            str(form["Body"]),
            sender=str(form["To"]),
            opt_out_type=None if opt_out_type is None else str(opt_out_type),
        )
        return web.Response(text=_twiml(answer.reply), content_type="text/xml")

    app = web.Application()
    app.router.add_post("/texts", texted)
    return app


async def mail(ann: sayso.Consumer, address: str, text: str, *, sender: str) -> EmailMessage | None:
    """Make a mail that ends with a link and carries the headers of a mail program's own button; None if not allowed."""
    if not await ann.may_contact("email", sender=sender):
        return None
    link = await ann.unsubscribe_link("channel:email", language="en")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, address, "This month at Example Motors"
    for name, value in (await ann.unsubscribe_headers(link=link)).items():
        message[name] = value
    message.set_content(f"{text}\n\nTo get no more mail from us: {link}\n")
    return message


def _twiml(reply: str | None) -> str:
    if reply is None:
        return "<Response/>"
    escaped = reply.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<Response><Message>{escaped}</Message></Response>"
