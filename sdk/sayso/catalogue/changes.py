"""Which changes lie between two catalogues: of a topic, of what partners get, of what holds for everything."""

from collections.abc import Iterator

from sayso.catalogue.change import Change, ChangeKind
from sayso.catalogue.history import shown_texts
from sayso.model.catalogue import Catalogue, DntPolicy, UnknownAge
from sayso.model.duration import format_duration
from sayso.model.partner import ANY_FIELD, MAY_HEAR, Partner
from sayso.model.topic import Flow, LegalBasis, Topic


def of_topic(before: Topic, now: Topic) -> Iterator[Change]:
    """Give the changes to a topic that both catalogues have."""
    key = now.key
    if now.retired and not before.retired:
        yield Change(ChangeKind.RETIRED, key, "is no longer offered; refusals are still taken")
    if before.retired and not now.retired:
        yield Change(ChangeKind.REVIVED, key, "is offered again; " + what_silence_means(now))
    if now.version > before.version:
        yield _raised(before, now)
    elif shown_texts(before) != shown_texts(now):
        yield Change(
            ChangeKind.TEXT_CHANGED,
            key,
            f"has another text under version {now.version}: raise it if the meaning changed",
        )
    if before.basis is not now.basis:
        yield _basis(before, now)
    if set(before.requires) != set(now.requires):
        yield Change(
            ChangeKind.REQUIRES_CHANGED,
            key,
            f"now requires {_all_of(now.requires)}",
            warns=not set(before.requires) <= set(now.requires),
        )
    if before.sale_or_share and not now.sale_or_share:
        message = "no longer counts as selling or sharing, so an opt-out signal no longer stops it"
        yield Change(ChangeKind.SALE_OR_SHARE_CHANGED, key, message, warns=True)
    if now.sale_or_share and not before.sale_or_share:
        message = "now counts as selling or sharing, so an opt-out signal stops it"
        yield Change(ChangeKind.SALE_OR_SHARE_CHANGED, key, message)
    yield from _lengths(before, now)
    if before.capability != now.capability:
        message = f"now goes by what the device says about {now.capability} instead of {before.capability}"
        yield Change(ChangeKind.CAPABILITY_CHANGED, key, message, warns=True)
    if (before.fresh_for, before.fresh_for_one_time) != (now.fresh_for, now.fresh_for_one_time):
        yield _freshness(before, now)


def of_partners(old: Catalogue, new: Catalogue) -> Iterator[Change]:
    """Give the changes to what may leave for partners that both catalogues share data with: class, flags, fields."""
    for key, partner in new.partners.items():
        before = old.partners.get(key)
        if before is None or Flow.SHARE not in before.flows or Flow.SHARE not in partner.flows:
            continue  # a share that comes or goes is told as its topic
        yield from _dealings(before, partner)
        for field in dict.fromkeys((*before.fields, *partner.fields)):
            had, has = _needs(before, field), _needs(partner, field)
            if had != has:
                yield Change(
                    ChangeKind.PARTNER_FIELDS_CHANGED,
                    partner.topic_key(Flow.SHARE),
                    f"{_named(field)} {_was_and_is(had, has)}",
                    warns=has is not None and (had is None or not had <= has),
                )


def of_rules(old: Catalogue, new: Catalogue) -> Iterator[Change]:
    """Give the changes to what holds for every topic: ages and DNT."""
    if old.majority != new.majority:
        message = f"people decide for themselves from {new.majority} instead of {old.majority} years"
        yield Change(ChangeKind.MAJORITY_CHANGED, "", message, warns=new.majority < old.majority)
    if old.ages != new.ages:
        others = sorted(name for name in {*old.ages, *new.ages} if old.ages.get(name) != new.ages.get(name))
        message = f"people decide for themselves from other ages in some places: {', '.join(others)}"
        yield Change(ChangeKind.MAJORITY_CHANGED, "", message, warns=True)
    if old.unknown_age is not new.unknown_age:
        message = f"people of unknown age now count as {new.unknown_age}"
        yield Change(ChangeKind.UNKNOWN_AGE_CHANGED, "", message, warns=new.unknown_age is UnknownAge.ADULT)
    if old.dnt is not new.dnt:
        honoured = new.dnt is DntPolicy.HONOUR
        message = (
            "Do Not Track now stops what is sold or shared" if honoured else "Do Not Track no longer stops anything"
        )
        yield Change(ChangeKind.DNT_CHANGED, "", message, warns=not honoured)


def what_silence_means(topic: Topic) -> str:
    """Say what is done with a consumer who has said nothing about a topic."""
    if topic.basis is LegalBasis.CONSENT:
        return "not allowed until granted"
    if topic.basis is LegalBasis.LEGITIMATE_INTEREST:
        return "allowed unless refused"
    return f"always allowed, by {topic.basis}"


def _basis(before: Topic, now: Topic) -> Change:
    silence_allows = before.basis is LegalBasis.CONSENT and now.basis is not LegalBasis.CONSENT
    message = f"rested on {before.basis} and now on {now.basis}; {what_silence_means(now)}"
    if silence_allows:
        message += ", so from then on also for everybody who was never asked"
    return Change(ChangeKind.BASIS_CHANGED, now.key, message, warns=silence_allows)


def _lengths(before: Topic, now: Topic) -> Iterator[Change]:
    if before.expires_after != now.expires_after:
        yield _expiry(before, now)
    if before.refresh_before != now.refresh_before:
        yield Change(ChangeKind.REFRESH_BEFORE_CHANGED, now.key, _refresh(now))
    if before.grace != now.grace:
        longer = now.grace is not None and (before.grace is None or now.grace > before.grace)
        yield Change(ChangeKind.GRACE_CHANGED, now.key, _grace(now), warns=longer)


def _expiry(before: Topic, now: Topic) -> Change:
    had = None if before.expires_after is None else format_duration(before.expires_after)
    has = None if now.expires_after is None else format_duration(now.expires_after)
    if has is None:
        message = f"new grants no longer end by themselves; before it was after {had}"
    elif had is None:
        message = f"new grants end after {has}; those already given keep their end, or have none"
    else:
        message = f"new grants end after {has} instead of {had}; those already given keep their end"
    return Change(ChangeKind.EXPIRES_AFTER_CHANGED, now.key, message, warns=has is None)


def _raised(before: Topic, now: Topic) -> Change:
    message = f"goes from version {before.version} to {now.version}"
    if now.basis is not LegalBasis.CONSENT:
        return Change(ChangeKind.VERSION_RAISED, now.key, message + "; refusals stand")
    message += "; everybody who granted it is asked again"
    if now.grace is not None:
        message += f", and what they granted holds for {format_duration(now.grace)}"
    return Change(ChangeKind.VERSION_RAISED, now.key, message, asks_again=True)


def _refresh(now: Topic) -> str:
    if now.refresh_before is None:
        return "people are asked anew only once their grant has ended"
    return f"people may be asked anew from {format_duration(now.refresh_before)} before their grant ends"


def _grace(now: Topic) -> str:
    if now.grace is None:
        return "grants of the version before no longer hold once a higher one is published"
    return f"grants of the version before hold for {format_duration(now.grace)} once a higher one is published"


def _freshness(before: Topic, now: Topic) -> Change:
    spans = ((before.fresh_for, now.fresh_for), (before.fresh_for_one_time, now.fresh_for_one_time))
    (lasts, lasted), (once, had_once) = ((format_duration(has), format_duration(had)) for had, has in spans)
    message = f"device reports count for {lasts} (given once: {once}) instead of {lasted} ({had_once})"
    return Change(ChangeKind.FRESH_FOR_CHANGED, now.key, message, warns=any(has > had for had, has in spans))


def _dealings(before: Partner, now: Partner) -> Iterator[Change]:
    share = now.topic_key(Flow.SHARE)
    if before.partner_class is not now.partner_class:
        hears = now.partner_class in MAY_HEAR and before.partner_class not in MAY_HEAR
        message = f"the partner's class was {before.partner_class} and is now {now.partner_class}"
        if hears:
            message += ": it may have what people said without their consent"
        yield Change(ChangeKind.PARTNER_CLASS_CHANGED, share, message, warns=hears)
    if before.restricted != now.restricted:
        if not now.restricted:
            message = "the partner has no flags for limited use any more; whoever refuses has nothing sent"
        elif not before.restricted:
            message = "the partner now has flags for limited use, so data of those who refuse is sent with them"
        else:
            message = "the partner's flags for limited use changed, with which data of those who refuse is sent"
        yield Change(ChangeKind.PARTNER_FLAGS_CHANGED, share, message, warns=bool(now.restricted))


def _needs(partner: Partner, field: str) -> frozenset[str] | None:
    """Give the topics that a field needs besides the share; None if it is held back."""
    needed = partner.fields.get(field, partner.fields.get(ANY_FIELD))
    return None if needed is None else frozenset(needed)


def _was_and_is(had: frozenset[str] | None, has: frozenset[str] | None) -> str:
    if had is None:
        return f"was held back and now needs {_all_of(has or ())}"
    if has is None:
        return f"needed {_all_of(had)} and is now held back"
    return f"needed {_all_of(had)} and now {_all_of(has)}"


def _named(field: str) -> str:
    return "every field not named" if field == ANY_FIELD else f"field {field}"


def _all_of(topics: frozenset[str] | tuple[str, ...]) -> str:
    names = sorted(topics) if isinstance(topics, frozenset) else topics
    return ", ".join(names) or "nothing else"
