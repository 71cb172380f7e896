"""`sayso-server staff`: who works at a brand's privacy desk, and the links by which they sign in."""

import argparse
import asyncio
from typing import Final

from sayso.model.instant import format_micros
from sayso.wire import Role, TokenClass
from sayso_server.auth.algorithm import Algorithm
from sayso_server.auth.ring import KeyRing
from sayso_server.cli.arguments import Commands, add_brand, add_database, add_json
from sayso_server.cli.key import register_key
from sayso_server.cli.output import CommandError, note, say, say_json, say_table
from sayso_server.cli.workbench import Workbench, opened
from sayso_server.keys import new_key
from sayso_server.origin import serialised_origin
from sayso_server.services.staff_documents import STAFF_ROLES, Member
from sayso_server.settings import load_settings
from sayso_server.storage.sqlite.lock import server_url

_HOURS: Final = 72


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("staff", help="invite people to the privacy desk, list them, and put them out")
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    invite = actions.add_parser("invite", help="make somebody staff, or change their roles, and print a sign-in link")
    _add_name(invite)
    _add_url(invite)
    invite.add_argument(
        "--role",
        dest="roles",
        action="append",
        required=True,
        choices=STAFF_ROLES,
        help="what they may do; may be given more than once. Other roles than before end their sign-ins",
    )
    invite.set_defaults(run=lambda args: asyncio.run(_invite(args)))

    link = actions.add_parser("link", help="print another sign-in link for somebody who is staff")
    _add_name(link)
    _add_url(link)
    link.set_defaults(run=lambda args: asyncio.run(_link(args)))

    listing = actions.add_parser("list", help="list a brand's staff: invited (has opened no link yet), in, or revoked")
    add_brand(listing)
    add_json(listing)
    add_database(listing)
    listing.set_defaults(run=lambda args: asyncio.run(_list(args)))

    revoke = actions.add_parser("revoke", help="put somebody out: their links and open pages stop working at once")
    _add_name(revoke)
    revoke.set_defaults(run=lambda args: asyncio.run(_revoke(args)))


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what they are called; it stands beside all that they do")
    add_brand(parser)
    add_json(parser)
    add_database(parser)


def _add_url(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url",
        metavar="ORIGIN",
        help="where browsers reach the server, such as https://privacy.dealer.example; default: SAYSO_PUBLIC_URL, "
        "or where the server on this database listens",
    )


async def make_invitation(bench: Workbench, brand_id: str, name: str, roles: tuple[str, ...]) -> str:
    """Make somebody staff and give a link's token; the key that signs for them is made if there is none.

    Raises:
        CommandError: Name or roles won't do.
    """
    try:
        token = await bench.services.staff_roll.invite(brand_id, name, roles)
    except ValueError as error:
        raise CommandError(str(error)) from None
    await _ensure_signing_key(bench, brand_id)
    return token


async def _ensure_signing_key(bench: Workbench, brand_id: str) -> None:
    known = await bench.services.staff.signing_key(brand_id)
    keys = [key for key in await bench.storage.keys() if key.brand_id == brand_id and key.key_id == known]
    ring = KeyRing.from_stored(keys, await asyncio.to_thread(bench.key_file.read))
    if any(not key.revoked for key in ring):
        return
    roles = [Role(role) for role in STAFF_ROLES]
    key, secret = new_key(brand_id, Algorithm.HS256, (TokenClass.STAFF,), roles, now=bench.clock.now())
    await register_key(bench, key, secret)
    await bench.services.staff_roll.sign_with(brand_id, key.key_id)


async def _invite(args: argparse.Namespace) -> int:
    origin = _given_origin(args)
    async with opened(args.database) as bench:
        brand = await bench.brand(args.brand)
        token = await make_invitation(bench, brand.brand_id, args.name, tuple(args.roles))
    await _say_link(args, token, origin)
    return 0


async def _link(args: argparse.Namespace) -> int:
    origin = _given_origin(args)
    async with opened(args.database) as bench:
        brand = await bench.brand(args.brand)
        token = await bench.services.staff_roll.link(brand.brand_id, args.name)
        if token is None:
            raise CommandError(
                f"{args.name!r} is no staff of {brand.brand_id}; "
                f"sayso-server staff invite {args.name} --brand {brand.brand_id} --role ROLE"
            )
        await _ensure_signing_key(bench, brand.brand_id)
    await _say_link(args, token, origin)
    return 0


def _given_origin(args: argparse.Namespace) -> str | None:
    """Give the server's origin as `--url` names it; looked at before a link is made that would be for nowhere."""
    try:
        return None if args.url is None else serialised_origin(args.url)
    except ValueError as error:
        raise CommandError(f"--url {args.url!r}: {error}") from None


async def _say_link(args: argparse.Namespace, token: str, origin: str | None) -> None:
    settings = load_settings(database=args.database)
    left = await asyncio.to_thread(server_url, settings.database_path)
    known = origin or settings.public_url or left
    url = f"{known or settings.public_origin}/invite/{token}"
    if known is None:
        note(
            f"This link is for a server at {settings.public_origin}, as none has run on this database yet. "
            "If yours is reached elsewhere, set SAYSO_PUBLIC_URL to the same as the server's, or give --url."
        )
    if args.json:
        say_json({"staff": args.name, "url": url})
        return
    say(url)
    note(f"Give it to {args.name} alone. It signs in once, within {_HOURS} hours, and is shown this once.")


async def _list(args: argparse.Namespace) -> int:
    async with opened(args.database) as bench:
        brand = await bench.brand(args.brand)
        members = await bench.services.staff_roll.every(brand.brand_id)
    if args.json:
        say_json(
            [
                {
                    "staff": member.name,
                    "roles": list(member.roles),
                    "active": member.active,
                    "signed_in": member.signed_in,
                    "since": format_micros(member.since),
                }
                for member in members
            ]
        )
    elif members:
        rows = [
            [member.name, ",".join(member.roles), format_micros(member.since), state_of(member)] for member in members
        ]
        say_table(["STAFF", "ROLES", "SINCE", "STATE"], rows)
    else:
        note(
            f"{brand.brand_id} has no staff. Invite somebody: "
            f"sayso-server staff invite NAME --brand {brand.brand_id} --role privacy_officer"
        )
    return 0


def state_of(member: Member) -> str:
    """Give `invited`, `in` or `revoked`."""
    if not member.active:
        return "revoked"
    return "in" if member.signed_in else "invited"


async def _revoke(args: argparse.Namespace) -> int:
    async with opened(args.database) as bench:
        brand = await bench.brand(args.brand)
        if not await bench.services.staff_roll.revoke(brand.brand_id, args.name):
            see = f"see: sayso-server staff list --brand {brand.brand_id}"
            raise CommandError(f"{args.name!r} is no staff of {brand.brand_id}, or was revoked already; {see}")
    if args.json:
        say_json({"staff": args.name, "active": False})
    else:
        say(f"{args.name} is out")
    return 0
