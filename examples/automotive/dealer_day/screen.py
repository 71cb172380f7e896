"""What the terminal shows: a bar while the day runs and a table at its end. With rich if it is there."""

import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TypeVar

from dealer_day.book import Book
from dealer_day.expectations import shown_of
from dealer_day.outcome import Outcome

HAS_RICH = find_spec("rich") is not None
_BAR = 30
_LOG_STEPS = 4
_WIDTH = 116

Item = TypeVar("Item")


def with_progress(items: Sequence[Item], what: str) -> Iterator[Item]:
    """Go through items while a bar grows; without a terminal a line per quarter takes its place."""
    if not sys.stdout.isatty():
        return _logged(items, what)
    if HAS_RICH:
        from rich.progress import track  # noqa: PLC0415 - not everybody has it

        return iter(track(items, description=what))
    return _plain_bar(items, what)


def print_table(outcomes: Sequence[Outcome], book: Book) -> None:
    """Print one row per consumer: how much is allowed and why, and what the day shows about them."""
    if HAS_RICH:
        _rich_table(outcomes, book)
    else:
        _plain_table(outcomes, book)


def counted(outcome: Outcome, *, allowed: bool) -> str:
    """Say how many topics are allowed, or not, and for which reasons: `12: 5 granted, 4 default, 3 required`."""
    reasons = Counter(
        decision.reason.partition(":")[0].replace("_", " ")
        for decision in outcome.decisions.values()
        if decision.allowed is allowed
    )
    return f"{reasons.total()}: " + ", ".join(f"{number} {reason}" for reason, number in reasons.most_common())


def highlights(outcome: Outcome, book: Book) -> list[tuple[bool, str]]:
    """Give what stands out about a consumer, each with whether it is allowed."""
    return [
        (expected.allowed, f"{expected.topic} {expected.reason.replace('_', ' ')}: {expected.because}")
        for expected in shown_of(outcome.consumer_id, book)
    ]


def _logged(items: Sequence[Item], what: str) -> Iterator[Item]:
    for done, item in enumerate(items, start=1):
        yield item
        quarter = done * _LOG_STEPS // len(items)
        if quarter > (done - 1) * _LOG_STEPS // len(items):
            print(f"{what}: {done} of {len(items)}", flush=True)


def _plain_bar(items: Sequence[Item], what: str) -> Iterator[Item]:
    for done, item in enumerate(items, start=1):
        yield item
        full = done * _BAR // len(items)
        print(f"\r{what} [{'#' * full}{'.' * (_BAR - full)}] {done}/{len(items)}", end="", flush=True)
    print()


def _rich_table(outcomes: Sequence[Outcome], book: Book) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    table = Table(show_lines=True, expand=True)
    for heading, ratio in (("Consumer", 3), ("Allowed", 3), ("Not allowed", 4), ("What the day shows", 10)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for outcome in outcomes:
        shown = Text("\n").join(
            Text.assemble(("✓ ", "green"), line) if allowed else Text.assemble(("✗ ", "red"), line)
            for allowed, line in highlights(outcome, book)
        )
        # Text and not str: what comes from payloads is never read as markup.
        table.add_row(
            Text(outcome.name), Text(counted(outcome, allowed=True)), Text(counted(outcome, allowed=False)), shown
        )
    console.print(table)


def _plain_table(outcomes: Sequence[Outcome], book: Book) -> None:
    for outcome in outcomes:
        print(outcome.name)
        print(f"  allowed      {counted(outcome, allowed=True)}")
        print(f"  not allowed  {counted(outcome, allowed=False)}")
        for allowed, line in highlights(outcome, book):
            mark = "yes" if allowed else "no "
            print(textwrap.fill(line, _WIDTH, initial_indent=f"  {mark}  ", subsequent_indent=" " * 7))
