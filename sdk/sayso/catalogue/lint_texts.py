"""Every text in every language: a consumer who can't read a notice was not informed (GDPR Art. 12(1))."""

from collections.abc import Iterator, Mapping

from sayso.catalogue.finding import Finding, dotted, error, table_of
from sayso.model.catalogue import Catalogue


def texts(catalogue: Catalogue) -> Iterator[Finding]:
    """Find texts that lack a declared language or come in an undeclared one."""
    for table, key, by_language in _all_texts(catalogue):
        for language in catalogue.languages:
            if not by_language.get(language):
                yield error(table, f"{key}.{language}", f"is missing; write it, or take {language} out of `languages`")
        for language in by_language:
            if language not in catalogue.languages:
                yield error(table, f"{key}.{language}", "is in a language that `languages` does not list")


def _all_texts(catalogue: Catalogue) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    for topic in catalogue.topics.values():
        if topic.retired:
            continue  # kept so that refusals can be recorded; shown to nobody
        table = table_of(topic)
        yield table, "title", topic.title
        yield table, "notice", topic.notice
        if topic.warning is not None:
            yield table, "warning", topic.warning
        if topic.change is not None:
            yield table, "change", topic.change
        for name, sender in topic.senders.items():
            if sender.title:
                yield dotted("topics", topic.key, "senders", name), "title", sender.title
    for name, partner in catalogue.partners.items():
        yield dotted("partners", name), "title", partner.title
    for name, kept in catalogue.retention.items():
        yield dotted("retention", name), "title", kept.title
        yield dotted("retention", name), "ground", kept.ground
    for name, authority in catalogue.contacts.authorities.items():
        yield dotted("contacts", "authorities", name), "name", authority.name
    for name, source in catalogue.sources.items():
        yield dotted("sources", name), "title", source.title
        if source.warning is not None:
            yield dotted("sources", name), "warning", source.warning
    for name, cookie in catalogue.cookies.items():
        yield dotted("cookies", name), "description", cookie.description
