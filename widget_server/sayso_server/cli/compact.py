"""`sayso-server compact`: write the database anew, so that nothing is left of what was deleted."""

import argparse

from sayso.errors import ConfigurationError
from sayso_server.cli.arguments import Commands, add_database
from sayso_server.cli.output import say
from sayso_server.settings import load_settings
from sayso_server.storage.sqlite.compacting import compact


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "compact", help="write the database anew, so that nothing is left of what was erased; stop the server first"
    )
    add_database(parser)
    parser.set_defaults(run=_compact)


def _compact(args: argparse.Namespace) -> int:
    path = load_settings(database=args.database).database_path
    if not path.exists():
        raise ConfigurationError(f"there is no database {path}; name it with SAYSO_DATABASE or --database")
    before, after = compact(path)
    say(f"{path} is written anew: {before:,} bytes before, {after:,} now")
    return 0
