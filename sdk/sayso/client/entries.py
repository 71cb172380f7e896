"""Choices and reports as entries of the outbox."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sayso.client.choice import Choice
from sayso.local.outbox.age import BOOT_ID
from sayso.local.outbox.row import Kind, Row
from sayso.model.ids import new_choice_id
from sayso.model.instant import Micros, to_micros
from sayso.transport.codec import dumps

_SAID_WHEN_SENT = frozenset({"made_at", "based_on"})

Entry = dict[str, Any]
Moments = tuple[Micros, Micros, float]
"""When something was observed, and the wall and the boot clock when it was handed in."""


class Attempt(NamedTuple):
    """Choices on their way.

    Attributes:
        choices: What is recorded.
        entries: The same as sent.
        now: The wall clock when they were made.
        began: The boot clock then.
        seen_rows: The newest refusal in the outbox that a grant knows of, by the grant's id.
    """

    choices: Sequence[Choice]
    entries: Sequence[Entry]
    now: Micros
    began: float
    seen_rows: Mapping[str, int]


def choice_row(choice: Choice, entry: Entry, attempt: Attempt) -> Row:
    """Give a choice as an entry: what depends on when it is sent is left out of its body."""
    made = attempt.now if choice.made_at is None else to_micros(choice.made_at)
    return Row(
        Kind.CHOICE,
        choice.consumer_id,
        dumps({name: value for name, value in entry.items() if name not in _SAID_WHEN_SENT}),
        attempt.now,
        attempt.began,
        BOOT_ID,
        attempt.now - made,
        choice.id,
        choice.topic,
        entry["answer"],
        (entry.get("notice") or {}).get("version"),
        entry.get("based_on"),
        attempt.seen_rows.get(choice.id, 0),
    )


def report_row(
    kind: Kind, consumer_id: str, target: str, body: Mapping[str, Any], moments: tuple[Micros, Micros, float]
) -> Row:
    """Give a report as an entry."""
    observed, now, began = moments
    return Row(kind, consumer_id, dumps(body), now, began, BOOT_ID, now - observed, new_choice_id(), target)
