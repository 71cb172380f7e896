"""`sayso outbox`: what waits to be sent, and what the server refused. Works without a server and without a key."""

import argparse
import asyncio
import os
from pathlib import Path
from typing import Any

from sayso.cli.output import say, say_json, say_table
from sayso.client.settings import read_outbox as outbox_named
from sayso.errors import ConfigurationError
from sayso.local.outbox.inspect import read_outbox, retry
from sayso.local.outbox.store import Kept, as_json
from sayso.model.instant import format_micros, from_micros

DONE = 0
Options = argparse.Namespace


async def outbox(options: Options) -> int:
    """List, send again or export."""
    return await asyncio.to_thread(_run, options)


def _run(options: Options) -> int:
    path = _path(options)
    match options.action:
        case "list":
            _list(read_outbox(path), options)
        case "export":
            say_json([_json(kept) for kept in read_outbox(path)])
        case _:
            _retry(retry(path, options.id), options)
    return DONE


def _path(options: Options) -> Path:
    named = options.outbox or outbox_named()
    if not named:
        raise ConfigurationError(
            "which outbox? Name its file with --outbox or in SAYSO_OUTBOX, as the client does", code="setting_missing"
        )
    return Path(os.path.expanduser(named))


def _list(entries: list[Kept], options: Options) -> None:
    if options.json:
        say_json([_json(kept) for kept in entries])
        return
    if not entries:
        say("nothing waits")
        return
    say_table(
        ["id", "state", "why", "kind", "consumer", "topic", "answer", "made"],
        [
            [
                kept.row.id,
                kept.state,
                kept.why or None,
                kept.row.kind,
                kept.row.consumer_id,
                kept.row.topic or None,
                kept.row.answer or None,
                from_micros(kept.row.made - kept.row.age),
            ]
            for kept in entries
        ],
    )


def _retry(entries: list[Kept], options: Options) -> None:
    if options.json:
        say_json([_json(kept) for kept in entries])
    elif entries:
        say(f"{len(entries)} will be sent again by the client that uses this outbox")
    else:
        say("nothing is parked")


def _json(kept: Kept) -> dict[str, Any]:
    return {**as_json(kept), "made_at": format_micros(kept.row.made - kept.row.age)}
