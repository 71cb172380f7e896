"""One entry of the outbox, and the bytes it is kept as: whole, and sealed against tampering.

::

    MAGIC  length of head  length of body  head (JSON)  body (JSON)  HMAC-SHA256 of all before

The bytes describe themselves, so that an entry can be found in a file whose tables are damaged.
"""

import hmac
from collections.abc import Mapping, Sequence
from enum import StrEnum
from struct import Struct
from typing import Any, NamedTuple

from sayso.local.overlay import GRANTED, PendingChoice
from sayso.model.choice import Actor, Method
from sayso.model.instant import Micros, parse_instant
from sayso.model.topic import EVERY_TOPIC
from sayso.transport.codec import dumps, loads

MAGIC = b"\xf5SYO1"
_LENGTHS = Struct(">II")
_START = len(MAGIC) + _LENGTHS.size
_MAC = 32
_NOT_THEIR_OWN = frozenset({Method.AGENT.value, Method.PHONE.value, Method.IMPORT.value})
NEW = "pending"
"""How an entry stands at first."""
LARGEST = 1024 * 1024
"""No entry is near this size; a length beyond it is damage."""


class Kind(StrEnum):
    """What an entry is."""

    CHOICE = "choice"
    DEVICE = "device"
    SIGNAL = "signal"
    AGE = "age"
    DISCLOSURE = "disclosure"


class Row(NamedTuple):
    """One entry.

    Attributes:
        kind: What it is.
        consumer_id: Whose it is.
        body: What to send, as JSON, without what depends on when it is sent.
        made: The wall clock when it was handed in.
        boot: The boot clock then, in seconds.
        boot_id: Which start of the machine that clock counts from.
        age: How long before that it was made, in microseconds.
        choice_id: The choice's id; of a report, one that tells it from others.
        topic: A choice's topic; a device report's device.
        answer: A choice's answer.
        notice_version: A choice's notice version, if said.
        based_on: The version that a choice has seen.
        seen_row: For a grant, the newest refusal in the outbox that its writer knew of: it is sent once that one is
            confirmed, and then has seen it.
        id: Its number; 0 before it is kept.
        state: How it stands by its seal: whoever writes the file can't have it pass for parked.
    """

    kind: str
    consumer_id: str
    body: bytes
    made: Micros
    boot: float
    boot_id: str
    age: Micros = 0
    choice_id: str = ""
    topic: str = ""
    answer: str = ""
    notice_version: int | None = None
    based_on: int | None = None
    seen_row: int = 0
    id: int = 0
    state: str = NEW

    @property
    def refuses(self) -> bool:
        """Whether it is a refusal, for which there is always room."""
        return self.kind == Kind.CHOICE and self.answer != GRANTED

    @property
    def is_own_word(self) -> bool:
        """Whether the consumer said it themselves, and not somebody for them: only that takes back a refusal here."""
        return self.kind == Kind.CHOICE and _counts_until(self.body) != 0

    def pending(self, *, parked: bool = False) -> PendingChoice:
        """Give what a check needs of it."""
        return PendingChoice(
            self.choice_id,
            self.topic,
            self.answer,
            self.made - self.age,
            self.notice_version,
            parked,
            self.id,
            self.seen_row,
            self.kind,
            self.based_on,
            None if self.kind != Kind.CHOICE or self.refuses else _counts_until(self.body),
        )


class Seal:
    """Seals entries with a key that is derived from the brand's secret for one brand at one address.

    Whoever can write the file can't have grants sent with the brand's key, nor carry entries over from another
    brand's outbox or another server's.
    """

    def __init__(self, secrets: Sequence[str], brand: str, url: str) -> None:
        """Take the secrets, the newest first: it seals, each of them opens.

        The key is derived as in HKDF (RFC 5869) with HMAC-SHA256.
        """
        bound = f"{brand}\n{url}".encode()
        self._keys = [
            hmac.digest(hmac.digest(b"sayso outbox", secret.encode(), "sha256"), b"row\n" + bound + b"\x01", "sha256")
            for secret in secrets
        ]

    def close(self, row: Row) -> bytes:
        """Give the bytes to keep."""
        head = dumps(
            [
                row.id,
                row.kind,
                row.consumer_id,
                row.made,
                row.boot,
                row.boot_id,
                row.age,
                row.choice_id,
                row.topic,
                row.answer,
                row.notice_version,
                row.based_on,
                row.seen_row,
                row.state,
            ]
        )
        content = b"".join((MAGIC, _LENGTHS.pack(len(head), len(row.body)), head, row.body))
        return content + hmac.digest(self._keys[0], content, "sha256")

    def open(self, sealed: bytes) -> Row | None:
        """Give the entry, or None if it is not what was sealed."""
        content, mac = sealed[:-_MAC], sealed[-_MAC:]
        for key in self._keys:
            if hmac.compare_digest(hmac.digest(key, content, "sha256"), mac):
                return peek(sealed)
        return None


def is_own_word(entry: Mapping[str, Any]) -> bool:
    """Tell whether a choice, as sent, is the consumer's own word: no brand's, agent's, call centre's or import's.

    A START is no word about the topic: it answers no notice, and lifts only the STOP of one sender.
    """
    if entry.get("answer") == GRANTED and entry.get("detail") and not entry.get("notice"):
        return False
    return entry.get("actor", Actor.CONSUMER) == Actor.CONSUMER and entry.get("method") not in _NOT_THEIR_OWN


def _counts_until(body: bytes) -> Micros | None:
    """Give when a grant ends; 0 if it isn't the consumer's own word, which alone counts before the server has it."""
    try:
        entry = loads(body)
        if not is_own_word(entry):
            return 0
        ends = entry.get("expires_at")
        return None if ends is None else parse_instant(ends)
    except (ValueError, AttributeError):
        return 0


def peek(sealed: bytes) -> Row | None:
    """Read an entry without looking at its seal; None if it can't be read. Nothing it says may be sent."""
    if sealed[: len(MAGIC)] != MAGIC or len(sealed) < _START + _MAC:
        return None
    head_length, body_length = _LENGTHS.unpack_from(sealed, len(MAGIC))
    if _START + head_length + body_length + _MAC != len(sealed):
        return None
    try:
        number, kind, consumer, made, boot, boot_id, age, *choice, state = loads(sealed[_START : _START + head_length])
        body = sealed[_START + head_length : -_MAC]
        return Row._make((kind, consumer, body, made, boot, boot_id, age, *choice, number, state))
    except (ValueError, TypeError):
        return None


def having_seen(grant: Row, version: int) -> Row:
    """Give a grant that has seen a version more."""
    return grant._replace(based_on=max(grant.based_on or 0, version))


class Unsealed:
    """Reads entries without the secret, to show them. Nothing that it reads may be sent."""

    def open(self, sealed: bytes) -> Row | None:
        """Give the entry, or None if it can't be read."""
        return peek(sealed)


def unreadable(row_id: int, consumer_id: str) -> Row:
    """Stand in for an entry that nobody can read: it may have been a withdrawal of anything, so it counts as one."""
    return Row(Kind.CHOICE, consumer_id, b"", 0, 0.0, "", 0, f"row-{row_id}", EVERY_TOPIC, "withdrawn", id=row_id)


def scan(data: bytes) -> list[bytes]:
    """Find everything in a file that looks like a whole entry, wherever it lies."""
    found: list[bytes] = []
    at = data.find(MAGIC)
    while at >= 0:
        if at + _START <= len(data):
            head_length, body_length = _LENGTHS.unpack_from(data, at + len(MAGIC))
            end = at + _START + head_length + body_length + _MAC
            if head_length <= LARGEST and body_length <= LARGEST and end <= len(data):
                found.append(data[at:end])
        at = data.find(MAGIC, at + 1)
    return found
