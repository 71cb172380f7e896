"""The frame of the pages that a link opens: plain HTML that needs no script and no cookie, and reads without style."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Final

BASE: Final = "/base.css"
"""Colours and first settings, for every page."""
STYLE: Final = "/plain.css"
STYLE_SHEETS: Final = {
    path: (resources.files("sayso_server.pages") / path.removeprefix("/")).read_bytes() for path in (BASE, STYLE)
}
SPOKEN = ("en", "es", "fr")
"""The languages that the pages themselves speak."""


def spoken(wanted: Sequence[str], otherwise: str | None) -> str:
    """Pick the language of a page.

    Args:
        wanted: Language tags, the one most wished for first.
        otherwise: What the link names, or None.
    """
    for tag in (*wanted, otherwise or ""):
        primary = tag.partition("-")[0].lower()
        if primary in SPOKEN:
            return primary
    return SPOKEN[0]


def accepted(header: str) -> list[str]:
    """Give the languages of an `Accept-Language` header, the one most wished for first (RFC 9110 §12.5.4)."""
    weighed: list[tuple[float, str]] = []
    for element in header[:500].split(","):
        tag, _, rest = element.strip().partition(";")
        weight = rest.strip().removeprefix("q=")
        try:
            weighed.append((float(weight) if weight else 1.0, tag.strip()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(weighed, key=lambda one: -one[0])]


def page(language: str, title: str, *parts: str) -> str:
    """Put a page together; the parts are HTML already, title and language are text."""
    return f"""<!doctype html>
<html lang="{escape(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{BASE}">
<link rel="stylesheet" href="{STYLE}">
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{"".join(part + chr(10) for part in parts)}</main>
</body>
</html>
"""


def paragraph(text: str) -> str:
    """Give a paragraph of text."""
    return f"<p>{escape(text)}</p>"


def status(text: str) -> str:
    """Give what has just happened, so that a screen reader says it first."""
    return f'<p role="status"><strong>{escape(text)}</strong></p>'


def button(label: str, fields: Mapping[str, str], *, describes: str | None = None) -> str:
    """Give a button that posts to the page it stands on.

    Args:
        label: What it says.
        fields: What it posts.
        describes: What a screen reader adds to the label, where several buttons say the same.
    """
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    named = "" if describes is None else f' aria-label="{escape(f"{label}: {describes}")}"'
    return f'<form method="post">{hidden}<button type="submit"{named}>{escape(label)}</button></form>'
