"""One question, and what can be said about it before anyone is asked."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sayso.client.faults import checked_micros, invalid
from sayso.model.decision import Reason
from sayso.model.ids import IdError, check_id
from sayso.model.instant import format_micros
from sayso.wire import MAX_CHECKS, MAX_MOMENTS, Code

_LONGEST_TOPIC = 160


class Check(NamedTuple):
    """One question: may this be done for that consumer, now or as of then?

    Attributes:
        consumer_id: Whose.
        topic: Such as `purpose:marketing`.
        device: The device it would happen on; permissions need one.
        as_of: A past moment, with a zone, instead of now.
        at_least: A version that the answer must not fall behind, such as that of something just recorded elsewhere;
            waited for within the second that a check takes at most.
        sender: For a channel: the number or address that would send.
    """

    consumer_id: str
    topic: str
    device: str | None = None
    as_of: datetime | None = None
    at_least: int | None = None
    sender: str | None = None


def impossible(check: Check) -> str | None:
    """Give the reason that answers a question about a topic or a device that can't exist; None for any other."""
    topic: object = check.topic  # whatever an untyped caller passes gets an answer
    device: object = check.device
    if not isinstance(topic, str) or not 0 < len(topic) <= _LONGEST_TOPIC or not topic.isprintable():
        return Reason.UNKNOWN_TOPIC.value
    if device is not None and not _may_be_a_device(device):
        return Reason.DEVICE_UNKNOWN.value
    return None


def requests(checks: Sequence[Check]) -> Iterator[Sequence[Check]]:
    """Cut checks into what one request takes: so many, and about so many past moments of consumers."""
    start = 0
    moments: set[tuple[str, datetime]] = set()
    for place, check in enumerate(checks):
        pair = None if check.as_of is None else (check.consumer_id, check.as_of)
        too_many = pair is not None and pair not in moments and len(moments) == MAX_MOMENTS
        if too_many or place - start == MAX_CHECKS:
            yield checks[start:place]
            start = place
            moments.clear()
        if pair is not None:
            moments.add(pair)
    if start < len(checks):
        yield checks[start:]


def to_wire(check: Check) -> dict[str, str]:
    """Give the JSON of a check.

    Raises:
        InvalidError: `as_of` is naive, or comes with `at_least`.
    """
    entry = {"consumer_id": check.consumer_id, "topic": check.topic}
    if check.device is not None:
        entry["device_id"] = check.device
    if check.as_of is not None:
        if check.at_least is not None:
            raise not_both()
        entry["as_of"] = format_micros(checked_micros("/as_of", check.as_of))
    if check.sender is not None:
        entry["sender"] = check.sender
    return entry


def snapshot_query(at_least: int | None, as_of: datetime | None) -> str:
    """Give the query that asks for a version, or for a past moment.

    Raises:
        InvalidError: `as_of` is naive, or comes with `at_least`.
    """
    if as_of is None:
        return "" if at_least is None else f"?at_least={int(at_least)}"
    if at_least is not None:
        raise not_both()
    return f"?as_of={format_micros(checked_micros('/as_of', as_of))}"


def not_both() -> Exception:
    """Make the error for a question about the past and for a version at once."""
    return invalid("/at_least", Code.INVALID_VALUE, "a past moment has its version; give at_least or as_of, not both")


def _may_be_a_device(device: object) -> bool:
    try:
        return isinstance(device, str) and bool(check_id(device))
    except IdError:
        return False
