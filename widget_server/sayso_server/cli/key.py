"""`sayso-server key`: the keys that brands sign their tokens with."""

import argparse
import asyncio
import shlex
from pathlib import Path

from sayso.model.instant import format_micros
from sayso.wire import Role, TokenClass
from sayso_server.auth.algorithm import Algorithm
from sayso_server.auth.ring import KeyRing
from sayso_server.cli.arguments import Commands, add_brand, add_database, add_json
from sayso_server.cli.output import CommandError, note, say, say_json, say_table
from sayso_server.cli.workbench import Workbench, opened
from sayso_server.keys import new_key
from sayso_server.storage.base import StoredKey

_LARGEST_PEM = 16_384


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("key", help="make, list and revoke keys")
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    create = actions.add_parser("create", help="make a key, or register one that the brand made")
    add_brand(create)
    create.add_argument(
        "--class",
        dest="classes",
        action="append",
        required=True,
        choices=[token_class.value for token_class in TokenClass],
        help="the tokens it may sign; may be given more than once",
    )
    create.add_argument(
        "--role",
        dest="roles",
        action="append",
        default=[],
        choices=[role.value for role in Role],
        help="the most that its backend and staff tokens may do; may be given more than once",
    )
    create.add_argument(
        "--algorithm",
        choices=[algorithm.value for algorithm in Algorithm],
        default=Algorithm.HS256.value,
        help="HS256: a secret both sides know (default). ES256, EdDSA: a pair whose private half only the brand has",
    )
    create.add_argument(
        "--public", metavar="FILE", type=Path, help="the brand's own public key in PEM, instead of a new pair"
    )
    add_json(create)
    add_database(create)
    create.set_defaults(run=lambda args: asyncio.run(_create(args, _read_public(args.public))))

    listing = actions.add_parser("list", help="list a brand's keys and say which can't be used")
    add_brand(listing)
    add_json(listing)
    add_database(listing)
    listing.set_defaults(run=lambda args: asyncio.run(_list(args)))

    revoke = actions.add_parser("revoke", help="accept nothing that a key has signed any more, from now on")
    add_brand(revoke)
    revoke.add_argument("key_id", metavar="KEY_ID", help="as `key list --brand ID` prints it")
    add_json(revoke)
    add_database(revoke)
    revoke.set_defaults(run=lambda args: asyncio.run(_revoke(args)))


def say_key(key: StoredKey, secret: str | None, *, as_json: dict[str, str] | None) -> None:
    """Print a new key: as JSON after the members given, or as lines to paste into a shell."""
    if as_json is not None:
        say_json({**as_json, "key_id": key.key_id, "secret": secret})
        return
    say(f"export SAYSO_KEY_ID={key.key_id}")
    if secret is not None:
        say(f"export SAYSO_SECRET={shlex.quote(secret)}")
        note("The secret is shown this once. Keep it where your backend finds its secrets.")


async def register_key(bench: Workbench, key: StoredKey, secret: str | None) -> None:
    """Keep a new key; the secret first, so that no server meets a key without one."""
    if secret is not None and key.algorithm == Algorithm.HS256:
        await asyncio.to_thread(bench.key_file.add, key.key_id, secret)
    await bench.storage.add_key(key)


async def _create(args: argparse.Namespace, public_pem: str | None) -> int:
    async with opened(args.database) as bench:
        brand = await bench.brand(args.brand)
        try:
            key, secret = new_key(
                brand.brand_id,
                args.algorithm,
                args.classes,
                args.roles,
                now=bench.clock.now(),
                public_pem=public_pem,
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        await register_key(bench, key, secret)
    say_key(key, secret, as_json={} if args.json else None)
    return 0


async def _list(args: argparse.Namespace) -> int:
    async with opened(args.database) as bench:
        brand = await bench.brand(args.brand)
        keys = [key for key in await bench.storage.keys() if key.brand_id == brand.brand_id]
        unusable = KeyRing.from_stored(keys, await asyncio.to_thread(bench.key_file.read)).unusable
    listed = [
        {
            "key_id": key.key_id,
            "algorithm": key.algorithm,
            "classes": list(key.classes),
            "roles": list(key.roles),
            "created_at": format_micros(key.created_at),
            "revoked_at": None if key.revoked_at is None else format_micros(key.revoked_at),
            "unusable": unusable.get(key.key_id),
        }
        for key in keys
    ]
    if args.json:
        say_json(listed)
    elif listed:
        say_table(["KEY", "ALGORITHM", "CLASSES", "ROLES", "CREATED", "STATE"], [_row(key, unusable) for key in keys])
    else:
        note(
            f"{brand.brand_id} has no key. Make one: "
            f"sayso-server key create --brand {brand.brand_id} --class backend --role backend"
        )
    return 0


def _row(key: StoredKey, unusable: dict[str, str]) -> list[str]:
    if key.revoked_at is not None:
        state = f"revoked {format_micros(key.revoked_at)}"
    elif key.key_id in unusable:
        state = f"can't be used: {unusable[key.key_id]}"
    else:
        state = "in use"
    return [
        key.key_id,
        key.algorithm,
        ",".join(key.classes),
        ",".join(key.roles) or "-",
        format_micros(key.created_at),
        state,
    ]


async def _revoke(args: argparse.Namespace) -> int:
    async with opened(args.database) as bench:
        brand = await bench.brand(args.brand)
        known = {key.key_id: key for key in await bench.storage.keys() if key.brand_id == brand.brand_id}
        key = known.get(args.key_id)
        if key is None:
            raise CommandError(
                f"{brand.brand_id} has no key {args.key_id!r}; see: sayso-server key list --brand {brand.brand_id}"
            )
        now = bench.clock.now()
        new = await bench.storage.revoke_key(brand.brand_id, key.key_id, now)
        # Its secret signs nothing any more, so nobody needs to keep it.
        await asyncio.to_thread(bench.key_file.remove, key.key_id)
    revoked_at = format_micros(now if new or key.revoked_at is None else key.revoked_at)
    if args.json:
        say_json({"key_id": key.key_id, "revoked_at": revoked_at})
    else:
        say(f"{key.key_id} {'is revoked' if new else 'was revoked already'}, since {revoked_at}")
    return 0


def _read_public(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_PEM).decode("ascii")
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is no public key in PEM; it starts with -----BEGIN PUBLIC KEY-----") from None
