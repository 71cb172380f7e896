"""A consumer's preferences as the wire has them: every topic decided, with reasons and times."""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from sayso.model.catalogue import Catalogue, DntPolicy
from sayso.model.decision import Decision
from sayso.model.instant import Micros
from sayso.model.preferences import Preferences
from sayso.model.signal import SignalName
from sayso.rules.asking import ask_from
from sayso.rules.decide import decide
from sayso.rules.explain import explain, facts_of
from sayso.rules.senders import known_scopes
from sayso_server.jsonio import dumps
from sayso_server.services.entries import Silence, asking, entry, member, member_of, time_or_none
from sayso_server.services.reporting import age_json, signals_json


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An encoded snapshot and for how long it stays the same.

    Attributes:
        version: The consumer's version.
        revision: The catalogue's revision.
        valid_from: The time it was decided at.
        valid_until: The first instant at which time alone changes it, or None.
        etag: Strong entity tag (RFC 9110 §8.8.3), quoted.
        body: JSON.
    """

    version: int
    revision: int
    valid_from: Micros
    valid_until: Micros | None
    etag: str
    body: bytes

    def holds(self, version: int, revision: int, now: Micros) -> bool:
        """Tell whether it still says the truth."""
        return (
            version == self.version
            and revision == self.revision
            and self.valid_from <= now
            and (self.valid_until is None or now < self.valid_until)
        )


def build_snapshot(
    preferences: Preferences,
    catalogue: Catalogue,
    silence: Silence,
    *,
    brand_id: str,
    revision: int,
    store_id: str,
    now: Micros,
) -> Snapshot:
    """Decide every topic of the catalogue for a consumer.

    Args:
        preferences: What was recorded.
        catalogue: What can be asked about.
        silence: What that catalogue says to a consumer who has said nothing.
        brand_id: Whose consumer it is.
        revision: The catalogue's.
        store_id: Which database this rests on.
        now: The time to decide at, in microseconds.
    """
    members = silence.members()
    differing = silence.differing(preferences)
    moments: list[Micros] = []
    decided = {
        key: _member(preferences, catalogue, key, now, moments)
        for key in (members if differing is None else sorted(differing))
    }
    members.update(decided)
    valid_until = min(moments, default=None)
    head = dumps(
        {
            "consumer_id": preferences.consumer_id,
            "version": preferences.version,
            "store_id": store_id,
            "catalogue_revision": revision,
            "valid_until": time_or_none(valid_until),
        }
    )
    facts = _NO_FACTS if _without_facts(preferences) else dumps(facts_json(preferences, honoured_by(catalogue)))
    body = b'%b,"topics":{%b},%b' % (head[:-1], b",".join(members.values()), facts[1:])
    # Store, brand, consumer, version and revision fix all the rest but for what time changes, and that is decided.
    digest = hashlib.sha256(b"\0".join((brand_id.encode(), head, *decided.values(), facts))).digest()
    etag = f'"{urlsafe_b64encode(digest[:18]).decode()}"'
    return Snapshot(preferences.version, revision, now, valid_until, etag, body)


def _member(preferences: Preferences, catalogue: Catalogue, key: str, now: Micros, moments: list[Micros]) -> bytes:
    """Decide one topic, on each device too where that matters; adds to `moments` when time alone changes it."""
    decision = decide(preferences, catalogue, key, now)
    if decision.valid_until is not None:
        moments.append(decision.valid_until)
    fold = preferences.topics.get(key)
    scoped = fold is not None and bool(fold.scoped)
    if not scoped and not (preferences.devices and catalogue.uses_device(key)):
        return member_of(decision, ask_from(preferences, catalogue, decision))
    value = {**entry(decision), **asking(ask_from(preferences, catalogue, decision))}
    if fold is not None and scoped:
        value["by_sender"] = {}
        for sender in known_scopes(fold, catalogue.topics[key].senders):
            one = decide(preferences, catalogue, key, now, sender=sender)
            if one.valid_until is not None:
                moments.append(one.valid_until)
            value["by_sender"][sender] = entry(one)
    if not (preferences.devices and catalogue.uses_device(key)):
        return member(key, value)
    by_device = {}
    for device_id in preferences.devices:
        there = decide(preferences, catalogue, key, now, device_id)
        if there.valid_until is not None:
            moments.append(there.valid_until)
        by_device[device_id] = {
            "allowed": there.allowed,
            "reason": there.reason,
            "valid_until": time_or_none(there.valid_until),
        }
    return member(key, {**value, "by_device": by_device})


def _without_facts(preferences: Preferences) -> bool:
    return not (preferences.devices or preferences.signals or preferences.age or preferences.erased)


_GPC = frozenset({SignalName.GPC.value})
_GPC_AND_DNT = _GPC | {SignalName.DNT.value}


def honoured_by(catalogue: Catalogue) -> frozenset[str]:
    """Give the signals that decide under a catalogue: GPC always, DNT where the brand says so."""
    return _GPC_AND_DNT if catalogue.dnt is DntPolicy.HONOUR else _GPC


def facts_json(preferences: Preferences, honoured: frozenset[str] | None = None) -> dict[str, Any]:
    """Give devices, signals and age as the wire has them; `erased` and when, where all of it is."""
    facts: dict[str, Any] = {
        "devices": {
            device_id: {
                "vocabulary": report.vocabulary,
                "reported_at": time_or_none(max((at for _, at in report.states.values()), default=None)),
                "states": {name.value: state.to_json() for name, (state, _) in report.states.items()},
            }
            for device_id, report in preferences.devices.items()
        },
        "signals": signals_json(preferences.signals, honoured),
        "age": age_json(preferences.age),
    }
    if preferences.erased:
        facts["erased"] = True
        facts["erased_at"] = time_or_none(preferences.erased_at)
    return facts


_NO_FACTS = dumps(facts_json(Preferences("nobody")))


def decision_json(consumer_id: str, version: int, decision: Decision, catalogue: Catalogue) -> dict[str, Any]:
    """Give one decision as `POST /v1/decisions` answers it, with the version of the preferences that it rests on."""
    topic = catalogue.topics.get(decision.topic)
    titles = topic.title if topic is not None else {}
    answer: dict[str, Any] = {"consumer_id": consumer_id, "topic": decision.topic, **entry(decision)}
    answer["version"] = version
    answer["title"] = titles
    answer["explanation"] = explain(facts_of(decision, titles))
    if topic is None and (nearest := catalogue.nearest(decision.topic)) is not None:
        answer["explanation"] += f" Did you mean {nearest}?"
    if decision.device_id is not None:
        answer["device_id"] = decision.device_id
    if decision.signal is not None:
        answer["signal"] = decision.signal
    return answer
