"""Every text that a topic was ever asked with, from the stored revisions: what a choice of years ago answered."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from sayso.model.instant import Micros, format_micros
from sayso.model.topic import TopicKind
from sayso.wire import Code
from sayso_server.services.catalogues import Catalogues
from sayso_server.services.refusals import RefusedError
from sayso_server.services.turns import Turns
from sayso_server.storage.base import Storage, StoredCatalogue

_TEXTS: Final = ("title", "notice", "warning", "change")
_KEPT: Final = 32
"""Brands whose texts stay in memory."""
_AT_ONCE: Final = 20
"""Revisions in memory at a time: one may take a megabyte."""


class ShownNotice(NamedTuple):
    """One state of a topic's texts.

    Attributes:
        version: The notice's version.
        minor: Which text of that version.
        revision: The first revision of the catalogue that had it.
        published_at: When that was published.
        replaced_at: When the first revision without it was published; None while it is shown.
        texts: Each text by language, as published.
    """

    version: int
    minor: int
    revision: int
    published_at: Micros
    replaced_at: Micros | None
    texts: Mapping[str, Mapping[str, str]]


class Notices:
    """Looks texts up in what was published. Revisions are never changed, and never deleted."""

    def __init__(self, storage: Storage, catalogues: Catalogues) -> None:
        """Take what it works with."""
        self._storage = storage
        self._catalogues = catalogues
        self._turns = Turns()
        self._known: OrderedDict[str, _Texts] = OrderedDict()

    async def of(
        self, brand_id: str, topic: str, *, version: int | None = None, language: str | None = None
    ) -> dict[str, Any]:
        """Give a topic's notices, oldest first, as `GET /v1/catalogue/notices` answers them.

        Args:
            brand_id: Whose.
            topic: The topic's key, retired ones included.
            version: Only those of this version.
            language: Each text in this language alone, and no notice that did not have it.

        Raises:
            RefusedError: 404; no revision had the topic.
        """
        # No revision ever loses a topic (`sayso.catalogue.with_retired`), so the newest knows each there was.
        known = self._catalogues.of(brand_id).catalogue.topic(topic) is not None
        found = (await self._all(brand_id)).by_topic.get(topic) if known else None
        if not found:
            raise RefusedError(
                HTTPStatus.NOT_FOUND, Code.UNKNOWN_TOPIC, f"no revision of the catalogue has a topic {topic[:64]!r}"
            )
        chosen = [each for each in found if version is None or each.version == version]
        return {"topic": topic, "notices": [shown for each in chosen if (shown := _shown(each, language)) is not None]}

    async def _all(self, brand_id: str) -> "_Texts":
        newest = self._catalogues.newest_revision(brand_id)
        async with self._turns.of(brand_id):
            known = self._known.get(brand_id)
            if known is None or known.revision > newest:
                known = self._known[brand_id] = _Texts(0, {})
            self._known.move_to_end(brand_id)
            # Every revision is read once, for all topics, and later only what was published since: whoever asks for
            # one topic after the other must not have the server read a megabyte for each revision again.
            for start in range(known.revision + 1, newest + 1, _AT_ONCE):
                stored: list[StoredCatalogue] = []
                for revision in range(start, min(start + _AT_ONCE, newest + 1)):
                    stored += await self._storage.catalogues(brand_id, revision=revision)
                # A large revision takes ten milliseconds to read, in which others are to be answered.
                known = self._known[brand_id] = await asyncio.to_thread(_follow, known, stored)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
            return known


class _Texts(NamedTuple):
    """Every text up to a revision, by topic, oldest first."""

    revision: int
    by_topic: Mapping[str, tuple[ShownNotice, ...]]


def _follow(known: _Texts, stored: Iterable[StoredCatalogue]) -> _Texts:
    newest, by_topic = known.revision, dict(known.by_topic)
    for revision in stored:
        content = json.loads(revision.body)
        offered = dict(_offered(content))
        for topic in by_topic.keys() | offered.keys():
            before = by_topic.get(topic, ())
            shown = _shown_in(revision, offered.get(topic), content.get("history", {}).get(topic, {}))
            last = before[-1] if before and before[-1].replaced_at is None else None
            if last is not None and shown is not None and last[:2] == shown[:2] and last.texts == shown.texts:
                continue
            if last is not None:
                before = (*before[:-1], last._replace(replaced_at=revision.published_at))
            if last is not None or shown is not None:
                by_topic[topic] = before if shown is None else (*before, shown)
        newest = revision.revision
    return _Texts(newest, by_topic)


def _offered(content: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the settings of every topic of a revision: those of its own, and those of the partners' flows."""
    for name, partner in content.get("partners", {}).items():
        for flow, settings in partner.get("flows", {}).items():
            yield f"{TopicKind.PARTNER}:{name}:{flow}", settings
    yield from content.get("topics", {}).items()


def _shown_in(
    revision: StoredCatalogue, settings: Mapping[str, Any] | None, past: Mapping[str, Any]
) -> ShownNotice | None:
    if settings is None or settings.get("retired"):
        return None
    texts = {name: settings[name] for name in _TEXTS if settings.get(name)}
    version, minor = settings.get("version", 1), past.get("minor", 0)
    return ShownNotice(version, minor, revision.revision, revision.published_at, None, texts)


def _shown(notice: ShownNotice, language: str | None) -> dict[str, Any] | None:
    texts = notice.texts
    if language is not None:
        texts = {name: {language: found[language]} for name, found in texts.items() if language in found}
        if "notice" not in texts:
            return None
    return {
        "version": notice.version,
        "minor": notice.minor,
        "revision": notice.revision,
        "published_at": format_micros(notice.published_at),
        "replaced_at": None if notice.replaced_at is None else format_micros(notice.replaced_at),
        **texts,
    }
