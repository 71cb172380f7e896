"""Publishing catalogues, and saying beforehand whom a change would ask again."""

import asyncio
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from sayso.catalogue import Comparison, Level, compare, lint, with_retired
from sayso.errors import CatalogueProblem, Problem
from sayso.model.catalogue import Catalogue
from sayso.model.ids import is_anonymous
from sayso.model.instant import format_micros
from sayso.rules.fold import is_granted, standing_for
from sayso.wire import Code
from sayso_server.clock import Clock
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.published import Published
from sayso_server.services.refusals import RefusedError, come_again
from sayso_server.services.state import read_state
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
        self._previewing: set[str] = set()

    async def publish(
        self, brand_id: str, catalogue: Catalogue, *, allow_lower_majority: bool = False
    ) -> PublishResult:
        """Publish the next revision; publishing what is current already changes nothing.

        Raises:
            RefusedError: 422 with each problem, 409 when somebody else published meanwhile, or 503 when this server
                can't read what is published now.
        """
        published = self._catalogues.newest(brand_id)
        catalogue = with_retired(published.catalogue if published.revision else None, catalogue)
        self._admit(brand_id, catalogue, allow_lower_majority=allow_lower_majority)
        body = catalogue.canonical_json()
        if published.body == body:
            return PublishResult(published.revision, format_micros(published.published_at), changed=False)
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

    async def preview(self, brand_id: str, catalogue: Catalogue) -> dict[str, Any]:
        """Say what publishing would change, what to beware of, and how many consumers each change asks again.

        Every consumer of the brand is read, a page at a time, and for one preview of the brand at a time.

        Raises:
            RefusedError: 422 with each problem, or 429 while another preview of the brand is at work.
        """
        if brand_id in self._previewing:
            raise come_again("another preview of this brand is at work; ask again when it has answered")
        self._previewing.add(brand_id)
        try:
            return await self._preview(brand_id, catalogue)
        finally:
            self._previewing.discard(brand_id)

    async def _preview(self, brand_id: str, catalogue: Catalogue) -> dict[str, Any]:
        current = self._catalogues.newest(brand_id)
        catalogue = with_retired(current.catalogue if current.revision else None, catalogue)
        comparison = self._admit(brand_id, catalogue, allow_lower_majority=True)
        raised = {key: catalogue.topics[key].version for key in comparison.asks_again}
        consumers, asked = await self._count(brand_id, raised)
        warnings = [f"{change.topic} {change.message}".lstrip() for change in comparison.changes if change.warns]
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
            "warnings": warnings + [str(found.problem) for found in lint(catalogue) if found.level is Level.WARNING],
        }

    async def _count(self, brand_id: str, raised: dict[str, int]) -> tuple[int, dict[str, int]]:
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
