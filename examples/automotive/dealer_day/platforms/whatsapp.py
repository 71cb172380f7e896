"""WhatsApp Cloud: messages, changed numbers and Meta's own marketing preferences."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from dealer_day.happenings import By, Chose, Happening, Noticed, Pinned, Renumbered, Who
from dealer_day.shape import Shape
from sayso.rules.sms import SmsAnswer, classify

ANSWERS = {"stop": "denied", "resume": "granted"}


def parse(payload: Shape, headers: Mapping[str, str], at: datetime) -> list[Happening]:
    """Read every change of every entry; Meta may put several into one delivery."""
    found: list[Happening] = []
    for entry in payload["entry"].each():
        for change in entry["changes"].each():
            value = change["value"]
            if change["field"].one_of(("messages", "user_preferences")) == "messages":
                found += (_message(message) for message in value["messages"].each())
            else:
                found += _preferences(value)
    return found


def _message(message: Shape) -> Happening:
    who, at = _person(message["from"]), message["timestamp"].seconds()
    match message["type"].text():
        case "text":
            if classify(message["text"]["body"].text()) is SmsAnswer.STOP:
                return Chose(who, at, "channel:whatsapp", "denied", "chat", f"whatsapp:{message['id'].text()}")
            return Noticed(who, at, "sent a WhatsApp message")
        case "location":
            place = message["location"]
            return Pinned(who, at, place["latitude"].number(), place["longitude"].number())
        case "system":
            system = message["system"]
            system["type"].one_of(("user_changed_number",))
            return Renumbered(who, at, _person(system["wa_id"]))
        case _:
            return Noticed(who, at, "sent a WhatsApp attachment")


def _preferences(value: Shape) -> Iterator[Happening]:
    # Meta's samples name another number in `user_preferences` than in `contacts`: the contact made the change.
    who = _person(value["contacts"].first()["wa_id"])
    for preference in value["user_preferences"].each():
        preference["category"].one_of(("marketing_messages",))
        answer = ANSWERS[preference["value"].one_of(ANSWERS)]
        at = preference["timestamp"].seconds()
        # There is no message id here; one person can't say two things in one second.
        event_id = f"whatsapp:preference:{who.value}:{at.timestamp():.0f}"
        yield Chose(who, at, "channel:whatsapp", answer, "chat", event_id)


def _person(number: Shape) -> Who:
    return Who(By.PHONE, "+" + number.text())
