"""What a client is made of, shared by all its handles."""

from typing import NamedTuple

from sayso.client.asker import Asker
from sayso.client.guard import Guard
from sayso.client.memory import Memory
from sayso.client.recorder import Recorder
from sayso.transport.clock import Clock
from sayso.transport.http import Transport


class Parts(NamedTuple):
    """The transport and what works with it."""

    transport: Transport
    recorder: Recorder
    asker: Asker
    memory: Memory
    clock: Clock
    guard: Guard
