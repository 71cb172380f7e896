"""Recording choices: one request per batch, the same ids and the same content in every attempt."""

from collections.abc import Sequence
from dataclasses import replace

from sayso.client.choice import GRANTED, Choice
from sayso.client.faults import checked_consumer_id, reading
from sayso.client.memory import Memory, Pinned
from sayso.client.recorded import Recorded
from sayso.model.instant import MICROS_PER_SECOND, Micros, format_micros, from_micros
from sayso.transport.clock import Clock
from sayso.transport.codec import dumps
from sayso.transport.http import Transport
from sayso.wire import MAX_CHOICES

PATH = "/v1/choices"


class Recorder:
    """Sends choices and remembers what became of them."""

    def __init__(self, transport: Transport, memory: Memory, clock: Clock) -> None:
        """Take what it works with."""
        self._transport = transport
        self._memory = memory
        self._clock = clock
        self._second = (-1, "")

    async def record(self, choices: Sequence[Choice]) -> list[Recorded]:
        """Record up to 500 choices, whole or not at all; answers come in the order given.

        Raises:
            Error: Nothing of it was recorded, or, with UnavailableError, nobody knows.
        """
        seen = self._memory.version
        return await self._send([(choice, seen(choice.consumer_id)) for choice in choices])

    async def record_all(self, choices: Sequence[Choice]) -> list[Recorded]:
        """Record any number, 500 to a request, one request after the other; they may be those of an earlier try."""
        recorded: list[Recorded] = []
        for start in range(0, len(choices), MAX_CHOICES):
            batch = choices[start : start + MAX_CHOICES]
            for choice in batch:
                checked_consumer_id(choice.consumer_id)
            recorded += await self._send([self._as_first_sent(choice) for choice in batch])
        return recorded

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
        entries = [choice.to_wire(now, stamp, seen) for choice, seen in choices]
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

        answer = await self._transport.call("POST", PATH, body)
        recorded: list[Recorded] = []
        with reading():
            for entry, (choice, _) in zip(answer.data["recorded"], choices, strict=True):
                one = Recorded.from_wire(entry)
                if one.choice_id != choice.id:
                    raise ValueError("an answer about another choice")
                recorded.append(one)
        for one, (choice, _) in zip(recorded, choices, strict=True):
            self._memory.saw_choice(one.consumer_id, one.version, one.topic, choice.answer == GRANTED, one.stands)
        return recorded

    def _stamp(self, now: Micros) -> str:
        """Give the time as text, writing out its date only once a second: that costs as much as all the rest."""
        seconds, micros = divmod(now, MICROS_PER_SECOND)
        known, text = self._second
        if seconds != known:
            text = format_micros(now)[: -len("000000Z")]
            self._second = seconds, text
        return f"{text}{micros:06d}Z"
