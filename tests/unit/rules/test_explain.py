"""A decision in one sentence, in every language Sayso speaks."""

from datetime import UTC, datetime
from string import Formatter

import pytest

from sayso.model.decision import Decision, Reason
from sayso.model.instant import to_micros
from sayso.model.recorded import RecordedChoice
from sayso.rules import explain as module
from sayso.rules.explain import Facts, explain, facts_of, title_in

MADE = to_micros(datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
ENDS = to_micros(datetime(2027, 8, 9, 10, 11, tzinfo=UTC))
TITLES = {"en": "Offers by text", "es": "Ofertas por mensaje", "fr-CA": "Offres par texto"}
LANGUAGES = ("en", "es", "fr")
REASONS = [*(reason.value for reason in Reason), "requires:purpose:marketing"]
ALLOWED = {"granted", "default", "required"}
ABOUT_A_CHOICE = ["granted", "denied", "withdrawn", "expired", "outdated"]


def sentence(reason, language="en", **more):
    members = {"answer": "granted", "made_at": MADE, "notice_version": 7, "expires_at": ENDS, **more}
    return explain(
        Facts(allowed=reason in ALLOWED, reason=reason, topic="channel:sms", titles=TITLES, **members), language
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_gives_one_sentence_with_title_date_and_notice(reason, language):
    said = sentence(reason, language)
    assert title_in(TITLES, language) in said
    assert "2026-03-04 05:06 UTC" in said
    assert " 7" in said
    assert said.endswith(".")
    assert said.count(".") == 1
    assert "\n" not in said
    assert "{" not in said
    assert "None" not in said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", [reason for reason in REASONS if reason not in ABOUT_A_CHOICE])
def test_a_reason_without_a_choice_names_no_date_and_no_notice(reason, language):
    said = sentence(reason, language, answer=None, made_at=None, notice_version=None, expires_at=None)
    assert "UTC" not in said
    assert "?" not in said
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "a guardian granted it on 2026-03-04 05:06 UTC under notice version 7"),
        ("es", "un tutor lo concedió el 2026-03-04 05:06 UTC"),
        ("fr", "un tuteur l'a accordé le 2026-03-04 05:06 UTC"),
    ],
)
def test_a_grant_that_ended_without_a_date_was_a_guardians(language, said):
    full = sentence("expired", language, expires_at=None)
    assert said in full
    assert "?" not in full


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_reason_reads_differently(language):
    assert len({sentence(reason, language) for reason in REASONS}) == len(REASONS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_allowed_never_reads_like_what_is_not(language):
    for reason in ALLOWED:
        other = explain(Facts(allowed=False, reason=reason, topic="channel:sms", titles=TITLES), language)
        assert sentence(reason, language).split(": ")[0] != other.split(": ")[0]


def test_every_language_says_the_same_things():
    words = module._WORDS
    assert set(words) == set(LANGUAGES)
    for language in LANGUAGES:
        assert set(words[language]) == set(words["en"])
        assert set(words[language]) >= {reason.value for reason in Reason} | {"requires"}
        assert len(set(words[language].values())) >= len(words[language]) - 2
        for key, text in words[language].items():
            assert _fields(text) == _fields(words["en"][key]), (language, key)


def _fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_the_sentences_in_full():
    assert sentence("granted") == (
        "“Offers by text” is allowed: granted on 2026-03-04 05:06 UTC under notice version 7, "
        "and nothing later refuses it."
    )
    assert sentence("withdrawn", "es", answer="withdrawn") == (
        "«Ofertas por mensaje» no está permitido: retirado el 2026-03-04 05:06 UTC según la versión 7 del "
        "aviso, y una retirada vale hasta una concesión posterior."
    )
    assert sentence("expired", "fr-CA") == (
        "« Offres par texto » n'est pas permis : accordé le 2026-03-04 05:06 UTC selon la version 7 de "
        "l'avis, mais l'accord a pris fin le 2027-08-09 10:11 UTC."
    )
    assert sentence("device_denied", device_id="pixel-8") == (
        "“Offers by text” is not allowed: the consumer allows it, but the device refuses (pixel-8); "
        "the standing answer is “granted” of 2026-03-04 05:06 UTC under notice version 7."
    )
    assert sentence("minor", "es", answer="denied") == (
        "«Ofertas por mensaje» no está permitido: el consumidor se considera menor de edad y ningún tutor lo "
        "ha concedido; la respuesta vigente es «rechazado» del 2026-03-04 05:06 UTC según la versión 7 del "
        "aviso."
    )


def test_a_permission_that_ends_says_when():
    assert sentence("granted", valid_until=ENDS).endswith(", until 2027-08-09 10:11 UTC unless something changes.")
    assert sentence("granted", "es", valid_until=ENDS).endswith(", hasta el 2027-08-09 10:11 UTC si nada cambia.")
    assert sentence("granted", "fr", valid_until=ENDS).endswith(", jusqu'au 2027-08-09 10:11 UTC si rien ne change.")
    assert "2027" not in sentence("denied", valid_until=ENDS)


def test_the_signal_the_device_and_the_required_topic_are_named():
    assert "the consumer's GPC signal covers it" in sentence("signal", signal="gpc")
    assert "(pixel-8)" in sentence("device_unknown", device_id="pixel-8")
    assert "no device was named" in sentence("device_unknown")
    assert "it requires “purpose:marketing”" in sentence("requires:purpose:marketing")


@pytest.mark.parametrize("reason", ["a-later-release", "notice", "until", "no_device", "standing", ""])
def test_a_reason_that_this_release_does_not_know_reads_as_unavailable(reason):
    assert sentence(reason) == sentence("unavailable")


@pytest.mark.parametrize(
    ("language", "spoken", "title"),
    [
        ("en-GB", "is not allowed", "Offers by text"),
        ("es-MX", "no está permitido", "Ofertas por mensaje"),
        ("ES-mx", "no está permitido", "Ofertas por mensaje"),
        ("fr", "n'est pas permis", "Offres par texto"),
        ("FR-CA", "n'est pas permis", "Offres par texto"),
        ("de", "is not allowed", "Offers by text"),
        ("", "is not allowed", "Offers by text"),
        ("x" * 99, "is not allowed", "Offers by text"),
    ],
)
def test_an_unknown_language_falls_back_to_english(language, spoken, title):
    said = sentence("denied", language)
    assert spoken in said
    assert title in said


@pytest.mark.parametrize(
    ("titles", "language", "expected"),
    [
        ({"fr-CA": "A", "fr": "B"}, "fr", "B"),
        ({"fr-CA": "A", "fr": "B"}, "fr-CA", "A"),
        ({"fr-CA": "A", "en": "B"}, "fr-FR", "A"),
        ({"es": "A", "en": "B"}, "de", "B"),
        ({"es": "A", "fr": "B"}, "de", "A"),
        ({}, "en", None),
    ],
)
def test_a_title_is_taken_from_the_nearest_language(titles, language, expected):
    assert title_in(titles, language) == expected


def test_a_topic_without_a_title_is_named_by_its_key():
    said = explain(Facts(allowed=False, reason="not_asked", topic="channel:sms", titles={}))
    assert said == "“channel:sms” is not allowed: it needs consent, and the consumer has not answered yet."


def test_a_title_with_braces_is_a_title():
    said = explain(Facts(allowed=True, reason="default", topic="x", titles={"en": "{made} {0} {"}))
    assert said.startswith("“{made} {0} {” is allowed: ")


@pytest.mark.parametrize(("made", "shown"), [(-(10**20), "0001-01-01"), (10**20, "9999-12-31")])
def test_a_date_beyond_the_calendar_is_still_a_sentence(made, shown):
    assert shown in sentence("denied", made_at=made)


def test_the_facts_are_the_decisions():
    choice = RecordedChoice(3, 2, MADE, "granted", "p", "choice-3", MADE, expires_at=ENDS, notice_version=7)
    decision = Decision("channel:sms", False, "device_denied", choice, ENDS, "pixel-8", "gpc")
    assert facts_of(decision, TITLES) == Facts(
        allowed=False,
        reason="device_denied",
        topic="channel:sms",
        titles=TITLES,
        answer="granted",
        made_at=MADE,
        expires_at=ENDS,
        notice_version=7,
        device_id="pixel-8",
        signal="gpc",
        valid_until=ENDS,
    )
    nothing = facts_of(Decision("channel:sms", False, "not_asked"), TITLES)
    assert (nothing.answer, nothing.made_at, nothing.notice_version) == (None, None, None)
