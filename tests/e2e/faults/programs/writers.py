"""Eight writers that record choices one after the other until they are told to stop (SIGTERM), or killed.

Settings: OUTBOX (a path; none means that a command raises when there is no answer), WRITERS, NAME (makes the consumers'
ids), PAUSE (seconds between two choices of a writer).
"""

import asyncio
import contextlib
import itertools
import random
import signal

from telling import Log, make_client, told

import sayso

TOPICS = ("purpose:marketing", "channel:sms", "channel:email")


async def write(privacy: sayso.Client, log: Log, number: int, stopped: asyncio.Event) -> None:
    """Record and write down each receipt."""
    pause = float(told("PAUSE", "0"))
    for turn in itertools.count():
        if stopped.is_set():
            return
        await asyncio.sleep(pause)
        someone = privacy.consumer(f"cust-{told('NAME', 'w')}-{number}-{turn // 4 % 250}")
        topic = random.choice(TOPICS)
        try:
            if random.random() < 0.5:
                recorded = await someone.deny(topic, method="chat")
            else:
                recorded = await someone.grant(topic, shown="en", method="chat")
        except sayso.UnavailableError:
            log.say("not acknowledged")
        else:
            log.receipt(recorded)


async def main() -> None:
    """Run the writers."""
    log = Log()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with make_client(live=False, outbox=told("OUTBOX") or False) as privacy:
        log.say("started")
        async with asyncio.TaskGroup() as group:
            for number in range(int(told("WRITERS", "8"))):
                group.create_task(write(privacy, log, number, stopped))
    log.say("ended")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
