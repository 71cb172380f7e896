"""Fetching snapshots: never older than anything this process has seen, and no more requests than it takes."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

from sayso.client.check import snapshot_query
from sayso.client.faults import reading
from sayso.client.forgetting import Forgetting
from sayso.client.memory import Memory
from sayso.errors import ConflictError, Error, UnavailableError
from sayso.local.answers import Answers
from sayso.local.cache import Cache
from sayso.local.flights import Flight
from sayso.local.floor import Floor
from sayso.local.live import Live
from sayso.model.ids import is_anonymous
from sayso.model.instant import parse_instant
from sayso.transport.codec import dumps, loads
from sayso.transport.http import Transport
from sayso.wire import MAX_CONSUMERS

_MANY = "/v1/preferences"
_Key = tuple[asyncio.AbstractEventLoop, str, int | None]


class Got(NamedTuple):
    """What the server said.

    Attributes:
        consumer_id: Whose answers they are.
        version: Of that consumer.
        asked_at: The boot clock when the request began.
        data: The snapshot; None if only its answers were wanted and nothing has changed.
    """

    consumer_id: str
    version: int
    asked_at: float
    data: dict[str, Any] | None


class Snapshots:
    """Asks for one consumer's preferences, and fills the cache with them.

    Attributes:
        aliases: Which visitors turned out to be whom.
        forgetting: Told of those who turn out to be erased.
    """

    def __init__(
        self,
        transport: Transport,
        memory: Memory,
        cache: Cache,
        floor: Floor,
        live: Live,
        *,
        forgetting: Forgetting,
        max_staleness: timedelta,
    ) -> None:
        """Take what it works with."""
        self.forgetting = forgetting
        self._transport = transport
        self._memory = memory
        self._cache = cache
        self._floor = floor
        self._live = live
        self._max_staleness = max_staleness.total_seconds()
        self.aliases = cache.vouched.aliases
        self._flying: dict[_Key, asyncio.Future[Answers]] = {}

    def known_id(self, consumer_id: str) -> str:
        """Give the consumer that an id stands for, as far as this process has heard: a visitor may be linked."""
        return self.aliases.known_id(consumer_id)

    def newest(self, consumer_id: str) -> int:
        """Give the newest version of a consumer that this process has seen or heard of; 0 if none."""
        return max(self._memory.version(consumer_id) or 0, self._cache.floor(consumer_id))

    async def whole(self, consumer_id: str, at_least: int | None, time_box: timedelta | None) -> Got:
        """Fetch a snapshot with everything in it.

        Raises:
            ConflictError: The server did not reach `at_least`.
            Error: There is none to rely on; the class says why.
        """
        return await self._get(consumer_id, at_least, time_box, whole=True)

    async def answers(self, consumer_id: str, at_least: int | None, time_box: timedelta) -> Answers:
        """Fetch what a snapshot answers. Whoever asks about the same consumer meanwhile shares the request.

        Raises:
            ConflictError: The server did not reach `at_least`.
            Error: There is none to rely on; the class says why.
        """
        loop = asyncio.get_running_loop()
        key = (loop, consumer_id, at_least)
        while (flying := self._flying.get(key)) is not None:
            try:
                return await asyncio.shield(flying)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not flying.cancelled() or (task is not None and task.cancelling()):
                    raise  # it is this one that was cancelled, not the one that asks
        future: asyncio.Future[Answers] = loop.create_future()
        self._flying[key] = future
        try:
            found = await self._fetch_answers(consumer_id, at_least, time_box)
        except Error as error:
            future.set_exception(error)
            future.exception()  # there may be nobody else to look at it
            raise
        except BaseException:
            future.cancel()
            raise
        finally:
            del self._flying[key]
        future.set_result(found)
        return found

    async def past(self, consumer_id: str, query: str, time_box: timedelta | None) -> Got:
        """Fetch what held at a past moment."""
        answer = await self._transport.call("GET", _path(consumer_id, query), time_box=time_box)
        data = self._read(consumer_id, answer.data)
        return Got(data["consumer_id"], int(data["version"]), answer.asked_at, data)

    async def fill(self, consumer_ids: Sequence[str]) -> int:
        """Fetch what is kept of consumers, 500 to a request; give how many are kept.

        Raises:
            Error: The class says why; those fetched before are kept.
        """
        kept = 0
        for start in range(0, len(consumer_ids), MAX_CONSUMERS):
            part = [self.known_id(consumer_id) for consumer_id in consumer_ids[start : start + MAX_CONSUMERS]]
            flight = self._cache.begin(*part)
            try:
                answer = await self._transport.call("POST", _MANY, dumps({"consumer_ids": part}))
                with reading():
                    found = answer.data["preferences"]
                    etags = answer.data.get("etags") or [None] * len(found)
                    for asked, data, etag in zip(part, found, etags, strict=True):
                        read = self._read(asked, data)
                        kept += self._cache.store(flight, read, etag)
            finally:
                self._cache.end(flight)
        return kept

    async def _fetch_answers(self, consumer_id: str, at_least: int | None, time_box: timedelta) -> Answers:
        got = await self._get(consumer_id, at_least, time_box, whole=False)
        until = got.asked_at + self._max_staleness
        if got.data is not None:
            with reading():
                return Answers.from_wire(got.data, until)
        found = self._cache.answers(got.consumer_id, proved_at=until)
        if found is None:  # something became known in the same instant
            raise UnavailableError("the consumer's preferences have just changed; ask again", code="behind")
        return found

    async def _get(self, asked: str, at_least: int | None, time_box: timedelta | None, *, whole: bool) -> Got:
        consumer_id = self.known_id(asked)
        flight = self._cache.begin(consumer_id)
        try:
            # A visitor may have been linked meanwhile, and the known consumer's versions count from another start.
            first = None if is_anonymous(asked) else at_least
            got = await self._get_once(flight, consumer_id, first, time_box, whole=whole)
            if at_least is not None and first is None and got.consumer_id == asked and got.version < at_least:
                got = await self._get_once(flight, consumer_id, at_least, time_box, whole=whole)
            newest = self.newest(got.consumer_id)
            if got.version >= newest:
                return got
            with suppress(ConflictError):
                got = await self._get_once(flight, got.consumer_id, newest, time_box, whole=whole)
        finally:
            self._cache.end(flight)
        if got.version < newest:
            raise UnavailableError("the server answers older preferences than it did before", code="behind")
        return got

    async def _get_once(
        self, flight: Flight, consumer_id: str, at_least: int | None, time_box: timedelta | None, *, whole: bool
    ) -> Got:
        here = self._live.here()
        etag = self._cache.etag(consumer_id, whole=whole) if here else None
        path = _path(consumer_id, snapshot_query(at_least, None))
        answer = await self._transport.call("GET", path, time_box=time_box, etag=etag)
        if etag is not None and answer.unchanged:
            if self._cache.unchanged(flight, consumer_id, etag):
                body = self._cache.body(consumer_id, fresh=False) if whole else None
                if body is not None or not whole:
                    data = None if body is None else loads(body)
                    return Got(consumer_id, self._cache.floor(consumer_id), answer.asked_at, data)
            answer = await self._transport.call("GET", path, time_box=time_box)
        data = self._read(consumer_id, answer.data)
        if here:
            with reading():
                self._cache.store(flight, data, answer.headers.get("ETag"), answer.raw)
        return Got(data["consumer_id"], int(data["version"]), answer.asked_at, data)

    def _read(self, asked: str, answer: Any) -> dict[str, Any]:
        with reading():
            data = dict(answer)
            self._floor.check_store(data["store_id"])
            whose, _ = data["consumer_id"], int(data["version"])
            if data.get("erased") is True and self.forgetting.is_news(whose, data["version"]):
                self.forgetting.erased(whose, data["version"], parse_instant(data["erased_at"]))
            if whose != asked:
                if not is_anonymous(asked) or not isinstance(whose, str):
                    raise ValueError("an answer about somebody else")
                self._cache.linked(asked, whose)
        return data


def _path(consumer_id: str, query: str) -> str:
    return f"/v1/consumers/{consumer_id}/preferences{query}"
