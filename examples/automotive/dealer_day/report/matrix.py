"""Topics × consumers: yes or no in each cell, the reason in a word, and the whole sentence on hover or focus."""

from collections.abc import Iterable, Sequence

from dealer_day.outcome import Outcome, short
from dealer_day.report.markup import Safe, join, tag
from dealer_day.report.words import is_telling, reason_in_words


def matrix(outcomes: Sequence[Outcome]) -> Safe:
    """Make two tables: topics somebody spoke about, and the rest behind a fold."""
    topics = list(outcomes[0].titles)
    spoken = [topic for topic in topics if any(_was_spoken_about(outcome, topic) for outcome in outcomes)]
    rest = [topic for topic in topics if topic not in spoken]
    return join(
        _table(outcomes, spoken, "Topics that somebody spoke about", focusable=True),
        tag(
            "details",
            tag("summary", f"{len(rest)} more topics, which nobody spoke about"),
            _table(outcomes, rest, "The other topics", focusable=False),
        ),
    )


def _was_spoken_about(outcome: Outcome, topic: str) -> bool:
    return outcome.decisions[topic].reason == "signal" or any(choice.topic == topic for choice in outcome.history)


def _table(outcomes: Sequence[Outcome], topics: Iterable[str], caption: str, *, focusable: bool) -> Safe:
    rows = list(topics)
    people = [tag("th", tag("a", _column(outcome), href=f"#{anchor(outcome)}"), scope="col") for outcome in outcomes]
    body = [_row(outcomes, topic, up=place > len(rows) / 2, focusable=focusable) for place, topic in enumerate(rows)]
    table = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", tag("th", "Topic", scope="col"), *people)),
        tag("tbody", *body),
    )
    return tag("div", table, class_="scroll", role="region", aria_label=caption, tabindex="0")


def _row(outcomes: Sequence[Outcome], topic: str, *, up: bool, focusable: bool) -> Safe:
    name = tag("th", outcomes[0].titles[topic], tag("code", topic), scope="row")
    cells = [
        _cell(outcome, topic, up=up, left=place > len(outcomes) / 2, focusable=focusable)
        for place, outcome in enumerate(outcomes)
    ]
    return tag("tr", name, *cells)


def _cell(outcome: Outcome, topic: str, *, up: bool, left: bool, focusable: bool) -> Safe:
    decision = outcome.decisions[topic]
    telling = is_telling(decision)
    mark = tag("b", "✓" if decision.allowed else "✗", aria_hidden="true")
    spoken = tag("span", "allowed: " if decision.allowed else "not allowed: ", class_="sr")
    # Only what says something about this person is a stop for the keyboard; the sentence is there for everyone.
    stop = "0" if focusable and telling else None
    sides = f"tip{' up' if up else ''}{' left' if left else ''}"
    words = tag("span", reason_in_words(decision), class_="why")
    why = tag("span", decision.explain(), class_=sides)
    state = ("ok" if decision.allowed else "not") + ("" if telling else " plain")
    return tag("td", tag("span", mark, spoken, words, why, class_="cell", tabindex=stop), class_=state)


def anchor(outcome: Outcome) -> str:
    """Give the id of a consumer's section."""
    return f"c-{outcome.consumer_id}"


def _column(outcome: Outcome) -> str:
    """A heading short enough for a column: the first name, or the id."""
    return outcome.first_name or short(outcome.consumer_id)
