"""The part of a copy that people read: one HTML page without anything that loads or runs."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

from sayso.model.instant import Micros, from_micros, parse_instant
from sayso.rules.explain import REQUIRES, Facts, explain, title_in
from sayso_server.pages.rights.texts import DATES, KINDS, MONTHS
from sayso_server.services.request_words import PLAIN

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "What is held about you",
        "intro": "Everything held about you, as of {at}. The same is in sayso.json for programs and in the .csv files "
        "for a spreadsheet. It costs nothing.",
        "id": "Your id with the brand",
        "preferences": "What may be done now",
        "choices": "What you have chosen",
        "disclosures": "Who got data about you",
        "requests": "What you have asked for",
        "more": "Devices, signals and age evidence are in sayso.json, as they were reported.",
        "none": "Nothing.",
        "topic": "Topic",
        "allowed": "Allowed",
        "reason": "Why",
        "answer": "Answer",
        "made_at": "When",
        "method": "How",
        "notice": "Notice you were shown",
        "version": "version {version}",
        "at": "When",
        "partner": "Who",
        "flow": "Direction",
        "fields_sent": "Fields sent",
        "received_at": "Received",
        "kind": "What",
        "state": "State",
        "yes": "yes",
        "no": "no",
    },
    "es": {
        "title": "Qué se conserva sobre usted",
        "intro": "Todo lo que se conserva sobre usted, a fecha de {at}. Lo mismo está en sayso.json para programas y "
        "en los archivos .csv para una hoja de cálculo. No cuesta nada.",
        "id": "Su identificador con la marca",
        "preferences": "Qué se puede hacer ahora",
        "choices": "Qué ha elegido usted",
        "disclosures": "Quién recibió datos sobre usted",
        "requests": "Qué ha solicitado usted",
        "more": "Los dispositivos, las señales y las pruebas de edad están en sayso.json, tal como se comunicaron.",
        "none": "Nada.",
        "topic": "Tema",
        "allowed": "Permitido",
        "reason": "Por qué",
        "answer": "Respuesta",
        "made_at": "Cuándo",
        "method": "Cómo",
        "notice": "Aviso que se le mostró",
        "version": "versión {version}",
        "at": "Cuándo",
        "partner": "Quién",
        "flow": "Dirección",
        "fields_sent": "Campos enviados",
        "received_at": "Recibida",
        "kind": "Qué",
        "state": "Estado",
        "yes": "sí",
        "no": "no",
    },
    "fr": {
        "title": "Ce qui est conservé à votre sujet",
        "intro": "Tout ce qui est conservé à votre sujet, au {at}. Les mêmes données se trouvent dans sayso.json pour "
        "les programmes et dans les fichiers .csv pour un tableur. C’est gratuit.",
        "id": "Votre identifiant auprès de la marque",
        "preferences": "Ce qui est permis maintenant",
        "choices": "Ce que vous avez choisi",
        "disclosures": "Qui a reçu des données à votre sujet",
        "requests": "Ce que vous avez demandé",
        "more": "Les appareils, les signaux et les preuves d’âge se trouvent dans sayso.json, tels que communiqués.",
        "none": "Rien.",
        "topic": "Sujet",
        "allowed": "Permis",
        "reason": "Pourquoi",
        "answer": "Réponse",
        "made_at": "Quand",
        "method": "Comment",
        "notice": "Avis qui vous a été montré",
        "version": "version {version}",
        "at": "Quand",
        "partner": "Qui",
        "flow": "Sens",
        "fields_sent": "Champs envoyés",
        "received_at": "Reçue",
        "kind": "Quoi",
        "state": "État",
        "yes": "oui",
        "no": "non",
    },
}
_STYLE: Final = (
    ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:.35rem .75rem .35rem 0;border-bottom:1px solid #8886;overflow-wrap:anywhere}"
)


class Names(NamedTuple):
    """What the brand's catalogue calls things, each by key and language.

    Attributes:
        topics: Titles of topics.
        partners: Names of partners.
    """

    topics: Mapping[str, Mapping[str, str]]
    partners: Mapping[str, Mapping[str, str]]


def page_of(
    held: Mapping[str, Any],
    *,
    topics: Sequence[Mapping[str, Any]],
    choices: Sequence[Mapping[str, Any]],
    language: str,
    names: Names,
) -> str:
    """Give the page.

    Args:
        held: Everything held.
        topics: Each topic's decision, with its `topic`.
        choices: Every recorded choice.
        language: `en`, `es` or `fr`, with or without a region; anything else reads English.
        names: What topics and partners are called; what has no name there is shown by its key.
    """
    tongue = language.partition("-")[0]
    tongue = tongue if tongue in _WORDS else "en"
    words, say = _WORDS[tongue], _Wording(tongue, language if tongue != "en" else "en", names)
    honoured = [name for name, seen in held["preferences"].get("signals", {}).items() if seen.get("honoured", True)]
    told = [{**one, "topic": say.topic(one["topic"]), "reason": say.why(one, honoured)} for one in topics]
    parts = [
        _table(words, "preferences", ("topic", "allowed", "reason"), told),
        _table(words, "choices", ("topic", "answer", "made_at", "method", "notice"), map(say.row, choices)),
        _table(
            words,
            "disclosures",
            ("at", "partner", "flow", "answer", "fields_sent"),
            map(say.row, held["disclosures"]),
        ),
        _table(words, "requests", ("received_at", "kind", "state"), map(say.row, held["requests"])),
    ]
    intro = escape(words["intro"].format(at=say.moment(held["exported_at"])))
    return (
        f'<!doctype html>\n<html lang="{tongue}"><head><meta charset="utf-8">'
        # The file is opened from a disk, without any header of ours.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(words['title'])}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(words['title'])}</h1><p>{intro}</p>"
        f"<p>{escape(words['id'])}: <code>{escape(str(held['consumer_id']))}</code></p>"
        f"{''.join(parts)}<p>{escape(words['more'])}</p></main></body></html>\n"
    )


class _Wording:
    """Says values of the wire in words; what it has none for stays as it is."""

    def __init__(self, tongue: str, language: str, names: Names) -> None:
        self._tongue = tongue
        self._language = language
        self._names = names

    def row(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Give an entry with its values in words."""
        said = {**entry, **{name: words.get(entry[name], entry[name]) for name, words in self._plain(entry)}}
        for name in ("made_at", "at", "received_at"):
            if name in entry:
                said[name] = self.moment(entry[name])
        if "topic" in entry:
            said["topic"] = self.topic(entry["topic"])
        if "partner" in entry:
            said["partner"] = title_in(self._names.partners.get(entry["partner"], {}), self._language)
            said["partner"] = said["partner"] or entry["partner"]
        kinds = {kind.value: words[self._tongue][0] for kind, words in KINDS.items()}
        said["kind"] = kinds.get(entry.get("kind", ""))
        said["notice"] = self._notice(entry.get("notice", {}))
        return said

    def topic(self, key: str) -> str:
        """Give a topic's title."""
        return title_in(self._names.topics.get(key, {}), self._language) or key

    def why(self, entry: Mapping[str, Any], honoured: Sequence[str]) -> str:
        """Say in a sentence why a topic is allowed or not."""
        reason = str(entry["reason"])
        if reason.startswith(REQUIRES):
            reason = REQUIRES + self.topic(reason.removeprefix(REQUIRES))
        facts = Facts(
            allowed=entry["allowed"],
            reason=reason,
            topic=entry["topic"],
            titles={self._language: self.topic(entry["topic"])},
            answer=entry.get("answer"),
            made_at=_micros(entry.get("made_at")),
            expires_at=_micros(entry.get("expires_at")),
            notice_version=entry.get("notice_version"),
            signal=", ".join(honoured),
            valid_until=_micros(entry.get("valid_until")),
        )
        return explain(facts, self._language)

    def moment(self, text: str) -> str:
        """Give a time as people write it, in UTC."""
        micros = _micros(text)
        if micros is None:
            return text
        when = from_micros(micros)
        month = MONTHS[self._tongue].split()[when.month - 1]
        return f"{DATES[self._tongue].format(day=when.day, month=month, year=when.year)}, {when:%H:%M} UTC"

    def _plain(self, entry: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, str]]]:
        return ((name, words) for name, words in PLAIN[self._tongue].items() if name in entry)

    def _notice(self, notice: Mapping[str, Any]) -> str:
        version = notice.get("version")
        said = [] if version is None else [_WORDS[self._tongue]["version"].format(version=version)]
        return ", ".join([*said, *([str(notice["language"])] if "language" in notice else [])])


def _micros(text: str | None) -> Micros | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError:
        return None


def _table(words: Mapping[str, str], heading: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    title = f'<h2 id="{heading}">{escape(words[heading])}</h2>'
    body = "".join(
        f"<tr>{''.join(f'<td>{_shown(words, row.get(name))}</td>' for name in columns)}</tr>" for row in rows
    )
    if not body:
        return f"{title}<p>{escape(words['none'])}</p>"
    head = "".join(f'<th scope="col">{escape(words[name])}</th>' for name in columns)
    return f'{title}<table aria-labelledby="{heading}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _shown(words: Mapping[str, str], value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return escape(words["yes" if value else "no"])
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return escape(text)
