"""What a database keeps of hand-overs."""

from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import uuid4

from sayso.model.instant import Micros
from sayso_server.storage.stored import StoredTombstone


class NewDisclosure(NamedTuple):
    """One hand-over to record.

    Attributes:
        consumer_id: Whose data.
        disclosure_id: A UUID in its canonical lower-case form.
        fingerprint: SHA-256 of the content as sent.
        body: JSON in UTF-8: the content and who recorded it.
        mark: As in `Wanted`. Of a consumer who was erased after `at` the name is left out.
        at: When it happened.
    """

    consumer_id: str
    disclosure_id: str
    fingerprint: bytes
    body: bytes
    mark: Callable[[], bytes] | None = None
    at: Micros = 0


NOBODY = ""
"""In place of a consumer's id, on the disclosures of those who were erased. No consumer has it."""


def nameless(new: Sequence[NewDisclosure], tombstone: Callable[[bytes], StoredTombstone | None]) -> list[NewDisclosure]:
    """Leave out the name of those who were erased after what is told of them happened."""
    left: list[NewDisclosure] = []
    for each in new:
        erased = tombstone(each.mark()) if each.mark is not None else None
        if erased is None or each.at >= erased.erased_at:
            left.append(each)
            continue
        # Two people's may have one id, and nothing tells them apart any more.
        clash = any((NOBODY, each.disclosure_id) == one[:2] for one in left)
        left.append(each._replace(consumer_id=NOBODY, disclosure_id=str(uuid4()) if clash else each.disclosure_id))
    return left


class StoredDisclosure(NamedTuple):
    """One recorded hand-over. Rows are never updated.

    Attributes:
        recorded_at: Server time in microseconds. No two of a brand's are the same and a later one is larger, so that it
            is also where a page goes on.
        consumer_id: For whom it was recorded.
        disclosure_id: Its id.
        body: As in `NewDisclosure`.
    """

    recorded_at: Micros
    consumer_id: str
    disclosure_id: str
    body: bytes
