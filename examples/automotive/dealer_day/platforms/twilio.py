"""Twilio: the form of an inbound text message."""

from collections.abc import Mapping
from datetime import datetime

from dealer_day.happenings import By, Chose, Happening, Noticed, Who
from dealer_day.shape import Shape
from sayso.rules.sms import SmsAnswer, classify

ANSWERS = {SmsAnswer.STOP: "denied", SmsAnswer.START: "granted"}


def parse(payload: Shape, headers: Mapping[str, str], at: datetime) -> list[Happening]:
    """STOP and START, as keywords or in plain words, are choices about texting; HELP and the rest are not."""
    who = Who(By.PHONE, payload["From"].text())
    opt_out_type = payload.find("OptOutType")  # only with Advanced Opt-Out, and then it has decided already
    said = classify(
        payload["Body"].text(),
        opt_out_type=None if opt_out_type is None else opt_out_type.one_of(("STOP", "START", "HELP")),
    )
    if said not in ANSWERS:
        return [Noticed(who, at, "asked for HELP" if said is SmsAnswer.HELP else "sent a text")]
    event_id = f"twilio:{payload['MessageSid'].text()}"
    sender = {"sender": payload["To"].text()}
    return [Chose(who, at, "channel:sms", ANSWERS[said], "sms", event_id, detail=sender)]
