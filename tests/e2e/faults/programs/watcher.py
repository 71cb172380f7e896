"""Asks for every consumer at random moments whether they allow something, and writes down each answer.

Settings: OUTBOX (beside it lies what was seen of the server), CONSUMERS (how many), MAX_STALENESS (seconds),
BLOCK (seconds for which the event loop is blocked now and then; 0 for never).
"""

import asyncio
import contextlib
import random
import signal
import time
from datetime import timedelta

from telling import Log, boot, make_client, told

import sayso

TOPIC = "purpose:marketing"


async def watch(ann: sayso.Consumer, log: Log, stopped: asyncio.Event) -> None:
    """Ask again and again: mostly the plain check, which the cache answers, and now and then in the other two ways."""
    snapshot: sayso.Preferences | None = None
    while not stopped.is_set():
        await asyncio.sleep(random.uniform(0.02, 0.25))
        how = random.random()
        began = boot()
        if how < 0.8:
            yes = await ann.allows(TOPIC)
        elif how < 0.85:
            yes = (await ann.decide(TOPIC)).allowed
        elif snapshot is not None and how < 0.97:
            yes = snapshot.allows(TOPIC)  # however old: it says no by itself once it is too old
        else:
            with contextlib.suppress(sayso.UnavailableError, TimeoutError):
                async with asyncio.timeout(2):  # it is no check, and waits for longer
                    snapshot = await ann.preferences()
            continue
        log.say("answer", consumer=ann.id, **{"from": began, "to": boot(), "yes": yes})


async def block(log: Log, seconds: float) -> None:
    """Do now and then what nobody should do on an event loop."""
    while True:
        await asyncio.sleep(random.uniform(0.5, 3))
        log.say("blocked")
        time.sleep(seconds)  # noqa: ASYNC251 - on purpose


async def main() -> None:
    """Watch until told to stop."""
    log = Log()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    bound = timedelta(seconds=float(told("MAX_STALENESS")))
    async with make_client(outbox=told("OUTBOX") or False, max_staleness=bound) as privacy:
        privacy.on_status(lambda status: log.say("status", status=str(status)))
        blocking = asyncio.create_task(block(log, float(told("BLOCK")))) if told("BLOCK") else None
        log.say("started")
        async with asyncio.TaskGroup() as group:
            for number in range(int(told("CONSUMERS"))):
                group.create_task(watch(privacy.consumer(f"cust-{number}"), log, stopped))
        if blocking is not None:
            blocking.cancel()
    log.say("ended")


if __name__ == "__main__":
    asyncio.run(main())
