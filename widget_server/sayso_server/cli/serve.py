"""`sayso-server serve`: the server itself."""

import argparse
import asyncio

from aiohttp import web

from sayso_server.app import SERVICES, create_app
from sayso_server.cli.arguments import Commands, add_database, add_port
from sayso_server.cli.output import note, say
from sayso_server.clock import SystemClock
from sayso_server.keys import KeyFile
from sayso_server.logs import set_up_logging
from sayso_server.run import run, serve, stop_on_signals
from sayso_server.settings import Settings, load_settings
from sayso_server.storage.sqlite import SqliteStorage
from sayso_server.storage.sqlite.lock import leave_url


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("serve", help="answer requests until SIGTERM or Ctrl-C")
    parser.add_argument("--host", metavar="ADDRESS", help="instead of SAYSO_HOST")
    add_port(parser, "SAYSO_PORT, or 8787")
    add_database(parser)
    parser.add_argument(
        "--accept-loss",
        action="store_true",
        help="start although the database has come less far than its high-water mark says; "
        "choices that were acknowledged are missing then",
    )
    parser.set_defaults(run=_serve)


def _serve(args: argparse.Namespace) -> int:
    settings = load_settings(host=args.host, port=args.port, database=args.database)
    set_up_logging(settings.log_level)
    run(_answer(settings, accept_loss=args.accept_loss))
    return 0


async def _answer(settings: Settings, *, accept_loss: bool) -> None:
    clock = SystemClock()

    def make_app(url: str) -> web.Application:
        storage = SqliteStorage(settings.database_path, clock=clock, accept_loss=accept_loss)
        return create_app(
            storage,
            KeyFile(settings.keys_path),
            public_origin=settings.public_url or url,
            clock=clock,
            trusted_proxies=settings.trusted_proxies,
        )

    async def when_listening(app: web.Application, url: str) -> None:
        await asyncio.to_thread(leave_url, settings.database_path, settings.public_url or url)
        say(f"Sayso listens on {url}")
        if not await app[SERVICES].storage.brands():
            note("There is no brand yet. Make one: sayso-server brand create ID --name NAME")

    await serve(
        make_app,
        host=settings.host,
        port=settings.port,
        stop=stop_on_signals(),
        when_listening=when_listening,
    )
