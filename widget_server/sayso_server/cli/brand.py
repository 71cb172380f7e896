"""`sayso-server brand`: tenants, and the pages their tokens may be used on."""

import argparse
import asyncio
from typing import Any

from sayso.model.instant import format_micros
from sayso.wire import Role, TokenClass
from sayso_server.auth.access import APP
from sayso_server.auth.algorithm import Algorithm
from sayso_server.cli.arguments import Commands, add_database, add_json
from sayso_server.cli.key import register_key, say_key
from sayso_server.cli.output import CommandError, note, say, say_json, say_table
from sayso_server.cli.workbench import Workbench, opened
from sayso_server.keys import new_key
from sayso_server.origin import serialised_origin
from sayso_server.settings import load_settings
from sayso_server.storage.base import StoredBrand, StoredKey
from sayso_server.storage.sqlite.lock import server_url

_LONGEST_NAME = 200


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("brand", help="make and list brands, and register their pages")
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    create = actions.add_parser(
        "create", help="make a brand with its first key, and print what its backend needs: id, secret, URL"
    )
    create.add_argument("id", metavar="ID", help="how programs name it, such as dealer; it never changes")
    create.add_argument("--name", required=True, help="how people name it")
    add_json(create)
    add_database(create)
    create.set_defaults(run=lambda args: asyncio.run(_create(args)))

    listing = actions.add_parser("list", help="list the brands")
    add_json(listing)
    add_database(listing)
    listing.set_defaults(run=lambda args: asyncio.run(_list(args)))

    origins = actions.add_parser("origins", help="register the pages on which consumers' tokens may be used")
    doings = origins.add_subparsers(required=True, metavar="ACTION")
    for name, what in (("add", "register a page"), ("remove", "take a page out again"), ("list", "list the pages")):
        origin = "" if name == "list" else " ORIGIN"
        doing = doings.add_parser(name, help=what, usage=f"%(prog)s [--json] [--database URL] [--brand] ID{origin}")
        # One argument for both: argparse gives an optional ID the place of the ORIGIN where options stand before it.
        words = doing.add_argument(
            "words",
            metavar=f"ID{origin}",
            nargs="+",
            help="the brand" + (", and a page such as https://dealer.example, or `app` for apps" if origin else ""),
        )
        doing.add_argument(
            "--brand", metavar="ID", action=_NamesBrand, instead_of=words, help="the brand, as other commands take it"
        )
        add_json(doing)
        add_database(doing)
        doing.set_defaults(doing=name, parser=doing, run=lambda args: asyncio.run(_origins(args)))


async def register_brand(bench: Workbench, brand_id: str, name: str) -> tuple[StoredKey, str | None]:
    """Make a brand with one key for its backend and its consumers' tokens.

    Raises:
        CommandError: The id is taken or won't do, or the name is empty.
    """
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME:
        raise CommandError(f"--name has 1 to {_LONGEST_NAME} characters: what people call the brand")
    now = bench.clock.now()
    try:
        key, secret = new_key(
            brand_id, Algorithm.HS256, (TokenClass.BACKEND, TokenClass.CONSUMER), (Role.BACKEND,), now=now
        )
    except ValueError as error:
        raise CommandError(str(error)) from None
    # Looked at before anything is written, so that an unsafe key file leaves no brand without a key.
    await asyncio.to_thread(bench.key_file.read)
    if not await bench.storage.add_brand(StoredBrand(brand_id, name, now)):
        raise CommandError(
            f"there is a brand {brand_id!r} already; another key for it: "
            f"sayso-server key create --brand {brand_id} --class backend --role backend"
        )
    await register_key(bench, key, secret)
    return key, secret


async def _create(args: argparse.Namespace) -> int:
    async with opened(args.database, create=True) as bench:
        key, secret = await register_brand(bench, args.id, args.name)
        say_key(key, secret, as_json={"brand": key.brand_id} if args.json else None)
        if not args.json:
            settings = load_settings(database=args.database)
            left = await asyncio.to_thread(server_url, settings.database_path)
            url = settings.public_url or left or settings.public_origin
            note(f"The third variable says where the server is: export SAYSO_URL={url}")
            note(f"Next, tell the server what it is about: sayso-server catalogue publish FILE --brand {key.brand_id}")
    return 0


async def _list(args: argparse.Namespace) -> int:
    async with opened(args.database) as bench:
        brands = [
            {
                "brand": brand.brand_id,
                "name": brand.name,
                "created_at": format_micros(brand.created_at),
                "catalogue_revision": bench.services.catalogues.newest_revision(brand.brand_id),
            }
            for brand in await bench.storage.brands()
        ]
    if args.json:
        say_json(brands)
    elif brands:
        rows = [[str(value) for value in brand.values()] for brand in brands]
        say_table(["BRAND", "NAME", "CREATED", "CATALOGUE"], rows)
    else:
        note("There is no brand yet. Make one: sayso-server brand create ID --name NAME")
    return 0


class _NamesBrand(argparse.Action):
    """Takes `--brand ID`, after which the ID isn't expected among the words."""

    def __init__(self, *args: Any, instead_of: argparse.Action, **named: Any) -> None:
        super().__init__(*args, **named)
        self._words = instead_of

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        self._words.required = False
        namespace.brand = values


def _brand_and_origin(args: argparse.Namespace) -> tuple[str, str]:
    """Give the brand, named either way, and the page; for `list` there is none."""
    words = [*([] if args.brand is None else [args.brand]), *(args.words or [])]
    if len(words) != (1 if args.doing == "list" else 2):
        args.parser.error(f"name the brand{'' if args.doing == 'list' else ' and one page'}, and nothing more")
    return words[0], words[-1]


async def _origins(args: argparse.Namespace) -> int:
    named, page = _brand_and_origin(args)
    async with opened(args.database) as bench:
        brand_id = (await bench.brand(named)).brand_id
        if args.doing == "add":
            origin = as_browsers_write_it(page)
            new = await bench.storage.add_origin(brand_id, origin)
            _answer(args, brand_id, origin, "registered" if new else "was registered already")
        elif args.doing == "remove":
            origin = as_browsers_write_it(page)
            if not await bench.storage.remove_origin(brand_id, origin):
                raise CommandError(
                    f"{origin} is not registered for {brand_id}; see: sayso-server brand origins list {brand_id}"
                )
            _answer(args, brand_id, origin, "removed")
        else:
            origins = [origin for owner, origin in await bench.storage.origins() if owner == brand_id]
            if args.json:
                say_json({"brand": brand_id, "origins": origins})
            else:
                for origin in origins:
                    say(origin)
    return 0


def as_browsers_write_it(origin: str) -> str:
    """Give an origin in the one spelling that browsers send; `app` stays what it is.

    Raises:
        CommandError: It is no origin.
    """
    if origin == APP:
        return origin
    try:
        return serialised_origin(origin)
    except ValueError as error:
        raise CommandError(f"{origin!r}: {error}, or `{APP}` for apps whose requests carry no Origin") from None


def _answer(args: argparse.Namespace, brand_id: str, origin: str, what: str) -> None:
    if args.json:
        say_json({"brand": brand_id, "origin": origin})
    else:
        say(f"{origin} {what} for {brand_id}")
