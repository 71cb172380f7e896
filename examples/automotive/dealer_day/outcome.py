"""What stands for each consumer when the day is over, asked through the SDK."""

from collections.abc import Mapping
from dataclasses import dataclass

import sayso
from dealer_day.book import Book
from dealer_day.play import Track

SHOWN_OF_AN_ID = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """One consumer at the end of the day.

    Attributes:
        consumer_id: The id in Sayso.
        name: How the report calls them.
        first_name: As the dealer's records have it, or None.
        device: The device that permissions were decided for, or None if none ever reported.
        decisions: Every topic of the catalogue, decided.
        titles: The topics' titles in English.
        history: Every choice, oldest first by the time at which it counts.
        track: What the demo saw besides.
    """

    consumer_id: str
    name: str
    first_name: str | None
    device: str | None
    decisions: Mapping[str, sayso.Decision]
    titles: Mapping[str, str]
    history: tuple[sayso.PastChoice, ...]
    track: Track


async def outcome_of(
    privacy: sayso.Client, book: Book, consumer_id: str, track: Track, titles: Mapping[str, str]
) -> Outcome:
    """Ask for everything about one consumer.

    Args:
        privacy: The client.
        book: Who is who.
        consumer_id: Whose day it was.
        track: What the demo saw of them.
        titles: The topics to decide, with their titles.

    Raises:
        sayso.Error: The server did not answer.
    """
    history = [choice async for choice in privacy.consumer(consumer_id).history()]
    decisions = await privacy.decide_many((consumer_id, topic, track.device) for topic in titles)
    return Outcome(
        consumer_id,
        _name(book, consumer_id),
        book.person(consumer_id).name,
        track.device,
        dict(zip(titles, decisions, strict=True)),
        titles,
        tuple(sorted(history, key=lambda choice: (choice.effective_at, choice.version))),
        track,
    )


def short(consumer_id: str) -> str:
    """An id as people can read it; pseudonyms and visitors' ids are cut."""
    long = consumer_id.startswith(("p-", "anon_"))
    return consumer_id[:SHOWN_OF_AN_ID] + "…" if long else consumer_id


def _name(book: Book, consumer_id: str) -> str:
    person = book.person(consumer_id)
    if person.name is not None:
        return f"{person.name} ({consumer_id})"
    if consumer_id.startswith("anon_"):
        return f"A visitor ({short(consumer_id)})"
    if consumer_id.startswith("p-"):
        return f"A phone number ({short(consumer_id)})"
    return consumer_id
