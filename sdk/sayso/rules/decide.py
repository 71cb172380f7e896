"""May I? One pure and total function: preferences, catalogue, topic and time in, a decision out.

The rules are tried in a fixed order and the first that has something to say answers. Missing data never
allows, except for what the law or a contract requires (`required`) and what rests on a legitimate interest
that nobody objected to (`default`).
"""

from collections.abc import Mapping

from sayso.model.catalogue import Catalogue, DntPolicy
from sayso.model.decision import Decision, Reason
from sayso.model.device import Capability
from sayso.model.instant import Micros, span_micros
from sayso.model.preferences import Preferences
from sayso.model.recorded import BY_GUARDIAN, BY_PERSON, GRANTED, RecordedChoice
from sayso.model.signal import SignalName
from sayso.model.topic import EVERY_TOPIC, LegalBasis, Topic, TopicKind
from sayso.rules.fold import latest_refusal, standing_for
from sayso.rules.majority import counts_as_minor
from sayso.rules.senders import stop_for

_PASSING = frozenset({"granted", "limited"})
_REQUIRED_BASES = frozenset({LegalBasis.LEGAL_OBLIGATION, LegalBasis.CONTRACT})
_DNT = SignalName.DNT.value
_PEOPLE = frozenset({BY_PERSON, BY_GUARDIAN})  # nobody else can speak against a signal

# A check is on the path of every message: each enum's value is looked up once, here.
_GRANTED = Reason.GRANTED.value
_DEFAULT = Reason.DEFAULT.value
_REQUIRED = Reason.REQUIRED.value
_UNKNOWN_TOPIC = Reason.UNKNOWN_TOPIC.value
_ERASED = Reason.ERASED.value
_RESTRICTED = Reason.RESTRICTED.value
_MINOR = Reason.MINOR.value
_WITHDRAWN = Reason.WITHDRAWN.value
_SIGNAL = Reason.SIGNAL.value
_EXPIRED = Reason.EXPIRED.value
_OUTDATED = Reason.OUTDATED.value
_NOT_ASKED = Reason.NOT_ASKED.value
_DEVICE_DENIED = Reason.DEVICE_DENIED.value
_DEVICE_NOT_ASKED = Reason.DEVICE_NOT_ASKED.value
_DEVICE_UNKNOWN = Reason.DEVICE_UNKNOWN.value


def decide(
    preferences: Preferences,
    catalogue: Catalogue,
    topic: str,
    now: Micros,
    device: str | None = None,
    *,
    sender: str | None = None,
) -> Decision:
    """Answer whether something may be done for a consumer now.

    Args:
        preferences: What was recorded.
        catalogue: What can be asked about, and on which legal basis.
        topic: The topic's key, such as `purpose:marketing`.
        now: Microseconds since 1970.
        device: The device it would happen on; a permission is never allowed without one.
        sender: For a channel: the number or address that would send. Without one, a refusal of any sender counts.

    Returns:
        Always a decision, whatever the input; see `Reason` for what it can say.
    """
    needed: dict[str, Decision] = {}
    for key in catalogue.closure(topic):
        needed[key] = _one(preferences, catalogue, key, now, device=device, sender=sender, needed=needed)
    return _one(preferences, catalogue, topic, now, device=device, sender=sender, needed=needed)


def _one(
    preferences: Preferences,
    catalogue: Catalogue,
    key: str,
    now: Micros,
    *,
    device: str | None,
    sender: str | None,
    needed: Mapping[str, Decision],
) -> Decision:
    """Decide one topic, given the decisions about those it requires."""
    topic = catalogue.topics.get(key)
    if topic is None or topic.retired:
        return Decision(key, False, _UNKNOWN_TOPIC)
    basis = topic.basis
    if preferences.erased and basis is not LegalBasis.LEGAL_OBLIGATION:
        return Decision(key, False, _ERASED)
    if preferences.restricted and basis is not LegalBasis.LEGAL_OBLIGATION:
        return Decision(key, False, _RESTRICTED)
    if basis in _REQUIRED_BASES:
        return Decision(key, True, _REQUIRED)
    choice = _standing(preferences, topic, sender)
    minor, comes_of_age = counts_as_minor(preferences.age, catalogue, now, sale=topic.sale_or_share)
    by_guardian = choice is not None and choice.origin == BY_GUARDIAN and choice.answer == GRANTED
    grown_up = comes_of_age if by_guardian else None  # then a guardian's grant ends, and the person is asked
    lapsed = _EXPIRED if by_guardian and not minor else _lapsed(catalogue, topic, choice, now)
    if lapsed is not None and basis is not LegalBasis.CONSENT:
        # As if the grant had not been: it no longer speaks for a minor or against a signal either. Nor does it lift a
        # refusal any more. Silence would allow here, and whoever once objected has not been silent.
        choice, lapsed, grown_up = latest_refusal(preferences.topics, key), None, None
    until = _earlier(_ends(catalogue, topic, choice), grown_up)
    barred = _barred(preferences, catalogue, topic, choice, minor=minor, comes_of_age=comes_of_age, ends=until)
    if barred is not None:
        return barred
    if lapsed is not None:
        return _ended(key, lapsed, choice, grown_up, came_of_age=by_guardian and not minor)
    if choice is None and basis is LegalBasis.CONSENT:
        return Decision(key, False, _NOT_ASKED)
    if topic.kind is TopicKind.PERMISSION:
        refused, device_until = _by_device(preferences, topic, now, device)
        until = _earlier(until, device_until)
        if refused is not None:
            return Decision(key, False, refused, choice, until, device)
    for name in topic.requires:
        other = needed.get(name)  # missing only where topics require each other in a circle
        until = _earlier(until, None if other is None else other.valid_until)
        if other is None or not other.allowed:
            return Decision(key, False, f"requires:{name}", choice, until, device)
    return Decision(key, True, _DEFAULT if choice is None else _GRANTED, choice, until, device)


def _standing(preferences: Preferences, topic: Topic, sender: str | None) -> RecordedChoice | None:
    """Give the choice that decides: for a channel, a refusal of the sender before what was said about all of it."""
    topics = preferences.topics
    choice = standing_for(topics, topic.key)
    if topic.kind is not TopicKind.CHANNEL or not topics or (choice is not None and choice.answer != GRANTED):
        return choice
    fold = topics.get(topic.key)
    if fold is None or not fold.scoped:
        return choice
    return stop_for(fold, topic.senders, sender) or choice


def _barred(
    preferences: Preferences,
    catalogue: Catalogue,
    topic: Topic,
    choice: RecordedChoice | None,
    *,
    minor: bool,
    comes_of_age: Micros | None,
    ends: Micros | None,
) -> Decision | None:
    """Decide by what stands in the way whatever was granted: age, a refusal, a signal."""
    granted = choice is not None and choice.answer == GRANTED
    if not granted or topic.basis is LegalBasis.CONSENT:
        # Without a consent to expire, a grant that ends is as if it had not been: another rule may answer then.
        ends = None
    if minor and not (granted and choice is not None and choice.origin == BY_GUARDIAN):
        return Decision(topic.key, False, _MINOR, choice, _earlier(comes_of_age, ends))
    if choice is not None and not granted:
        everything = preferences.topics.get(EVERY_TOPIC)
        by_all = everything is not None and choice in everything.refusals
        return Decision(topic.key, False, _WITHDRAWN if by_all else choice.answer, choice)
    if topic.sale_or_share and preferences.signals:
        signal = covering_signal(preferences, catalogue, choice)
        if signal is not None:
            return Decision(topic.key, False, _SIGNAL, choice, ends, signal=signal)
    return None


def covering_signal(preferences: Preferences, catalogue: Catalogue, choice: RecordedChoice | None) -> str | None:
    """Give the signal that covers what is sold or shared and that the choice does not knowingly override, if any."""
    for seen in preferences.signals:
        if seen.name == _DNT and catalogue.dnt is not DntPolicy.HONOUR:
            continue
        overridden = (
            choice is not None
            and choice.origin in _PEOPLE
            and seen.name in choice.overrides
            and choice.version > seen.version
            and choice.effective_at >= seen.effective_at
        )
        if not overridden:
            return seen.name
    return None


def _lapsed(catalogue: Catalogue, topic: Topic, choice: RecordedChoice | None, now: Micros) -> str | None:
    if choice is None or choice.answer != GRANTED:
        return None
    if choice.expires_at is not None and choice.expires_at <= now:
        return _EXPIRED
    if choice.notice_version is not None and choice.notice_version < topic.version:
        held_until = catalogue.held_until(topic.key, choice.notice_version)
        return _OUTDATED if held_until is None or held_until <= now else None
    return None


def _ended(
    key: str, lapsed: str, choice: RecordedChoice | None, grown_up: Micros | None, *, came_of_age: bool
) -> Decision:
    """Decide by a grant that has lapsed."""
    if choice is not None and came_of_age:
        choice = choice._replace(expires_at=None)  # which it never came to
    if choice is None or lapsed != _OUTDATED:
        return Decision(key, False, lapsed, choice)
    # What answered an older notice can still come to its end, and is called expired from then on.
    return Decision(key, False, lapsed, choice, _earlier(choice.expires_at, grown_up))


def _ends(catalogue: Catalogue, topic: Topic, choice: RecordedChoice | None) -> Micros | None:
    """Give when a grant that has not lapsed comes to its end: its own, or that of the older notice's grace."""
    if choice is None or choice.notice_version is None or choice.notice_version >= topic.version:
        return None if choice is None else choice.expires_at
    if choice.answer != GRANTED:
        return None
    return _earlier(choice.expires_at, catalogue.held_until(topic.key, choice.notice_version))


def _by_device(
    preferences: Preferences, topic: Topic, now: Micros, device: str | None
) -> tuple[str | None, Micros | None]:
    """Give why the device stands in the way, if it does, and until when its word holds."""
    report = preferences.devices.get(device) if device is not None else None
    if report is None or topic.capability is None:
        return _DEVICE_UNKNOWN, None
    known = report.states.get(Capability(topic.capability))
    if known is None:
        return _DEVICE_UNKNOWN, None
    state, reported_at = known
    fresh_for = topic.fresh_for_one_time if state.duration == "one_time" else topic.fresh_for
    until = reported_at + span_micros(fresh_for)
    if until <= now:
        return _DEVICE_UNKNOWN, None
    if state.state in _PASSING:
        return None, until
    return (_DEVICE_NOT_ASKED if state.state == "not_determined" else _DEVICE_DENIED), until


def _earlier(one: Micros | None, other: Micros | None) -> Micros | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
