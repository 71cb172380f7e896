"""One consumer's preferences as of one answer of the server, checked without asking again.

A snapshot is for one piece of work. It stops allowing anything when it is `max_staleness` old (5 seconds unless the
client was told otherwise), counted from the start of the request that brought it: ask for a new one per message,
request or job, and never keep one.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NoReturn, Self, cast

from sayso.client.decision import Decision, really_allowed, unavailable
from sayso.client.faults import reading, time_or_none
from sayso.client.may_ask import MayAsk
from sayso.model.decision import Reason
from sayso.model.instant import MICROS_PER_SECOND, Micros, to_micros
from sayso.rules.senders import scope_of
from sayso.transport.clock import SYSTEM_CLOCK, Clock, boot_time

Deadline = float
"""On the boot clock, in seconds."""

_NEVER: Deadline = 0.0
_FOR_EVER: Deadline = float("inf")


class Preferences:
    """What a consumer's choices add up to, at one version.

    **It goes stale, and then everything is refused.** Once `max_staleness` has passed since its request began, and
    from the first instant at which time alone changes anything in it, `allows` is False for every topic and `decide`
    says `unavailable`. That is how a withdrawal made elsewhere takes hold: what isn't asked again can't be allowed
    for long. `fresh` tells.

    A check is plain and synchronous and takes about three dictionary look-ups: every deadline was worked out when the
    snapshot was made, on a clock that neither jumps nor stops while the machine sleeps. It can't be pickled: the
    deadlines mean nothing on another machine.

    A snapshot asked for with `as_of` speaks of the past, which no longer changes: it doesn't go stale, and it never
    answers what may be done now.

    Attributes:
        consumer_id: Whose they are; the known id when an anonymous one was linked.
        version: Counts every recorded change of the consumer; 0 if nothing was ever recorded.
        store_id: Which database answered.
        catalogue_revision: By which catalogue it was decided.
        as_of: The past moment it speaks of, or None for now.
        devices: What each device last reported, as the server sends it.
        signals: Which signals were seen, as the server sends it.
        age: The evidence of age, as the server sends it.
    """

    __slots__ = (
        "_clock",
        "_fresh_until",
        "_language",
        "_topics",
        "_until",
        "age",
        "as_of",
        "catalogue_revision",
        "consumer_id",
        "devices",
        "signals",
        "store_id",
        "version",
    )

    consumer_id: str
    version: int
    store_id: str
    catalogue_revision: int
    as_of: datetime | None
    devices: Mapping[str, Any]
    signals: Mapping[str, Any]
    age: Mapping[str, Any]
    _topics: Mapping[str, Mapping[str, Any]]
    _until: dict[str | tuple[str, str], Deadline]
    _fresh_until: Deadline
    _clock: Clock
    _language: str

    @classmethod
    def from_wire(
        cls,
        data: Mapping[str, Any],
        *,
        asked_at: Deadline,
        max_staleness: timedelta,
        as_of: datetime | None = None,
        language: str = "en",
        clock: Clock = SYSTEM_CLOCK,
    ) -> Self:
        """Read the answer of `GET …/preferences`.

        Args:
            data: The answer's JSON. Members this release doesn't know are ignored; a reason it doesn't know refuses.
            asked_at: The boot clock when the request began.
            max_staleness: How long after that it may be relied on.
            as_of: The past moment that was asked about.
            language: What `Decision.explain` speaks.
            clock: Time.

        Raises:
            UnavailableError: That is no such answer.
        """
        # A clock other than the machine's costs an attribute and a call per check, so it gets a class of its own.
        made = cls.__new__(cls if clock is SYSTEM_CLOCK else cast("type[Self]", _OnAnotherClock))
        with reading():
            made.consumer_id = data["consumer_id"]
            made.version = int(data["version"])
            made.store_id = data["store_id"]
            made.catalogue_revision = data["catalogue_revision"]
            made.as_of = as_of
            made.devices = data.get("devices") or {}
            made.signals = data.get("signals") or {}
            made.age = data.get("age") or {}
            made._topics = data["topics"]
            made._clock = clock
            made._language = language
            lasts = _Lasts(asked_at, clock, max_staleness, as_of)
            made._fresh_until = lasts.until(data.get("valid_until"))
            made._until = _deadlines(made._topics, made._fresh_until, lasts)
        return made

    def allows(self, topic: str, device: str | None = None) -> bool:
        """Tell whether something may be done now.

        False as well for an unknown topic and once the snapshot is stale: see the class.

        Args:
            topic: Such as `purpose:marketing`.
            device: The device it would happen on; permissions need one.
        """
        if device is None:
            try:
                return boot_time() < self._until[topic]
            except KeyError:
                return False
        return boot_time() < self._deadline_on(topic, device)

    def decide(self, topic: str, device: str | None = None, *, sender: str | None = None) -> Decision:
        """Tell whether something may be done now, and why.

        Args:
            topic: Such as `purpose:marketing`.
            device: The device it would happen on; permissions need one.
            sender: For a channel: the number or address that would send; without one a refusal of any sender counts.

        Returns:
            Always a decision: `unknown_topic` for an unknown topic, `unavailable` once the snapshot is stale.
        """
        entry = self._topics.get(topic)
        if entry is None:
            unknown = Decision(topic, False, Reason.UNKNOWN_TOPIC.value, consumer_id=self.consumer_id, device_id=device)
            return replace(unknown, _language=self._language)
        if not self.fresh:
            return unavailable(topic, consumer_id=self.consumer_id, device=device, language=self._language)
        one = (entry.get("by_sender") or {}).get(scope_of(sender)) if sender is not None else None
        if one is not None:
            decision = Decision.from_wire(one, topic=topic, language=self._language)
            return replace(decision, consumer_id=self.consumer_id)
        there = (entry.get("by_device") or {}).get(device) if device is not None else None
        decision = Decision.from_wire(
            entry if there is None else {**entry, **there}, topic=topic, language=self._language, device=device
        )
        if decision.allowed and not self.allows(topic, device):
            return unavailable(topic, consumer_id=self.consumer_id, device=device, language=self._language)
        return replace(decision, consumer_id=self.consumer_id)

    def may_ask(self, topic: str) -> MayAsk:
        """Tell whether the consumer may be asked about a topic now: see `Consumer.may_ask`.

        Args:
            topic: Such as `purpose:marketing`.

        Returns:
            Always an answer: no for an unknown topic, and once the snapshot is stale. One of the past tells what would
            have been answered then.
        """
        entry = self._topics.get(topic)
        if entry is None:
            return MayAsk(topic, False, Reason.UNKNOWN_TOPIC.value)
        if not self.fresh:
            return MayAsk(topic, False, Reason.UNAVAILABLE.value)
        return MayAsk.from_wire(topic, entry, self._clock.now() if self.as_of is None else to_micros(self.as_of))

    @property
    def fresh(self) -> bool:
        """Whether it may still be relied on. Once False, it stays so."""
        return self._clock.boot() < self._fresh_until

    @property
    def answers(self) -> dict[str, str]:
        """What the consumer said last, by topic: `granted`, `denied` or `withdrawn`; never-answered topics left out."""
        return {key: entry["answer"] for key, entry in self._topics.items() if entry.get("answer")}

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic of the catalogue, in the order shown."""
        return tuple(self._topics)

    def _deadline_on(self, topic: str, device: str) -> Deadline:
        # The entry of a device that never reported is the topic's own: allowed only where no device matters.
        until = self._until.get((topic, device))
        return self._until.get(topic, _NEVER) if until is None else until

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a snapshot of preferences holds only in its process and for seconds: ask for a new one instead"
        )

    def __repr__(self) -> str:
        return f"<Preferences version {self.version}, {'fresh' if self.fresh else 'stale'}>"


class _OnAnotherClock(Preferences):
    """The same by a clock that a test sets."""

    __slots__ = ()

    def allows(self, topic: str, device: str | None = None) -> bool:
        """Tell whether something may be done now."""
        until = self._until.get(topic, _NEVER) if device is None else self._deadline_on(topic, device)
        return self._clock.boot() < until


class _Lasts:
    """Turns the server's times into deadlines on the boot clock."""

    def __init__(self, asked_at: Deadline, clock: Clock, max_staleness: timedelta, as_of: datetime | None) -> None:
        self._of_the_past = as_of is not None
        self._stale_at = asked_at + max_staleness.total_seconds()
        self._boot = clock.boot()
        self._now: Micros = clock.now()

    def until(self, moment: str | None) -> Deadline:
        if self._of_the_past:
            return _FOR_EVER
        ends = time_or_none(moment)
        if ends is None:
            return self._stale_at
        return min(self._stale_at, self._boot + (ends - self._now) / MICROS_PER_SECOND)


def _deadlines(
    topics: Mapping[str, Mapping[str, Any]], fresh_until: Deadline, lasts: _Lasts
) -> dict[str | tuple[str, str], Deadline]:
    until: dict[str | tuple[str, str], Deadline] = {}
    for key, entry in topics.items():
        until[key] = _deadline(entry, fresh_until, lasts)
        for device, there in (entry.get("by_device") or {}).items():
            until[key, device] = _deadline(there, fresh_until, lasts)
    return until


def _deadline(entry: Mapping[str, Any], fresh_until: Deadline, lasts: _Lasts) -> Deadline:
    if not really_allowed(entry["allowed"], entry["reason"]):
        return _NEVER
    moment = entry.get("valid_until")
    return fresh_until if moment is None else min(fresh_until, lasts.until(moment))
