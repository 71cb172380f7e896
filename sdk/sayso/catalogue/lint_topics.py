"""Whether each topic rests on a basis it may rest on, and holds for a sensible time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from sayso.catalogue.finding import Finding, error, table_of, warning
from sayso.model.catalogue import Catalogue
from sayso.model.topic import LegalBasis, Topic, TopicKind

_SHORTEST_GRANT: Final = timedelta(minutes=1)
_LONGEST_GRANT: Final = timedelta(days=10 * 365)
_LONGEST_GRACE: Final = timedelta(days=366)
_STALEST_DEVICE_STATE: Final = timedelta(days=7)


def topics(catalogue: Catalogue) -> Iterator[Finding]:
    """Find topics with a basis that takes a choice away, and odd lengths of time."""
    for topic in catalogue.topics.values():
        if not topic.retired:
            yield from _basis(topic)
            yield from _expiry(topic)
            yield from _asking_anew(topic)
            yield from _freshness(topic)
            if topic.kind in (TopicKind.PURPOSE, TopicKind.PERMISSION) and not topic.data_classes:
                yield warning(table_of(topic), "data_classes", "is empty, so nobody can tell how long its data is kept")


def _basis(topic: Topic) -> Iterator[Finding]:
    table = table_of(topic)
    if not topic.refusable and (what := _must_be_refusable(topic)):
        yield error(
            table,
            "basis",
            f"{topic.basis} leaves no choice, and {what} is the consumer's to refuse; "
            "rest it on consent or legitimate_interest",
        )
    if topic.kind is TopicKind.PERMISSION and topic.basis is LegalBasis.LEGITIMATE_INTEREST:
        yield warning(table, "basis", "is legitimate_interest: it is on before anybody asked; use consent")
    if topic.kind is TopicKind.CHANNEL and topic.basis is LegalBasis.LEGITIMATE_INTEREST:
        yield warning(table, "basis", "is legitimate_interest: messages go out before anybody opted in")


def _must_be_refusable(topic: Topic) -> str:
    if topic.kind is TopicKind.PERMISSION:
        return "a device permission"
    if topic.kind is TopicKind.CHANNEL:
        return "a channel"
    if topic.sale_or_share:
        return "the sale or sharing of data"
    if topic.is_marketing:
        return "marketing"
    return "training" if topic.is_training else ""


def _expiry(topic: Topic) -> Iterator[Finding]:
    if topic.expires_after is None:
        return
    table = table_of(topic)
    if not topic.refusable:
        yield warning(table, "expires_after", f"has no effect: nobody grants what rests on {topic.basis}")
    elif topic.expires_after < _SHORTEST_GRANT:
        yield error(table, "expires_after", "is under a minute: a grant would be over before it is of use")
    elif topic.expires_after > _LONGEST_GRANT:
        yield warning(table, "expires_after", "is over ten years; leave it out if grants do not expire")


def _asking_anew(topic: Topic) -> Iterator[Finding]:
    table = table_of(topic)
    for key in ("grace", "refresh_before"):
        if getattr(topic, key) is not None and not topic.refusable:
            yield warning(table, key, f"has no effect: nobody grants what rests on {topic.basis}")
    if topic.grace is not None and topic.grace > _LONGEST_GRACE:
        yield warning(table, "grace", "is over a year: so long would what nobody agreed to go on under the old notice")
    lasts = topic.expires_after
    if topic.refresh_before is not None and lasts is not None and topic.refresh_before >= lasts:
        yield error(table, "refresh_before", "is no shorter than `expires_after`: people would be asked at once")


def _freshness(topic: Topic) -> Iterator[Finding]:
    if topic.kind is not TopicKind.PERMISSION:
        for key in ("fresh_for", "fresh_for_one_time"):
            if key in topic.model_fields_set and getattr(topic, key) != type(topic).model_fields[key].default:
                yield warning(table_of(topic), key, "has no effect: only permission topics read a device")
        return
    if topic.fresh_for > _STALEST_DEVICE_STATE:
        yield warning(table_of(topic), "fresh_for", "is over a week: the device may have said no long before that")
    if topic.fresh_for_one_time > topic.fresh_for:
        yield error(table_of(topic), "fresh_for_one_time", "is longer than `fresh_for`; a one-time grant ends sooner")
