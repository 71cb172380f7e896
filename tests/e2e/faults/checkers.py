"""What must hold, as functions of what was written down. Each returns the violations as sentences, none if it holds."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.e2e.faults.logs import Line

T = TypeVar("T")


class Kept(NamedTuple):
    """A choice as the server's own export has it."""

    choice_id: str
    consumer_id: str
    version: int


def lost_or_twice(receipts: Iterable[Line], kept: Sequence[Kept]) -> list[str]:
    """Every choice for which there is a receipt is on the server once; where the receipt names a version, at that one.

    Args:
        receipts: Lines with `choice`, `consumer` and, if it was confirmed, `version`.
        kept: Everything the server has, in any order.
    """
    found = [f"choice {choice_id} is there {times} times" for choice_id, times in _repeated(k.choice_id for k in kept)]
    found += [
        f"version {version} of {consumer} was given {times} times"
        for (consumer, version), times in _repeated((k.consumer_id, k.version) for k in kept)
    ]
    there = {one.choice_id: one for one in kept}
    for receipt in receipts:
        one = there.get(receipt["choice"])
        if one is None:
            found.append(f"choice {receipt['choice']} of {receipt['consumer']} was {receipt['status']} and is lost")
        elif receipt.get("version") is not None and receipt["version"] != one.version:
            found.append(f"choice {one.choice_id} was confirmed as {receipt['version']} and is {one.version}")
        elif receipt["consumer"] != one.consumer_id:
            found.append(f"choice {one.choice_id} went to another consumer")
    return found


def _repeated(values: Iterable[T]) -> list[tuple[T, int]]:
    return [(value, times) for value, times in Counter(values).items() if times > 1]


def late_yes(said: Iterable[Line], answers: Iterable[Line], *, bound: float, margin: float) -> list[str]:
    """No answer is yes later than `bound` after a withdrawal was acknowledged, until the next grant is begun.

    An answer is given between the lines' `from` and `to`. That it was late is certain if it was asked for after the
    bound; if it was only given after it, `margin` covers the time between deciding and writing down.

    Args:
        said: Lines of whoever chooses: `withdrawn` stamped after the acknowledgement, `granting` stamped before the
            request, each with `at` and `consumer`.
        answers: Lines of whoever asks, with `consumer`, `from`, `to` and `yes`.
        bound: Seconds.
        margin: Seconds.
    """
    stamps: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for line in said:
        if line["what"] in ("withdrawn", "granting"):
            stamps[line["consumer"]].append((line["at"], line["what"] == "withdrawn"))
    for each in stamps.values():
        each.sort()
    found = []
    for answer in answers:
        if not answer["yes"]:
            continue
        known = stamps[answer["consumer"]]
        # What had been said by the end of the answer: a grant begun meanwhile explains a yes.
        place = bisect_right(known, (answer["to"], True)) - 1
        if place < 0 or not known[place][1]:
            continue
        # Two withdrawals in a row: the first is the one that counts.
        while place > 0 and known[place - 1][1]:
            place -= 1
        since = known[place][0]
        if answer["from"] - since > bound or answer["to"] - since > bound + margin:
            found.append(
                f"{answer['consumer']} was withdrawn at {since:.3f}; a check that began "
                f"{answer['from'] - since:.3f} s later said yes at +{answer['to'] - since:.3f} s"
            )
    return found


def slow_answers(answers: Iterable[Line], *, within: float) -> list[str]:
    """Every check answers within so many seconds."""
    return [
        f"a check of {answer['consumer']} took {answer['to'] - answer['from']:.3f} s"
        for answer in answers
        if answer["to"] - answer["from"] > within
    ]
