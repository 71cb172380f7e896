"""Arguments that several commands share."""

import argparse
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
else:
    Commands = object


def add_database(parser: argparse.ArgumentParser) -> None:
    """Take another database than the environment's."""
    parser.add_argument("--database", metavar="URL", help="such as sqlite:///sayso.db, instead of SAYSO_DATABASE")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Take the form for programs."""
    parser.add_argument("--json", action="store_true", help="print one line of JSON")


def add_brand(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Take the brand, which most commands are about."""
    parser.add_argument("--brand", metavar="ID", required=required, help="whose")


def add_port(parser: argparse.ArgumentParser, default: str) -> None:
    """Take a port."""
    parser.add_argument("--port", metavar="NUMBER", help=f"0 takes a free one; default: {default}")
