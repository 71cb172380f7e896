"""A consumer's folded state as stored bytes, and back.

Topics are unpacked one by one when they are asked for: recording one choice reads one or two of a consumer's many.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sayso.model.age import AgeEvidence
from sayso.model.device import Capability, DeviceState
from sayso.model.instant import Micros
from sayso.model.preferences import DeviceReport, Preferences, TopicFold
from sayso.model.recorded import RecordedChoice
from sayso.model.signal import SignalSeen
from sayso.rules.devices import Dated
from sayso.rules.fold import NOTHING
from sayso_server.jsonio import dumps, loads
from sayso_server.storage.base import StoredConsumer


class Topics(Mapping[str, TopicFold]):
    """The folds by topic, unpacked on first use."""

    __slots__ = ("_packed", "_unpacked")

    def __init__(self, packed: dict[str, Any]) -> None:
        """Take what was stored; nothing is unpacked yet."""
        self._packed = packed
        self._unpacked: dict[str, TopicFold] = {}

    def __getitem__(self, topic: str) -> TopicFold:
        """Give the fold of a topic that something was said about."""
        fold = self._unpacked.get(topic)
        if fold is None:
            fold = self._unpacked[topic] = _unpack_fold(self._packed[topic])
        return fold

    def __iter__(self) -> Iterator[str]:
        """Give the topics that something was said about."""
        return iter(self._packed)

    def __len__(self) -> int:
        """Count them."""
        return len(self._packed)

    def __contains__(self, topic: object) -> bool:
        """Tell whether anything was said about a topic."""
        return topic in self._packed

    def get(self, topic: str, default: Any = None) -> Any:
        """Give the fold of a topic, or the default."""
        return self[topic] if topic in self._packed else default

    def fold_of(self, topic: str) -> TopicFold:
        """Give the fold of a topic; an empty one if nothing was said."""
        return self[topic] if topic in self._packed else NOTHING

    def put(self, topic: str, fold: TopicFold) -> None:
        """Replace the fold of a topic."""
        self._unpacked[topic] = fold
        self._packed[topic] = None

    def packed(self) -> dict[str, Any]:
        """Give everything as it is stored."""
        return {
            topic: _pack_fold(self._unpacked[topic]) if topic in self._unpacked else packed
            for topic, packed in self._packed.items()
        }


@dataclass(slots=True)
class State:
    """What is known of one consumer, in a form that a plan can change before it is stored again.

    Attributes:
        topics: The folds.
        devices: Per device: vocabulary; per capability, the state (None for a doubt) and when it was reported; and
            the fingerprint of the latest report.
        signals: First sights.
        age: The newest evidence of each source.
        linked_to: For an anonymous id, the known consumer it became.
        linked_from: The anonymous ids that became this consumer.
        restricted: The ids of the restrictions that are open (GDPR Art. 18).
        erased_at: When whoever had this id before was erased; what was said until then is gone for good. None if nobody
            was.
    """

    topics: Topics = field(default_factory=lambda: Topics({}))
    devices: dict[str, Any] = field(default_factory=dict)
    signals: list[list[Any]] = field(default_factory=list)
    age: list[list[Any]] = field(default_factory=list)
    linked_to: str | None = None
    linked_from: list[str] = field(default_factory=list)
    restricted: list[str] = field(default_factory=list)
    erased_at: Micros | None = None


def read_state(stored: StoredConsumer | None) -> State:
    """Unpack a stored state; a fresh one for a consumer never seen."""
    if stored is None:
        return State()
    packed = loads(stored.state)
    return State(
        topics=Topics(packed.get("t", {})),
        devices=packed.get("d", {}),
        signals=packed.get("s", []),
        age=packed.get("a", []),
        linked_to=packed.get("l"),
        linked_from=packed.get("f", []),
        restricted=packed.get("r", []),
        erased_at=packed.get("e"),
    )


def write_state(state: State) -> bytes:
    """Pack a state; what is empty is left out."""
    packed: dict[str, Any] = {"t": state.topics.packed()}
    if state.devices:
        packed["d"] = state.devices
    if state.signals:
        packed["s"] = state.signals
    if state.age:
        packed["a"] = state.age
    if state.linked_to is not None:
        packed["l"] = state.linked_to
    if state.linked_from:
        packed["f"] = state.linked_from
    if state.restricted:
        packed["r"] = state.restricted
    if state.erased_at is not None:
        packed["e"] = state.erased_at
    return dumps(packed)


def preferences_of(consumer_id: str, version: int, state: State) -> Preferences:
    """Give a state as the rules take it."""
    return Preferences(
        consumer_id=consumer_id,
        version=version,
        topics=state.topics,
        devices={device_id: unpack_device(packed) for device_id, packed in state.devices.items()}
        if state.devices
        else {},
        signals=tuple(SignalSeen(*seen) for seen in state.signals) if state.signals else (),
        age=tuple(AgeEvidence(*piece) for piece in state.age) if state.age else (),
        restricted=bool(state.restricted),
    )


def pack_device(vocabulary: str, states: Mapping[Capability, Dated], fingerprint: str) -> list[Any]:
    """Pack what one device said, its doubts included; the fingerprint is of the report that came last."""
    packed = {name.value: [state.to_json() if state is not None else None, at] for name, (state, at) in states.items()}
    return [vocabulary, packed, fingerprint]


def unpack_device(packed: list[Any]) -> DeviceReport:
    """Unpack what one device said, as the rules take it: a capability in doubt is as if it was never reported."""
    return DeviceReport(packed[0], without_doubts(dated_states(packed)))


def dated_states(packed: list[Any]) -> dict[Capability, Dated]:
    """Unpack what one device said, its doubts included."""
    return {
        Capability(name): (DeviceState.from_json(state) if state is not None else None, at)
        for name, (state, at) in packed[1].items()
    }


def without_doubts(states: Mapping[Capability, Dated]) -> dict[Capability, tuple[DeviceState, Micros]]:
    """Give only what is known."""
    return {name: (state, at) for name, (state, at) in states.items() if state is not None}


def pack_choice(choice: RecordedChoice) -> list[Any]:
    """Pack a recorded choice without the defaults at its end."""
    if choice.overrides or choice.scopes:
        return list(choice)
    packed: list[Any] = list(choice[:_PLAIN])
    while packed[-1] is None:
        packed.pop()
    return packed


_PLAIN = RecordedChoice._fields.index("overrides")
"""From there on the members are tuples, which come back as lists."""


def unpack_choice(packed: list[Any]) -> RecordedChoice:
    """Unpack a recorded choice."""
    for place in range(_PLAIN, len(packed)):
        packed[place] = tuple(packed[place])
    return RecordedChoice(*packed)


def _pack_fold(fold: TopicFold) -> list[Any]:
    packed: list[Any] = [
        [pack_choice(choice) for choice in fold.grants] if fold.grants else [],
        [pack_choice(choice) for choice in fold.refusals] if fold.refusals else [],
        fold.seen_to,
    ]
    if fold.by_brand is not None or fold.scoped:
        packed.append(None if fold.by_brand is None else pack_choice(fold.by_brand))
    if fold.scoped:
        packed.append([[scope, _pack_fold(said)] for scope, said in fold.scoped])
    return packed


def _unpack_fold(packed: list[Any]) -> TopicFold:
    grants, refusals, seen_to, *rest = packed
    brand, scoped = (*rest, None, None)[:2]
    return TopicFold(
        tuple([unpack_choice(choice) for choice in grants]) if grants else (),
        tuple([unpack_choice(choice) for choice in refusals]) if refusals else (),
        seen_to,
        unpack_choice(brand) if brand else None,
        tuple([(scope, _unpack_fold(said)) for scope, said in scoped]) if scoped else (),
    )
