"""The client: one brand's way to one server."""

import asyncio
import os
import threading
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn, Self

import aiohttp

from sayso.catalogue import read_catalogue
from sayso.client.asker import Asker, Check
from sayso.client.choice import Choice
from sayso.client.consumer import Consumer
from sayso.client.decision import Decision
from sayso.client.faults import checked_consumer_id, invalid, reading
from sayso.client.memory import Memory
from sayso.client.parts import Parts
from sayso.client.recorded import Recorded
from sayso.client.recorder import Recorder
from sayso.client.reported import CataloguePublished, Published
from sayso.client.settings import read_environment
from sayso.errors import ConfigurationError
from sayso.model.catalogue import Catalogue
from sayso.transport.address import check_address
from sayso.transport.clock import SYSTEM_CLOCK, Clock
from sayso.transport.http import Transport
from sayso.transport.sessions import Sessions
from sayso.transport.tokens import TokenMinter
from sayso.wire import Code, Role

if TYPE_CHECKING:
    from sayso.client.sync import SyncClient

MAX_STALENESS = timedelta(seconds=5)
TIME_BOX = timedelta(seconds=30)


class Client:
    """Records choices and answers checks for one brand.

    Use it as `async with`, or call `start()` and `aclose()`, or neither: it opens what it needs on first use. It
    belongs to no event loop: each loop gets a session of its own, closed with the loop, so one client serves a web
    application, `asyncio.run` per job and threads alike. For code without a loop there is `sync()`.

    Every command that gets no answer is sent again until `time_box` is over, with the same ids, so nothing is
    recorded twice.
    """

    def __init__(
        self,
        url: str,
        key_id: str,
        secret: str,
        *,
        session: aiohttp.ClientSession | None = None,
        max_staleness: timedelta = MAX_STALENESS,
        time_box: timedelta = TIME_BOX,
        language: str = "en",
        trust_env: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Take where the server is and which key signs. Nothing is sent.

        Args:
            url: The server's address: https, or plain http on this machine. Redirects are never followed.
            key_id: As `sayso-server brand create` printed it.
            secret: The key's secret.
            session: A session of your own, for a special connector or tracing. It stays yours and is never closed
                here. It serves the loop it is passed on; other loops get sessions made here.
            max_staleness: How long a snapshot allows anything, from the start of the request that brought it.
                A withdrawal made elsewhere takes hold within this time.
            time_box: How long one command may take, with all its attempts and waits. Checks take a second at most.
            language: What `Decision.explain` speaks.
            trust_env: Whether sessions made here use the proxy that the environment names (`HTTPS_PROXY`, `.netrc`).
            clock: Time, for tests.

        Raises:
            ConfigurationError: The address or the key won't do.
        """
        if max_staleness <= timedelta(0) or time_box <= timedelta(0):
            raise ConfigurationError("max_staleness and time_box are longer than nothing", code="bad_setting")
        self._minter = TokenMinter(key_id, secret, clock=clock)
        self._sessions = Sessions(session, trust_env=trust_env)
        self._transport = Transport(check_address(url), self._minter, self._sessions, clock=clock, time_box=time_box)
        memory = Memory()
        self._parts = Parts(
            self._transport,
            Recorder(self._transport, memory, clock),
            Asker(self._transport, memory, clock, max_staleness=max_staleness, language=language),
            memory,
            clock,
        )
        self._facade: SyncClient | None = None
        self._facade_lock = threading.Lock()

    @classmethod
    def from_env(
        cls,
        *,
        session: aiohttp.ClientSession | None = None,
        max_staleness: timedelta = MAX_STALENESS,
        time_box: timedelta = TIME_BOX,
        language: str = "en",
        trust_env: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> Self:
        """Make a client from `SAYSO_URL`, `SAYSO_KEY_ID` and `SAYSO_SECRET`; the arguments are those of `Client`.

        Raises:
            ConfigurationError: One is missing or won't do; the message names it and how to get it.
        """
        settings = read_environment()
        check_address(settings.url, name="SAYSO_URL")
        return cls(
            settings.url,
            settings.key_id,
            settings.secret,
            session=session,
            max_staleness=max_staleness,
            time_box=time_box,
            language=language,
            trust_env=trust_env,
            clock=clock,
        )

    @property
    def brand(self) -> str:
        """The brand that the key belongs to."""
        return self._minter.brand_id

    async def start(self) -> None:
        """Open what this loop needs, so that the first call doesn't wait for it. Does nothing the second time."""
        self._sessions.reopen()
        if self._sessions.ready() is None:
            await self._sessions.open()

    async def aclose(self) -> None:
        """Close what was opened, on every loop. Does nothing the second time; `start` opens again."""
        with self._facade_lock:
            facade, self._facade = self._facade, None
        if facade is not None:
            await asyncio.to_thread(facade.close)
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __enter__(self) -> NoReturn:
        raise TypeError("write `async with` for this client, or `with privacy.sync() as privacy:` in synchronous code")

    def __exit__(self, *_: object) -> None:
        """Only so that `with` gets as far as the sentence above."""

    def consumer(self, consumer_id: str) -> Consumer:
        """Give the handle on one consumer. Nothing is sent.

        Raises:
            InvalidError: The id won't do, for example because it is an e-mail address: see `sayso.pseudonym`.
        """
        return Consumer(checked_consumer_id(consumer_id), self._parts)

    async def record_many(self, choices: Iterable[Choice]) -> list[Recorded]:
        """Record choices of any consumers, 500 to a request.

        Each request is recorded whole or not at all. If one fails, those before it are recorded; sending the same
        `Choice` objects again is safe.

        Returns:
            What was recorded, in the order given.

        Raises:
            Error: The class says why; nothing of that request was recorded, or with UnavailableError nobody knows.
        """
        return await self._parts.recorder.record_all(list(choices))

    async def decide_many(
        self, checks: Iterable[Check | tuple[str, str] | tuple[str, str, str | None]]
    ) -> list[Decision]:
        """Ask many questions, 500 to a request.

        Args:
            checks: Each a `Check`, or just `(consumer_id, topic)` or `(consumer_id, topic, device)`.

        Returns:
            Always a decision for each, in the order given; `unavailable` in an outage.

        Raises:
            InvalidError: A consumer's id or `as_of` won't do.
            NotAuthenticatedError, ForbiddenError: The key is not accepted.
        """
        asked = [Check(*check) for check in checks]
        for check in asked:
            checked_consumer_id(check.consumer_id)
        return await self._parts.asker.decide(asked)

    async def catalogue(self) -> Published:
        """Fetch the catalogue in force.

        Raises:
            Error: The class says why.
        """
        answer = await self._transport.call("GET", "/v1/catalogue")
        with reading():
            return Published.from_wire(answer.data)

    async def publish_catalogue(self, catalogue: Catalogue | str | os.PathLike[str]) -> CataloguePublished:
        """Publish a catalogue. Needs a key with the role `admin`.

        Args:
            catalogue: A catalogue, or the path of a TOML file.

        Raises:
            CatalogueError: The file can't be read; `found` names table and key.
            ForbiddenError: The key has no role `admin`.
            InvalidError: The server's lint refuses it; `problems` has every finding.
        """
        if not isinstance(catalogue, Catalogue):
            catalogue = await asyncio.to_thread(read_catalogue, catalogue)
        answer = await self._transport.call("PUT", "/v1/catalogue", catalogue.canonical_json(), scope=Role.ADMIN.value)
        with reading():
            return CataloguePublished(answer.data["revision"], answer.data.get("changed", True) is True)

    def consumer_token(self, consumer_id: str, *, origins: Iterable[str], ttl: timedelta = timedelta(minutes=5)) -> str:
        """Sign a token with which a page or an app acts for one consumer. Nothing is sent.

        Args:
            consumer_id: Whom it speaks for; it reaches nobody else.
            origins: The pages it may be used on, such as `https://dealer.example`; `app` for an app without Origin.
            ttl: How long it holds, 15 minutes at most.

        Raises:
            InvalidError: The id, an origin or the time won't do.
        """
        checked_consumer_id(consumer_id)
        try:
            return self._minter.consumer_token(consumer_id, origins=origins, ttl=ttl)
        except ValueError as error:
            raise invalid("/token", Code.INVALID_VALUE, str(error)) from None

    def sync(self) -> "SyncClient":
        """Give the same client for code without an event loop; always the same one, with its own thread and loop."""
        from sayso.client.sync import SyncClient  # noqa: PLC0415 - it knows this module

        with self._facade_lock:
            if self._facade is None or self._facade.closed:
                self._facade = SyncClient(self)
            return self._facade

    def __repr__(self) -> str:
        return f"<Client of {self.brand}>"
