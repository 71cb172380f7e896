"""Entries as requests, and answers as confirmations."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sayso.errors import UnavailableError
from sayso.local.outbox.age import made_at
from sayso.local.outbox.row import Kind, Row
from sayso.model.instant import MICROS_PER_SECOND, Micros, format_micros
from sayso.transport.clock import Clock
from sayso.transport.codec import dumps

_REPORTS = {Kind.DEVICE: ("PUT", "devices/"), Kind.SIGNAL: ("POST", "signals"), Kind.AGE: ("PUT", "age")}


class Request(NamedTuple):
    """What to send; the body is finished when it is sent, for it says when that was."""

    method: str
    path: str
    body: Callable[[], bytes]


class Confirmed(NamedTuple):
    """An entry that the server has.

    Attributes:
        row: The entry.
        consumer_id: Whose it is; the known consumer's when a visitor was linked meanwhile.
        version: The consumer's version that it made; 0 where it made none.
        stands: Whether a choice decides its topic.
    """

    row: Row
    consumer_id: str
    version: int
    stands: bool = False


def request_for(rows: Sequence[Row], clock: Clock) -> Request:
    """Write a request for entries of one kind; made anew for each try, for the wall clock may be set."""
    now, boot = clock.now(), clock.boot()
    first = rows[0]
    match first.kind:
        case Kind.CHOICE:
            entries = b",".join([_choice(row, _written(made_at(row, boot, now))) for row in rows])

            def body() -> bytes:
                sent = now + round((clock.boot() - boot) * MICROS_PER_SECOND)
                return b'{"sent_at":"%b","choices":[%b]}' % (format_micros(sent).encode(), entries)

            return Request("POST", "/v1/choices", body)
        case Kind.DISCLOSURE:
            disclosures = b'{"disclosures":[%b]}' % b",".join(row.body for row in rows)
            return Request("POST", "/v1/disclosures", lambda: disclosures)
        case _:
            method, path = _REPORTS[Kind(first.kind)]
            device = first.topic if first.kind == Kind.DEVICE else ""
            observed = dumps({"observed_at": format_micros(made_at(first, boot, now))})
            report = joined(observed, first.body)
            return Request(method, f"/v1/consumers/{first.consumer_id}/{path}{device}", lambda: report)


def read_answer(rows: Sequence[Row], data: Any) -> list[Confirmed]:
    """Read what became of each entry.

    Raises:
        UnavailableError: It is no answer to what was sent.
    """
    try:
        return list(_confirmed(rows, data))
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise UnavailableError("what answered is not a Sayso server, or a broken one", code="not_sayso")


def _confirmed(rows: Sequence[Row], data: Mapping[str, Any]) -> list[Confirmed]:
    kind = rows[0].kind
    if kind == Kind.DISCLOSURE:
        return [Confirmed(row, row.consumer_id, 0) for row in rows]
    if kind != Kind.CHOICE:
        return [Confirmed(row, row.consumer_id, int(data["version"])) for row in rows]
    recorded = data["recorded"]
    if [entry["choice_id"] for entry in recorded] != [row.choice_id for row in rows]:
        raise ValueError("an answer about other choices")
    return [
        Confirmed(row, entry["consumer_id"], int(entry["version"]), entry["stands"] is True)
        for row, entry in zip(rows, recorded, strict=True)
    ]


def _choice(row: Row, made: bytes) -> bytes:
    seen = b"" if row.based_on is None else b'"based_on":%d,' % row.based_on
    return b'{"made_at":"%b",%b%b' % (made, seen, row.body[1:])


def _written(moment: Micros) -> bytes:
    """Write a time as the wire has it; those of one second differ in six digits only."""
    seconds, micros = divmod(moment, MICROS_PER_SECOND)
    return b"%b%06dZ" % (_second(seconds), micros)


@lru_cache(maxsize=1_000)
def _second(seconds: int) -> bytes:
    return format_micros(seconds * MICROS_PER_SECOND)[: -len("000000Z")].encode()


def joined(first: bytes, second: bytes) -> bytes:
    """Make one JSON object of two that have no member in common."""
    return first[:-1] + b"," + second[1:] if second != b"{}" else first
