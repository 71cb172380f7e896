"""LivePerson Connector API: conversations, what is said in them, and who is typing."""

import re
from collections.abc import Mapping
from datetime import datetime

from dealer_day.happenings import By, Chose, Happening, Noticed, Who
from dealer_day.shape import Shape

CONVERSATION = "cqm.ExConversationChangeNotification"
MESSAGING = "ms.MessagingEventNotification"

# In a chat "stop" alone may be about anything; about texting it takes a word for texts close behind.
NO_TEXTS = re.compile(
    r"\b(?:stop|quit|cease|no more|(?:don't|dont|do not|never)(?: send| want)?)"
    r"(?: (?:sending|me|us|the|these|those|all|any|your|more))*"
    r" (?:texting|texts?|sms)\b"
)


def parse(payload: Shape, headers: Mapping[str, str], at: datetime) -> list[Happening]:
    """Read each change of a notification; agents' and bots' events say nothing about a consumer's wishes."""
    kind = payload["type"].one_of((CONVERSATION, MESSAGING))
    found: list[Happening] = []
    for change in payload["body"]["changes"].each():
        found += _conversation(change, at) if kind == CONVERSATION else _messaging(change, at)
    return found


def _conversation(change: Shape, at: datetime) -> list[Happening]:
    details = change["result"]["conversationDetails"]
    what = {"OPEN": "opened a chat", "CLOSE": "closed a chat"}[details["state"].one_of(("OPEN", "CLOSE"))]
    people = [person for person in details["participants"].each() if person["role"].text() == "CONSUMER"]
    return [Noticed(Who(By.CHAT, person["id"].text()), at, what) for person in people]


def _messaging(change: Shape, at: datetime) -> list[Happening]:
    author = change["originatorMetadata"]
    event = change["event"]
    kind = event["type"].one_of(("ContentEvent", "ChatStateEvent", "AcceptStatusEvent"))
    if author["role"].text() != "CONSUMER" or kind != "ContentEvent":
        return []
    who = Who(By.CHAT, author["id"].text())
    at = change["serverTimestamp"].milliseconds()
    if asks_to_stop_texting(event["message"].text()):
        event_id = f"liveperson:{change['conversationId'].text()}:{change['sequence'].whole()}"
        return [Chose(who, at, "channel:sms", "denied", "chat", event_id)]
    return [Noticed(who, at, "wrote in the chat")]


def asks_to_stop_texting(message: str) -> bool:
    """Any reasonable wording counts, and saying it in the chat is as good as texting STOP (47 CFR 64.1200)."""
    words = " ".join(message.casefold().replace("’", "'").split())
    return NO_TEXTS.search(words) is not None
