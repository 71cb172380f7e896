"""What publishing a new catalogue in place of an old one would change."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sayso.catalogue.change import Change, ChangeKind
from sayso.catalogue.changes import of_partners, of_rules, of_topic, what_silence_means
from sayso.catalogue.finding import table_of
from sayso.model.catalogue import Catalogue
from sayso.model.topic import Topic

LOWEST_MAJORITY: Final = 18
"""Years; the policy is not directed to anybody younger. Lower only on purpose."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the new catalogue may not take the old one's place.

    Attributes:
        code: `basis_changed`, `version_lowered` or `majority_lowered`.
        table: The TOML table of the new catalogue; empty for keys above the first table.
        key: The key in it.
        message: What is wrong and what to do.
    """

    code: str
    table: str
    key: str
    message: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changes from one catalogue to the next.

    Attributes:
        changes: By topic, in the order of the new catalogue, removed ones last; then the partners' fields, then
            what holds for the catalogue as a whole.
        refusals: Empty if the new catalogue may be published.
    """

    changes: tuple[Change, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def asks_again(self) -> tuple[str, ...]:
        """The topics whose earlier grants no longer allow."""
        return tuple(dict.fromkeys(change.topic for change in self.changes if change.asks_again))


def compare(old: Catalogue | None, new: Catalogue, *, allow_lower_majority: bool = False) -> Comparison:
    """Tell what publishing `new` after `old` would change, and whether it may be.

    Args:
        old: What is published now; None for a first catalogue.
        new: What is to be published. Retired topics belong in it: see `with_retired`.
        allow_lower_majority: Somebody decided that people under 18 choose for themselves here.

    Returns:
        Every change that matters to a consumer, and every reason to refuse.
    """
    refusals = [] if allow_lower_majority else list(_majority(new))
    changes: list[Change] = []
    for key, topic in new.topics.items():
        before = old.topic(key) if old is not None else None
        if before is not None:
            changes += of_topic(before, topic)
            refusals += _refusals(before, topic)
        elif not topic.retired:
            changes.append(Change(ChangeKind.ADDED, key, what_silence_means(topic)))
    for key, topic in (old.topics if old is not None else {}).items():
        if key not in new.topics and not topic.retired:
            changes.append(Change(ChangeKind.REMOVED, key, "is no longer offered or allowed; refusals are still taken"))
    if old is not None:
        changes += of_partners(old, new)
        changes += of_rules(old, new)
    return Comparison(tuple(changes), tuple(refusals))


def with_retired(old: Catalogue | None, new: Catalogue) -> Catalogue:
    """Carry topics that the new catalogue dropped into it as retired ones.

    So every revision knows each topic that any earlier one had: a refusal of it can still be recorded, and a
    topic can't come back under another basis by way of a revision without it.

    Args:
        old: What is published now; None for a first catalogue.
        new: What is to be published.

    Returns:
        The new catalogue, or one with the dropped topics at its end.
    """
    dropped = {
        key: topic.model_copy(update={"retired": True})
        for key, topic in (old.topics if old is not None else {}).items()
        if key not in new.topics
    }
    if not dropped:
        return new
    return Catalogue.model_validate(
        {**{name: getattr(new, name) for name in Catalogue.model_fields}, "topics": {**new.topics, **dropped}}
    )


def _majority(new: Catalogue) -> Iterator[Refusal]:
    if new.majority < LOWEST_MAJORITY:
        yield Refusal(
            "majority_lowered",
            "",
            "majority",
            f"is {new.majority}: people under {LOWEST_MAJORITY} would decide without a guardian; "
            "allow it explicitly if that is meant",
        )
    for name, limit in new.ages.items():
        if limit.age < LOWEST_MAJORITY:
            yield Refusal(
                "majority_lowered",
                f"ages.{name}",
                "age",
                f"is {limit.age}: people under {LOWEST_MAJORITY} would decide without a guardian there; "
                "allow it explicitly if that is meant",
            )


def _refusals(before: Topic, now: Topic) -> Iterator[Refusal]:
    if before.refusable and not now.refusable:
        yield Refusal(
            "basis_changed",
            table_of(now),
            "basis",
            f"was {before.basis} and would become {now.basis}: people who had a choice would lose it; "
            "use a new topic key",
        )
    if now.version < before.version:
        yield Refusal(
            "version_lowered",
            table_of(now),
            "version",
            f"was {before.version}; a version only goes up, or old answers would count for the new text",
        )
