"""What the command prints: tables for people, JSON for programs, and nothing that could steer a terminal."""

import importlib.util
import json
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, bidirectional marks and other format characters, line separators: data has no business with any of them."""


def clean(value: object) -> str:
    """Give a value as text that is safe to show: one line, no control and no bidirectional characters."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S UTC" if not value.utcoffset() else "%Y-%m-%d %H:%M:%S %z")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "".join(char for char in str(value) if unicodedata.category(char) not in _UNSEEN)


def say(text: object) -> None:
    """Print one line."""
    print(clean(text))


def complain(text: str) -> None:
    """Print an error on stderr, each of its lines made safe."""
    print("sayso: " + "\n".join(clean(line) for line in text.splitlines()), file=sys.stderr)


def say_json(value: Any) -> None:
    """Print JSON in ASCII, so that it holds exactly what the data held and still steers no terminal."""
    print(json.dumps(value, indent=2, default=_as_json))


def say_pairs(pairs: Sequence[tuple[str, object]]) -> None:
    """Print names and values, one pair to a line."""
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        print(f"{name:<{width}}  {clean(value)}")


def say_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: with rich where it is installed and somebody is looking, aligned text otherwise."""
    cells = [[clean(value) for value in row] for row in rows]
    if sys.stdout.isatty() and importlib.util.find_spec("rich") is not None:
        _say_rich_table(heads, cells)
        return
    widths = [max(len(line[column]) for line in [list(heads), *cells]) for column in range(len(heads))]
    for line in [list(heads), *cells]:
        print("  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip())


def _say_rich_table(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - in the extra `cli`
    from rich.table import Table  # noqa: PLC0415 - in the extra `cli`
    from rich.text import Text  # noqa: PLC0415 - in the extra `cli`

    table = Table(*heads)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))  # Text: brackets in data are no markup
    Console().print(table)


def _as_json(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
