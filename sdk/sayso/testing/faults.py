"""What is wrong with the network: outages, slowness, lost requests and lost answers. For fakes only."""

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

_CONSUMER = re.compile(r"/consumers/[^/]+")


class Loss(Enum):
    """What gets lost on the way."""

    REQUEST = "request"
    """It never arrives; nothing happens on the server."""
    ANSWER = "answer"
    """The server does as it was asked, and nobody hears of it."""


@dataclass
class _Flaky:
    """Loses a share of the requests: for the same seed and the same calls always the same ones.

    Each kind of call has dice of its own, so that what a client does in the background changes nothing for the rest.
    """

    rate: float
    seed: int
    dice: dict[str, random.Random] = field(default_factory=dict)

    def roll(self, call: str) -> Loss | None:
        dice = self.dice.get(call)
        if dice is None:
            dice = self.dice[call] = random.Random(f"{self.seed} {call}")  # noqa: S311 - to be foreseen is its purpose
        lost, answer = dice.random() < self.rate, dice.random() < 0.5  # noqa: PLR2004 - half of them
        return None if not lost else Loss.ANSWER if answer else Loss.REQUEST


class Faults:
    """The faults that hold now. Each lasts as long as its `with` block; blocks may be nested in any way."""

    def __init__(self, cut: Callable[[], None]) -> None:
        """Begin without a fault.

        Args:
            cut: Cuts every open connection.
        """
        self._cut = cut
        self._outages = 0
        self._delays: list[timedelta] = []
        self._flaky: list[_Flaky] = []

    @property
    def down(self) -> bool:
        """Whether nobody answers at all."""
        return self._outages > 0

    @property
    def delay(self) -> timedelta:
        """How long each answer takes; nested delays add up."""
        return sum(self._delays, timedelta(0))

    def lost(self, method: str, path: str) -> Loss | None:
        """Roll the dice for one request."""
        call = f"{method} {_CONSUMER.sub('/consumers/*', path)}"
        rolls = [flaky.roll(call) for flaky in self._flaky]
        return next((loss for loss in rolls if loss is not None), None)

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Cut every connection, and every new one as soon as it is made."""
        self._outages += 1
        try:
            self._cut()
            yield
        finally:
            self._outages -= 1

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Let each answer take so long."""
        if seconds < 0:
            raise ValueError("slow() takes seconds, 0 or more")
        delay = timedelta(seconds=seconds)
        self._delays.append(delay)
        try:
            yield
        finally:
            self._delays.remove(delay)

    @contextmanager
    def flaky(self, rate: float, seed: int = 0) -> Iterator[None]:
        """Lose a share of the requests: in half of the cases the request, in the others its answer."""
        if not 0 <= rate <= 1:
            raise ValueError("flaky() takes a rate from 0 (nothing is lost) to 1 (everything is)")
        flaky = _Flaky(rate, seed)
        self._flaky.append(flaky)
        try:
            yield
        finally:
            self._flaky = [other for other in self._flaky if other is not flaky]
