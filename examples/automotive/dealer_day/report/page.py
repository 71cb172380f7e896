"""The page as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dealer_day.book import Book
from dealer_day.expectations import shown_of
from dealer_day.outcome import Outcome
from dealer_day.report.markup import Safe, join, style_sheet, tag
from dealer_day.report.matrix import anchor, matrix
from dealer_day.report.timeline import Span, as_list, timeline
from dealer_day.report.words import clock
from dealer_day.screen import counted

STYLE = Path(__file__).with_name("style.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
MARGIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class LastWord:
    """What was taken back at the very end, and what a check said before and after."""

    who: str
    topic: str
    before: str
    after: str


def report_page(
    outcomes: Sequence[Outcome], book: Book, *, span: Span, figures: Mapping[str, int], last_word: LastWord
) -> str:
    """Make the report, a complete HTML document.

    Args:
        outcomes: Every consumer, in the order shown.
        book: Who is who.
        span: From the first delivery of the day to its end.
        figures: What was counted, by name.
        last_word: The withdrawal at the end.
    """
    body = join(
        tag("a", "Skip to the consumers", class_="skip", href="#consumers"),
        tag("header", _heading(span), _figures(figures)),
        tag(
            "main",
            _last_word(last_word),
            _section("shown", "What the day shows", _shown(outcomes, book)),
            _section("matrix", "Who allows what", _how_to_read(), matrix(outcomes)),
            _section("consumers", "The day of each consumer", _legend(), *(_consumer(o, span) for o in outcomes)),
        ),
        tag("footer", tag("p", "Made by examples/automotive/demo.py. The people and numbers in it are made up.")),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", "A day at the dealer: who allowed what, and why"),
        style_sheet(STYLE.read_text(encoding="utf-8")),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", body), lang="en") + "\n"


def day_span(first: datetime, last: datetime) -> Span:
    """Give the time that the timelines cover: the day, and a margin before and after it."""
    return Span(first - MARGIN, last + MARGIN)


def _heading(span: Span) -> Safe:
    began, ended = (span.start + MARGIN).astimezone(UTC), (span.end - MARGIN).astimezone(UTC)
    day_it_ended = "" if began.date() == ended.date() else f"{ended:%Y-%m-%d} "
    return join(
        tag("h1", "A day at the dealer"),
        tag(
            "p",
            "Chat, text messages, app and web pages of one day went through the Sayso SDK into a server. This is what "
            "each consumer allows at the end, and why. The day was moved so that it ended when the demo ran: it lasted "
            f"from {began:%Y-%m-%d} {clock(began)} to {day_it_ended}{clock(ended)} UTC.",
        ),
    )


def _figures(figures: Mapping[str, int]) -> Safe:
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", str(n))) for name, n in figures.items()), class_="figures")


def _section(anchor_id: str, title: str, *children: Safe) -> Safe:
    return tag("section", tag("h2", title), *children, id=anchor_id)


def _last_word(last: LastWord) -> Safe:
    return _section(
        "last-word",
        f"The last word: {last.who} takes {last.topic} back",
        tag(
            "div",
            tag("p", tag("b", "Before"), " ", last.before, class_="ok"),
            tag("p", tag("b", "After"), " ", last.after, class_="not"),
            class_="change",
        ),
    )


def _shown(outcomes: Sequence[Outcome], book: Book) -> Safe:
    people = []
    for outcome in outcomes:
        lines = [
            tag(
                "li",
                tag("b", "✓ " if expected.allowed else "✗ ", aria_hidden="true"),
                tag("code", expected.topic),
                " allowed: " if expected.allowed else " not allowed: ",
                expected.because + ".",
                class_="ok" if expected.allowed else "not",
            )
            for expected in shown_of(outcome.consumer_id, book)
        ]
        if lines:
            name = tag("h3", tag("a", outcome.name, href=f"#{anchor(outcome)}"))
            people.append(tag("div", name, tag("ul", *lines), class_="card"))
    return tag("div", *people, class_="cards")


def _how_to_read() -> Safe:
    return tag(
        "p",
        "✓ is allowed, ✗ is not; the words say why. Point at a cell, or reach it with the Tab key, for the whole "
        "sentence. Permissions are decided for the device that reported last.",
    )


def _legend() -> Safe:
    def item(kind: str, text: str) -> Safe:
        return tag("span", tag("span", class_=f"mark {kind}"), text)

    return tag(
        "p",
        item("yes", "yes"),
        item("no", "no or taken back"),
        item("yes idle", "a yes that does not decide"),
        item("note", "device, browser, identity"),
        class_="legend",
    )


def _quiet(number: int) -> str:
    if number == 1:
        return "1 message or page view that says nothing about privacy."
    return f"{number or 'No'} messages and page views that say nothing about privacy."


def _consumer(outcome: Outcome, span: Span) -> Safe:
    return tag(
        "article",
        tag("h3", outcome.name),
        tag(
            "p",
            f"Allowed {counted(outcome, allowed=True)}.",
            tag("br"),
            f"Not allowed {counted(outcome, allowed=False)}.",
        ),
        tag("p", _quiet(outcome.track.messages), class_="quiet"),
        timeline(outcome, span),
        tag("details", tag("summary", "The same in words"), as_list(outcome)),
        id=anchor(outcome),
        class_="card",
    )
