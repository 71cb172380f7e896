"""`sayso-server catalogue preview` and `replay`: what publishing would change, drawn for whoever decides about it."""

import argparse
import difflib
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sayso.model.catalogue import Catalogue
from sayso_server.cli.output import note, say, say_json, say_table
from sayso_server.cli.workbench import opened

_EVERY: Final = 1000
"""Consumers between two words about how far it is."""
_WIDEST: Final = 100
_WORDS: Final = re.compile(r"\S+|\s+")
_MOST_CHANGED: Final = 0.5
"""A text of which more than half is new is shown whole: single words marked in it would hide what it says."""


class Counting:
    """Tells on stderr how many consumers have been gone through: one line in a terminal, a line a time elsewhere."""

    def __init__(self) -> None:
        """Nothing is said about the first thousand."""
        self._in_place = sys.stderr.isatty()
        self._next = _EVERY
        self._said = False

    def __call__(self, consumers: int) -> None:
        """Hear how far it is."""
        if consumers < self._next:
            return
        self._next = consumers - consumers % _EVERY + _EVERY
        if self._in_place:
            sys.stderr.write(f"\r{consumers:,} consumers …")
            sys.stderr.flush()
        else:
            note(f"{consumers:,} consumers …")
        self._said = True

    def done(self) -> None:
        """Clear the line."""
        if self._in_place and self._said:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


async def preview(args: argparse.Namespace, catalogue: Catalogue) -> int:
    """Say what publishing would change, whom it asks again, and which texts they will read."""
    counting = Counting()
    async with opened(args.database) as bench:
        brand_id = (await bench.brand(args.brand)).brand_id
        answer = await bench.services.publishing.preview(brand_id, catalogue, progress=counting)
    counting.done()
    if args.json:
        say_json({"brand": brand_id, **answer})
        return 0
    for warning in answer["warnings"]:
        note(f"warning: {warning}")
    say(f"against revision {answer['revision']} of {brand_id}, with {answer['consumers']} consumers:")
    drawn: set[str] = set()
    for change in answer["changes"]:
        topic = change["topic"]
        say(f"  {_about(change, answer['asked_again'])}")
        if topic not in drawn:
            drawn.add(topic)
            for line in _texts(each for each in answer["texts"] if each["topic"] == topic):
                say(f"      {line}")
    if not answer["changes"]:
        say("  no topic changes")
    return 0


async def replay(args: argparse.Namespace, catalogue: Catalogue) -> int:
    """Say which hand-overs of the last days it would newly have withheld or allowed."""
    counting = Counting()
    async with opened(args.database) as bench:
        brand_id = (await bench.brand(args.brand)).brand_id
        answer = await bench.services.publishing.replay(brand_id, catalogue, days=args.days, progress=counting)
    counting.done()
    if args.json:
        say_json({"brand": brand_id, **answer})
        return 0
    say(
        f"{answer['hand_overs']:,} hand-overs of {answer['consumers']:,} consumers in the last {answer['days']} days, "
        f"decided by revision {answer['revision']} of {brand_id} and by the new catalogue:"
    )
    for name, what in (("newly_allowed", "newly allowed"), ("newly_withheld", "newly withheld")):
        if not answer[name]:
            say(f"  nothing is {what}")
            continue
        say(f"  {what}:")
        say_table(
            ["    TOPIC", "WHAT", "BEFORE", "NOW", "REASON", "HAND-OVERS", "CONSUMERS"],
            [
                [
                    f"    {each['topic']}",
                    each["field"] or "the whole",
                    *_ways(each, opens=name == "newly_allowed"),
                    each["reason"],
                    f"{each['hand_overs']:,}",
                    f"{each['consumers']:,}",
                ]
                for each in answer[name]
            ],
        )
    if answer["newly_allowed"]:
        note("Publishing it needs --allow-newly-shared.")
    return 0


def _ways(each: dict[str, Any], *, opens: bool) -> tuple[str, str]:
    if each["field"] is None:
        return each["was"], each["now"]
    return ("held back", "sent") if opens else ("sent", "held back")


def _about(change: dict[str, Any], asked_again: dict[str, int]) -> str:
    line = f"{change['topic']} {change['message']}" if change["topic"] else change["message"]
    return f"{line} ({asked_again[change['topic']]} now)" if change["topic"] in asked_again else line


def _texts(changed: Iterable[dict[str, Any]]) -> Iterator[str]:
    width = min(_WIDEST, shutil.get_terminal_size().columns) - 8
    for each in changed:
        yield f"{each['text']} ({each['language']}):"
        for mark, text in _drawn(each["before"], each["after"]):
            lines = [line for part in text.splitlines() or [""] for line in textwrap.wrap(part, width) or [""]]
            yield from (f"  {mark} {line}" for line in lines)


def _drawn(before: str | None, after: str | None) -> Iterator[tuple[str, str]]:
    """Give the lines of one changed text: what changes in it in brackets, or the old and the new one whole."""
    if before is None or after is None:
        yield ("-", before) if before is not None else ("+", after or "")
        return
    was, now = _WORDS.findall(before), _WORDS.findall(after)
    matcher = difflib.SequenceMatcher(None, was, now, autojunk=False)
    if matcher.ratio() < _MOST_CHANGED:
        yield "-", before
        yield "+", after
        return
    drawn = []
    for what, start, end, new_start, new_end in matcher.get_opcodes():
        gone, came = "".join(was[start:end]), "".join(now[new_start:new_end])
        if what == "equal":
            drawn.append(gone)
        else:
            drawn.append((f"[-{gone}-]" if gone else "") + (f"{{+{came}+}}" if came else ""))
    yield "~", "".join(drawn)
