"""Asking: from the cache while it is true, from the server otherwise, and no when there is no answer in time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sayso.client.check import Check, impossible, snapshot_query
from sayso.client.choice import GRANTED
from sayso.client.deciding import Deciding
from sayso.client.probe import CHECK_TIME_BOX
from sayso.client.snapshot import Preferences
from sayso.errors import ConflictError, RateLimitedError, UnavailableError
from sayso.local.answers import ALLOWED, Answers

FILL_PATIENCE = timedelta(seconds=2)
"""How long `prefetch` waits for the change stream: what is fetched before it is there isn't kept."""


class Asker(Deciding):
    """Answers checks, and closes when it can't vouch for an answer."""

    async def allows(self, check: Check) -> bool:
        """Answer one check about now, with as little as that takes.

        Raises:
            Error: Only for what no waiting mends: a key that isn't accepted.
        """
        if impossible(check):
            return False
        deadline = self._probe.deadline()  # what reading the outbox takes is part of it
        await self._overlay.load()
        if self._laid_over.refused(check) is not None:
            return False
        if not self._live.here():
            return (await self.decide([check], deadline))[0].allowed
        if check.at_least is None and not self._laid_over.touches(check.consumer_id):
            known = self._cache.allows(self._snapshots.known_id(check.consumer_id), check.topic, check.device)
            if known is not None:
                return known
        answers = await self._answers(check, deadline)
        if answers is None:
            return False
        reason = answers.reason(check.topic, check.device)
        if self._laid_over.touches(check.consumer_id):
            catalogue = await self._laid_over.catalogue(answers.revision, self._probe.left(deadline))
            reason = self._laid_over.judge(check, reason, answers.version, catalogue).reason
        if self._snapshots.newest(answers.consumer_id) > answers.version:
            return False  # something became known while this one waited for another's answer, or for the catalogue
        return reason in ALLOWED and self._clock.boot() < answers.until

    async def preferences(
        self,
        consumer_id: str,
        *,
        at_least: int | None = None,
        as_of: datetime | None = None,
        time_box: timedelta | None = None,
    ) -> Preferences:
        """Give a snapshot, at least as new as anything this process has seen of the consumer.

        Raises:
            InvalidError: `as_of` is naive, or comes with `at_least`.
            ConflictError: The server did not reach `at_least` in 2 seconds; `current_version` tells where it is.
            UnavailableError: There is no answer, or only an older one, or one from another database.
        """
        query = snapshot_query(at_least, as_of)
        if as_of is not None:
            await self._probe.admit(time_box)
            past = await self._snapshots.past(consumer_id, query, time_box)
            return self._read(past.data or {}, past.asked_at, as_of)
        await self._overlay.load()
        data, asked_at = await self._current(consumer_id, at_least, time_box)
        preferences = self._read(data, asked_at, None)
        self._remember(preferences)
        if not self._laid_over.touches(consumer_id, preferences.consumer_id):
            return preferences
        catalogue = await self._laid_over.catalogue(preferences.catalogue_revision, time_box or CHECK_TIME_BOX)
        if self._snapshots.newest(preferences.consumer_id) > preferences.version:
            # What was pending may be confirmed by now, and then only a newer snapshot tells of it.
            data, asked_at = await self._current(consumer_id, at_least, time_box)
            if catalogue is not None and catalogue.revision < data["catalogue_revision"]:
                catalogue = None
        laid = self._laid_over.topics(consumer_id, data, catalogue)
        return self._read({**data, "topics": laid}, asked_at, None)

    async def recorded(self, consumer_id: str, time_box: timedelta) -> Preferences:
        """Give a snapshot of what the server has, without what is pending here.

        Raises:
            Error: There is none; the class says why.
        """
        preferences = self._read(*await self._current(consumer_id, None, time_box), None)
        self._remember(preferences)
        return preferences

    async def _current(
        self, consumer_id: str, at_least: int | None, time_box: timedelta | None
    ) -> tuple[dict[str, Any], float]:
        """Give a snapshot that is here or fetched, and the boot clock at which it held for certain."""
        known = self._whole(consumer_id, at_least)
        if known is not None:
            return known, self._cache.verified_until - self._max_staleness.total_seconds()
        await self._probe.admit(time_box)
        got = await self._snapshots.whole(consumer_id, at_least, time_box)
        return got.data or {}, got.asked_at

    async def fill(self, consumer_ids: Sequence[str]) -> int:
        """Fetch what is kept of consumers, so that checks about them need no request; give how many are kept.

        Raises:
            Error: The class says why; those fetched before are kept.
        """
        if not self._live.here() or not await self._live.begun(FILL_PATIENCE):
            return 0
        await self._probe.admit()
        return await self._snapshots.fill(consumer_ids)

    async def _answers(self, check: Check, deadline: float) -> Answers | None:
        known = self._cache.answers(self._snapshots.known_id(check.consumer_id))
        if known is not None and (check.at_least is None or self._reaches(check, known.version)):
            return known
        try:
            if check.at_least is not None:  # a version that takes long to be reached says nothing about the server
                return await self._fetched(check, deadline)
            async with self._probe.question():
                return await self._fetched(check, deadline)
        except (UnavailableError, RateLimitedError, ConflictError):
            return None

    async def _fetched(self, check: Check, deadline: float) -> Answers:
        await self._probe.admit(self._probe.left(deadline))
        return await self._snapshots.answers(check.consumer_id, check.at_least, self._probe.left(deadline))

    def _remember(self, preferences: Preferences) -> None:
        answers = preferences.answers
        granted = {topic: answers.get(topic) == GRANTED for topic in preferences.topics}
        self._memory.saw_answers(preferences.consumer_id, preferences.version, granted)
