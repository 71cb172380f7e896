"""Publishing catalogues, and saying beforehand whom a change would ask again."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from sayso.catalogue import Comparison, Level, compare, lint, with_history, with_retired
from sayso.catalogue.finding import table_of
from sayso.errors import CatalogueProblem, Problem
from sayso.model.catalogue import Catalogue
from sayso.model.ids import is_anonymous
from sayso.model.instant import format_micros, span_micros
from sayso.rules.fold import is_granted, standing_for
from sayso.wire import Code
from sayso_server.clock import Clock
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.published import Published
from sayso_server.services.refusals import RefusedError, come_again
from sayso_server.services.rehearsal import DAYS, Progress, Rehearsal, may_open, shown
from sayso_server.services.state import read_state
from sayso_server.services.text_changes import text_changes, unsaid_changes
from sayso_server.storage.base import CatalogueChangedError, Storage

_PAGE = 500


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What publishing did."""

    revision: int
    published_at: str
    changed: bool


class Publishing:
    """Publishes catalogues."""

    def __init__(self, storage: Storage, catalogues: Catalogues, clock: Clock) -> None:
        """Take what it works with."""
        self._storage = storage
        self._catalogues = catalogues
        self._clock = clock
        self._rehearsal = Rehearsal(storage, clock)
        self._at_work: set[str] = set()

    async def publish(
        self,
        brand_id: str,
        catalogue: Catalogue,
        *,
        allow_lower_majority: bool = False,
        allow_newly_shared: bool = False,
    ) -> PublishResult:
        """Publish the next revision; publishing what is current already changes nothing.

        Args:
            brand_id: Whose.
            catalogue: What to publish. When each topic's version was first published, and how often its texts changed
                under it, is counted here.
            allow_lower_majority: Somebody decided that people under 18 choose for themselves here.
            allow_newly_shared: Somebody looked at the hand-overs of the last 30 days that it would have let out though
                the one before did not (`replay`), and wants that.

        Raises:
            RefusedError: 422 with each problem, 409 when somebody else published meanwhile, or 503 when this server
                can't read what is published now.
        """
        published = self._catalogues.newest(brand_id)
        catalogue = self._following(published, catalogue)
        comparison = self._admit(brand_id, catalogue, allow_lower_majority=allow_lower_majority)
        body = catalogue.canonical_json()
        if published.body == body:
            return PublishResult(published.revision, format_micros(published.published_at), changed=False)
        if published.revision and not allow_newly_shared and may_open(comparison.changes):
            await self._refuse_newly_shared(published, catalogue)
            catalogue = self._following(published, catalogue)  # that may have taken minutes, and a grace begins now
            body = catalogue.canonical_json()
        try:
            stored = await self._storage.publish(
                brand_id, body, published_at=self._clock.now(), expected_revision=published.revision
            )
        except CatalogueChangedError:
            raise RefusedError(
                HTTPStatus.CONFLICT,
                Code.CATALOGUE_CHANGED,
                "somebody published meanwhile; look at the newest catalogue and publish again",
            ) from None
        self._catalogues.take(Published(stored.revision, catalogue, brand_id, stored.published_at, stored.body))
        return PublishResult(stored.revision, format_micros(stored.published_at), changed=True)

    async def preview(self, brand_id: str, catalogue: Catalogue, *, progress: Progress | None = None) -> dict[str, Any]:
        """Say what publishing would change, what to beware of, and how many consumers each change asks again.

        Every consumer of the brand is read, a page at a time, and for one preview of the brand at a time.

        Raises:
            RefusedError: 422 with each problem, or 429 while another preview of the brand is at work.
        """
        with self._one_at_a_time(brand_id, "preview"):
            return await self._preview(brand_id, catalogue, progress)

    async def replay(
        self, brand_id: str, catalogue: Catalogue, *, days: int, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Say which hand-overs of the last days a catalogue would newly have withheld or allowed.

        Raises:
            RefusedError: 422 with each problem, or 429 while another replay of the brand is at work.
        """
        with self._one_at_a_time(brand_id, "replay"):
            current = self._catalogues.newest(brand_id)
            catalogue = self._following(current, catalogue)
            self._admit(brand_id, catalogue, allow_lower_majority=True)
            span = timedelta(days=days)
            since = self._clock.now() - span_micros(span)
            found = await self._rehearsal.run(brand_id, current.catalogue, catalogue, span, progress)
        return {"revision": current.revision, **shown(found, days=days, since=since)}

    @contextmanager
    def _one_at_a_time(self, brand_id: str, what: str) -> Iterator[None]:
        # Both read every consumer of the brand; the second would only hold up the first.
        if brand_id in self._at_work:
            raise come_again(f"another preview or replay of this brand is at work; ask for the {what} again after it")
        self._at_work.add(brand_id)
        try:
            yield
        finally:
            self._at_work.discard(brand_id)

    def _following(self, published: Published, catalogue: Catalogue) -> Catalogue:
        """Give a catalogue as it follows the published one: with the topics it dropped, and the notices' history."""
        old = published.catalogue if published.revision else None
        return with_history(old, with_retired(old, catalogue), self._clock.now())

    async def _refuse_newly_shared(self, published: Published, catalogue: Catalogue) -> None:
        found = await self._rehearsal.run(published.brand_id, published.catalogue, catalogue)
        problems = [
            Problem(
                pointer_to(table_of(catalogue.topics[each["topic"]]), ""),
                Code.NEWLY_SHARED.value,
                f"{each['topic']} would have let out {each['field'] or 'data'} in {each['hand_overs']} hand-overs of "
                f"the last {DAYS.days} days ({each['consumers']} consumers), which it did not ({each['was']} before, "
                f"{each['now']} now: {each['reason']}); look at them with catalogue replay, and publish with "
                "allow_newly_shared if that is meant",
            )
            for each in found.listed(allows=True)
        ]
        if problems:
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY, Code.NEWLY_SHARED, problems[0].message, problems=problems
            )

    async def _preview(self, brand_id: str, catalogue: Catalogue, progress: Progress | None) -> dict[str, Any]:
        current = self._catalogues.newest(brand_id)
        old = current.catalogue if current.revision else None
        catalogue = self._following(current, catalogue)
        comparison = self._admit(brand_id, catalogue, allow_lower_majority=True)
        raised = {key: catalogue.topics[key].version for key in comparison.asks_again}
        consumers, asked = await self._count(brand_id, raised, progress)
        warnings = [f"{change.topic} {change.message}".lstrip() for change in comparison.changes if change.warns]
        warnings += unsaid_changes(old, catalogue, comparison.asks_again)
        return {
            "revision": current.revision,
            "consumers": consumers,
            "changes": [
                {
                    "topic": change.topic,
                    "kind": change.kind.value,
                    "message": change.message,
                    "asks_again": change.asks_again,
                }
                for change in comparison.changes
            ],
            "asked_again": asked,
            "texts": text_changes(old, catalogue),
            "warnings": warnings + [str(found.problem) for found in lint(catalogue) if found.level is Level.WARNING],
        }

    async def _count(
        self, brand_id: str, raised: dict[str, int], progress: Progress | None
    ) -> tuple[int, dict[str, int]]:
        """Count the brand's consumers, and for each raised topic those whose grant is of an earlier version.

        A visitor who signed in is the consumer they are linked to, and no second one.
        """
        asked = dict.fromkeys(raised, 0)
        consumers = 0
        after = ""
        while page := await self._storage.consumer_ids(brand_id, after=after, limit=_PAGE):
            after = page[-1]
            for consumer_id in page:
                if not raised and not is_anonymous(consumer_id):
                    consumers += 1
                    continue
                state = read_state(await self._storage.consumer(brand_id, consumer_id))
                if state.linked_to is not None:
                    continue
                consumers += 1
                for key, version in raised.items():
                    choice = standing_for(state.topics, key)
                    if is_granted(choice) and choice is not None and (choice.notice_version or version) < version:
                        asked[key] += 1
            if progress is not None:
                progress(consumers)
            await asyncio.sleep(0)  # others' requests between two pages
        return consumers, asked

    def _admit(self, brand_id: str, catalogue: Catalogue, *, allow_lower_majority: bool) -> Comparison:
        current = self._catalogues.newest(brand_id)
        comparison = compare(
            current.catalogue if current.revision else None, catalogue, allow_lower_majority=allow_lower_majority
        )
        problems = [
            Problem(pointer_to(found.table, found.key), Code.CATALOGUE_INVALID.value, str(found.problem))
            for found in lint(catalogue)
            if found.level is Level.ERROR
        ]
        problems += [
            Problem(
                pointer_to(refusal.table, refusal.key),
                refusal.code,
                str(CatalogueProblem(refusal.table, refusal.key, refusal.message)),
            )
            for refusal in comparison.refusals
        ]
        if problems:
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY, Code(problems[0].code), problems[0].message, problems=problems
            )
        return comparison


def pointer_to(table: str, key: str) -> str:
    """Give a JSON pointer (RFC 6901) for a place that is named in TOML's words.

    Args:
        table: The table, such as `topics."purpose:marketing"`; empty for the file as a whole.
        key: The key in it, such as `title.en`; empty for the table as a whole.
    """
    names = [quoted or bare for text in (table, key) for quoted, bare in _NAMES.findall(text)]
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


_NAMES = re.compile(r'"((?:[^"\\]|\\.)*)"|([A-Za-z0-9_-]+)')
