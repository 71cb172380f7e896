"""`make bench`: every figure in one run, side by side, as ratios with the noise of this machine.

.venv/bin/python tests/bench/run.py            everything, some twenty minutes
.venv/bin/python tests/bench/run.py checks     only the parts named: checks, cached, client, serving, streams,
                                               propagation, growth, loss
"""

import argparse
import asyncio
import sys

import cached
import checks
import client_cost
import growth
import loss
import outbox
import propagation
import serving
import streams
import uvloop
from report import Figure, show

PARTS = ("checks", "cached", "client", "serving", "streams", "propagation", "outbox", "growth", "loss")


async def _measure(part: str) -> list[Figure]:
    match part:
        case "checks":
            return await asyncio.to_thread(checks.measure)
        case "cached":
            return await cached.measure()
        case "client":
            return await client_cost.measure()
        case "serving":
            return await serving.measure()
        case "streams":
            return await streams.measure()
        case "propagation":
            return await propagation.measure()
        case "outbox":
            return await outbox.measure()
        case "loss":
            await asyncio.to_thread(loss.measure)
            return []
        case _:
            return await growth.measure()


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; default: all")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    figures: list[Figure] = []
    for part in chosen.parts or PARTS:
        sys.stderr.write(f"measuring {part} …\n")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures += runner.run(_measure(part))
    if figures:
        show(figures)


if __name__ == "__main__":
    main()
