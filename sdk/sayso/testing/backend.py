"""What runs behind a fake: the application over storage in memory, its brand, and the loop that all of it is on."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final, TypeVar

from sayso.model.catalogue import Catalogue
from sayso.testing.arranger import not_taken
from sayso.testing.brand import ORIGIN, Credentials, Secrets, add_brand
from sayso.testing.clock import FrozenClock
from sayso.testing.faults import Faults
from sayso.testing.service import Service
from sayso.transport.clock import Clock
from sayso.wire import Role, TokenClass
from sayso_server.app import SERVICES, create_app
from sayso_server.services import Services
from sayso_server.services.caller import Caller
from sayso_server.services.refusals import RefusedError
from sayso_server.storage.memory import MemoryStorage

T = TypeVar("T")

_PATIENCE: Final = 20.0
_MICROSECOND: Final = timedelta(microseconds=1)


class Backend:
    """One server with one brand, from `start` to `stop`.

    Attributes:
        brand: The brand's id.
        clock: The server's time.
        faults: What is wrong with the network.
    """

    def __init__(self, brand: str, clock: Clock) -> None:
        """Start nothing yet."""
        self.brand = brand
        self.clock = clock
        self.faults = Faults(lambda: self.do(self._service.cut))
        self._service = Service(self.faults)
        self._services: Services | None = None
        self._keys: dict[Role, Credentials] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread_id = 0

    async def start(self, catalogue: Catalogue, origins: Iterable[str]) -> None:
        """Start on the running loop, with a catalogue published. Does nothing the second time.

        Raises:
            InvalidError: The server's lint refuses the catalogue; `problems` has every finding.
        """
        if self._loop is not None:
            return
        secrets, storage = Secrets(), MemoryStorage(clock=self.clock)
        app = create_app(storage, secrets, public_origin=ORIGIN, clock=self.clock)
        services = app[SERVICES]
        await storage.start()
        self._keys = await add_brand(storage, secrets, self.brand, origins, self.clock.now())
        try:
            await services.publishing.publish(self.brand, catalogue)
        except RefusedError as refused:
            raise not_taken(refused) from None
        await self._service.start(app)
        self._services, self._loop, self._thread_id = services, asyncio.get_running_loop(), threading.get_ident()

    async def stop(self) -> None:
        """Stop. Does nothing the second time."""
        await self._service.stop()
        self._loop = self._services = None

    @property
    def url(self) -> str:
        """Where it listens; empty while it doesn't."""
        return self._service.url

    def credentials(self, role: Role | str) -> Credentials:
        """Give a key of the brand."""
        self._running()
        return self._keys[Role(role)]

    @property
    def services(self) -> Services:
        """The server's own services."""
        self._running()
        if self._services is None:
            raise RuntimeError("the fake has stopped")
        return self._services

    @property
    def caller(self) -> Caller:
        """As whom tests record: the brand's backend."""
        return Caller(self.brand, self.credentials(Role.BACKEND).key_id, TokenClass.BACKEND)

    def now(self) -> int:
        """Give the server's time in microseconds."""
        return self.clock.now()

    def tick(self) -> None:
        """Let a microsecond pass, where time doesn't pass by itself."""
        if isinstance(self.clock, FrozenClock):
            self.clock.advance(_MICROSECOND)

    def do(self, work: Callable[[], T]) -> T:
        """Run something on the server's loop, and wait for it."""
        loop = self._running()
        if threading.get_ident() == self._thread_id:
            return work()
        done: concurrent.futures.Future[T] = concurrent.futures.Future()

        def run() -> None:
            try:
                done.set_result(work())
            except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
                done.set_exception(error)

        loop.call_soon_threadsafe(run)
        return done.result(_PATIENCE)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError(
                "the fake is not running: write `async with FakeSayso() as fake:`, or `with` without async"
            )
        return self._loop
