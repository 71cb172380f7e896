"""`sayso-server export`: everything held about one consumer, or about all of a brand's, one JSON line each."""

import argparse
import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sayso.model.ids import IdError, check_consumer_id
from sayso_server.cli.arguments import Commands, add_brand, add_database
from sayso_server.cli.output import CommandError, note
from sayso_server.cli.workbench import Workbench, opened
from sayso_server.services.identity import resolve

_PAGE = 500
_TELL_EVERY = 100


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("export", help="write everything held about a brand's consumers, as JSON Lines")
    add_brand(parser)
    parser.add_argument("--consumer", metavar="ID", help="only this one")
    parser.add_argument("--output", metavar="FILE", type=Path, help="a file that only you can read; default: stdout")
    add_database(parser)
    parser.set_defaults(run=lambda args: asyncio.run(_export(args)))


async def _export(args: argparse.Namespace) -> int:
    async with opened(args.database) as bench:
        brand_id = (await bench.brand(args.brand)).brand_id
        with _written(args.output) as file, _progress() as tell:
            async for consumer_id in _consumers(bench, brand_id, args.consumer):
                file.write(await bench.services.reading.export(brand_id, consumer_id) + b"\n")
                tell()
    return 0


async def _consumers(bench: Workbench, brand_id: str, only: str | None) -> AsyncIterator[str]:
    if only is not None:
        try:
            asked = check_consumer_id(only)
        except IdError as error:
            raise CommandError(f"--consumer: {error}") from None
        target = await resolve(bench.storage, brand_id, asked)
        disclosed = await bench.storage.disclosures(brand_id, [target], before=None, limit=1)
        if not disclosed and not await bench.storage.version(brand_id, target):
            raise CommandError(f"nothing is held about that consumer of {brand_id}; check the id, letter for letter")
        yield target
        return
    after = ""
    while page := await bench.storage.consumer_ids(brand_id, after=after, limit=_PAGE):
        after = page[-1]
        for consumer_id in page:
            # A visitor who signed in is part of the account that they signed in to.
            if await resolve(bench.storage, brand_id, consumer_id) == consumer_id:
                yield consumer_id
    after = ""
    while page := await bench.storage.disclosed_ids(brand_id, after=after, limit=_PAGE):
        after = page[-1]
        for consumer_id in page:  # those of whom nothing else is held
            if not await bench.storage.version(brand_id, consumer_id):
                yield consumer_id


@contextmanager
def _written(path: Path | None) -> Iterator[BinaryIO]:
    """Give where to write: stdout, or a draft that becomes the file once it is complete."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror}; choose another --output") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def _progress() -> Iterator["_Counter"]:
    counter = _Counter(sys.stderr.isatty())
    yield counter
    counter.end()


class _Counter:
    """Counts on one line of a terminal; silent anywhere else."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._count = 0

    def __call__(self) -> None:
        self._count += 1
        if self._shown and self._count % _TELL_EVERY == 0:
            print(f"\r{self._count} consumers", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._shown:
            note(f"\r{self._count} consumers exported")
