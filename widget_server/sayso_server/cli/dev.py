"""`sayso-server dev`: where a brand's developer starts."""

import argparse
import asyncio
import shlex
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from sayso.errors import ConfigurationError
from sayso_server.app import SERVICES
from sayso_server.cli.arguments import Commands, add_port
from sayso_server.cli.brand import as_browsers_write_it, register_brand
from sayso_server.cli.output import note, say
from sayso_server.cli.starter import copy_starter
from sayso_server.cli.temporary import make_temporary_app, temporary_folder, temporary_settings
from sayso_server.cli.watching import WatchedCatalogue
from sayso_server.cli.workbench import workbench_on
from sayso_server.logs import set_up_logging
from sayso_server.run import run, serve, stop_on_signals
from sayso_server.storage.sqlite.lock import leave_url

_BRAND = "dev"
_TRY_IT = """\
Then try it:
  curl "$SAYSO_URL/readyz"
  python - <<'EOF'
import asyncio, sayso
async def main():
    async with sayso.Client.from_env() as privacy:
        ann = privacy.consumer("cust-42")
        print((await ann.decide("purpose:marketing")).explain())
asyncio.run(main())
EOF"""


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "dev", help="a server to develop against: temporary database, a catalogue that is reloaded on save"
    )
    parser.add_argument(
        "--catalogue", metavar="FILE", type=Path, help="publish this one, and again on each save; default: a starter"
    )
    parser.add_argument(
        "--origin",
        metavar="ORIGIN",
        dest="origins",
        action="append",
        default=[],
        help="a page on which consumers' tokens may be used, such as http://localhost:3000, or `app`; "
        "may be given more than once",
    )
    add_port(parser, "SAYSO_PORT, or 8787")
    parser.set_defaults(run=lambda args: run(_dev(args, [as_browsers_write_it(origin) for origin in args.origins])))


async def _dev(args: argparse.Namespace, origins: list[str]) -> int:
    # First of all: a signal from now on leads to the end of this function, which removes the folder.
    stop = stop_on_signals()
    given: Path | None = args.catalogue
    if given is not None and not await asyncio.to_thread(given.is_file):
        raise ConfigurationError(f"there is no catalogue {given}; leave --catalogue out to start with one that works")
    with temporary_folder("dev") as name:
        folder = Path(name)
        settings = temporary_settings(folder, port=args.port)
        set_up_logging(settings.log_level)
        catalogue = WatchedCatalogue(given or copy_starter(folder), _BRAND)
        async with workbench_on(settings) as bench:
            key, secret = await register_brand(bench, _BRAND, "Development")
            for origin in origins:
                await bench.storage.add_origin(_BRAND, origin)
            await catalogue.publish(bench.services)
        watching: asyncio.Task[None] | None = None

        async def when_listening(app: web.Application, url: str) -> None:
            nonlocal watching
            await asyncio.to_thread(leave_url, settings.database_path, url)
            note(f"Sayso listens on {url}, with a database that is gone when you stop it (Ctrl-C).")
            note(f"Its catalogue is {catalogue.path}, published again each time you save it.")
            if given is None:
                note("That file is gone then as well. To keep what you write, work on a copy of your own:")
                note(f"  cp {shlex.quote(str(catalogue.path))} catalogue.toml")
                note("  sayso-server dev --catalogue catalogue.toml")
            note("Paste these three lines where your code runs:")
            say(f"export SAYSO_URL={url}")
            say(f"export SAYSO_KEY_ID={key.key_id}")
            say(f"export SAYSO_SECRET={shlex.quote(secret or '')}")
            note(f"Commands such as sayso-server requests work on it with --brand {_BRAND}, in a terminal with:")
            note(f"  export SAYSO_DATABASE={shlex.quote(settings.database)}")
            note(_TRY_IT)
            watching = asyncio.create_task(catalogue.follow(app[SERVICES]), name="sayso-dev-catalogue")
            # Without its catalogue being followed, the server would only seem to work.
            watching.add_done_callback(lambda _: stop.set())

        try:
            await serve(
                lambda url: make_temporary_app(settings, url),
                host=settings.host,
                port=settings.port,
                stop=stop,
                when_listening=when_listening,
            )
        finally:
            if watching is not None:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching
    return 0
