"""Whom a consumer can turn to when a request was refused or not answered, and what to tell them about it."""

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from sayso.model.catalogue import Catalogue
from sayso.model.table import text_in
from sayso.rules.recourse_table import ANYWHERE, LANGUAGES, OFFICES, WORDS, Office
from sayso.rules.regions import EEA, EEA_COUNTRIES, EVERYWHERE, country_of, may_hold, read_place


class Recourse(NamedTuple):
    """What a refusal has to say, and what is shown before anybody files a request.

    Attributes:
        words: What the consumer can do, by language: `en`, `es` and `fr`.
        authority: The name of the first authority, by language.
        url: Where a complaint to it starts.
        offices: Every authority that may be competent, the nearest first.
    """

    words: Mapping[str, str]
    authority: Mapping[str, str]
    url: str
    offices: tuple[Office, ...]

    def in_words(self, language: str | None) -> str:
        """Give the words in a language, or in English if there are none: `fr-CA` is answered in French."""
        return _in(self.words, language)


def recourse(jurisdiction: str | None, catalogue: Catalogue, on: date) -> Recourse:
    """Say whom a consumer of a place can turn to (GDPR Art. 12(4), PIPEDA s. 8(7), Québec s. 34).

    The catalogue's authorities stand in place of those that are shipped for the same regions. Where the place is not
    known well enough, everybody who may be competent is named.

    Args:
        jurisdiction: Where the consumer lives, such as `DE`, `US-CA` or `EEA`; None or anything unreadable is
            unknown.
        catalogue: The brand's.
        on: The day on which it is said: offices come and go.
    """
    place = read_place(jurisdiction)
    own = tuple(
        Office(authority.regions, authority.name, authority.url)
        for authority in catalogue.contacts.authorities.values()
    )
    taken = {region for office in own for region in office.regions}
    shipped = tuple(office for office in OFFICES if office.since <= on and taken.isdisjoint(office.regions))
    offices = _competent(place, own + shipped)
    first = offices[0] if offices else ANYWHERE
    words = {language: _words(place, offices, language) for language in LANGUAGES}
    return Recourse(MappingProxyType(words), first.name, first.url, offices or (ANYWHERE,))


def _competent(place: str | None, offices: Iterable[Office]) -> tuple[Office, ...]:
    """Give the nearest offices that are surely competent, then those that may be."""
    sure: dict[int, list[Office]] = {}
    possible: list[Office] = []
    for office in offices:
        nearness = max((_nearness(region, place) for region in office.regions), default=0)
        if nearness:
            sure.setdefault(nearness, []).append(office)
        elif may_hold(office.regions, place) and EEA_COUNTRIES.isdisjoint(office.regions):
            # Of the EEA's thirty, one list says it better than thirty lines.
            possible.append(office)
    nearest = sure[max(sure)] if sure else []
    return (*nearest, *possible)


def _nearness(region: str, place: str | None) -> int:
    """Tell how closely a region that surely covers a place surrounds it: 0 if it does not, 4 if it is the place."""
    if place is None:
        return int(region == EVERYWHERE)
    country = country_of(place)
    circles = (EVERYWHERE, EEA if country in EEA_COUNTRIES else None, country, place)
    return max((circle for circle, name in enumerate(circles, start=1) if name == region), default=0)


def _words(place: str | None, offices: tuple[Office, ...], language: str) -> str:
    templates = WORDS[_regime(place, offices)]
    names = "; ".join(f"{_in(office.name, language)} ({office.url})" for office in offices or (ANYWHERE,))
    return templates[language].format(authorities=names)


def _regime(place: str | None, offices: tuple[Office, ...]) -> str:
    if not offices:
        return EVERYWHERE
    country = country_of(place)
    for regime in (place, EEA if country in EEA_COUNTRIES else country):
        if regime is not None and regime in WORDS:
            return regime
    return EVERYWHERE


def _in(texts: Mapping[str, str], language: str | None) -> str:
    found = text_in(texts, language, "en")
    return "" if found is None else found[1]
