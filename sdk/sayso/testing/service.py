"""The real application on a loopback port, with a network that tests can break."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sayso.testing.faults import Faults, Loss
from sayso.testing.transport import HAS_WAITED
from sayso_server.app import RUNNER_OPTIONS
from sayso_server.connection import Connection
from sayso_server.sockets import bind, url_of

LOOPBACK = "127.0.0.1"
"""Nothing here ever listens anywhere else."""

_OPTIONS: dict[str, Any] = {**RUNNER_OPTIONS, "shutdown_timeout": 0.2, "lingering_time": 0.1}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """One run of an application, from `start` to `stop`, on the loop that calls both.

    Attributes:
        url: Where it is reached; empty while it isn't.
    """

    def __init__(self, faults: Faults) -> None:
        """Start nothing yet.

        Args:
            faults: What is wrong with the network.
        """
        self.url = ""
        self._faults = faults
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.AbstractServer | None = None

    async def start(self, app: web.Application) -> None:
        """Listen on a free port of this machine's loopback."""
        app.middlewares.insert(0, _breaking(self._faults))
        runner = web.AppRunner(app, handle_signals=False, **_OPTIONS)
        await runner.setup()
        self._runner = runner
        (opened,) = bind(LOOPBACK, 0)
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: self._connection(runner, loop), sock=opened)
        self.url = url_of(LOOPBACK, [opened])

    async def stop(self) -> None:
        """Cut every connection and stop. Does nothing the second time."""
        listener, self._listener = self._listener, None
        runner, self._runner = self._runner, None
        if listener is not None:
            listener.close()
        if runner is not None:
            await runner.cleanup()
        self.url = ""

    def cut(self) -> None:
        """Cut every open connection. To be called on the loop that it runs on."""
        if self._runner is not None and self._runner.server is not None:
            for connection in list(self._runner.server.connections):
                if connection.transport is not None:
                    connection.transport.abort()

    def _connection(self, runner: web.AppRunner, loop: asyncio.AbstractEventLoop) -> asyncio.BaseProtocol:
        if self._faults.down or runner.server is None:
            return _Refused()
        options = {name: value for name, value in _OPTIONS.items() if name != "shutdown_timeout"}
        return Connection(runner.server, loop=loop, **options)


class _Refused(asyncio.Protocol):
    """Hangs up before a word is said."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up."""
        if isinstance(transport, asyncio.Transport):
            transport.abort()


def _breaking(faults: Faults) -> Any:
    @web.middleware
    async def broken(request: web.Request, handler: Handler) -> web.StreamResponse:
        if faults.delay and HAS_WAITED not in request.headers:
            await asyncio.sleep(faults.delay.total_seconds())
        loss = faults.lost(request.method, request.path)
        if loss is Loss.REQUEST:
            return _cut(request)
        answer = await handler(request)
        return _cut(request) if loss is Loss.ANSWER or faults.down else answer

    return broken


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # which nobody gets
