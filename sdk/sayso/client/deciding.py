"""Answering checks with everything that explains them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sayso.client.check import Check, impossible, requests
from sayso.client.decision import Decision, unavailable
from sayso.client.decisions import Decisions
from sayso.client.known_catalogue import KnownCatalogue
from sayso.client.laid_over import LaidOver
from sayso.client.memory import Memory
from sayso.client.probe import Probe
from sayso.client.reported import Published
from sayso.client.snapshot import Preferences
from sayso.client.snapshots import Snapshots
from sayso.errors import ConflictError, RateLimitedError, UnavailableError
from sayso.local.cache import Cache
from sayso.local.live import Live
from sayso.local.overlay import Overlay
from sayso.local.status import StatusBoard
from sayso.model.decision import Reason
from sayso.model.ids import is_anonymous
from sayso.transport.clock import Clock
from sayso.transport.codec import loads

_NOT_IN_A_SNAPSHOT = frozenset({Reason.SIGNAL.value, Reason.UNKNOWN_TOPIC.value, Reason.UNAVAILABLE.value})
"""The server can say more about these: which signal, and which topic was meant."""
_FOR_ASKING = timedelta(milliseconds=200)
"""What is left of a check's second for the question itself, once a version has been waited for."""


class Deciding:
    """The side of `Asker` that explains: from a whole snapshot that is here, else from the server."""

    def __init__(
        self,
        *,
        cache: Cache,
        live: Live,
        overlay: Overlay,
        board: StatusBoard,
        memory: Memory,
        snapshots: Snapshots,
        decisions: Decisions,
        catalogue: KnownCatalogue,
        probe: Probe,
        clock: Clock,
        max_staleness: timedelta,
        language: str,
    ) -> None:
        """Take what it works with."""
        self.vouched = cache.vouched
        self.language = language
        self._cache = cache
        self._live = live
        self._overlay = overlay
        self._board = board
        self._memory = memory
        self._snapshots = snapshots
        self._decisions = decisions
        self._catalogue = catalogue
        self._probe = probe
        self._clock = clock
        self._max_staleness = max_staleness
        self._laid_over = LaidOver(overlay, catalogue, snapshots, clock)

    async def decide(self, checks: Sequence[Check], deadline: float | None = None) -> list[Decision]:
        """Answer any number of checks, in order; those that can't be answered are `unavailable`.

        Args:
            checks: What is asked.
            deadline: The boot clock, in seconds, at which the first request's worth must be answered; by default what
                a check has from now on.

        Raises:
            Error: Only for what no waiting mends: a key that isn't accepted, a naive `as_of`.
        """
        deadline = self._probe.deadline() if deadline is None else deadline
        await self._overlay.load()
        decisions: list[Decision] = []
        for part in requests(checks):
            # Once a request went unanswered, the next ones aren't waited for: a check takes a second at most.
            given_up = bool(decisions) and self._probe.down
            decisions += await self._decide(part, deadline, given_up=given_up)
            deadline = self._probe.deadline()
        return decisions

    async def published(self, time_box: timedelta) -> Published | None:
        """Give the catalogue in force; None if it can't be had in time."""
        return await self._catalogue.find(None, time_box)

    def linked(self, visitor: str, consumer_id: str) -> None:
        """Note that a visitor is a consumer: what is pending under either id counts for both."""
        self._cache.linked(visitor, consumer_id)

    def erased(self, consumer_id: str, version: int) -> None:
        """Forget everything of somebody who was erased just now, save the version."""
        self._snapshots.forgetting.erased(consumer_id, version)

    def good_until(self, began: float) -> float:
        """Give the boot clock until which decisions asked for now may be acted upon.

        Args:
            began: The boot clock before they were asked for. What comes from the cache may hold for less than what is
                asked of the server.
        """
        fetched = began + self._max_staleness.total_seconds()
        proved = self._cache.verified_until if self._live.here() else 0.0
        return min(fetched, proved) if proved > began else fetched

    def watch_refusals(self, heard: Callable[[str], None]) -> None:
        """Have each refusal that is made here told at once, with every id of its consumer."""

        def tell(consumer_id: str) -> None:
            for one in self._snapshots.aliases.all_of(consumer_id):
                heard(one)

        self._overlay.on_refusal = tell

    async def _decide(self, checks: Sequence[Check], deadline: float, *, given_up: bool) -> list[Decision]:
        found: dict[int, Decision] = {}
        asked: list[int] = []
        for place, check in enumerate(checks):
            decision = self._at_once(check)
            if decision is None:
                decision = await self._from_whole(check, self._probe.left(deadline))
            if decision is None:
                asked.append(place)
            else:
                found[place] = decision
        answers = await self._ask([checks[place] for place in asked], deadline, given_up=given_up) if asked else []
        found.update(zip(asked, answers, strict=True))
        return [found[place] for place in range(len(checks))]

    def _at_once(self, check: Check) -> Decision | None:
        """Answer what needs nothing from the server."""
        reason = impossible(check)
        if reason is not None:
            return Decision(str(check.topic), False, reason, consumer_id=check.consumer_id, _language=self.language)
        if check.as_of is not None:
            return None
        refusal = self._laid_over.refused(check)
        return None if refusal is None else self._laid_over.decision(check, refusal.answer, refusal, self.language)

    async def _from_whole(self, check: Check, left: timedelta) -> Decision | None:
        """Answer from a snapshot that is here, if it says all there is to say."""
        data = None if check.as_of is not None else self._whole(check.consumer_id, check.at_least)
        if data is None:
            return None
        entry = (data["topics"]).get(check.topic)
        if entry is None or entry["reason"] in _NOT_IN_A_SNAPSHOT:
            return None
        revision = data["catalogue_revision"]
        asked_at = self._cache.verified_until - self._max_staleness.total_seconds()
        catalogue = self._catalogue.at(revision)
        if catalogue is None:
            catalogue = await self._catalogue.find(revision, left)
            again = self._whole(check.consumer_id, check.at_least)
            if again is None or (again["version"], again["catalogue_revision"]) != (data["version"], revision):
                return None  # something became known while the catalogue was asked for
        topic = None if catalogue is None else catalogue.topics.get(check.topic)
        if topic is None:
            return None
        decision = self._read(data, asked_at, None).decide(check.topic, check.device, sender=check.sender)
        if decision.reason in _NOT_IN_A_SNAPSHOT:
            return None
        return self._lay(check, replace(decision, title=topic.get("title") or {}), int(data["version"]), catalogue)

    async def _ask(self, checks: Sequence[Check], deadline: float, *, given_up: bool) -> list[Decision]:
        if given_up:
            return [self._closed(check) for check in checks]
        try:
            decided = await self._asked(checks, deadline)
            late = [place for place, check in enumerate(checks) if _is_late(check, decided[place])]
            # Something was recorded while they were on their way, or hasn't arrived at the server yet.
            reached = await asyncio.gather(*(self._reached(checks[place], deadline) for place in late))
            again = [place for place, there in zip(late, reached, strict=True) if there]
            for place in late:
                decided[place] = None
            if again:
                answers = await self._asked([checks[place] for place in again], deadline)
                for place, one in zip(again, answers, strict=True):
                    decided[place] = one
        except (UnavailableError, RateLimitedError):
            return [self._from_cache(check) for check in checks]
        catalogue = None
        if self._laid_over.touches(*(check.consumer_id for check in checks)):
            catalogue = await self._laid_over.catalogue(None, self._probe.left(deadline))
        for place, check in enumerate(checks):
            one = decided[place]
            if one is not None and one[1] < self._decisions.needed(check):
                decided[place] = None  # something became known while the others or the catalogue were asked for
        return [
            self._closed(check) if one is None else self._lay(check, *one, catalogue)
            for check, one in zip(checks, decided, strict=True)
        ]

    async def _asked(self, checks: Sequence[Check], deadline: float) -> list[tuple[Decision, int] | None]:
        async with self._probe.question():
            await self._probe.admit(self._probe.left(deadline))
            return await self._decisions.ask(checks, self._probe.left(deadline))

    async def _reached(self, check: Check, deadline: float) -> bool:
        """Wait until the server has the version asked for; tell whether it is worth asking again.

        That a version takes long to be reached says nothing about the server, so it is no question for the probe.
        """
        if check.at_least is None:
            return True
        patience = self._probe.left(deadline) - _FOR_ASKING
        if patience <= timedelta(0):
            return False
        try:
            await self._snapshots.answers(check.consumer_id, check.at_least, patience)
        except (ConflictError, UnavailableError, RateLimitedError):
            return False
        return True

    def _reaches(self, check: Check, version: int) -> bool:
        return check.at_least is None or (not is_anonymous(check.consumer_id) and version >= check.at_least)

    def _whole(self, consumer_id: str, at_least: int | None) -> dict[str, Any] | None:
        """Give the whole snapshot that is here, if it can be vouched for."""
        if not self._live.here() or (at_least is not None and is_anonymous(consumer_id)):
            return None
        body = self._cache.body(self._snapshots.known_id(consumer_id))
        if body is None:
            return None
        data: dict[str, Any] = loads(body)
        return data if at_least is None or data["version"] >= at_least else None

    def _read(self, data: dict[str, Any], asked_at: float, as_of: datetime | None) -> Preferences:
        return Preferences.from_wire(
            data,
            asked_at=asked_at,
            max_staleness=self._max_staleness,
            as_of=as_of,
            language=self.language,
            clock=self._clock,
        )

    def _lay(self, check: Check, decision: Decision, version: int, catalogue: Published | None) -> Decision:
        if check.as_of is not None or not self._laid_over.touches(check.consumer_id):
            return decision
        verdict = self._laid_over.judge(check, decision.reason, version, catalogue)
        if verdict.reason == decision.reason:
            return decision
        if verdict.reason == Reason.UNAVAILABLE:
            return self._closed(check)
        return self._laid_over.decision(check, verdict.reason, verdict.choice, self.language, title=decision.title)

    def _from_cache(self, check: Check) -> Decision:
        """Answer from what is kept in little, while that is true; there is no more to say than the reason."""
        answers = None
        if check.as_of is None and self._live.here() and not self._laid_over.touches(check.consumer_id):
            answers = self._cache.answers(self._snapshots.known_id(check.consumer_id))
        if answers is None or not self._reaches(check, answers.version):
            return self._closed(check)
        reason = answers.reason(check.topic, check.device)
        return self._laid_over.decision(check, reason, None, self.language)

    def _closed(self, check: Check) -> Decision:
        return unavailable(
            check.topic,
            consumer_id=check.consumer_id,
            device=check.device,
            language=self.language,
            why=self._board.blocks,
        )


def _is_late(check: Check, decided: tuple[Decision, int] | None) -> bool:
    """Tell whether an answer rests on an older version than asked for.

    Of a visitor's that is all that can be told: one who was linked elsewhere counts the known consumer's versions.
    """
    return decided is None or (check.at_least is not None and decided[1] < check.at_least)
