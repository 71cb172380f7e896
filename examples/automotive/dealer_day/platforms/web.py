"""The dealer's own pages: requests with their headers, answers given in the privacy panel, signing in."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from dealer_day.happenings import By, Chose, Happening, Noticed, Signalled, SignedIn, Who
from dealer_day.shape import Shape
from sayso.rules.gpc import dnt, gpc


def parse(payload: Shape, headers: Mapping[str, str], at: datetime) -> list[Happening]:
    """Any request may carry GPC or DNT. Only the exact value 1 says something; 0 takes nothing back."""
    who = _person(payload)
    on = [name for name, seen in (("gpc", gpc(headers.items())), ("dnt", dnt(headers.items()))) if seen]
    found: list[Happening] = [Signalled(who, at, name) for name in on]
    match payload["event"].one_of(("page_viewed", "choices_made", "signed_in")):
        case "page_viewed":
            found.append(Noticed(who, at, "looked at a page"))
        case "choices_made":
            found += (_choice(choice, payload, who, at) for choice in payload["choices"].each())
        case _:
            found.append(SignedIn(Who(By.CUSTOMER, payload["customer"].text()), at, payload["visitor"].text()))
    return found


def _person(payload: Shape) -> Who:
    visitor = payload.find("visitor")
    return Who(By.CUSTOMER, payload["customer"].text()) if visitor is None else Who(By.VISITOR, visitor.text())


def _choice(choice: Shape, panel: Shape, who: Who, at: datetime) -> Happening:
    hours, precision, overrides = (choice.find(name) for name in ("for_hours", "precision", "overrides"))
    return Chose(
        who,
        at,
        choice["topic"].text(),
        choice["answer"].one_of(("granted", "denied", "withdrawn")),
        "widget",
        f"web:{panel['event_id'].text()}:{choice['topic'].text()}",
        language=panel["language"].text(),
        expires_after=None if hours is None else timedelta(hours=hours.number()),
        overrides=() if overrides is None else tuple(name.text() for name in overrides.each()),
        detail=None if precision is None else {"precision": precision.text()},
    )
