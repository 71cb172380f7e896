"""Asks once a second about one consumer, and writes down every answer and what the client says of itself.

Settings: OUTBOX, MAX_STALENESS (seconds).
"""

import asyncio
import signal
from datetime import timedelta

from telling import Log, boot, make_client, told

import sayso

TOPIC = "purpose:marketing"


async def main() -> None:
    """Ask until told to stop."""
    log = Log()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    bound = timedelta(seconds=float(told("MAX_STALENESS")))
    async with make_client(outbox=told("OUTBOX"), max_staleness=bound) as privacy:
        ann = privacy.consumer("cust-42")
        while not stopped.is_set():
            began = boot()
            decision = await ann.decide(TOPIC)
            answer = {"from": began, "to": boot(), "yes": decision.allowed, "reason": decision.reason}
            log.say("answer", consumer=ann.id, explained=decision.explain(), **answer)
            try:
                preferences = await ann.preferences()
            except sayso.Error as error:
                log.say("error", code=error.code, message=str(error))
            else:
                log.say("snapshot", version=preferences.version, yes=preferences.allows(TOPIC))
            log.say("status", status=str(privacy.status), reason=privacy.status_reason)
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main())
