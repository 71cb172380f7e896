"""What everything recorded about one consumer adds up to: the input of every decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from sayso.model.age import AgeEvidence
from sayso.model.device import Capability, DeviceState
from sayso.model.instant import Micros
from sayso.model.recorded import RecordedChoice
from sayso.model.signal import SignalSeen

_EMPTY: Mapping[Any, Any] = MappingProxyType({})


def _nothing() -> Mapping[Any, Any]:
    # A dataclass takes no unhashable default, and mappingproxy is hashable only from Python 3.12 on.
    return _EMPTY


class TopicFold(NamedTuple):
    """Everything about one topic that can still matter, usually one choice or two (see `rules.fold`).

    Attributes:
        grants: Grants of people that no other grant outdoes, none of them lifted by a refusal so far.
        refusals: Refusals that no later one outdoes, the latest first; so their versions rise.
        seen_to: The highest version that any refusal has seen; -1 when there is no refusal.
        by_brand: The newest grant by the brand or an import, or None.
        scoped: For a channel: what was said about single senders, by scope in the order of their names.
    """

    grants: tuple[RecordedChoice, ...] = ()
    refusals: tuple[RecordedChoice, ...] = ()
    seen_to: int = -1
    by_brand: RecordedChoice | None = None
    scoped: "tuple[tuple[str, TopicFold], ...]" = ()


class DeviceReport(NamedTuple):
    """What one device last said: raw as its library reports it, and in normal form.

    `reported_at` is the earlier of observed and received, in microseconds, per capability, because a report
    may be partial.
    """

    vocabulary: str
    states: Mapping[Capability, tuple[DeviceState, Micros]]


@dataclass(frozen=True, slots=True)
class Preferences:
    """One consumer's preferences at one version. Version 0 means that nothing was ever recorded.

    Attributes:
        consumer_id: The brand's own opaque id.
        version: Counts every recorded change.
        topics: What was said, per topic; `"*"` holds a withdraw-all.
        devices: What each device last reported.
        signals: First sights, per signal and device.
        age: The newest evidence of each source.
        erased: Erased, and nothing recorded since.
        erased_at: When, in microseconds, or None.
        restricted: An open restriction (GDPR Art. 18).
    """

    consumer_id: str
    version: int = 0
    topics: Mapping[str, TopicFold] = field(default_factory=_nothing)
    devices: Mapping[str, DeviceReport] = field(default_factory=_nothing)
    signals: tuple[SignalSeen, ...] = ()
    age: tuple[AgeEvidence, ...] = ()
    erased: bool = False
    erased_at: Micros | None = None
    restricted: bool = False
