"""Running the application: the loop, the port, the signals, and a stop that leaves nothing half done."""

import asyncio
import gc
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from aiohttp import web

from sayso_server.app import RUNNER_OPTIONS
from sayso_server.connection import Connection
from sayso_server.descriptors import allow_many_connections
from sayso_server.sockets import bind, url_of

T = TypeVar("T")

_BACKLOG = 1_024
"""Connections that may wait to be accepted; after a restart every client is back at once."""
_TURNS_TO_BE_MADE = 4
"""Turns of the loop from accepting a connection until it waits for its first request."""
_COLLECT_AFTER = 50_000
"""Objects. Some megabytes at most wait for a collection."""

MakeApp = Callable[[str], web.Application]
"""Given the URL under which this machine reaches the server, the application."""

WhenListening = Callable[[web.Application, str], Awaitable[None]]
"""Called with the application and its URL once requests are answered."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on uvloop where it is installed."""
    allow_many_connections()
    with _rare_collections(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def stop_on_signals() -> asyncio.Event:
    """Give an event that SIGTERM or SIGINT sets; from now on neither ends the process by itself."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def serve(
    make_app: MakeApp,
    *,
    host: str,
    port: int,
    stop: asyncio.Event,
    when_listening: WhenListening,
    options: Mapping[str, Any] = RUNNER_OPTIONS,
) -> None:
    """Answer requests until told to stop; then take no new ones and finish those that are there.

    A request that has arrived is answered, be it with a refusal. One that is still underway on an idle connection
    is cut off before anything of it was looked at, so that sending it again is safe.

    Args:
        make_app: Makes the application once the port is known.
        host: The address to listen on.
        port: The port; 0 takes a free one.
        stop: Set it to stop.
        when_listening: Called once; what it raises ends the server.
        options: For aiohttp's runner; other ones are for tests.

    Raises:
        ConfigurationError: The port can't be had, or the application can't start.
    """
    sockets = bind(host, port)
    try:
        url = url_of(host, sockets)
        app = make_app(url)
        runner = web.AppRunner(app, handle_signals=False, **options)
        try:
            await runner.setup()
            listeners = [await _listen(runner, opened, options) for opened in sockets]
            try:
                await when_listening(app, url)
                await stop.wait()
            finally:
                await _accept_no_more(sockets)
                for listener in listeners:
                    listener.close()
        finally:
            await runner.cleanup()
    finally:
        for opened in sockets:
            opened.close()


async def _listen(runner: web.AppRunner, opened: socket.socket, options: Mapping[str, Any]) -> asyncio.AbstractServer:
    """Listen with our own kind of connection; the runner's server keeps account of them and ends them."""
    loop = asyncio.get_running_loop()
    server = runner.server
    if server is None:
        raise RuntimeError("the runner was not set up")
    for_connections = {name: value for name, value in options.items() if name != "shutdown_timeout"}
    return await loop.create_server(
        lambda: Connection(server, loop=loop, **for_connections), sock=opened, backlog=_BACKLOG
    )


async def _accept_no_more(sockets: Sequence[socket.socket]) -> None:
    """Let connections that were accepted a moment ago come to be, so that the end finds them and closes them.

    asyncio accepts in one turn of its loop and makes the connection in later ones. If its server is closed in between,
    CPython up to 3.13 drops the connection without closing it: the other side waits for an answer that never comes.
    """
    loop = asyncio.get_running_loop()
    if isinstance(loop, asyncio.SelectorEventLoop):  # uvloop accepts and makes in one turn
        for opened in sockets:
            loop.remove_reader(opened)
        for _ in range(_TURNS_TO_BE_MADE):
            await asyncio.sleep(0)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for reference cycles less often, and never among what was imported.

    A request leaves next to no cycles, but hundreds of objects; with Python's own thresholds looking for them took a
    twelfth of a busy server's time.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        # Not to be had on every platform.
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
