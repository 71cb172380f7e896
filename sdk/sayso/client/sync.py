"""The same client for code without an event loop: Flask, synchronous Django, Celery, Rasa's synchronous actions."""

from collections.abc import Callable, Coroutine, Iterable, Iterator
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, overload

from sayso.client.client import Client
from sayso.client.consumer import Consumer
from sayso.client.history import PastChoice
from sayso.client.may_ask import MayAsk
from sayso.client.portal import Portal
from sayso.client.recorded import Recorded
from sayso.client.sync_minors import SyncMinors
from sayso.client.sync_requests import SyncRequests
from sayso.client.sync_sharing import SyncSharing
from sayso.local.outbox.notices import Loss, Parked
from sayso.local.status import Status
from sayso.model.choice import Method
from sayso.model.topic import Flow

P = ParamSpec("P")
T = TypeVar("T")


def _of_consumer(
    method: Callable[Concatenate[Consumer, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate["SyncConsumer", P], T]:
    @wraps(method)
    def blocking(self: "SyncConsumer", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._portal.run(method(self._consumer, *args, **kwargs))

    return blocking


def _of_client(
    method: Callable[Concatenate[Client, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate["SyncClient", P], T]:
    @wraps(method)
    def blocking(self: "SyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._portal.run(method(self._client, *args, **kwargs))

    return blocking


class SyncConsumer:
    """A handle on one consumer whose every call waits for its answer. What each does is said at `Consumer`."""

    __slots__ = ("_consumer", "_portal")

    def __init__(self, consumer: Consumer, portal: Portal) -> None:
        """Take the handle and what runs it; made by `SyncClient.consumer`."""
        self._consumer = consumer
        self._portal = portal

    @property
    def id(self) -> str:
        """The brand's own id of the consumer."""
        return self._consumer.id

    grant = _of_consumer(Consumer.grant)
    deny = _of_consumer(Consumer.deny)
    withdraw = _of_consumer(Consumer.withdraw)
    withdraw_all = _of_consumer(Consumer.withdraw_all)
    opt_in = _of_consumer(Consumer.opt_in)
    report_device = _of_consumer(Consumer.report_device)
    report_signal = _of_consumer(Consumer.report_signal)
    report_signals = _of_consumer(Consumer.report_signals)
    report_age = _of_consumer(Consumer.report_age)
    report_age_signal = _of_consumer(Consumer.report_age_signal)
    signals_from = _of_consumer(Consumer.signals_from)
    link = _of_consumer(Consumer.link)
    erase = _of_consumer(Consumer.erase)
    may_contact = _of_consumer(Consumer.may_contact)
    inbound_sms = _of_consumer(Consumer.inbound_sms)
    unsubscribe_link = _of_consumer(Consumer.unsubscribe_link)
    unsubscribe_headers = _of_consumer(Consumer.unsubscribe_headers)
    preferences_link = _of_consumer(Consumer.preferences_link)
    ask_guardian = _of_consumer(Consumer.ask_guardian)
    confirm_guardian = _of_consumer(Consumer.confirm_guardian)
    hold_for_age = _of_consumer(Consumer.hold_for_age)
    request = _of_consumer(Consumer.request)
    requests = _of_consumer(Consumer.requests)
    revoke_request = _of_consumer(Consumer.revoke_request)
    decide = _of_consumer(Consumer.decide)
    preferences = _of_consumer(Consumer.preferences)
    disclosures = _of_consumer(Consumer.disclosures)
    shown = _of_consumer(Consumer.shown)

    @overload
    def opt_out(
        self, partner: str, flow: Flow | str, *, method: Method | str = ..., made_at: datetime | None = ...
    ) -> Recorded: ...

    @overload
    def opt_out(
        self, partner: str, flow: None = None, *, method: Method | str = ..., made_at: datetime | None = ...
    ) -> list[Recorded]: ...

    def opt_out(
        self,
        partner: str,
        flow: Flow | str | None = None,
        *,
        method: Method | str = Method.API,
        made_at: datetime | None = None,
    ) -> Recorded | list[Recorded]:
        """Record that the consumer's data is to stay away from a partner: see `Consumer.opt_out`."""
        if flow is not None:
            return self._portal.run(self._consumer.opt_out(partner, flow, method=method, made_at=made_at))
        return self._portal.run(self._consumer.opt_out(partner, method=method, made_at=made_at))

    def allows(self, topic: str, device: str | None = None, *, at_least: int | None = None) -> bool:
        """Tell whether something may be done now; False in an outage, within a second. See `Consumer.allows`."""

        async def ask() -> bool:
            return await self._consumer.allows(topic, device, at_least=at_least)

        return self._portal.run(ask())

    def may_ask(self, topic: str) -> MayAsk:
        """Tell whether the consumer may be asked about a topic now. See `Consumer.may_ask`."""

        async def ask() -> MayAsk:
            return await self._consumer.may_ask(topic)

        return self._portal.run(ask())

    def sharing(self, partner: str, device: str | None = None) -> SyncSharing:
        """Hand data to a partner: `with ann.sharing("vinsolutions") as out:`. See `Consumer.sharing`."""
        return SyncSharing(self._consumer.sharing(partner, device), self._portal)

    def history(self, limit: int | None = None) -> Iterator[PastChoice]:
        """Go through every choice ever recorded, newest first: see `Consumer.history`."""
        pages = self._consumer.history(limit)

        async def following() -> PastChoice | None:
            return await anext(pages, None)

        while (choice := self._portal.run(following())) is not None:
            yield choice

    def __repr__(self) -> str:
        return "<SyncConsumer>"


class SyncClient:
    """A client whose every call waits for its answer, from `privacy.sync()`. What each does is said at `Client`.

    Its thread and loop start on first use and end with `close()`, with the client's `aclose()`, or with the
    interpreter. It may be used from any thread, and inside another loop's callback, which it blocks. After a fork the
    child starts its own. What the async client does on the loop that started it, it does on this one: what waits in the
    outbox is sent while the program does other things.
    """

    def __init__(self, client: Client) -> None:
        """Take the client; made by `Client.sync`."""
        self._client = client
        self._portal = Portal(client.start, client.leave)

    @property
    def brand(self) -> str:
        """The brand that the key belongs to."""
        return self._client.brand

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._portal.closed

    @property
    def requests(self) -> SyncRequests:
        """The officers' side of rights requests: see `Client.requests`."""
        return SyncRequests(self._client.requests, self._portal)

    @property
    def minors(self) -> SyncMinors:
        """What waits for guardians' links, and who is held: see `Client.minors`."""
        return SyncMinors(self._client.minors, self._portal)

    start = _of_client(Client.start)
    flush = _of_client(Client.flush)
    record_many = _of_client(Client.record_many)
    decide_many = _of_client(Client.decide_many)
    prefetch = _of_client(Client.prefetch)
    catalogue = _of_client(Client.catalogue)
    unsubscribe_links = _of_client(Client.unsubscribe_links)
    unsubscribe_headers = staticmethod(Client.unsubscribe_headers)
    publish_catalogue = _of_client(Client.publish_catalogue)

    @property
    def pending(self) -> int:
        """How many entries wait in the outbox to be sent."""
        return self._client.pending

    def on_parked(self, callback: Callable[[Parked], object]) -> None:
        """Have a function called for each entry that is parked, on the facade's thread: see `Client.on_parked`."""
        self._client.on_parked(callback)

    def on_loss(self, callback: Callable[[Loss], object]) -> None:
        """Have a function called when entries are lost, on the facade's thread: see `Client.on_loss`."""
        self._client.on_loss(callback)

    @property
    def status(self) -> Status:
        """How it is doing: see `Client.status`."""
        return self._client.status

    @property
    def status_reason(self) -> str:
        """What stands in the way and what to do about it: see `Client.status_reason`."""
        return self._client.status_reason

    def on_status(self, callback: Callable[[Status], object]) -> Callable[[], None]:
        """Have a function called with every new status, on the client's own thread: see `Client.on_status`."""
        return self._client.on_status(callback)

    def consumer(self, consumer_id: str) -> SyncConsumer:
        """Give the handle on one consumer. Nothing is sent.

        Raises:
            InvalidError: The id won't do.
        """
        return SyncConsumer(self._client.consumer(consumer_id), self._portal)

    def consumer_token(self, consumer_id: str, *, origins: Iterable[str], ttl: timedelta = timedelta(minutes=5)) -> str:
        """Sign a token with which a page or an app acts for one consumer: see `Client.consumer_token`."""
        return self._client.consumer_token(consumer_id, origins=origins, ttl=ttl)

    def close(self) -> None:
        """End its thread and loop, and with them its session. Does nothing the second time.

        What waits in the outbox is sent first, for two seconds at most; the rest stays on disk.
        """
        self._portal.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SyncClient of {self.brand}>"
