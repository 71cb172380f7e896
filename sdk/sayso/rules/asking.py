"""May I ask? Whether a consumer may be asked for their consent now: one rule for widget, bot and agent.

Nobody is asked again within 12 months after they refused, whatever has changed since: a new version of the notice, a
new text, a grant of theirs that has lapsed in between (11 CCR 7026(k) has the same time for opt-outs of sale; asking
until somebody gives in is no free consent, GDPR Recital 42). Nobody is asked who has taken everything back, who is
under age without a guardian's grant, or whose signal answers already; nor about what needs no consent, or has one.
"""

from datetime import timedelta
from typing import Final, NamedTuple

from sayso.model.catalogue import Catalogue
from sayso.model.decision import Decision, Reason
from sayso.model.instant import Micros, from_micros, span_micros, to_micros
from sayso.model.preferences import Preferences, TopicFold
from sayso.model.recorded import RecordedChoice
from sayso.model.topic import EVERY_TOPIC, Topic
from sayso.rules.decide import covering_signal, decide

NEVER: Final[Micros] = 2**63 - 1
"""No time alone lets the consumer be asked."""

ENDS_SOON: Final = "ends_soon"
"""Why whoever granted may be asked: the grant is about to end, or holds only for the older notice's `grace`."""

_LEAP_YEAR: Final = span_micros(timedelta(days=366))
_ASKABLE: Final = frozenset({Reason.NOT_ASKED.value, Reason.EXPIRED.value, Reason.OUTDATED.value})
_ANSWERED: Final = frozenset(
    {
        Reason.UNKNOWN_TOPIC.value,
        Reason.ERASED.value,
        Reason.RESTRICTED.value,
        Reason.REQUIRED.value,
        Reason.MINOR.value,
        Reason.SIGNAL.value,
    }
)


class MayAsk(NamedTuple):
    """Whether a consumer may be asked about a topic.

    Attributes:
        topic: What was asked about.
        allowed: Whether they may be asked now.
        reason: The reason that `decide` gives: what there is to ask about, or what stands in the way. `ends_soon` where
            a grant that still holds may be asked for anew.
        not_before: When time alone lets them be asked, in microseconds; None if it does not, or they may be now.
    """

    topic: str
    allowed: bool
    reason: str
    not_before: Micros | None = None

    def __bool__(self) -> bool:
        """Give `allowed`: a tuple would count as true whatever it says."""
        return self.allowed


def may_ask(preferences: Preferences, catalogue: Catalogue, topic: str, now: Micros) -> MayAsk:
    """Answer whether a consumer may be asked about a topic now.

    Args:
        preferences: What was recorded.
        catalogue: What can be asked about.
        topic: The topic's key.
        now: Microseconds since 1970.

    Returns:
        Always an answer. Where a grant is about to end (`refresh_before`) or holds only for the older notice's `grace`,
        it may be asked for anew while it still allows.
    """
    decision = decide(preferences, catalogue, topic, now)
    return by_reason(topic, decision.reason, ask_from(preferences, catalogue, decision), now)


def by_reason(topic: str, reason: str, moment: Micros | None, now: Micros) -> MayAsk:
    """Answer from a decision's reason and what `ask_from` gave for it, here or on the other side of the wire."""
    if moment is None:
        return MayAsk(topic, reason in _ASKABLE, reason)
    if moment == NEVER:
        return MayAsk(topic, False, reason)
    if now < moment:
        return MayAsk(topic, False, reason, moment)
    return MayAsk(topic, True, ENDS_SOON if reason == Reason.GRANTED.value else reason)


def ask_from(preferences: Preferences, catalogue: Catalogue, decision: Decision) -> Micros | None:
    """Give from when a consumer may be asked about a decided topic, where the decision's reason alone does not tell.

    Returns:
        A time; `NEVER`; or None where the reason tells: what was not asked, has expired or is outdated may be asked,
        nothing else.
    """
    topic = catalogue.topics.get(decision.topic)
    fold, everything = preferences.topics.get(decision.topic), preferences.topics.get(EVERY_TOPIC)
    if topic is None or decision.reason in _ANSWERED or (fold is None and everything is None):
        return None
    choice = decision.choice
    anew = None if choice is None or choice.is_refusal else _anew_from(catalogue, topic, choice)
    refused = choice is not None and choice.is_refusal
    if decision.reason not in _ASKABLE and anew is None and not refused:
        return None
    all_withdrawn = refused and everything is not None and bool(everything.refusals)
    # Also where the lapsed grant knew of the signal: it speaks again as soon as that grant does not.
    if all_withdrawn or (topic.sale_or_share and covering_signal(preferences, catalogue, None) is not None):
        return NEVER
    refused_at = _refused_at(fold, everything)
    return anew if refused_at is None else max(a_year_after(refused_at), anew or 0)


def a_year_after(moment: Micros) -> Micros:
    """Give the same day and time of the year after; for a 29 February, the 1 March."""
    try:
        start = from_micros(moment)
        return to_micros(start.replace(year=start.year + 1))
    except (ValueError, OverflowError):  # a 29 February, or beyond any calendar
        return moment + _LEAP_YEAR


def _anew_from(catalogue: Catalogue, topic: Topic, grant: RecordedChoice) -> Micros | None:
    """Give from when a grant may be asked for anew while it holds; None if it is not to end so soon."""
    if grant.notice_version is not None and grant.notice_version < topic.version:
        past = catalogue.history.get(topic.key)
        return past.since if past is not None else None
    if grant.expires_at is None or topic.refresh_before is None:
        return None
    return max(0, grant.expires_at - span_micros(topic.refresh_before))


def _refused_at(fold: TopicFold | None, everything: TopicFold | None) -> Micros | None:
    """Give when the topic, a single sender of it or everything was last refused; None for never."""
    parts = [part for part in (fold, everything) if part is not None]
    if fold is not None and fold.scoped:
        parts += [part for _, part in fold.scoped]
    return max((refusal.effective_at for part in parts for refusal in part.refusals), default=None)
