"""Consumers who allow something, take it back, and allow it again, each at random moments of their own.

After every withdrawal this process asks itself at once: in the process that wrote it, a withdrawal holds immediately.

Settings: OUTBOX, CONSUMERS (how many), MAX_STALENESS (seconds; waits follow from it).
"""

import asyncio
import contextlib
import random
import signal
from datetime import timedelta

from telling import Log, boot, make_client, told

import sayso

TOPIC = "purpose:marketing"


async def pause(stopped: asyncio.Event, seconds: float) -> None:
    """Wait, but no longer than this program is to run."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), seconds)


async def waver(ann: sayso.Consumer, log: Log, bound: float, stopped: asyncio.Event) -> None:
    """Grant, wait, withdraw, wait for longer than the bound; again and again, ending with a withdrawal."""
    await pause(stopped, random.uniform(0, bound))
    while not stopped.is_set():
        log.say("granting", consumer=ann.id)
        try:
            log.receipt(await ann.grant(TOPIC, shown="en", method="chat"))
            await pause(stopped, random.uniform(0.2, bound))
            recorded = await ann.withdraw(TOPIC, method="chat")
        except sayso.UnavailableError as error:
            log.say("not acknowledged", consumer=ann.id, code=error.code)
            continue
        log.say("withdrawn" if recorded.status == "confirmed" else "withdrawn here", consumer=ann.id)
        log.receipt(recorded)
        began = boot()
        yes = await ann.allows(TOPIC)
        log.say("own answer", consumer=ann.id, **{"from": began, "to": boot(), "yes": yes})
        await pause(stopped, bound + random.uniform(0.2, bound))


async def main() -> None:
    """Run every consumer until told to stop."""
    log = Log()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    bound = float(told("MAX_STALENESS"))
    parts = {"outbox": told("OUTBOX") or False, "max_staleness": timedelta(seconds=bound)}
    async with make_client(**parts) as privacy, asyncio.TaskGroup() as group:
        for number in range(int(told("CONSUMERS"))):
            group.create_task(waver(privacy.consumer(f"cust-{number}"), log, bound, stopped))
        log.say("started")
    # Others go on watching for as long as they could be wrong.
    await asyncio.sleep(bound + 1)
    log.say("ended")


if __name__ == "__main__":
    asyncio.run(main())
