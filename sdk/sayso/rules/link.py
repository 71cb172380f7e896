"""What the known consumer takes over from an anonymous id at login.

Refusals always carry over. Grants carry over only with proof that the visitor was there (a live token of the
anonymous id), and only where the known side has said nothing; a withdraw-all has said something about every
topic. Versions are never compared across a link: what a copy has seen is translated to copies.
"""

import hashlib
import uuid
from collections.abc import Collection, Iterable, Sequence

from sayso.model.recorded import RecordedChoice
from sayso.model.topic import EVERY_TOPIC


def carried(
    choices: Iterable[tuple[str, RecordedChoice]], *, known_topics: Collection[str], with_grants: bool
) -> list[tuple[str, RecordedChoice]]:
    """Choose which of the anonymous side's choices the known side takes over, in the order of their versions.

    Args:
        choices: All (topic, choice) of the anonymous id.
        known_topics: The topics about which the known side has said anything, `"*"` for a withdraw-all
            included.
        with_grants: A live token of the anonymous id was shown.
    """
    ordered = sorted(choices, key=lambda item: item[1].version)
    return [
        (topic, choice)
        for topic, choice in ordered
        if choice.is_refusal
        or (with_grants and not _spoken(topic, known_topics) and not _lifted(topic, choice, ordered))
    ]


def copies(
    taken: Sequence[tuple[str, RecordedChoice]],
    *,
    anonymous_id: str,
    after_version: int,
    known_topics: Collection[str],
) -> list[tuple[str, RecordedChoice]]:
    """Make the known side's copies, numbered from `after_version + 1`.

    A copy has seen only copies of what its original saw. Where the known side may have spoken about the
    topic, that is nothing: a copied refusal then lifts an older grant by its time alone.
    """
    made: list[tuple[str, RecordedChoice]] = []
    for place, (topic, original) in enumerate(taken, start=1):
        seen = sum(1 for _, other in taken[: place - 1] if other.version <= original.based_on)
        version = after_version + place
        apart = topic == EVERY_TOPIC or _spoken(topic, known_topics)
        based_on = 0 if apart or not seen else min(after_version + seen, version - 1)
        made.append(
            (
                topic,
                original._replace(
                    version=version, based_on=based_on, choice_id=copy_id(anonymous_id, original.choice_id)
                ),
            )
        )
    return made


def copy_id(anonymous_id: str, choice_id: str) -> str:
    """Give the id of a copy: the same for the same original, never another choice's (RFC 9562, v8)."""
    digest = int.from_bytes(hashlib.sha256(f"{anonymous_id}\n{choice_id}".encode()).digest()[:16], "big")
    digest = digest & ~(0xF << 76) | 0x8 << 76
    digest = digest & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=digest))


def _spoken(topic: str, known_topics: Collection[str]) -> bool:
    return topic in known_topics or EVERY_TOPIC in known_topics


def _lifted(topic: str, grant: RecordedChoice, choices: Iterable[tuple[str, RecordedChoice]]) -> bool:
    # A refusal has seen it, so it can never stand again: copying it could only bring it back.
    return any(
        other.is_refusal and other.based_on >= grant.version and named in (topic, EVERY_TOPIC)
        for named, other in choices
    )
