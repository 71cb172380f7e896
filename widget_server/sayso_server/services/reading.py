"""Answering: snapshots, decisions, history and the export of everything held."""

import asyncio
from collections import OrderedDict
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from sayso.model.instant import Micros, format_micros
from sayso.model.preferences import Preferences
from sayso.rules.decide import decide
from sayso.wire import PAGE_SIZE, Code
from sayso_server.clock import Clock
from sayso_server.jsonio import loads
from sayso_server.services.caller import Caller
from sayso_server.services.catalogues import Catalogues, Published
from sayso_server.services.checks import Check
from sayso_server.services.entries import Silence
from sayso_server.services.identity import resolve
from sayso_server.services.refusals import RefusedError
from sayso_server.services.replay import replay
from sayso_server.services.snapshot import Snapshot, build_snapshot, decision_json, facts_json
from sayso_server.services.state import preferences_of, read_state
from sayso_server.storage.base import Storage, StoredChange

AT_LEAST_WAIT = timedelta(seconds=2)
_POLL = timedelta(milliseconds=20)
_HOPELESSLY_AHEAD = 1000
_CACHED = 20_000


class Reading:
    """Answers about consumers. Cached bytes are used only after asking storage for the version."""

    def __init__(self, storage: Storage, catalogues: Catalogues, clock: Clock) -> None:
        """Take what it works with."""
        self._storage = storage
        self._catalogues = catalogues
        self._clock = clock
        self._cache: OrderedDict[tuple[str, str], Snapshot] = OrderedDict()
        self._silences: dict[str, tuple[Published, Silence]] = {}

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
        snapshot = build_snapshot(
            await self._preferences(brand_id, target),
            published.catalogue,
            self._silence(brand_id, published),
            brand_id=brand_id,
            revision=published.revision,
            store_id=self._storage.store_id,
            now=now,
        )
        # Unknown consumers are not kept: whoever asks for made-up ids must not push out the real ones. Nor are
        # aliases: their own version no longer moves when the known consumer's does.
        if snapshot.version and target == consumer_id:
            self._cache[key] = snapshot
            self._cache.move_to_end(key)
            if len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        return snapshot

    async def snapshot_at(self, brand_id: str, consumer_id: str, moment: Micros) -> Snapshot:
        """Give what the preferences were at a past moment, from what had been recorded by then."""
        target = await resolve(self._storage, brand_id, consumer_id)
        revision, catalogue = self._catalogues.of(brand_id).at(moment)
        return build_snapshot(
            await self._preferences_at(brand_id, target, moment),
            catalogue,
            Silence(catalogue),
            brand_id=brand_id,
            revision=revision,
            store_id=self._storage.store_id,
            now=moment,
        )

    async def wait_for(self, brand_id: str, consumer_id: str, version: int) -> None:
        """Wait up to 2 seconds until a consumer has reached a version.

        Raises:
            RefusedError: 409 `version_not_reached`.
        """
        target = await resolve(self._storage, brand_id, consumer_id)
        deadline = asyncio.get_running_loop().time() + AT_LEAST_WAIT.total_seconds()
        while True:
            current = await self._storage.version(brand_id, target)
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
        """Answer up to 500 checks; each consumer is read once."""
        published = self._catalogues.of(caller.brand_id)
        now = self._clock.now()
        read: dict[tuple[str, Micros | None], Preferences] = {}
        answers = []
        for check in checks:
            moment = check.moment
            key = (check.consumer_id, moment)
            if key not in read:
                target = await resolve(self._storage, caller.brand_id, check.consumer_id)
                read[key] = (
                    await self._preferences(caller.brand_id, target)
                    if moment is None
                    else await self._preferences_at(caller.brand_id, target, moment)
                )
            catalogue = published.catalogue if moment is None else published.at(moment)[1]
            decision = decide(read[key], catalogue, check.topic, now if moment is None else moment, check.device_id)
            answers.append(decision_json(check.consumer_id, read[key].version, decision, catalogue))
        return {"store_id": self._storage.store_id, "decisions": answers}

    async def history(
        self, brand_id: str, consumer_id: str, *, before: int | None = None
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Give a page of recorded choices, newest first, and the version to go on before, or None at the end."""
        target = await resolve(self._storage, brand_id, consumer_id)
        changes = await self._storage.history(brand_id, target, before=before, limit=PAGE_SIZE + 1, kind="choice")
        page = [choice_json(target, change) for change in changes[:PAGE_SIZE]]
        return page, changes[PAGE_SIZE - 1].version if len(changes) > PAGE_SIZE else None

    async def export(self, brand_id: str, consumer_id: str) -> dict[str, Any]:
        """Give everything held about one consumer."""
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
        return {
            "consumer_id": target,
            "exported_at": format_micros(self._clock.now()),
            "preferences": loads(snapshot.body),
            "linked_from": {
                visitor: [change_json(visitor, change) for change in said] for visitor, said in before.items()
            },
            "changes": [change_json(target, change) for change in changes],
            **facts_json(preferences_of(target, snapshot.version, state)),
        }

    def _silence(self, brand_id: str, published: Published) -> Silence:
        known = self._silences.get(brand_id)
        if known is None or known[0] is not published:
            known = self._silences[brand_id] = (published, Silence(published.catalogue))
        return known[1]

    async def _preferences(self, brand_id: str, consumer_id: str) -> Preferences:
        stored = await self._storage.consumer(brand_id, consumer_id)
        return preferences_of(consumer_id, stored.version if stored else 0, read_state(stored))

    async def _preferences_at(self, brand_id: str, consumer_id: str, moment: Micros) -> Preferences:
        return replay(consumer_id, await self._storage.changes_until(brand_id, consumer_id, moment))


_FAR = 365 * 24 * 3600 * 1_000_000
"""A change may lie ahead of the clock after the machine's was set back; an export leaves nothing out for that."""


def choice_json(consumer_id: str, change: StoredChange) -> dict[str, Any]:
    """Give a recorded choice as history shows it: as it was sent, and what the server added."""
    body = loads(change.body)
    kept = body["kept"]
    answer: dict[str, Any] = {
        **body["choice"],
        "consumer_id": consumer_id,
        "actor": kept["actor"],
        "made_at": format_micros(kept["made_at"]),
        "based_on": kept["based_on"],
        "version": change.version,
        "recorded_at": format_micros(change.recorded_at),
        "effective_at": format_micros(change.effective_at),
        "recorded_by": body["recorded_by"],
    }
    if "expires_at" in kept:
        answer["expires_at"] = format_micros(kept["expires_at"])
    if "notice_version" in kept:
        answer["notice"] = {**answer.get("notice", {}), "version": kept["notice_version"]}
    based_on_sent = body["choice"].get("based_on")
    if based_on_sent is not None and based_on_sent != kept["based_on"]:
        answer["based_on_sent"] = based_on_sent
    for name in ("linked_from", "made_at_sent"):
        if name in kept:
            answer[name] = kept[name]
    return answer


def change_json(consumer_id: str, change: StoredChange) -> dict[str, Any]:
    """Give any recorded change as the export shows it."""
    if change.kind == "choice":
        return {"kind": "choice", **choice_json(consumer_id, change)}
    body = loads(change.body)
    return {
        "kind": change.kind,
        "version": change.version,
        "recorded_at": format_micros(change.recorded_at),
        "sent": body["sent"],
        "recorded_by": body["recorded_by"],
    }
