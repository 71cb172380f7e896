"""A day at a car dealer: chat, text messages, app and web traffic flow through the Sayso SDK into a server.

It starts a server of its own, publishes the catalogue beside this file, plays `day.jsonl`, shows what each consumer
allows and why, and ends with a withdrawal. `make demo` installs what it needs and runs it; README.md says what to look
at.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs this file directly may have an older one
    sys.exit("The demo needs Python 3.11 or later.")

import argparse
import asyncio
import io
import os
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
NEEDED = ("sayso", "sayso_server", "apsw", "orjson", "pydantic_settings")
WRONG = 1
INTERRUPTED = 130


def main() -> int:
    parser = argparse.ArgumentParser(description="Play a day at a car dealer through Sayso.")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="where the report goes (build/sayso-demo-report.html)"
    )
    parser.add_argument("--day", type=Path, default=HERE / "day.jsonl", metavar="FILE", help="another day to play")
    parser.add_argument("--exit", action="store_true", help="stop at the end, in a terminal too")
    args = parser.parse_args()

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        print(f"The demo needs Sayso with its server ({', '.join(missing)} missing): run `make demo`.", file=sys.stderr)
        return WRONG
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ✓ still gets its table

    from dealer_day.show import Show, StoryError  # noqa: PLC0415 - only now is it known that it can be imported

    stays = not args.exit and sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("CI", "") in ("", "false")
    report = args.report or HERE.parents[1] / "build" / "sayso-demo-report.html"
    show = Show(catalogue=HERE / "catalogue.toml", day=args.day, report=report, stays=stays)
    try:
        asyncio.run(show.run())
    except StoryError as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        print()
        return 0 if show.complete else INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
