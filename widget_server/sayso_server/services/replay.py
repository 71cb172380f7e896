"""Recorded changes read back into preferences: what `as_of` and the export rest on."""

from collections.abc import Iterable
from typing import Any

from sayso.model.preferences import Preferences
from sayso.model.recorded import RecordedChoice
from sayso.rules.fold import fold
from sayso_server.jsonio import loads_exactly
from sayso_server.services.recorded_body import recorded_choice
from sayso_server.services.state import State, preferences_of
from sayso_server.storage.base import StoredChange


def replay(consumer_id: str, changes: Iterable[StoredChange]) -> Preferences:
    """Fold changes, oldest first, into what they add up to."""
    state = State()
    said: list[tuple[str, RecordedChoice]] = []
    version = 0
    for change in changes:
        version = change.version
        if change.kind == "choice":
            said.append(recorded_choice(change))
        else:
            apply_outcome(state, change.kind, loads_exactly(change.body)["outcome"])
    for topic, folded in fold(said).items():
        state.topics.put(topic, folded)
    return preferences_of(consumer_id, version, state)


def apply_outcome(state: State, kind: str, outcome: dict[str, Any]) -> None:
    """Apply a change that is no choice. It carries its whole outcome, so that reading it back decides nothing again."""
    match kind:
        case "device":
            state.devices.pop(outcome.get("dropped", ""), None)
            state.devices[outcome["device_id"]] = outcome["device"]
        case "signal":
            seen = outcome["seen"]
            state.signals = [*(known for known in state.signals if known[:2] != seen[:2]), seen]
        case "age":
            state.age = outcome["age"]
        case "return":
            state.erased_at = outcome["erased_at"]
        case "restriction":
            state.restricted = outcome["restricted"]
        case "link" if "linked_to" in outcome:
            state.linked_to = outcome["linked_to"]
        case "link":
            state.linked_from.append(outcome["linked_from"])
