"""What a consumer is told when a request is denied: why, what they can do about it, and where."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sayso.model.request import DenialReason
from sayso.model.table import text_in
from sayso.rules.recourse import Recourse


def _said(en: str, es: str, fr: str) -> Mapping[str, str]:
    return MappingProxyType({"en": en, "es": es, "fr": fr})


REASONS: Final[Mapping[DenialReason, Mapping[str, str]]] = MappingProxyType(
    {
        DenialReason.SUSPECTED_FRAUD: _said(
            "We have reason to believe that this request does not come from you.",
            "Tenemos motivos para creer que esta solicitud no procede de usted.",
            "Nous avons des raisons de croire que cette demande ne vient pas de vous.",
        ),
        DenialReason.INSUF_VERIFICATION: _said(
            "We could not make sure that it is you who is asking.",
            "No hemos podido comprobar que es usted quien lo solicita.",
            "Nous n’avons pas pu vérifier que c’est bien vous qui le demandez.",
        ),
        DenialReason.NO_MATCH: _said(
            "We found nothing about you under what you told us.",
            "No hemos encontrado nada sobre usted con los datos que nos dio.",
            "Nous n’avons rien trouvé à votre sujet avec ce que vous nous avez indiqué.",
        ),
        DenialReason.CLAIM_NOT_COVERED: _said(
            "The law does not give a right to what you asked for.",
            "La ley no da derecho a lo que ha solicitado.",
            "La loi ne donne pas droit à ce que vous avez demandé.",
        ),
        DenialReason.OUTSIDE_JURISDICTION: _said(
            "The law that you referred to does not apply where you live.",
            "La ley que menciona no se aplica en el lugar donde vive.",
            "La loi que vous invoquez ne s’applique pas là où vous vivez.",
        ),
        DenialReason.TOO_MANY_REQUESTS: _said(
            "You have asked for this more often than the law obliges us to answer.",
            "Ha presentado esta solicitud más veces de las que la ley nos obliga a responder.",
            "Vous avez présenté cette demande plus souvent que la loi ne nous oblige à y répondre.",
        ),
        DenialReason.OTHER: _said(
            "We can't do what you asked for.",
            "No podemos hacer lo que ha solicitado.",
            "Nous ne pouvons pas faire ce que vous avez demandé.",
        ),
    }
)
"""The seven reasons of the Data Rights Protocol 1.0 (section 3.02) in words."""

_BARRED = _said(
    "A law bars us from saying why: {law}.",
    "Una ley nos impide decir por qué: {law}.",
    "Une loi nous interdit de dire pourquoi : {law}.",
)


def denial_in_words(
    reason: DenialReason,
    recourse: Recourse,
    language: str | None,
    *,
    grounds: str | None = None,
    barred_by: str | None = None,
) -> str:
    """Write the answer to a request that is denied.

    Args:
        reason: One of the seven.
        recourse: Whom the consumer can turn to, from `rules.recourse.recourse`.
        language: The consumer's; English where there are no words in it.
        grounds: Why, in the officer's words, already in that language.
        barred_by: The law that bars giving the grounds.

    Returns:
        The reason, the grounds or the law that bars them, and the recourse, one sentence after the other. Where a law
        bars the grounds, the reason is left out as well, since it would give them away.

    Raises:
        ValueError: Neither grounds nor such a law was given, or both (PIPEDA s. 8(7), GDPR Art. 12(4)).
    """
    if (grounds is None) == (barred_by is None):
        raise ValueError("a denial gives its grounds, or names the law that bars giving them")
    if grounds is not None:
        why = f"{_in(REASONS[reason], language)} {grounds}"
    else:
        why = _in(_BARRED, language).format(law=barred_by)
    return f"{why} {recourse.in_words(language)}"


def _in(texts: Mapping[str, str], language: str | None) -> str:
    found = text_in(texts, language, "en")
    return "" if found is None else found[1]
