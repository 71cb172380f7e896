"""The command `sayso`, for people and shell scripts.

Its commands: check, decide, history, disclosures, token, grant, withdraw, outbox.

Exit codes: 0 done or allowed, 1 not allowed (`check` only), 2 an error, told in a line or two on stderr.
"""

import asyncio
import os
import sys
from collections.abc import Sequence

from sayso.cli.commands import COMMANDS
from sayso.cli.output import complain
from sayso.cli.parser import make_parser
from sayso.errors import Error

FAILED = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code.

    Args:
        arguments: What follows the command's name; those of the process by default.
    """
    options = make_parser().parse_args(arguments)
    try:
        code = asyncio.run(COMMANDS[options.command](options))
        sys.stdout.flush()  # a reader that left shows here, where it can be answered
    except Error as error:
        complain(str(error))
        return FAILED
    except BrokenPipeError:  # `sayso history … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code
