"""Whom a consumer can turn to, as the wire has it."""

from typing import Any

from sayso.model.catalogue import Catalogue
from sayso.model.instant import Micros, from_micros
from sayso.model.table import text_in
from sayso.rules.recourse import Recourse, recourse


def recourse_at(jurisdiction: str | None, catalogue: Catalogue, now: Micros) -> Recourse:
    """Give whom a consumer of a place can turn to today."""
    return recourse(jurisdiction, catalogue, from_micros(now).date())


def recourse_json(found: Recourse, language: str) -> dict[str, Any]:
    """Give it in one language: `words`, the nearest `authority` with its `url`, and every one of the `offices`."""

    def said(texts: Any) -> str:
        return (text_in(texts, language, "en") or ("", ""))[1]

    return {
        "words": found.in_words(language),
        "authority": said(found.authority),
        "url": found.url,
        "offices": [{"name": said(office.name), "url": office.url} for office in found.offices],
    }
