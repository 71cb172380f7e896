"""A decision in one sentence: the choice, its date, the notice's version and the rule."""

from collections.abc import Mapping
from dataclasses import dataclass

from sayso.model.decision import Decision, Reason
from sayso.model.instant import Micros, from_micros

REQUIRES = "requires:"
DEFAULT_LANGUAGE = "en"
_REASONS = frozenset(reason.value for reason in Reason)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sentence about a decision may name.

    Attributes:
        allowed: Whether it is allowed.
        reason: A `Reason` value or `requires:<topic>`.
        topic: The topic's key.
        titles: The topic's title by language.
        answer: The deciding choice's answer, if one decided.
        made_at: When that choice was made, in microseconds.
        expires_at: When it ends or ended, in microseconds.
        notice_version: The version of the notice it answered.
        device_id: The device asked about.
        signal: The signal that decided.
        valid_until: When time alone changes the answer, in microseconds.
    """

    allowed: bool
    reason: str
    topic: str
    titles: Mapping[str, str]
    answer: str | None = None
    made_at: Micros | None = None
    expires_at: Micros | None = None
    notice_version: int | None = None
    device_id: str | None = None
    signal: str | None = None
    valid_until: Micros | None = None


def facts_of(decision: Decision, titles: Mapping[str, str]) -> Facts:
    """Collect what `explain` may name about a decision."""
    choice = decision.choice
    return Facts(
        allowed=decision.allowed,
        reason=decision.reason,
        topic=decision.topic,
        titles=titles,
        answer=choice.answer if choice else None,
        made_at=choice.made_at if choice else None,
        expires_at=choice.expires_at if choice else None,
        notice_version=choice.notice_version if choice else None,
        device_id=decision.device_id,
        signal=decision.signal,
        valid_until=decision.valid_until,
    )


def explain(facts: Facts, language: str = DEFAULT_LANGUAGE) -> str:
    """Say in one sentence why something is allowed or not.

    Args:
        facts: See `Facts`.
        language: A language tag; `es-MX` falls back to `es`, an unknown language to English.
    """
    words = _WORDS.get(_primary(language), _WORDS[DEFAULT_LANGUAGE])
    title = title_in(facts.titles, language) or facts.topic
    if facts.reason.startswith(REQUIRES):
        clause = words["requires"]
    elif facts.reason == Reason.EXPIRED.value and facts.expires_at is None:
        clause = words["grown_up"]  # the one grant that ends without having a date of its own
    else:
        clause = words[facts.reason if facts.reason in _REASONS else Reason.UNAVAILABLE.value]
    if facts.made_at is not None and "{made}" not in clause:
        clause += words["standing"]
    notice = "" if facts.notice_version is None else words["notice"].format(version=facts.notice_version)
    sentence = words["allowed" if facts.allowed else "not_allowed"].format(title=title) + clause.format(
        needed=facts.reason.removeprefix(REQUIRES),
        answer=words.get(f"answer_{facts.answer}", facts.answer),
        made=_date(facts.made_at),
        expires=_date(facts.expires_at),
        notice=notice,
        device=facts.device_id or words["no_device"],
        signal=(facts.signal or "").upper(),
    )
    until = facts.valid_until if facts.allowed else None
    return sentence + (words["until"].format(until=_date(until)) if until is not None else "") + "."


def title_in(titles: Mapping[str, str], language: str) -> str | None:
    """Give the title in a language: the exact tag, the same language elsewhere, English, or any."""
    if language in titles:
        return titles[language]
    for tag, title in titles.items():
        if _primary(tag) == _primary(language):
            return title
    return titles.get(DEFAULT_LANGUAGE) or next(iter(titles.values()), None)


def _primary(tag: str) -> str:
    return tag.partition("-")[0].lower()


def _date(moment: Micros | None) -> str:
    if moment is None:
        return "?"
    return from_micros(moment).isoformat(" ", "minutes").removesuffix("+00:00") + " UTC"


_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "allowed": "“{title}” is allowed: ",
        "not_allowed": "“{title}” is not allowed: ",
        "notice": " under notice version {version}",
        "standing": "; the standing answer is “{answer}” of {made}{notice}",
        "answer_granted": "granted",
        "answer_denied": "refused",
        "answer_withdrawn": "withdrawn",
        "no_device": "no device was named",
        "until": ", until {until} unless something changes",
        "granted": "granted on {made}{notice}, and nothing later refuses it",
        "default": "it rests on a legitimate interest and nobody has objected",
        "required": "the law or a contract with the consumer requires it, so it does not depend on a choice",
        "unknown_topic": "the brand's catalogue has no such topic",
        "erased": "the consumer was erased and nothing has been recorded since",
        "restricted": "the consumer has restricted processing, and the restriction is open",
        "minor": "the consumer counts as under age and no guardian has granted it",
        "denied": "refused on {made}{notice}, and a refusal holds until a later grant",
        "withdrawn": "withdrawn on {made}{notice}, and a withdrawal holds until a later grant",
        "signal": "the consumer's {signal} signal covers it, and no later grant knowingly overrides it",
        "expired": "granted on {made}{notice}, but the grant ended on {expires}",
        "grown_up": "a guardian granted it on {made}{notice}, and that ended when the consumer came of age",
        "outdated": "granted on {made}{notice}, but the notice has changed since and must be answered again",
        "not_asked": "it needs consent, and the consumer has not answered yet",
        "device_denied": "the consumer allows it, but the device refuses ({device})",
        "device_not_asked": "the consumer allows it, but the device has not asked yet ({device})",
        "device_unknown": "the consumer allows it, but the device has sent no fresh report ({device})",
        "requires": "it requires “{needed}”, which is not allowed",
        "unavailable": "there was no answer fresh enough to rely on, and doubt means no",
    },
    "es": {
        "allowed": "«{title}» está permitido: ",
        "not_allowed": "«{title}» no está permitido: ",
        "notice": " según la versión {version} del aviso",
        "standing": "; la respuesta vigente es «{answer}» del {made}{notice}",
        "answer_granted": "concedido",
        "answer_denied": "rechazado",
        "answer_withdrawn": "retirado",
        "no_device": "no se indicó ningún dispositivo",
        "until": ", hasta el {until} si nada cambia",
        "granted": "concedido el {made}{notice}, y nada posterior lo rechaza",
        "default": "se basa en un interés legítimo y nadie se ha opuesto",
        "required": "lo exige la ley o un contrato con el consumidor, así que no depende de una elección",
        "unknown_topic": "el catálogo de la marca no tiene ese tema",
        "erased": "los datos del consumidor se borraron y no se ha registrado nada desde entonces",
        "restricted": "el consumidor ha limitado el tratamiento y la limitación sigue abierta",
        "minor": "el consumidor se considera menor de edad y ningún tutor lo ha concedido",
        "denied": "rechazado el {made}{notice}, y un rechazo vale hasta una concesión posterior",
        "withdrawn": "retirado el {made}{notice}, y una retirada vale hasta una concesión posterior",
        "signal": "la señal {signal} del consumidor lo cubre y ninguna concesión posterior la anula a sabiendas",
        "expired": "concedido el {made}{notice}, pero la concesión terminó el {expires}",
        "grown_up": "un tutor lo concedió el {made}{notice}, y eso terminó cuando el consumidor fue mayor de edad",
        "outdated": "concedido el {made}{notice}, pero el aviso ha cambiado y hay que responder de nuevo",
        "not_asked": "necesita consentimiento y el consumidor aún no ha respondido",
        "device_denied": "el consumidor lo permite, pero el dispositivo lo rechaza ({device})",
        "device_not_asked": "el consumidor lo permite, pero el dispositivo aún no preguntó ({device})",
        "device_unknown": "el consumidor lo permite, pero falta un informe reciente del dispositivo ({device})",
        "requires": "requiere «{needed}», que no está permitido",
        "unavailable": "no hubo una respuesta lo bastante reciente, y la duda significa no",
    },
    "fr": {
        "allowed": "« {title} » est permis : ",
        "not_allowed": "« {title} » n'est pas permis : ",
        "notice": " selon la version {version} de l'avis",
        "standing": " ; la réponse en vigueur est « {answer} » du {made}{notice}",
        "answer_granted": "accordé",
        "answer_denied": "refusé",
        "answer_withdrawn": "retiré",
        "no_device": "aucun appareil n'a été indiqué",
        "until": ", jusqu'au {until} si rien ne change",
        "granted": "accordé le {made}{notice}, et rien d'ultérieur ne le refuse",
        "default": "cela repose sur un intérêt légitime et personne ne s'y est opposé",
        "required": "la loi ou un contrat avec le consommateur l'exige, cela ne dépend donc pas d'un choix",
        "unknown_topic": "le catalogue de la marque ne contient pas ce sujet",
        "erased": "les données du consommateur ont été effacées et rien n'a été enregistré depuis",
        "restricted": "le consommateur a limité le traitement, et cette limitation est ouverte",
        "minor": "le consommateur est considéré comme mineur et aucun tuteur ne l'a accordé",
        "denied": "refusé le {made}{notice}, et un refus vaut jusqu'à un accord ultérieur",
        "withdrawn": "retiré le {made}{notice}, et un retrait vaut jusqu'à un accord ultérieur",
        "signal": "le signal {signal} du consommateur le couvre, et aucun accord ultérieur ne l'écarte sciemment",
        "expired": "accordé le {made}{notice}, mais l'accord a pris fin le {expires}",
        "grown_up": "un tuteur l'a accordé le {made}{notice}, ce qui a pris fin à la majorité du consommateur",
        "outdated": "accordé le {made}{notice}, mais l'avis a changé depuis et demande une nouvelle réponse",
        "not_asked": "un consentement est nécessaire, et le consommateur n'a pas encore répondu",
        "device_denied": "le consommateur le permet, mais l'appareil refuse ({device})",
        "device_not_asked": "le consommateur le permet, mais l'appareil n'a pas encore demandé ({device})",
        "device_unknown": "le consommateur le permet, mais l'appareil n'a rien dit de récent ({device})",
        "requires": "cela exige « {needed} », qui n'est pas permis",
        "unavailable": "aucune réponse assez récente n'était disponible, et le doute signifie non",
    },
}
