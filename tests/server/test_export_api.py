"""Exports of whoever has said a great deal."""

from __future__ import annotations

import asyncio
import json

from sayso.model.choice import Answer, Choice, ChoiceBatch, Method
from sayso.model.ids import new_choice_id
from sayso.wire import TokenClass
from sayso_server.clock import SystemClock
from sayso_server.services import Services, make_services
from sayso_server.services.caller import Caller
from sayso_server.storage.memory import MemoryStorage

CHOICES = 2000


async def services_that_know_ann() -> Services:
    storage = MemoryStorage(clock=SystemClock())
    await storage.start()
    await storage.start()
    services = make_services(storage, SystemClock())
    caller = Caller("dealer", "dealer.1", TokenClass.BACKEND)
    for _ in range(CHOICES // 500):
        choices = tuple(
            Choice(id=new_choice_id(), consumer_id="ann", topic="*", answer=Answer.DENIED, method=Method.SMS)
            for _ in range(500)
        )
        await services.recording.record(caller, ChoiceBatch(choices=choices))
    return services


async def test_whoever_else_is_there_gets_a_turn_while_a_long_export_is_made() -> None:
    services = await services_that_know_ann()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    export = json.loads(await services.reading.export("dealer", "ann"))
    other.cancel()

    assert [change["version"] for change in export["changes"]] == list(range(1, CHOICES + 1))
    assert turns > 3
