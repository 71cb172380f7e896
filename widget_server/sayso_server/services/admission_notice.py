"""What a grant needs so that it is consent: the notice that was answered, and evidence where nobody saw the answer."""

from collections.abc import Iterator
from datetime import UTC, date, timedelta
from typing import Any, Final

from sayso.errors import Problem
from sayso.model.catalogue import Catalogue
from sayso.model.choice import Actor, Choice, Method, Notice, SentNotice
from sayso.model.instant import Micros, from_micros
from sayso.model.recorded import BY_BRAND, SPOKEN
from sayso.model.table import text_in
from sayso.model.topic import Topic
from sayso.rules.fold import origin_of
from sayso.wire import Code

_A_DAY: Final = timedelta(days=1)  # somewhere it is tomorrow already
_IMPORTED: Final = {
    "wording": "what the consumer was asked, word for word",
    "date": "the day on which they answered, such as 2019-05-25",
    "source": "where their answer was kept until now",
}


def about_notice(at: str, choice: Choice, topic: Topic, catalogue: Catalogue) -> Iterator[Problem]:
    """Find what is wrong with the notice that a grant says was shown: it has to be the present one."""
    notice = choice.notice
    if notice is None:
        yield Problem(
            f"{at}/notice",
            Code.NOTICE_REQUIRED,
            'consent without a notice is none; say what was shown, such as {"language": "en"}',
        )
        return
    if notice.language not in catalogue.languages:
        yield Problem(
            f"{at}/notice/language",
            Code.NOTICE_UNKNOWN,
            f"no notice is in {notice.language}; there are {', '.join(catalogue.languages)}",
        )
    version = notice.version
    if version is not None and version > topic.version:
        yield Problem(
            f"{at}/notice/version",
            Code.NOTICE_UNKNOWN,
            f"{topic.key} has notice versions up to {topic.version}; leave the version out for the current one",
        )
    elif version is not None and version < topic.version:
        yield Problem(
            f"{at}/notice/version",
            Code.NOTICE_STALE,
            f"the notice has changed: show version {topic.version} and ask again",
            _to_show(topic, notice, catalogue),
        )
    elif notice.minor is not None and notice.minor > catalogue.minor(topic.key):
        yield Problem(
            f"{at}/notice/minor",
            Code.NOTICE_UNKNOWN,
            f"version {topic.version} of {topic.key} has texts up to {catalogue.minor(topic.key)}; "
            "leave minor out for the current one",
        )


def about_evidence(at: str, choice: Choice, actor: Actor, now: Micros) -> Iterator[Problem]:
    """Find what is missing to show that a grant was made: who imports one, or took one down, has to have something.

    One that the brand itself says it has, by whatever way, is an import: else that word would be the way around.
    An agent's and one given on the phone decide nothing by themselves (`rules.fold`): the consumer's own does.
    """
    evidence, origin = choice.evidence, origin_of(actor, choice.method)
    if origin == BY_BRAND:
        whose = "an imported grant" if choice.method is Method.IMPORT else "a grant that the brand itself records"
        for name, what in _IMPORTED.items():
            if evidence is None or getattr(evidence, name) is None:
                yield Problem(
                    f"{at}/evidence/{name}",
                    Code.EVIDENCE_REQUIRED,
                    f"{whose} is consent only with {what}; without it, ask the consumer",
                )
    elif origin == SPOKEN and evidence is None:
        yield Problem(
            f"{at}/evidence",
            Code.EVIDENCE_REQUIRED,
            'say what shows that the consumer agreed, such as {"kind": "call_recording", "ref": "2026-11-23/17"}; '
            "the grant counts once they confirm it themselves",
        )
    if evidence is not None and evidence.date is not None:
        today = from_micros(now).astimezone(UTC).date()
        if date.fromisoformat(evidence.date) > today + _A_DAY:
            yield Problem(f"{at}/evidence/date", Code.FROM_THE_FUTURE, "nobody has answered on a day to come")


def _to_show(topic: Topic, notice: SentNotice | Notice, catalogue: Catalogue) -> dict[str, Any]:
    """Give the present notice in the language in which the older one was shown, or the nearest."""

    def text(texts: dict[str, str] | None) -> tuple[str, str] | None:
        return text_in(texts or {}, notice.language, catalogue.default_language)

    found = text(topic.notice)
    shown: dict[str, Any] = {
        "topic": topic.key,
        "version": topic.version,
        "minor": catalogue.minor(topic.key),
        "language": found[0] if found is not None else catalogue.default_language,
    }
    texts = {"title": topic.title, "notice": topic.notice, "change": topic.change, "warning": topic.warning}
    picked = {name: text(by_language) for name, by_language in texts.items()}
    return shown | {name: chosen[1] for name, chosen in picked.items() if chosen is not None}
