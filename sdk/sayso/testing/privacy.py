"""A client of a fake: `sayso.Client` as it is, with handles that also arrange, and the fake's faults at hand."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from os import PathLike
from typing import TYPE_CHECKING, Any

from sayso.client.client import Client
from sayso.client.consumer import Consumer
from sayso.client.faults import checked_consumer_id
from sayso.client.parts import Parts
from sayso.client.portal import Portal
from sayso.client.sync import SyncClient, SyncConsumer
from sayso.model.catalogue import Catalogue
from sayso.testing.arranger import Arranger
from sayso.testing.arranging import Arranging
from sayso.testing.backend import Backend
from sayso.testing.brand import Changes, Credentials
from sayso.testing.clock import FrozenClock
from sayso.testing.disclosed import assert_nothing_shared, assert_shared
from sayso.testing.transport import PatientTransport

if TYPE_CHECKING:
    from sayso.testing.fake import FakeSayso


class PrivacyConsumer(Arranging, Consumer):
    """One consumer: what `sayso.Consumer` does is awaited, what `Arranging` does has happened."""

    __slots__ = ("_arranger",)

    def __init__(self, consumer_id: str, parts: Parts, arranger: Arranger) -> None:
        """Take what a consumer takes, and what records; made by `Privacy.consumer`."""
        Consumer.__init__(self, consumer_id, parts)
        self._arranger = arranger


class AtTheFake:
    """What a fake's clients can do to it, and ask it."""

    fake: "FakeSayso"
    """The server."""

    if TYPE_CHECKING:  # each client has its own

        @property
        def pending(self) -> int:  # noqa: D102 - documented at the clients
            ...

    @property
    def clock(self) -> FrozenClock:
        """The time: `privacy.clock.advance(timedelta(days=366))`.

        Raises:
            TypeError: The fake was made with another clock, which nobody can move.
        """
        clock = self.fake.clock
        if not isinstance(clock, FrozenClock):
            raise TypeError("this fake goes by a clock that can't be moved; make it without `clock=`")
        return clock

    def outage(self) -> AbstractContextManager[None]:
        """Let nobody reach the server for as long as the block runs: see `FakeSayso.outage`."""
        return self.fake.outage()

    def slow(self, seconds: float) -> AbstractContextManager[None]:
        """Let each answer take so long: see `FakeSayso.slow`."""
        return self.fake.slow(seconds)

    def flaky(self, rate: float, seed: int = 0) -> AbstractContextManager[None]:
        """Lose a share of the requests: see `FakeSayso.flaky`."""
        return self.fake.flaky(rate, seed)

    def republish(self, catalogue: "Catalogue | str | PathLike[str] | Changes") -> int:
        """Publish another catalogue, or change tables of this one: see `FakeSayso.republish`."""
        return self.fake.republish(catalogue)

    def assert_shared(self, partner: str, *, without: Iterable[str] = (), consumer: str | None = None) -> None:
        """Fail unless something was handed over to a partner, each time without certain fields.

        Args:
            partner: Its key in the catalogue, such as `vinsolutions`.
            without: Fields that must have stayed, such as `email`; with each all that is in it.
            consumer: Whose data it was; anybody's by default.

        Raises:
            AssertionError: It was not, with the list of all that was told.
        """
        self._assert_told()
        assert_shared(self.fake.disclosures, partner, without, consumer)

    def assert_nothing_shared(self, partner: str | None = None, *, consumer: str | None = None) -> None:
        """Fail if anything was handed over to a partner, or may have been.

        Args:
            partner: Its key in the catalogue; any by default.
            consumer: Whose data it was; anybody's by default.

        Raises:
            AssertionError: Something was, with the list of all that was told.
        """
        self._assert_told()
        assert_nothing_shared(self.fake.disclosures, partner, consumer)

    def _assert_told(self) -> None:
        if self.pending:
            raise AssertionError(
                f"{self.pending} entries still wait in the client's outbox, hand-overs perhaps among them; after the "
                "outage write `await privacy.flush()`, then assert"
            )


class Privacy(Client, AtTheFake):
    """A client of a fake, from `fake.client()` or the fixture `privacy`."""

    def __init__(self, fake: "FakeSayso", backend: Backend, key: Credentials, settings: Mapping[str, Any]) -> None:
        """Take the fake and a key of its brand; made by `FakeSayso.client`.

        Args:
            fake: The server.
            backend: What runs behind it.
            key: What it signs with.
            settings: As for `Client`.
        """
        self.fake = fake
        self._backend = backend

        def patient(*arguments: Any, **named: Any) -> PatientTransport:
            return PatientTransport(*arguments, faults=backend.faults, **named)

        self._make_transport = patient
        Client.__init__(self, fake.url, key.key_id, key.secret, **{"clock": fake.clock, "live": False, **settings})
        self._parts.recorder.offline.warned = True  # what a test records has nothing to outlive

    def consumer(self, consumer_id: str) -> PrivacyConsumer:
        """Give the handle on one consumer. Nothing is sent.

        Raises:
            InvalidError: The id won't do.
        """
        arranger = Arranger(self._backend, checked_consumer_id(consumer_id), self._parts.memory.saw_version)
        return PrivacyConsumer(consumer_id, self._parts, arranger)

    def sync(self) -> "SyncPrivacy":
        """Give the same client for code without an event loop; always the same one, with its own thread and loop."""
        with self._facade_lock:
            if not isinstance(self._facade, SyncPrivacy) or self._facade.closed:
                self._facade = SyncPrivacy(self)
            return self._facade


class SyncPrivacyConsumer(Arranging, SyncConsumer):
    """One consumer, for synchronous tests."""

    __slots__ = ("_arranger",)

    def __init__(self, consumer: PrivacyConsumer, portal: Portal) -> None:
        """Take the handle and what runs it; made by `SyncPrivacy.consumer`."""
        SyncConsumer.__init__(self, consumer, portal)
        self._arranger = consumer._arranger


class SyncPrivacy(SyncClient, AtTheFake):
    """A client of a fake whose every call waits for its answer, from `privacy.sync()` or the fixture `privacy_sync`."""

    def __init__(self, client: Privacy) -> None:
        """Take the client; made by `Privacy.sync`."""
        SyncClient.__init__(self, client)
        self.fake = client.fake
        self._privacy = client

    def consumer(self, consumer_id: str) -> SyncPrivacyConsumer:
        """Give the handle on one consumer. Nothing is sent.

        Raises:
            InvalidError: The id won't do.
        """
        return SyncPrivacyConsumer(self._privacy.consumer(consumer_id), self._portal)
