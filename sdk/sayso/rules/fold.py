"""What was said last, by what is known: folding recorded choices into one answer per topic.

A choice has *seen* those with a version up to its `based_on`. A grant qualifies if no refusal has seen it
and every refusal of its topic is one that it has seen or lies more than 30 seconds before it. The
qualifying grant with the largest (effective time, version) stands; if none qualifies, the refusal with the
largest does. So doubt falls on the side of no.

`TopicFold` keeps only what can still matter, so folding one more choice never needs the history, and
`merge` is commutative, associative and idempotent: the result is the same for any order, duplication and
partition of what was recorded.

What was said about a single sender of a channel is folded apart, by the same rules (`rules.senders` has what follows
from it). A grant that answered a notice counts for the whole channel too.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from sayso.model.choice import Actor, Method
from sayso.model.instant import span_micros
from sayso.model.preferences import TopicFold
from sayso.model.recorded import BY_BRAND, BY_GUARDIAN, BY_PERSON, GRANTED, SPOKEN, RecordedChoice
from sayso.model.topic import EVERY_TOPIC

DOUBT = timedelta(seconds=30)
"""Two answers closer than this can't be put in order by clocks alone, so the refusal wins."""
_DOUBT = span_micros(DOUBT)
_NOT_A_PERSONS = frozenset({SPOKEN, BY_BRAND})

NOTHING = TopicFold()

MOST_KEPT = 64
"""Grants, and refusals, of one topic that are worth keeping beside each other; people have one or two."""
MOST_SCOPES = 64
"""Senders of one channel that are kept apart; a brand writes from a handful."""


def origin_of(actor: Actor, method: Method) -> str:
    """Give what a choice by this actor over this method counts as (`model.recorded`)."""
    if actor is Actor.AGENT or method in (Method.AGENT, Method.PHONE):
        return SPOKEN
    if actor is Actor.BRAND or method is Method.IMPORT:
        return BY_BRAND
    return BY_GUARDIAN if actor is Actor.GUARDIAN else BY_PERSON


def add(fold: TopicFold, choice: RecordedChoice) -> TopicFold:
    """Fold one more choice of the same topic."""
    if fold is NOTHING:
        return single(choice)
    if _takes_over(fold, choice):
        return TopicFold((choice,), fold.refusals, fold.seen_to, fold.by_brand, fold.scoped)
    return merge(fold, single(choice))


def _takes_over(fold: TopicFold, choice: RecordedChoice) -> bool:
    """Tell whether a choice is a person's grant that takes the place of every other, as nearly every grant does."""
    if choice.answer != GRANTED or choice.scopes or choice.origin in _NOT_A_PERSONS:
        return False
    return all(
        grant.version <= choice.version
        and grant.based_on <= choice.based_on
        and grant.effective_at <= choice.effective_at
        for grant in fold.grants
    ) and _qualifies(choice, fold.refusals, fold.seen_to)


def single(choice: RecordedChoice) -> TopicFold:
    """Give the fold of one choice."""
    if not choice.scopes:
        return _alone(choice)
    part = _alone(choice)
    whole = part if _is_about_all(choice) else NOTHING
    scoped = () if part is NOTHING else tuple((scope, part) for scope in sorted(set(choice.scopes)))
    return whole._replace(scoped=scoped)


def _is_about_all(choice: RecordedChoice) -> bool:
    """Tell whether a choice counts for the whole topic: what answers no notice, such as START, only lifts a STOP."""
    return not choice.scopes or (not choice.is_refusal and choice.notice_version is not None)


def _alone(choice: RecordedChoice) -> TopicFold:
    if choice.is_refusal:
        return TopicFold(refusals=(choice,), seen_to=choice.based_on)
    if choice.origin == SPOKEN:
        return NOTHING
    if choice.origin == BY_BRAND:
        return TopicFold(by_brand=choice)
    return TopicFold(grants=(choice,))


def merge(one: TopicFold, other: TopicFold) -> TopicFold:
    """Fold together what two folds of the same topic know."""
    refusals = _undominated_refusals({*one.refusals, *other.refusals})
    seen_to = max(one.seen_to, other.seen_to)
    grants = (grant for grant in {*one.grants, *other.grants} if _qualifies(grant, refusals, seen_to))
    by_brand = max((grant for grant in (one.by_brand, other.by_brand) if grant is not None), key=_recency, default=None)
    scoped = _merge_scoped(one.scoped, other.scoped) if one.scoped or other.scoped else ()
    return TopicFold(_undominated_grants(grants), refusals, seen_to, by_brand, scoped)


def _merge_scoped(
    one: tuple[tuple[str, TopicFold], ...], other: tuple[tuple[str, TopicFold], ...]
) -> tuple[tuple[str, TopicFold], ...]:
    merged = dict(one)
    for scope, fold in other:
        merged[scope] = merge(merged[scope], fold) if scope in merged else fold
    return tuple(sorted(merged.items(), key=_by_scope))


def _by_scope(item: tuple[str, TopicFold]) -> str:
    return item[0]


def _fold_one(choices: Sequence[RecordedChoice]) -> TopicFold:
    if not any(choice.scopes for choice in choices):
        return _fold_alone(choices)
    by_scope: dict[str, list[RecordedChoice]] = {}
    for choice in choices:
        if choice.is_refusal or choice.origin != SPOKEN:
            for scope in choice.scopes:
                by_scope.setdefault(scope, []).append(choice)
    whole = _fold_alone([choice for choice in choices if _is_about_all(choice)])
    return whole._replace(scoped=tuple((scope, _fold_alone(by_scope[scope])) for scope in sorted(by_scope)))


def _fold_alone(choices: Sequence[RecordedChoice]) -> TopicFold:
    # What `add` gives one by one, sorted once: a long history is read back in the time of one sort.
    refusals = [choice for choice in choices if choice.is_refusal]
    seen_to = max((refusal.based_on for refusal in refusals), default=-1)
    kept = _undominated_refusals(refusals)
    grants = [choice for choice in choices if not choice.is_refusal and choice.origin != SPOKEN]
    people = (grant for grant in grants if grant.origin != BY_BRAND and _qualifies(grant, kept, seen_to))
    by_brand = max((grant for grant in grants if grant.origin == BY_BRAND), key=_recency, default=None)
    return TopicFold(_undominated_grants(people), kept, seen_to, by_brand)


def standing(fold: TopicFold) -> RecordedChoice | None:
    """Give the choice that decides now, or None when nothing was said that counts."""
    said = fold.grants or fold.refusals
    if not said:
        return fold.by_brand
    return said[0] if len(said) == 1 else max(said, key=_recency)


def standing_for(topics: Mapping[str, TopicFold], topic: str) -> RecordedChoice | None:
    """Give the choice that decides about a topic; a withdraw-all counts as a refusal of every topic."""
    fold = topics.get(topic, NOTHING)
    everything = topics.get(EVERY_TOPIC) if topics else None
    if everything is None:
        return standing(fold)
    # A grant of every topic is never accepted; were one stored, it would still allow nothing.
    return standing(merge(fold, everything._replace(grants=(), by_brand=None)))


def latest_refusal(topics: Mapping[str, TopicFold], topic: str) -> RecordedChoice | None:
    """Give the latest refusal of a topic or of everything, lifted by a grant or not; None if nobody ever refused."""
    refusals = (refusal for name in (topic, EVERY_TOPIC) for refusal in topics.get(name, NOTHING).refusals)
    return max(refusals, key=_recency, default=None)


def fold(choices: Iterable[tuple[str, RecordedChoice]]) -> dict[str, TopicFold]:
    """Fold (topic, choice) pairs in any order into one `TopicFold` per topic."""
    said: dict[str, list[RecordedChoice]] = {}
    for topic, choice in choices:
        said.setdefault(topic, []).append(choice)
    return {topic: _fold_one(choices_of) for topic, choices_of in said.items()}


def full_part(fold: TopicFold, choice: RecordedChoice) -> TopicFold | None:
    """Give the part of a fold in which a choice finds no room, be it the whole topic's or a single sender's.

    It would be kept there beside as many as may be kept: whoever records it has to do without. Only a sender who dates
    each choice before the last, or claims each time to have seen less, comes this far; if nothing stopped them, what is
    known of the topic would grow with everything that they send.
    """
    if not choice.scopes and len(fold.refusals if choice.is_refusal else fold.grants) < MOST_KEPT:
        return None
    known = dict(fold.scoped) if choice.scopes else {}
    parts = [known.get(scope, NOTHING) for scope in choice.scopes]
    alone = choice._replace(scopes=()) if choice.scopes else choice
    for part in [*parts, fold] if _is_about_all(choice) else parts:
        kept = part.refusals if choice.is_refusal else part.grants
        if len(kept) < MOST_KEPT:
            continue
        after = add(part, alone)
        if len(after.refusals if choice.is_refusal else after.grants) > len(kept):
            return part
    return None


def has_scope_for(fold: TopicFold, choice: RecordedChoice) -> bool:
    """Tell whether a choice's senders can be kept apart beside those that are."""
    known = {scope for scope, _ in fold.scoped}
    return len(known.union(choice.scopes)) <= MOST_SCOPES


def seen_limit(based_on: int | None, version: int) -> int:
    """Give the last version that a choice can have seen: never its own."""
    return min(based_on or 0, version - 1)


def is_granted(choice: RecordedChoice | None) -> bool:
    """Tell whether the standing choice is a grant."""
    return choice is not None and choice.answer == GRANTED


def _recency(choice: RecordedChoice) -> tuple[int, int]:
    return choice.effective_at, choice.version


def _qualifies(grant: RecordedChoice, refusals: Sequence[RecordedChoice], seen_to: int) -> bool:
    if grant.version <= seen_to:
        return False
    if not refusals:
        return True
    # Versions rise and times fall along `refusals`, so the first that the grant hasn't seen is the latest.
    unseen = bisect_right(refusals, grant.based_on, key=_by_version)
    return unseen == len(refusals) or refusals[unseen].effective_at < grant.effective_at - _DOUBT


def _undominated_refusals(refusals: Iterable[RecordedChoice]) -> tuple[RecordedChoice, ...]:
    # An earlier version that took effect no later blocks nothing that the later version lets through.
    kept: list[RecordedChoice] = []
    for refusal in sorted(refusals, key=_by_version, reverse=True):
        if not kept or _recency(refusal) > _recency(kept[-1]):
            kept.append(refusal)
    return tuple(reversed(kept))


def _undominated_grants(grants: Iterable[RecordedChoice]) -> tuple[RecordedChoice, ...]:
    # A grant no earlier in version, effect and knowledge outlives every refusal that this one outlives.
    kept: list[RecordedChoice] = []
    # Those of them that a further one must beat, by rising knowledge and falling recency. Comparing with every
    # kept grant would let a sender who dates each grant before the last hold up everybody else's recording.
    front: list[RecordedChoice] = []
    for grant in sorted(grants, key=_by_version, reverse=True):
        end = bisect_left(front, grant.based_on, key=_by_knowledge)
        if end < len(front) and _recency(front[end]) >= _recency(grant):
            continue
        kept.append(grant)
        start = end
        while start and _recency(front[start - 1]) <= _recency(grant):
            start -= 1
        if end < len(front) and front[end].based_on == grant.based_on:
            end += 1
        front[start:end] = [grant]
    return tuple(reversed(kept))


def _by_version(choice: RecordedChoice) -> int:
    return choice.version


def _by_knowledge(choice: RecordedChoice) -> int:
    return choice.based_on
