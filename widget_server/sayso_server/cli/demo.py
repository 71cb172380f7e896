"""`sayso-server demo`: a server for one demonstration, started and stopped by the program that shows it."""

import argparse
import asyncio
import os
import shlex
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from aiohttp import web

from sayso.catalogue import read_catalogue
from sayso.errors import ConfigurationError
from sayso.wire import Role, TokenClass
from sayso_server.app import SERVICES
from sayso_server.auth.algorithm import Algorithm
from sayso_server.cli.arguments import Commands, add_json, add_port
from sayso_server.cli.brand import register_brand
from sayso_server.cli.demo_case import OFFICER, put_demo_case
from sayso_server.cli.key import register_key
from sayso_server.cli.output import note, say, say_json
from sayso_server.cli.staff import make_invitation
from sayso_server.cli.starter import copy_starter
from sayso_server.cli.temporary import NOT_OURS, make_temporary_app, temporary_folder, temporary_settings
from sayso_server.cli.workbench import Workbench, workbench_on
from sayso_server.keys import new_key
from sayso_server.logs import set_up_logging
from sayso_server.origin import is_loopback
from sayso_server.run import run, serve, stop_on_signals

_BRAND = "demo"
_STDIN = 0


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo", help="a server for one demonstration: its own temporary database and random keys, this machine only"
    )
    parser.add_argument("--catalogue", metavar="FILE", type=Path, help="publish this one; default: a starter")
    add_port(parser, "a free one")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when whoever started it is gone")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    insist_on_being_alone(os.environ)
    return run(_demo(args))


def insist_on_being_alone(env: Mapping[str, str]) -> None:
    """Refuse to demonstrate anything where a real server is set up.

    Raises:
        ConfigurationError: Naming the variable to unset.
    """
    for name in sorted(NOT_OURS):
        value = env.get(name)
        if value and not (name == "SAYSO_HOST" and is_loopback(value)):
            raise ConfigurationError(
                f"{name} is set, but a demo has its own database and keys and answers this machine alone; "
                f"run it without: env -u {name} sayso-server demo"
            )


async def _demo(args: argparse.Namespace) -> int:
    stop = stop_on_signals()
    if args.until_stdin_closes:
        loop = asyncio.get_running_loop()
        _when_stdin_closes(lambda: loop.call_soon_threadsafe(stop.set))
    with temporary_folder("demo") as name:
        folder = Path(name)
        settings = temporary_settings(folder, port=args.port if args.port is not None else 0)
        set_up_logging(settings.log_level)
        file: Path = args.catalogue or copy_starter(folder)
        async with workbench_on(settings) as bench:
            answer = await _prepare(bench, file)
            await put_demo_case(bench, _BRAND)
            invitation = await make_invitation(bench, _BRAND, OFFICER, (Role.PRIVACY_OFFICER.value,))

        async def when_listening(app: web.Application, url: str) -> None:
            await app[SERVICES].storage.add_origin(_BRAND, url)
            _tell({"url": url, **answer, "officer_url": f"{url}/invite/{invitation}"}, as_json=args.json)

        await serve(
            lambda url: make_temporary_app(settings, url),
            host=settings.host,
            port=settings.port,
            stop=stop,
            when_listening=when_listening,
        )
    return 0


async def _prepare(bench: Workbench, file: Path) -> dict[str, str]:
    """Put brand, keys and catalogue in, and give the members to print."""
    key, secret = await register_brand(bench, _BRAND, "Demo")
    admin, admin_secret = new_key(_BRAND, Algorithm.HS256, (TokenClass.BACKEND,), (Role.ADMIN,), now=bench.clock.now())
    await register_key(bench, admin, admin_secret)
    catalogue = await asyncio.to_thread(read_catalogue, file)
    await bench.services.publishing.publish(_BRAND, catalogue)
    return {
        "brand": _BRAND,
        "key_id": key.key_id,
        "secret": secret or "",
        "admin_key_id": admin.key_id,
        "admin_secret": admin_secret or "",
        "catalogue": str(file),
    }


def _tell(answer: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        say_json(answer)
        return
    note(f"Sayso demonstrates itself on {answer['url']} until Ctrl-C; everything in it is gone then.")
    say(f"export SAYSO_URL={answer['url']}")
    say(f"export SAYSO_KEY_ID={answer['key_id']}")
    say(f"export SAYSO_SECRET={shlex.quote(answer['secret'])}")
    note("The privacy desk, with a case to work on. The link signs in once; while signed in, make the next there:")
    note(f"  {answer['officer_url']}")
    note(f"The page on which anybody can ask for their rights: {answer['url']}/rights")


def _when_stdin_closes(then: Callable[[], object]) -> None:
    def wait() -> None:
        # os.read and not sys.stdin: a thread that sleeps in a buffered reader disturbs the interpreter's end.
        try:
            while os.read(_STDIN, 4096):
                pass
        except OSError:
            pass  # it was closed from the start
        then()

    threading.Thread(target=wait, name="sayso-demo-stdin", daemon=True).start()
