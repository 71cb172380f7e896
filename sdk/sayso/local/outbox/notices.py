"""What an outbox tells the brand's code: entries that were parked, and entries that are lost."""

import logging
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from sayso.local.outbox.row import Row

_REMEMBERED = 1_000
_log = logging.getLogger("sayso.outbox")


class Parked(NamedTuple):
    """An entry that isn't sent by itself any more. `sayso outbox list` shows it, `sayso outbox retry` sends it again.

    Attributes:
        kind: `choice`, `device`, `signal`, `age` or `disclosure`.
        consumer_id: Whose it is.
        choice_id: The choice's own id; empty for what is no choice.
        topic: A choice's topic, a device report's device.
        answer: A choice's answer. A refusal goes on counting in this client.
        code: The server's word for what is wrong, or `tampered`.
        message: The same in a sentence.
    """

    kind: str
    consumer_id: str
    choice_id: str
    topic: str
    answer: str
    code: str
    message: str


class Why(StrEnum):
    """Why entries are lost, or may be."""

    DAMAGED = "damaged"
    """The file was damaged or replaced; entries that it had are not in it any more."""
    ERASED = "erased"
    """The server dropped them, for the consumer was erased after they were made."""
    IN_MEMORY = "in_memory"
    """They could not be written to disk. Refusals among them count and are sent, but won't outlive the process."""
    NOT_SENT = "not_sent"
    """The client was closed, or the process ended, before they could be sent, and they were in memory only."""


class Loss(NamedTuple):
    """Entries that are lost, or will be if the process ends now.

    Attributes:
        why: A `Why`.
        number: How many.
        message: What happened and what to do.
        entries: Which, as far as it is known: consumer, topic and answer of each.
    """

    why: Why
    number: int
    message: str
    entries: tuple[tuple[str, str, str], ...] = ()


N = TypeVar("N", Parked, Loss)


class Bell(Generic[N]):
    """Calls back. Whoever comes later hears what was said before."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._listeners: list[Callable[[N], object]] = []
        self._said: deque[N] = deque(maxlen=_REMEMBERED)

    def listen(self, listener: Callable[[N], object]) -> None:
        """Call back from now on, and for everything said up to now."""
        self._listeners.append(listener)
        for notice in list(self._said):
            _call(listener, notice)

    def ring(self, notice: N) -> None:
        """Tell everybody who listens."""
        self._said.append(notice)
        for listener in list(self._listeners):
            _call(listener, notice)

    def forget(self) -> None:
        """Say nothing of it to those who come later: it was said in another process."""
        self._said.clear()


def parked(row: Row, code: str, message: str) -> Parked:
    """Say that an entry was parked."""
    choice_id = row.choice_id if row.kind == "choice" else ""
    return Parked(row.kind, row.consumer_id, choice_id, row.topic, row.answer, code, message)


def named(rows: list[Row]) -> tuple[tuple[str, str, str], ...]:
    """Name entries."""
    return tuple((row.consumer_id, row.topic, row.answer) for row in rows)


def _call(listener: Callable[[N], object], notice: N) -> None:
    try:
        listener(notice)
    except Exception as error:  # noqa: BLE001 - a faulty listener must not keep choices from being sent
        # Only the class is told: the message may hold an id.
        _log.error("a callback of the outbox failed: %s", type(error).__name__)
