"""Asking whether an erasure is meant, before a request to delete is fulfilled at the terminal."""

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from sayso.model.deadline import RequestKind
from sayso.model.request import Transition
from sayso_server.cli.output import CommandError, note


async def make_sure(entry: Mapping[str, Any], *, yes: bool) -> None:
    """Have somebody say that they mean to erase. What can't be fulfilled now is not asked about: it is refused anyway.

    Args:
        entry: The request, as the service shows it.
        yes: They have said so already.

    Raises:
        CommandError: They don't mean it, or nobody is there to ask.
    """
    if yes or entry["kind"] != RequestKind.DELETE or Transition.FULFIL not in entry["legal"]:
        return
    warning = (
        f"fulfilling this erases {entry['consumer_id'] or 'the consumer'} for good, and how to reach whoever asked "
        "goes with the rest: write to them first"
    )
    if not sys.stdin.isatty():
        raise CommandError(f"{warning}. Nothing was done; if it is meant, add --yes")
    known = ", ".join(entry["contact"].values()) or "in your own files alone"
    note(f"{warning[0].upper()}{warning[1:]}. The address is: {known}")
    note("Type yes to erase now:")
    if (await asyncio.to_thread(sys.stdin.readline)).strip() != "yes":
        raise CommandError("nothing was done")
