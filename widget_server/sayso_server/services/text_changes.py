"""Which texts a new catalogue shows in place of the published one's, for whoever looks before publishing."""

from collections.abc import Iterable
from typing import Final

from sayso.model.catalogue import Catalogue
from sayso.model.topic import Topic

_TEXTS: Final = ("title", "notice", "warning", "change")


def text_changes(old: Catalogue | None, new: Catalogue) -> list[dict[str, str | None]]:
    """List every text of a topic that changes: topic, which text, language, before and after (None for none)."""
    if old is None:
        return []
    found: list[dict[str, str | None]] = []
    for key, topic in new.topics.items():
        before = old.topics.get(key)
        if before is None or topic.retired:
            continue
        for name in _TEXTS:
            was, now = _texts(before, name), _texts(topic, name)
            found += [
                {
                    "topic": key,
                    "text": name,
                    "language": language,
                    "before": was.get(language),
                    "after": now.get(language),
                }
                for language in dict.fromkeys((*was, *now))
                if was.get(language) != now.get(language)
            ]
    return found


def unsaid_changes(old: Catalogue | None, new: Catalogue, raised: Iterable[str]) -> list[str]:
    """Say which topics ask people again without telling them what is new."""
    said = []
    for key in raised:
        before = old.topics.get(key) if old is not None else None
        change = new.topics[key].change
        if change is None:
            said.append(f"{key} asks people again without `change`, so nobody is told what is new")
        elif before is not None and change == before.change:
            said.append(f"{key} asks people again with the `change` of version {before.version}, which is no news")
    return said


def _texts(topic: Topic, name: str) -> dict[str, str]:
    texts: dict[str, str] | None = getattr(topic, name)
    return texts or {}
