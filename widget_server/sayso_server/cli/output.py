"""What commands print: results on stdout for programs and people, everything else on stderr."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from sayso_server.services.refusals import RefusedError

# Control characters (C0 but tab and line break, DEL, C1) and what turns the direction of writing: strangers fill in
# what is printed here, and a terminal would obey it.
_OBEYED: Final = [*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_SHOWN: Final = dict.fromkeys(_OBEYED, "\N{REPLACEMENT CHARACTER}")
_ESCAPED: Final = {code: f"\\u{code:04x}" for code in _OBEYED}


class CommandError(Exception):
    """The command can't be carried out; the message says what to do instead."""


def say(text: str) -> None:
    """Print a result. It is flushed, since whoever started the command may be waiting for this line."""
    print(text.translate(_SHOWN), flush=True)


def say_json(value: object) -> None:
    """Print a result as one line of JSON."""
    say(json.dumps(value, ensure_ascii=False).translate(_ESCAPED))


def note(text: str) -> None:
    """Tell the person at the terminal something that is no result."""
    print(text.translate(_SHOWN), file=sys.stderr, flush=True)


def say_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows in columns as wide as they need to be."""
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def refusal_lines(refusal: RefusedError) -> list[str]:
    """Give a service's refusal as lines: each problem, or what it says as a whole."""
    return [f"  {problem.message}" for problem in refusal.problems] or [f"  {refusal.message}"]
