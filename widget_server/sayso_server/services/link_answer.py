"""What is answered about a link, at once and whenever it is asked for again."""

from collections.abc import Sequence
from typing import Any

from sayso.model.recorded import RecordedChoice
from sayso_server.jsonio import loads
from sayso_server.storage.base import StoredChange

Answer = dict[str, Any]


def earlier_answer(history: Sequence[StoredChange]) -> Answer:
    """Give the answer that a link got when it was made, from the changes of the visitor, oldest first."""
    link = next(change for change in reversed(history) if change.kind == "link")
    answer: Answer = loads(link.body)["outcome"]["answer"]
    return answer


def link_answer(
    known_id: str,
    version: int,
    taken: Sequence[tuple[str, RecordedChoice]],
    said: Sequence[tuple[str, RecordedChoice]],
    *,
    replayed: bool,
) -> Answer:
    """Give the answer to a link.

    Args:
        known_id: The known consumer.
        version: Their version after it.
        taken: The visitor's (topic, choice) pairs that they take over.
        said: All of the visitor's.
        replayed: It was made before.
    """
    kept = {choice.choice_id for _, choice in taken}
    return {
        "consumer_id": known_id,
        "version": version,
        "carried": [
            {"topic": topic, "answer": choice.answer, "choice_id": choice.choice_id} for topic, choice in taken
        ],
        "left": [{"topic": topic, "answer": choice.answer} for topic, choice in said if choice.choice_id not in kept],
        "replayed": replayed,
    }
