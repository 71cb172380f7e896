"""Records a number of refusals and ends in one of several ways; each receipt is written down.

Settings: OUTBOX, COUNT, PATIENCE (seconds that flushing takes at most), HOW:

- `exit` ends as soon as everything has its receipt; nothing is flushed or closed;
- `killed` does the same, and waits to be killed;
- `flush` flushes before it ends;
- `fork` has a child record, on a client that its parent has used.
"""

import asyncio
import os
import time
from datetime import timedelta

from telling import Log, make_client, told

import sayso

AT_ONCE = 64
PATIENCE = timedelta(seconds=float(told("PATIENCE", "60")))
TOPICS = ("purpose:marketing", "channel:sms", "channel:email")


async def record(privacy: sayso.Client, log: Log, count: int) -> None:
    """Record so many, a number of them at a time."""
    numbers = iter(range(count))

    async def some() -> None:
        for number in numbers:
            someone = privacy.consumer(f"cust-{number // len(TOPICS)}")
            log.receipt(await someone.deny(TOPICS[number % len(TOPICS)], method="chat"))

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(some())


async def run(privacy: sayso.Client, log: Log, how: str) -> None:
    """Record, and do what `how` says."""
    await privacy.start()
    await record(privacy, log, int(told("COUNT")))
    log.say("recorded")
    if how == "flush":
        log.say("flushed", left=await privacy.flush(PATIENCE))


def main() -> None:
    """Run it; what is not closed here is not closed."""
    log, how = Log(), told("HOW")
    privacy = make_client(live=False, outbox=told("OUTBOX"))
    if how == "fork":
        here = privacy.sync()
        log.receipt(here.consumer("cust-parent").deny("channel:sms", method="chat"))
        child = os.fork()
        if child:
            os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        there = privacy.sync()
        for number in range(int(told("COUNT"))):
            log.receipt(there.consumer(f"cust-{number}").deny("channel:sms", method="chat"))
        log.say("recorded")
        return
    asyncio.run(run(privacy, log, how))
    if how == "killed":
        time.sleep(60)


if __name__ == "__main__":
    main()
