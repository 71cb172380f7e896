"""The fake service: the server's own application over storage in memory, on this machine's loopback."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from os import PathLike
from types import TracebackType
from typing import Any, Self

from sayso.client.faults import checked_consumer_id
from sayso.model.catalogue import Catalogue
from sayso.model.ids import ID_PATTERN
from sayso.testing.arranger import Arranger, not_taken
from sayso.testing.arranging import FakeConsumer
from sayso.testing.at_once import at_once
from sayso.testing.backend import Backend
from sayso.testing.brand import CATALOGUE_FILE, ORIGIN, Changes, Credentials, catalogue_of, changed
from sayso.testing.clock import FrozenClock
from sayso.testing.disclosed import Disclosed, all_of
from sayso.testing.privacy import Privacy
from sayso.testing.threads import LoopThread
from sayso.transport.clock import Clock
from sayso.wire import Role
from sayso_server.services.refusals import RefusedError


class FakeSayso:
    """A Sayso server for tests, with one brand, a catalogue and keys made on the spot. Nothing of it is a stand-in.

    `async with FakeSayso() as fake:` runs it on the loop of the test; `with FakeSayso() as fake:` on a thread of its
    own, for synchronous tests. `fake.client()` is a client of it. It listens on this machine's loopback only, holds
    everything in memory, and ends with the block, and with it the clients that it made.

    Attributes:
        brand: The brand's id.
        clock: The time of the server and of the clients that it makes.
        url: Where it listens; empty while it doesn't.
    """

    def __init__(
        self,
        catalogue: "Catalogue | str | PathLike[str]" = CATALOGUE_FILE,
        *,
        clock: Clock | None = None,
        brand: str = "dealer",
        origins: Iterable[str] = (ORIGIN, "app"),
    ) -> None:
        """Start nothing yet.

        Args:
            catalogue: What the brand publishes: a catalogue, or the path of a TOML file. By default a small one with
                a topic of each kind, `sayso.testing.CATALOGUE_FILE`.
            clock: The time; by default a `FrozenClock` that starts at the machine's. `SYSTEM_CLOCK` for a client of
                your own that goes by the machine's time for longer than half a minute.
            brand: The brand's id.
            origins: Where consumer tokens may be used from.

        Raises:
            CatalogueError: The catalogue can't be read; `found` names table and key.
        """
        if not ID_PATTERN.fullmatch(brand):
            raise ValueError(
                "a brand id is 1 to 128 letters, digits or . _ : @ + = - and starts with a letter or digit"
            )
        self.brand = brand
        self.clock: Clock = FrozenClock() if clock is None else clock
        self._origins = tuple(origins)
        self._published = catalogue_of(catalogue)
        self._backend = Backend(brand, self.clock)
        self._thread: LoopThread | None = None
        self._clients: list[Privacy] = []

    # --- start and stop ---

    async def start(self) -> None:
        """Start on the running loop. Does nothing the second time.

        Raises:
            InvalidError: The server's lint refuses the catalogue; `problems` has every finding.
        """
        await self._backend.start(self._published, self._origins)

    async def aclose(self) -> None:
        """Stop, and close the clients that it made. Does nothing the second time."""
        clients, self._clients = self._clients, []
        for client in clients:
            await client.aclose()
        await self._backend.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __enter__(self) -> Self:
        thread = self._thread = LoopThread()
        thread.start()
        try:
            thread.run(self.start())
        except BaseException:
            thread.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.run(self.aclose())
            thread.stop()

    # --- who talks to it ---

    @property
    def url(self) -> str:
        """Where it listens; empty while it doesn't."""
        return self._backend.url

    @property
    def environment(self) -> dict[str, str]:
        """What `Client.from_env` reads, for code that makes its own client: `monkeypatch.setenv(name, value)`."""
        key = self.credentials()
        return {"SAYSO_URL": self.url, "SAYSO_KEY_ID": key.key_id, "SAYSO_SECRET": key.secret}

    def credentials(self, role: Role | str = Role.BACKEND) -> Credentials:
        """Give a key of the brand: `backend`, the kind that `brand create` makes, `admin` or `privacy_officer`."""
        return self._backend.credentials(role)

    def client(self, *, role: Role | str = Role.BACKEND, **settings: Any) -> Privacy:
        """Make a client of the fake, by its clock. It is closed with the fake.

        It asks for every check, so that what a test arranges holds at once; `live=True` makes it keep a cache.

        Args:
            role: Which of the brand's keys it signs with: `backend`, `admin` or `privacy_officer`.
            settings: As for `sayso.Client`.
        """
        client = Privacy(self, self._backend, self.credentials(role), settings)
        self._clients.append(client)
        return client

    def consumer(self, consumer_id: str) -> FakeConsumer:
        """Give a handle that arranges what a consumer has said: `fake.consumer("cust-42").grants("channel:sms")`.

        Raises:
            InvalidError: The id won't do.
        """
        return FakeConsumer(checked_consumer_id(consumer_id), Arranger(self._backend, consumer_id))

    # --- its catalogue ---

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue in force."""
        return self._backend.services.catalogues.of(self.brand).catalogue

    def republish(self, catalogue: "Catalogue | str | PathLike[str] | Changes") -> int:
        """Publish another catalogue, or change tables of this one. Nobody asks about what it would newly share.

        Args:
            catalogue: A catalogue, the path of a TOML file, or what changes:
                `{"topics": {"purpose:marketing": {"version": 2}}}`. A table that becomes None is taken out.

        Returns:
            The revision that is in force now.

        Raises:
            CatalogueError: It can't be read; `found` names table and key.
            InvalidError: The server's lint refuses it; `problems` has every finding.
        """
        wanted = changed(self.catalogue, catalogue) if isinstance(catalogue, dict) else catalogue_of(catalogue)  # type: ignore[arg-type]
        publishing = self._backend.services.publishing
        try:
            return self._backend.do(
                lambda: at_once(publishing.publish(self.brand, wanted, allow_newly_shared=True))
            ).revision
        except RefusedError as refused:
            raise not_taken(refused) from None

    # --- what it was told ---

    @property
    def disclosures(self) -> list[Disclosed]:
        """Every hand-over to or from a partner that it was told of, in the order it was."""
        return self._backend.do(lambda: all_of(self._backend.services, self.brand))

    # --- what is wrong with the network ---

    def outage(self) -> AbstractContextManager[None]:
        """Cut every connection, and let no new one live, for as long as the block runs."""
        return self._backend.faults.outage()

    def slow(self, seconds: float) -> AbstractContextManager[None]:
        """Let each answer take so long.

        A client that the fake made waits by the clock of both, without waiting for real where that is a
        `FrozenClock`, and gives up when it would have. Any other client really waits.
        """
        return self._backend.faults.slow(seconds)

    def flaky(self, rate: float, seed: int = 0) -> AbstractContextManager[None]:
        """Lose a share of the requests, from 0 to 1: half of them on the way there, half on the way back.

        The same calls are lost in every run; another seed loses others.
        """
        return self._backend.faults.flaky(rate, seed)

    def __repr__(self) -> str:
        return f"<FakeSayso of {self.brand}>"
