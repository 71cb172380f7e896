"""What the known consumer takes over from an anonymous id at login.

Refusals always carry over. Grants carry over only with proof that the visitor was there (a live token of the
anonymous id), and only where the known side has said nothing; a withdraw-all has said something about every
topic. Versions are never compared across a link: what a copy has seen is translated to copies. A signal is a
refusal: a copied grant lifts none that the known side has. Without that proof, evidence of age is believed where it
makes a minor, and nowhere else.
"""

import hashlib
import uuid
from collections.abc import Collection, Iterable, Sequence

from sayso.model.age import AgeEvidence
from sayso.model.recorded import RecordedChoice
from sayso.model.signal import SignalSeen
from sayso.model.topic import EVERY_TOPIC
from sayso.rules.age import lower_band


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
    known_signals: Sequence[SignalSeen] = (),
    visitors_signals: Sequence[SignalSeen] = (),
) -> list[tuple[str, RecordedChoice]]:
    """Make the known side's copies, numbered from `after_version + 1`.

    A copy has seen only copies of what its original saw. Where the known side may have spoken about the
    topic, that is nothing: a copied refusal then lifts an older grant by its time alone. A copy overrides a signal
    only if the known side never sent it, and the visitor not after the original: its version would make it newer than
    all of these (11 CCR 7025(c)(4): who consents in spite of a signal knows of it).

    Args:
        taken: What `carried` chose.
        anonymous_id: Whose.
        after_version: The known side's version so far.
        known_topics: As for `carried`.
        known_signals: The known side's sights of signals before the link.
        visitors_signals: The visitor's.
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
                    version=version,
                    based_on=based_on,
                    choice_id=copy_id(anonymous_id, original.choice_id),
                    overrides=_overrides(original, known_signals, visitors_signals) if original.overrides else (),
                ),
            )
        )
    return made


def age_of_both(
    known: Sequence[AgeEvidence], visitor: Sequence[AgeEvidence], *, majority: int, proven: bool
) -> tuple[AgeEvidence, ...]:
    """Put the evidence of age of both sides together, one piece of each source.

    Args:
        known: The known side's.
        visitor: The visitor's.
        majority: From how many years on people decide for themselves, by the catalogue.
        proven: A live token of the anonymous id was shown. Without one only what makes a minor is carried, and not
            its lower bound, which would make an adult of them with the years.

    Returns:
        The known side's first. Where both have a source, the newer piece; the lower band of both if they are of one
        moment, or if nothing proves whose the visitor's is.
    """
    pieces = {piece.source: piece for piece in known}
    for each in visitor:
        if not proven and (each.upper is None or each.upper >= majority):
            continue
        piece = each if proven else each._replace(lower=None)
        held = pieces.get(piece.source)
        if held is not None:
            newer = held if held.observed_at > piece.observed_at else piece
            if not proven or held.observed_at == piece.observed_at:
                newer = lower_band(held, piece)._replace(observed_at=newer.observed_at)
            piece = newer
        pieces[piece.source] = piece
    return tuple(pieces.values())


def copy_id(anonymous_id: str, choice_id: str) -> str:
    """Give the id of a copy: the same for the same original, never another choice's (RFC 9562, v8)."""
    digest = int.from_bytes(hashlib.sha256(f"{anonymous_id}\n{choice_id}".encode()).digest()[:16], "big")
    digest = digest & ~(0xF << 76) | 0x8 << 76
    digest = digest & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=digest))


def _spoken(topic: str, known_topics: Collection[str]) -> bool:
    return topic in known_topics or EVERY_TOPIC in known_topics


def _overrides(
    grant: RecordedChoice, known_signals: Sequence[SignalSeen], visitors_signals: Sequence[SignalSeen]
) -> tuple[str, ...]:
    kept_down = {seen.name for seen in known_signals}
    kept_down |= {seen.name for seen in visitors_signals if seen.version > grant.version}
    return tuple(name for name in grant.overrides if name not in kept_down)


def _lifted(topic: str, grant: RecordedChoice, choices: Iterable[tuple[str, RecordedChoice]]) -> bool:
    # A refusal has seen it, so it can never stand again: copying it could only bring it back.
    return any(
        other.is_refusal and other.based_on >= grant.version and named in (topic, EVERY_TOPIC)
        for named, other in choices
    )
