"""The command line: which commands there are, and how each ends."""

import argparse
import os
import sys
import textwrap
from collections.abc import Sequence

from sayso.errors import CatalogueError, ConfigurationError
from sayso_server.cli import agent, brand, catalogue, compact, demo, dev, export, key, requests, serve, staff
from sayso_server.cli.output import CommandError, note, refusal_lines
from sayso_server.services.refusals import RefusedError
from sayso_server.settings import describe_settings
from sayso_server.storage.base import StorageUnavailableError

_NAME = "sayso-server"
_WRONG = 2
_INTERRUPTED = 130
_PIPE_CLOSED = 141
_WIDTH = 100


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Its words; the process's own by default.

    Returns:
        The exit code: 0, or 2 after saying on stderr what is wrong and what to do.
    """
    try:
        args = _parser().parse_args(argv)
        code: int = args.run(args)
        return code
    except (ConfigurationError, CatalogueError, CommandError) as error:
        return _complain(str(error))
    except RefusedError as refusal:
        return _complain("\n".join(["refused:", *refusal_lines(refusal)]))
    except StorageUnavailableError:
        return _complain("the database can't be read or written now; nothing has changed. Try again in a moment")
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED


def _complain(message: str) -> int:
    note(f"{_NAME}: {message}")
    return _WRONG


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_NAME,
        description="Keeps what consumers say about their privacy, and answers the brands that ask.",
        epilog=_about_settings(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for part in (serve, dev, demo, brand, key, staff, agent, catalogue, export, compact, requests):
        part.add_parser(commands)
    return parser


def _about_settings() -> str:
    lines = ["settings, from the environment:"]
    for setting in describe_settings():
        default = f" Default: {setting.default}" if setting.default else ""
        lines.append(f"  {setting.variable}")
        lines += textwrap.wrap(setting.description + default, _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    lines.append(f"\n{_NAME} COMMAND --help says more about each command.")
    return "\n".join(lines)
