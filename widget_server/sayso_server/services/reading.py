"""Answering: snapshots, decisions, history and the export of everything held."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from sayso.model.instant import Micros, format_micros
from sayso.model.preferences import Preferences
from sayso.rules.decide import decide
from sayso.wire import PAGE_SIZE, Code, TokenClass
from sayso_server.clock import Clock
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.checks import Check
from sayso_server.services.disclosures import Disclosures
from sayso_server.services.erased import Erased
from sayso_server.services.export_json import export_json
from sayso_server.services.history_json import choice_json
from sayso_server.services.identity import resolve
from sayso_server.services.past import NOT_YET, Past, check_moments
from sayso_server.services.published import Published
from sayso_server.services.refusals import RefusedError, come_again, refuse_member
from sayso_server.services.request_export import held_requests
from sayso_server.services.snapshot import Snapshot, build_snapshot, decision_json, facts_json
from sayso_server.services.snapshot_cache import SnapshotCache
from sayso_server.services.state import preferences_of, read_state
from sayso_server.storage.base import Storage

AT_LEAST_WAIT = timedelta(seconds=2)
_POLL = timedelta(milliseconds=20)
_HOPELESSLY_AHEAD = 1000
MOST_WAITING = 64
"""Backends and staff under one key, for a version: each looks for it 50 times a second."""
MOST_OWN = 4
"""Of one consumer's, for a version of their own. The same key signs for the brand, which must not wait for them."""
_BEFORE_OTHERS = 20
"""Consumers read in a row before whoever else is there gets a turn."""


class Reading:
    """Answers about consumers. Cached bytes are used only after asking storage for the version."""

    def __init__(
        self, storage: Storage, catalogues: Catalogues, disclosures: Disclosures, erased: Erased, clock: Clock
    ) -> None:
        """Take what it works with."""
        self._erased = erased
        self._storage = storage
        self._catalogues = catalogues
        self._disclosures = disclosures
        self._clock = clock
        self._past = Past(storage, catalogues, erased)
        self._cache = SnapshotCache()
        self._waiting: Counter[tuple[str, str | None]] = Counter()

    async def snapshot(self, brand_id: str, consumer_id: str) -> Snapshot:
        """Give a consumer's preferences now; one never seen reads as version 0 with nothing said."""
        published = self._catalogues.of(brand_id)
        now = self._clock.now()
        key = (brand_id, consumer_id)
        known = self._cache.get(key)
        if known is not None and known.holds(
            await self._storage.version(brand_id, consumer_id), published.revision, now
        ):
            return known
        target = await resolve(self._storage, brand_id, consumer_id)
        preferences = await self._preferences(brand_id, target)
        snapshot = build_snapshot(
            preferences,
            published.catalogue,
            published.silence,
            brand_id=brand_id,
            revision=published.revision,
            store_id=self._storage.store_id,
            now=now,
        )
        # Unknown consumers are not kept: whoever asks for made-up ids must not push out the real ones. Nor are
        # aliases: their own version no longer moves when the known consumer's does. The erased have no version there.
        if preferences.erased:
            self._cache.drop(key)  # by another process, which can't reach this cache
        elif snapshot.version and target == consumer_id:
            self._cache.put(key, snapshot)
        return snapshot

    def forget(self, brand_id: str, consumer_ids: Iterable[str]) -> None:
        """Forget snapshots of consumers who were erased."""
        for consumer_id in consumer_ids:
            self._cache.drop((brand_id, consumer_id))

    async def snapshots(self, brand_id: str, consumer_ids: Sequence[str]) -> list[Snapshot]:
        """Give several consumers' preferences now, in the order asked; one named twice is read once."""
        found: dict[str, Snapshot] = {}
        for place, consumer_id in enumerate(dict.fromkeys(consumer_ids), start=1):
            found[consumer_id] = await self.snapshot(brand_id, consumer_id)
            if not place % _BEFORE_OTHERS:
                # Storage may answer without suspending, and hundreds of snapshots take as long as hundreds of reads.
                await asyncio.sleep(0)
        return [found[consumer_id] for consumer_id in consumer_ids]

    async def snapshot_at(self, caller: Caller, consumer_id: str, moment: Micros) -> Snapshot:
        """Give what the preferences were at a past moment, from what had been recorded by then.

        Raises:
            RefusedError: 422 for a moment that has not come.
        """
        if moment > self._clock.now():
            raise refuse_member("", Code.FROM_THE_FUTURE, f"as_of {NOT_YET}")
        preferences, published = await self._past.of(caller, consumer_id, moment)
        return build_snapshot(
            preferences,
            published.catalogue,
            published.silence,
            brand_id=caller.brand_id,
            revision=published.revision,
            store_id=self._storage.store_id,
            now=moment,
        )

    async def wait_for(self, caller: Caller, consumer_id: str, version: int) -> None:
        """Wait up to 2 seconds until a consumer has reached a version; 64 wait under one key, and 4 of a consumer.

        Raises:
            RefusedError: 409 `version_not_reached`, or 429 when enough are waiting already.
        """
        target = await resolve(self._storage, caller.brand_id, consumer_id)
        if await self._version(caller.brand_id, target) >= version:
            return
        own = caller.token_class is TokenClass.CONSUMER
        slot = (caller.key_id, caller.subject if own else None)
        most = MOST_OWN if own else MOST_WAITING
        if self._waiting[slot] >= most:
            whose = "consumer" if own else "key"
            raise come_again(f"{most} requests of this {whose} wait for a version already; ask again in a second")
        self._waiting[slot] += 1
        try:
            await self._wait_for(caller.brand_id, target, version)
        finally:
            self._waiting[slot] -= 1
            if not self._waiting[slot]:
                del self._waiting[slot]

    async def _wait_for(self, brand_id: str, consumer_id: str, version: int) -> None:
        deadline = asyncio.get_running_loop().time() + AT_LEAST_WAIT.total_seconds()
        while True:
            current = await self._version(brand_id, consumer_id)
            if current >= version:
                return
            hopeless = version - current > _HOPELESSLY_AHEAD
            if hopeless or asyncio.get_running_loop().time() >= deadline:
                raise RefusedError(
                    HTTPStatus.CONFLICT,
                    Code.VERSION_NOT_REACHED,
                    f"the consumer is at version {current}, not yet at {version}",
                    current_version=current,
                )
            await asyncio.sleep(_POLL.total_seconds())

    async def decisions(self, caller: Caller, checks: list[Check]) -> dict[str, Any]:
        """Answer up to 500 checks; each consumer is read once, and once more for each past moment.

        Raises:
            RefusedError: 422 for a moment that has not come, and beyond 10 past moments.
        """
        now = self._clock.now()
        check_moments(checks, now)
        read: dict[tuple[str, Micros | None], tuple[Preferences, Published]] = {}
        answers = []
        for check in checks:
            key = (check.consumer_id, check.moment)
            if key not in read:
                read[key] = await self._read(caller, *key)
            preferences, published = read[key]
            moment = now if check.moment is None else check.moment
            decision = decide(
                preferences, published.catalogue, check.topic, moment, check.device_id, sender=check.sender
            )
            answers.append(decision_json(check.consumer_id, preferences.version, decision, published.catalogue))
        return {"store_id": self._storage.store_id, "decisions": answers}

    async def history(
        self, brand_id: str, consumer_id: str, *, before: int | None = None
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Give a page of recorded choices, newest first, and the version to go on before, or None at the end."""
        target = await resolve(self._storage, brand_id, consumer_id)
        changes = await self._storage.history(brand_id, target, before=before, limit=PAGE_SIZE + 1, kind="choice")
        page = [choice_json(target, change) for change in changes[:PAGE_SIZE]]
        return page, changes[PAGE_SIZE - 1].version if len(changes) > PAGE_SIZE else None

    async def export(self, brand_id: str, consumer_id: str) -> bytes:
        """Give everything held about one consumer, as JSON."""
        target = await resolve(self._storage, brand_id, consumer_id)
        stored = await self._storage.consumer(brand_id, target)
        state = read_state(stored)
        everything = self._clock.now() + _FAR
        changes = await self._storage.changes_until(brand_id, target, everything)
        # What was said before signing in is held too, carried over or not.
        before = {
            visitor: await self._storage.changes_until(brand_id, visitor, everything) for visitor in state.linked_from
        }
        snapshot = await self.snapshot(brand_id, target)
        disclosed = await self._disclosures.all(brand_id, target)
        now = self._clock.now()
        requests = await held_requests(self._storage, brand_id, (target, *state.linked_from), now)
        exported_at = format_micros(now)
        facts = facts_json(preferences_of(target, snapshot.version, state))
        # Beside the loop: tens of thousands of changes take the better part of a second.
        return await asyncio.to_thread(
            export_json,
            target,
            exported_at,
            snapshot.body,
            before=before,
            changes=changes,
            disclosed=disclosed,
            requests=requests,
            facts=facts,
        )

    async def _read(self, caller: Caller, consumer_id: str, moment: Micros | None) -> tuple[Preferences, Published]:
        if moment is not None:
            return await self._past.of(caller, consumer_id, moment)
        brand_id = caller.brand_id
        target = await resolve(self._storage, brand_id, consumer_id)
        return await self._preferences(brand_id, target), self._catalogues.of(brand_id)

    async def _preferences(self, brand_id: str, consumer_id: str) -> Preferences:
        stored = await self._storage.consumer(brand_id, consumer_id)
        if stored is None:
            tombstone = await self._erased.tombstone(brand_id, consumer_id)
            if tombstone is not None:
                return Preferences(consumer_id, tombstone.version, erased=True, erased_at=tombstone.erased_at)
        return preferences_of(consumer_id, stored.version if stored else 0, read_state(stored))

    async def _version(self, brand_id: str, consumer_id: str) -> int:
        version = await self._storage.version(brand_id, consumer_id)
        tombstone = None if version else await self._erased.tombstone(brand_id, consumer_id)
        return version if tombstone is None else tombstone.version


_FAR = 365 * 24 * 3600 * 1_000_000
"""A change may lie ahead of the clock after the machine's was set back; an export leaves nothing out for that."""
