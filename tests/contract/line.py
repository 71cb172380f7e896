"""A TCP line between a client and the server that cuts, goes silent, or delivers late while heartbeats keep flowing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from yarl import URL


class Line:
    """What happens to bytes on their way; set the attributes while it runs.

    Attributes:
        url: What the client is given.
        delay: Seconds that everything from the server is held back, in order.
        stream_delay: The same for the change stream alone.
        down: New connections are refused.
    """

    def __init__(self, target: str) -> None:
        self._target = URL(target)
        self.url = ""
        self.delay = 0.0
        self.stream_delay = 0.0
        self._talking = asyncio.Event()
        self._talking.set()
        self.down = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def silent(self) -> bool:
        """Whether nothing passes, and nobody is told."""
        return not self._talking.is_set()

    @silent.setter
    def silent(self, silent: bool) -> None:
        (self._talking.clear if silent else self._talking.set)()

    def cut(self) -> None:
        """Break every connection that there is."""
        for writer in self._writers:
            writer.transport.abort()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(self._target.host, self._target.port)
        if self.down:  # it went down in between
            for one in (writer, back):
                one.transport.abort()
            return
        self._writers |= {writer, back}
        is_stream = asyncio.Event()
        up = asyncio.create_task(self._pass_up(reader, back, is_stream))
        down = asyncio.create_task(self._pass_down(there, writer, is_stream))
        self._tasks |= {up, down}
        try:
            await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (up, down):
                task.cancel()
            self._tasks -= {up, down}
            self._writers -= {writer, back}
            for one in (writer, back):
                one.transport.abort()

    async def _pass_up(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_stream: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if data.startswith(b"GET /v1/changes HTTP"):
                    is_stream.set()
                await self._talking.wait()
                writer.write(data)

    async def _pass_down(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_stream: asyncio.Event
    ) -> None:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await waiting.get()
                await asyncio.sleep(due - loop.time())
                await self._talking.wait()
                writer.write(data)

        delivering = asyncio.create_task(deliver())
        try:
            with suppress(OSError):
                while data := await reader.read(65536):
                    delay = self.stream_delay if is_stream.is_set() and self.stream_delay else self.delay
                    waiting.put_nowait((loop.time() + delay, data))
        finally:
            delivering.cancel()

    async def close(self) -> None:
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    """Put a line in front of a server."""
    line = Line(url)
    listening = await asyncio.start_server(line.connected, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()[:2]
    line.url = f"http://{host}:{port}"
    try:
        yield line
    finally:
        listening.close()
        await line.close()
