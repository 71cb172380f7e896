"""How one hand-over to or from a partner goes under a catalogue: what the guard would answer, and for which fields."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from sayso.model.catalogue import Catalogue
from sayso.model.decision import Decision, Reason
from sayso.model.disclosure import ANSWERS, GuardAnswer
from sayso.model.instant import Micros
from sayso.model.partner import MAY_HEAR, Partner
from sayso.model.preferences import Preferences
from sayso.model.topic import Flow
from sayso.rules.decide import decide
from sayso.rules.field_map import FieldMap
from sayso.rules.redact import Opening
from sayso.rules.sharing import answer_to_share

_CLOSED: Final = {Flow.SHARE: GuardAnswer.WITHHOLD, Flow.RECEIVE: GuardAnswer.DROP, Flow.COMBINE: GuardAnswer.REFUSE}
_OPEN: Final = {Flow.RECEIVE: GuardAnswer.ACCEPT, Flow.COMBINE: GuardAnswer.JOIN}
_HOW_FAR: Final = {answer: -place for answers in ANSWERS.values() for place, answer in enumerate(answers)} | {
    GuardAnswer.SEND_REDACTED: 0  # which fields go is told by the fields
}


class Way(NamedTuple):
    """How it goes.

    Attributes:
        answer: What the guard answers.
        reason: Why, as `Decision` has it.
        goes: For a share that goes: whether each field asked about goes with it.
    """

    answer: GuardAnswer
    reason: str
    goes: Mapping[str, bool]

    @property
    def how_far(self) -> int:
        """How much goes, whatever the fields: a higher number is more."""
        return _HOW_FAR[self.answer]


class Ways:
    """Answers for one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Take the catalogue; a partner's field map is made ready when it is first met."""
        self._catalogue = catalogue
        self._maps: dict[str, FieldMap] = {}

    def of(
        self, preferences: Preferences, partner: str, flow: Flow, fields: Iterable[str], now: Micros
    ) -> tuple[str, Way]:
        """Give topic and way of one hand-over.

        A disclosure does not say which device its data came from. So what any of the consumer's devices would let pass
        counts as passing, before and after alike.

        Args:
            preferences: The consumer's, at that time.
            partner: Its key.
            flow: Which way the data goes.
            fields: The names of the fields that were handed over or held back.
            now: When.
        """
        found = self._catalogue.partners.get(partner)
        key = f"partner:{partner}:{flow}"
        if found is None or flow not in found.flows:
            return key, Way(_CLOSED[flow], Reason.UNKNOWN_TOPIC.value, {})
        decision = self._decide(preferences, key, now)
        if flow is not Flow.SHARE:
            return key, Way(_OPEN[flow] if decision.allowed else _CLOSED[flow], decision.reason, {})
        return key, self._share(preferences, found, decision, fields, now)

    def _share(
        self, preferences: Preferences, partner: Partner, decision: Decision, fields: Iterable[str], now: Micros
    ) -> Way:
        field_map = self._maps.get(partner.key)
        if field_map is None:
            field_map = FieldMap(partner.fields, hears=partner.partner_class in MAY_HEAR)
            self._maps[partner.key] = field_map
        decided = {name: self._decide(preferences, name, now) for name in field_map.topics}
        required = [self._decide(preferences, name, now) for name in self._catalogue.closure(decision.topic)]
        allowed = frozenset(name for name, one in decided.items() if one.allowed)
        granted = frozenset(name for name, one in decided.items() if one.reason == Reason.GRANTED.value)
        answer = answer_to_share(
            allowed=decision.allowed,
            reasons=[one.reason for one in (decision, *required) if not one.allowed],
            flagged=bool(partner.restricted),
            holds_back=field_map.holds_back(allowed),
        )
        if answer is GuardAnswer.WITHHOLD:
            return Way(answer, decision.reason, {})
        root = Opening(field_map, allowed, granted).root
        return Way(answer, decision.reason, {name: root.step(name).leaves for name in fields})

    def _decide(self, preferences: Preferences, topic: str, now: Micros) -> Decision:
        decision = decide(preferences, self._catalogue, topic, now)
        if not decision.allowed and self._catalogue.uses_device(topic):
            for device in preferences.devices:
                there = decide(preferences, self._catalogue, topic, now, device)
                if there.allowed:
                    return there
        return decision
