"""The client: one brand's way to one server."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NoReturn, Self

import aiohttp

from sayso.catalogue import read_catalogue
from sayso.client.choice import Choice
from sayso.client.consumer import Consumer
from sayso.client.disclosing import Disclosing
from sayso.client.faults import checked_consumer_id, invalid, reading
from sayso.client.forgetting import Forgetting
from sayso.client.guard import Guard
from sayso.client.keeping import Keeping
from sayso.client.knowing import CACHE_BYTES, CACHE_CONSUMERS, Knowing
from sayso.client.links import refused_topic, unsubscribe_headers, unsubscribe_links
from sayso.client.memory import Memory
from sayso.client.minors import Minors
from sayso.client.offline import Offline
from sayso.client.partner_shares import PartnerShares
from sayso.client.parts import Parts
from sayso.client.recorded import Recorded
from sayso.client.recorder import Recorder
from sayso.client.reported import CataloguePublished, Published
from sayso.client.requests import Requests
from sayso.client.settings import read_environment
from sayso.client.watching import Watching
from sayso.errors import ConfigurationError
from sayso.local.forks import watch
from sayso.local.outbox.build import make_outbox
from sayso.local.outbox.drain import Drainer
from sayso.local.outbox.row import Kind
from sayso.local.outbox.sending import Confirmed
from sayso.local.overlay import Overlay
from sayso.local.status import StatusBoard
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
LAST_SENDING = timedelta(seconds=2)
"""How long closing waits for what is in the outbox to be sent."""


class Client(Keeping, Watching):
    """Records choices and answers checks for one brand.

    Use it as `async with`, or call `start()` and `aclose()`, or neither: it opens what it needs on first use. It
    belongs to no event loop: each loop gets a session of its own, closed with the loop, so one client serves a web
    application, `asyncio.run` per job and threads alike. For code without a loop there is `sync()`.

    A command that gets no answer for two seconds is kept in the outbox and sent once the server answers, with the same
    ids, so nothing is recorded twice. What it refuses counts here from the moment it is made.
    """

    _make_transport: Callable[..., Transport] = Transport  # the test kit puts a patient one in its place

    def __init__(
        self,
        url: str,
        key_id: str,
        secret: str,
        *,
        outbox: str | os.PathLike[str] | Literal[False] | None = None,
        previous_secrets: Sequence[str] = (),
        session: aiohttp.ClientSession | None = None,
        max_staleness: timedelta = MAX_STALENESS,
        time_box: timedelta = TIME_BOX,
        live: bool = True,
        cache_consumers: int = CACHE_CONSUMERS,
        cache_bytes: int = CACHE_BYTES,
        language: str = "en",
        trust_env: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Take where the server is and which key signs. Nothing is sent.

        Args:
            url: The server's address: https, or plain http on this machine. Redirects are never followed.
            key_id: As `sayso-server brand create` printed it.
            secret: The key's secret.
            outbox: The file in which what can't be sent waits, for its owner only, made if need be; several processes
                may share it. None keeps up to 1,000 entries in memory, which end with the process. False keeps
                nothing: commands then raise UnavailableError when `time_box` is over.
            previous_secrets: Secrets that the key, or the brand's key before it, had when entries that are still in
                the outbox were made. Entries under any other secret are parked as tampered with.
            session: A session of your own, for a special connector or tracing. It stays yours and is never closed
                here. It serves the loop it is passed on; other loops get sessions made here.
            max_staleness: How long a snapshot allows anything, from the start of the request that brought it.
                A withdrawal made elsewhere takes hold within this time.
            time_box: How long one command may take, with all its attempts and waits. Checks take a second at most.
            live: Whether `start` follows the changes, so that checks about consumers used lately need no request.
                False: every check asks the server.
            cache_consumers: How many consumers to keep; those not used for longest go first.
            cache_bytes: How much memory they may take.
            language: What `Decision.explain` speaks.
            trust_env: Whether sessions made here use the proxy that the environment names (`HTTPS_PROXY`, `.netrc`).
            clock: Time, for tests.

        Raises:
            ConfigurationError: The address or the key won't do.
        """
        if max_staleness <= timedelta(0) or time_box <= timedelta(0):
            raise ConfigurationError("max_staleness and time_box are longer than nothing", code="bad_setting")
        if cache_consumers < 1 or cache_bytes < 1:
            raise ConfigurationError("the cache has room for one consumer at least", code="bad_setting")
        self._minter = TokenMinter(key_id, secret, clock=clock)
        self._sessions = Sessions(session, trust_env=trust_env)
        address = check_address(url)
        self._transport = self._make_transport(address, self._minter, self._sessions, clock=clock, time_box=time_box)
        memory = self._memory = Memory()
        self._board = StatusBoard(clock)
        if outbox is False:
            self._outbox, self._drainer, overlay = None, None, Overlay()
        else:
            self._outbox = make_outbox(
                outbox, brand=self.brand, url=address, secrets=(secret, *previous_secrets), clock=clock
            )
            self._outbox.back.on_seen = memory.saw_version
            self._drainer = Drainer(self._outbox, self._transport, clock, self._board, self._confirmed)
            overlay = self._outbox.overlay
        offline = Offline(
            overlay, self._outbox, self._drainer, self._board.blocked, time_box, trouble=self._board.trouble
        )
        self._knowing = Knowing(
            self._transport,
            memory=memory,
            overlay=overlay,
            forgetting=Forgetting(memory, self._outbox),
            board=self._board,
            clock=clock,
            brand=self.brand,
            outbox=outbox or None,
            live=live,
            cache_consumers=cache_consumers,
            cache_bytes=cache_bytes,
            max_staleness=max_staleness,
            language=language,
        )
        memory.heard = self._knowing.cache.saw
        shares = PartnerShares(self._knowing.catalogue, clock, max_staleness)
        self._parts = Parts(
            self._transport,
            Recorder(self._transport, memory, clock, offline),
            self._knowing.asker,
            memory,
            clock,
            Guard(self._knowing.asker, shares, Disclosing(self._transport, clock, offline), clock),
        )
        self._facade: SyncClient | None = None
        self._facade_lock = threading.Lock()
        watch(self)

    @classmethod
    def from_env(
        cls,
        *,
        outbox: str | os.PathLike[str] | Literal[False] | None = None,
        previous_secrets: Sequence[str] = (),
        session: aiohttp.ClientSession | None = None,
        max_staleness: timedelta = MAX_STALENESS,
        time_box: timedelta = TIME_BOX,
        live: bool = True,
        cache_consumers: int = CACHE_CONSUMERS,
        cache_bytes: int = CACHE_BYTES,
        language: str = "en",
        trust_env: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> Self:
        """Make a client from `SAYSO_URL`, `SAYSO_KEY_ID`, `SAYSO_SECRET` and, if set, `SAYSO_OUTBOX`.

        The arguments are those of `Client`, and go before the environment.

        Raises:
            ConfigurationError: One is missing or won't do; the message names it and how to get it.
        """
        settings = read_environment()
        check_address(settings.url, name="SAYSO_URL")
        return cls(
            settings.url,
            settings.key_id,
            settings.secret,
            outbox=settings.outbox if outbox is None else outbox,
            previous_secrets=previous_secrets,
            session=session,
            max_staleness=max_staleness,
            time_box=time_box,
            live=live,
            cache_consumers=cache_consumers,
            cache_bytes=cache_bytes,
            language=language,
            trust_env=trust_env,
            clock=clock,
        )

    @property
    def brand(self) -> str:
        """The brand that the key belongs to."""
        return self._minter.brand_id

    @property
    def requests(self) -> Requests:
        """The officers' side of rights requests; the client's key needs the role `privacy_officer`."""
        return Requests(self._transport)

    @property
    def minors(self) -> Minors:
        """What waits for guardians' links, and who is held because they are believed to be under age."""
        return Minors(self._transport)

    async def start(self) -> None:
        """Open what this loop needs, so that the first call doesn't wait for it. Does nothing the second time."""
        self._sessions.reopen()
        if self._sessions.ready() is None:
            await self._sessions.open()
        if self._outbox is not None and self._drainer is not None:
            await self._outbox.open()
            self._drainer.start()
            self._parts.recorder.offline.warn()
        await self._knowing.start()

    async def aclose(self) -> None:
        """Close what was opened, on every loop. Does nothing the second time; `start` opens again.

        What waits in the outbox is sent first, for two seconds at most; the rest stays on disk.
        """
        with self._facade_lock:
            facade, self._facade = self._facade, None
        if facade is not None:
            await asyncio.to_thread(facade.close)
        async with AsyncExitStack() as closing:  # from the last to the first, and whatever fails, the others too
            closing.push_async_callback(self._transport.aclose)
            if self._outbox is not None and self._drainer is not None:
                closing.push_async_callback(self._outbox.close)
                closing.push_async_callback(self._drainer.finish, LAST_SENDING.total_seconds())
            closing.push_async_callback(self._knowing.stop)

    async def leave(self) -> None:
        """Let the running loop end: send what waits, for two seconds at most, and stop what runs on it.

        What runs on another loop goes on there.
        """
        await self._knowing.leave()
        if self._outbox is not None and self._drainer is not None and self._drainer.runs_here:
            await self._drainer.finish(LAST_SENDING.total_seconds())
            await self._outbox.close(final=False)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.aclose()  # nobody else will, for what never began
            raise
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

    async def catalogue(self) -> Published:
        """Fetch the catalogue in force.

        Raises:
            Error: The class says why.
        """
        answer = await self._transport.call("GET", "/v1/catalogue")
        with reading():
            return Published.from_wire(answer.data)

    async def publish_catalogue(
        self, catalogue: Catalogue | str | os.PathLike[str], *, allow_newly_shared: bool = False
    ) -> CataloguePublished:
        """Publish a catalogue. Needs a key with the role `admin`.

        Args:
            catalogue: A catalogue, or the path of a TOML file.
            allow_newly_shared: Publish it also if it would have let out data that the hand-overs of the last 30 days
                kept back.

        Raises:
            CatalogueError: The file can't be read; `found` names table and key.
            ForbiddenError: The key has no role `admin`.
            InvalidError: The server's lint refuses it, or it would newly let out data (`newly_shared`); `problems` has
                every finding.
        """
        if not isinstance(catalogue, Catalogue):
            catalogue = await asyncio.to_thread(read_catalogue, catalogue)
        path = "/v1/catalogue?allow_newly_shared=true" if allow_newly_shared else "/v1/catalogue"
        content = catalogue.model_copy(update={"history": {}}).canonical_json()  # the server keeps that
        answer = await self._transport.call("PUT", path, content, scope=Role.ADMIN.value)
        with reading():
            return CataloguePublished(answer.data["revision"], answer.data.get("changed", True) is True)

    async def unsubscribe_links(
        self,
        consumer_ids: Iterable[str],
        topic: str = "channel:email",
        *,
        sender: str | None = None,
        language: str | None = None,
    ) -> dict[str, str]:
        """Make an unsubscribe link for each of many consumers, 500 to a request: see `Consumer.unsubscribe_link`.

        Args:
            consumer_ids: Whom the messages go to.
            topic: What the links refuse; a channel also in short (`email`).
            sender: For a channel: only what this sender sends.
            language: The page's, where the browser names none that it speaks.

        Returns:
            The links by consumer.

        Raises:
            InvalidError: There is no such topic, or nobody can refuse it.
            Error: The class says why.
        """
        given = {"topic": refused_topic(topic), "sender": sender, "language": language}
        members = {name: value for name, value in given.items() if value is not None}
        return await unsubscribe_links(self._transport, consumer_ids, members)

    @staticmethod
    def unsubscribe_headers(link: str) -> dict[str, str]:
        """Give the headers that go with a link: a mail program's own unsubscribe button (RFC 8058). Nothing is sent.

        Args:
            link: What `unsubscribe_links` or `Consumer.unsubscribe_link` gave.

        Raises:
            InvalidError: That is no address.
        """
        return unsubscribe_headers(link)

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

    def _confirmed(self, confirmed: Confirmed) -> None:
        """Take note of an entry of the outbox that the server has."""
        row, consumer_id, version, stands = confirmed
        if row.kind == Kind.CHOICE:
            self._memory.saw_choice(consumer_id, version, row.topic, not row.refuses, stands)
        elif version:
            self._memory.saw_version(consumer_id, version)

    def before_fork(self) -> None:
        """Do nothing: nothing here is under way between two calls."""

    def after_fork_in_parent(self) -> None:
        """Do nothing."""

    def after_fork_in_child(self) -> None:
        """Leave the parent's connections to it."""
        self._facade_lock = threading.Lock()
        self._sessions.after_fork()

    def __repr__(self) -> str:
        return f"<Client of {self.brand}>"
