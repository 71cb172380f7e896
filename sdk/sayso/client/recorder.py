"""Recording choices: one request per batch, the same ids and the same content in every attempt."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sayso.client.choice import GRANTED, Choice
from sayso.client.entries import Attempt
from sayso.client.faults import checked_consumer_id, reading
from sayso.client.memory import Memory, Pinned
from sayso.client.offline import Offline
from sayso.client.recorded import Recorded
from sayso.client.reporter import Reporter
from sayso.errors import Error
from sayso.model.instant import MICROS_PER_SECOND, Micros, format_micros, from_micros
from sayso.transport.clock import Clock
from sayso.transport.codec import dumps
from sayso.transport.http import Transport
from sayso.wire import MAX_CHOICES

PATH = "/v1/choices"


class Recorder:
    """Sends choices and remembers what became of them.

    Attributes:
        offline: What keeps choices that get no answer.
        reports: Sends what is no choice.
    """

    def __init__(self, transport: Transport, memory: Memory, clock: Clock, offline: Offline) -> None:
        """Take what it works with."""
        self._transport = transport
        self._memory = memory
        self._clock = clock
        self.offline = offline
        self.reports = Reporter(transport, memory, clock, offline)
        self._second = (-1, "")

    def record(self, choices: Sequence[Choice]) -> Coroutine[Any, Any, list[Recorded]]:
        """Record up to 500 choices, whole or not at all; answers come in the order given. To be awaited at once.

        A plain function that hands on a coroutine: one of its own would cost every recording a frame.

        Raises:
            Error: Nothing of it was recorded, save refusals where the key or the address is at fault, which are kept;
                or, with UnavailableError, nobody knows.
        """
        seen = self._memory.version
        return self._send([(choice, seen(choice.consumer_id)) for choice in choices])

    async def record_all(self, choices: Sequence[Choice]) -> list[Recorded]:
        """Record any number, 500 to a request, one request after the other; they may be those of an earlier try."""
        recorded: list[Recorded] = []
        for start in range(0, len(choices), MAX_CHOICES):
            batch = choices[start : start + MAX_CHOICES]
            for choice in batch:
                checked_consumer_id(choice.consumer_id)
            recorded += await self._send([self._as_first_sent(choice) for choice in batch])
        return recorded

    @contextmanager
    def counted(self, choices: Sequence[Choice]) -> Iterator[None]:
        """Count refusals that are about to be recorded. If the caller is cancelled meanwhile, they are kept.

        Raises:
            InvalidError: One is written wrong; none counts.
        """
        now, began = self._clock.now(), self._clock.boot()
        stamp, seen = self._stamp(now), self._memory.version
        entries = [choice.to_wire(now, stamp, seen(choice.consumer_id)) for choice in choices]
        with self.offline.counted(choices):
            try:
                yield
            except asyncio.CancelledError:
                self.offline.abandoned(Attempt(choices, entries, now, began, {}))
                raise

    def _as_first_sent(self, choice: Choice) -> tuple[Choice, int | None]:
        """The same choice must say the same again, though time has passed and more has been seen since."""
        now, boot = self._clock.now(), self._clock.boot()
        first = self._memory.pin(choice.id, Pinned(self._memory.version(choice.consumer_id), now, boot))
        if first.boot == boot or choice.made_at is not None:
            return choice, first.based_on
        age = round((boot - first.boot) * MICROS_PER_SECOND)
        based_on = first.based_on if choice.based_on is None else choice.based_on
        again = replace(choice, made_at=from_micros(now - age), based_on=based_on)
        if choice.expires_after is not None and choice.expires_at is None:
            ends = from_micros(first.made) + choice.expires_after
            again = replace(again, expires_after=None, expires_at=ends)
        return again, based_on

    async def _send(self, choices: Sequence[tuple[Choice, int | None]]) -> list[Recorded]:
        now, began = self._clock.now(), self._clock.boot()
        stamp = self._stamp(now)
        said = [choice for choice, _ in choices]
        entries = [choice.to_wire(now, stamp, seen) for choice, seen in choices]
        offline = self.offline
        if not offline.overlay.loaded:
            try:
                await offline.overlay.load(whole=True)
            except asyncio.CancelledError:
                offline.abandoned(Attempt(said, entries, now, began, {}))
                raise
            except Error:
                offline.take_back(said)
                raise
        attempt = offline.begin(said, entries, now, began)
        if offline.must_wait(said):
            return await offline.keep(attempt)
        first = True

        def body() -> bytes:
            nonlocal first
            if first:
                first = False
                return dumps({"sent_at": stamp, "choices": entries})
            # How long ago a choice was made is `sent_at - made_at`. It is measured on a clock that nobody sets, so
            # that an attempt 20 seconds later says 20 seconds, whatever the wall clock did meanwhile.
            passed = round((self._clock.boot() - began) * MICROS_PER_SECOND)
            return dumps({"sent_at": format_micros(now + passed), "choices": entries})

        try:
            answer = await self._transport.call("POST", PATH, body, time_box=offline.patience)
            with reading():
                recorded = list(map(Recorded.from_wire, answer.data["recorded"]))
                for one, choice in zip(recorded, said, strict=True):
                    if one.choice_id != choice.id:
                        raise ValueError("an answer about another choice")
        except Error as error:
            failure = error
        except BaseException:  # cancelled: the request may have got through, or not
            offline.abandoned(attempt)
            raise
        else:
            overlay = offline.overlay.consumers
            for one, choice, entry in zip(recorded, said, entries, strict=True):
                granted, stands = choice.answer == GRANTED, one.stands is True
                # The memory and the cache first: no check may find neither the refusal nor its version.
                self._memory.saw_choice(one.consumer_id, one.version or 0, one.topic, granted, stands)
                if granted and stands and one.consumer_id in overlay:
                    await offline.granted(one.consumer_id, one.topic, entry, attempt)
            offline.confirmed(attempt)
            return recorded
        return await offline.failed(attempt, failure)

    def _stamp(self, now: Micros) -> str:
        """Give the time as text, writing out its date only once a second: that costs as much as all the rest."""
        seconds, micros = divmod(now, MICROS_PER_SECOND)
        known, text = self._second
        if seconds != known:
            text = format_micros(now)[: -len("000000Z")]
            self._second = seconds, text
        return f"{text}{micros:06d}Z"
