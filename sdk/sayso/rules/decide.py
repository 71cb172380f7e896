"""May I? One pure and total function: preferences, catalogue, topic and time in, a decision out.

The rules are tried in a fixed order and the first that has something to say answers. Missing data never
allows, except for what the law or a contract requires (`required`) and what rests on a legitimate interest
that nobody objected to (`default`).
"""

from collections.abc import Iterable

from sayso.model.catalogue import Catalogue
from sayso.model.decision import Decision, Reason
from sayso.model.device import Capability
from sayso.model.instant import Micros, span_micros
from sayso.model.preferences import Preferences
from sayso.model.recorded import BY_GUARDIAN, BY_PERSON, RecordedChoice
from sayso.model.signal import SignalName
from sayso.model.topic import EVERY_TOPIC, LegalBasis, Topic, TopicKind
from sayso.rules.age import is_minor
from sayso.rules.fold import NOTHING, is_granted, standing_for

_PASSING = frozenset({"granted", "limited"})


def decide(
    preferences: Preferences, catalogue: Catalogue, topic: str, now: Micros, device: str | None = None
) -> Decision:
    """Answer whether something may be done for a consumer now.

    Args:
        preferences: What was recorded.
        catalogue: What can be asked about, and on which legal basis.
        topic: The topic's key, such as `purpose:marketing`.
        now: Microseconds since 1970.
        device: The device it would happen on; a permission is never allowed without one.

    Returns:
        Always a decision, whatever the input; see `Reason` for what it can say.
    """
    return _Check(preferences, catalogue, now, device).decide(topic)


class _Check:
    """One call of `decide`: remembers topics already answered, since many may require the same one."""

    def __init__(self, preferences: Preferences, catalogue: Catalogue, now: Micros, device: str | None) -> None:
        self.preferences = preferences
        self.catalogue = catalogue
        self.now = now
        self.device = device
        self.known: dict[str, Decision] = {}

    def decide(self, key: str) -> Decision:
        for needed in self.catalogue.closure(key):
            self.known[needed] = self._one(needed)
        return self._one(key)

    def _one(self, key: str) -> Decision:
        topic = self.catalogue.topics.get(key)
        if topic is None or topic.retired:
            return Decision(key, False, Reason.UNKNOWN_TOPIC.value)
        preferences = self.preferences
        if topic.basis is not LegalBasis.LEGAL_OBLIGATION:
            if preferences.erased:
                return Decision(key, False, Reason.ERASED.value)
            if preferences.restricted:
                return Decision(key, False, Reason.RESTRICTED.value)
        if topic.basis in (LegalBasis.LEGAL_OBLIGATION, LegalBasis.CONTRACT):
            return Decision(key, True, Reason.REQUIRED.value)
        return self._by_choice(topic, standing_for(preferences.topics, key))

    def _by_choice(self, topic: Topic, choice: RecordedChoice | None) -> Decision:
        lapsed = self._lapsed(topic, choice)
        if lapsed is not None and topic.basis is not LegalBasis.CONSENT:
            # As if nothing was said: it no longer speaks for a minor or against a signal either.
            choice = lapsed = None
        minor, comes_of_age = is_minor(
            self.preferences.age,
            majority=self.catalogue.majority,
            unknown_is_minor=self.catalogue.unknown_age == "minor",
            now=self.now,
        )
        if minor and not (is_granted(choice) and choice is not None and choice.origin == BY_GUARDIAN):
            return Decision(topic.key, False, Reason.MINOR.value, choice, comes_of_age)
        if choice is not None and choice.is_refusal:
            return Decision(topic.key, False, self._refusal(choice), choice)
        signal = self._covering_signal(topic, choice)
        if signal is not None:
            return Decision(topic.key, False, Reason.SIGNAL.value, choice, signal=signal)
        if lapsed is not None:
            return Decision(topic.key, False, lapsed.value, choice)
        if choice is None and topic.basis is LegalBasis.CONSENT:
            return Decision(topic.key, False, Reason.NOT_ASKED.value)
        reason = Reason.DEFAULT.value if choice is None else Reason.GRANTED.value
        until = None if choice is None else choice.expires_at
        if topic.kind is TopicKind.PERMISSION:
            refused, device_until = self._by_device(topic)
            until = _earliest((until, device_until))
            if refused is not None:
                return Decision(topic.key, False, refused.value, choice, until, self.device)
        return self._by_requirements(topic, Decision(topic.key, True, reason, choice, until, self.device))

    def _covering_signal(self, topic: Topic, choice: RecordedChoice | None) -> str | None:
        if not topic.sale_or_share:
            return None
        for seen in self.preferences.signals:
            if seen.name == SignalName.DNT.value and self.catalogue.dnt != "honour":
                continue
            overridden = (
                choice is not None
                and choice.origin in (BY_PERSON, BY_GUARDIAN)  # nobody else can speak against it
                and seen.name in choice.overrides
                and choice.version > seen.version
                and choice.effective_at >= seen.effective_at
            )
            if not overridden:
                return seen.name
        return None

    def _refusal(self, choice: RecordedChoice) -> str:
        everything = self.preferences.topics.get(EVERY_TOPIC, NOTHING)
        return Reason.WITHDRAWN.value if choice in everything.refusals else choice.answer

    def _lapsed(self, topic: Topic, choice: RecordedChoice | None) -> Reason | None:
        if choice is None or choice.is_refusal:
            return None
        if choice.expires_at is not None and choice.expires_at <= self.now:
            return Reason.EXPIRED
        if choice.notice_version is not None and choice.notice_version < topic.version:
            return Reason.OUTDATED
        return None

    def _by_device(self, topic: Topic) -> tuple[Reason | None, Micros | None]:
        """Give why the device stands in the way, if it does, and until when its word holds."""
        report = self.preferences.devices.get(self.device) if self.device is not None else None
        if report is None or topic.capability is None:
            return Reason.DEVICE_UNKNOWN, None
        known = report.states.get(Capability(topic.capability))
        if known is None:
            return Reason.DEVICE_UNKNOWN, None
        state, reported_at = known
        fresh_for = topic.fresh_for_one_time if state.duration == "one_time" else topic.fresh_for
        until = reported_at + span_micros(fresh_for)
        if until <= self.now:
            return Reason.DEVICE_UNKNOWN, None
        if state.state in _PASSING:
            return None, until
        if state.state == "not_determined":
            return Reason.DEVICE_NOT_ASKED, until
        return Reason.DEVICE_DENIED, until

    def _by_requirements(self, topic: Topic, decision: Decision) -> Decision:
        until = decision.valid_until
        for key in topic.requires:
            other = self.known.get(key)  # missing only where topics require each other in a circle
            until = _earliest((until, other.valid_until if other is not None else None))
            if other is None or not other.allowed:
                return Decision(topic.key, False, f"requires:{key}", decision.choice, until, self.device)
        return Decision(topic.key, True, decision.reason, decision.choice, until, self.device)


def _earliest(moments: Iterable[Micros | None]) -> Micros | None:
    return min((moment for moment in moments if moment is not None), default=None)
